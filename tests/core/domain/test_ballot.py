"""Who wins a vote, under every rule."""

from hashlib import sha256

from core.domain.ballot import count, draw
from core.domain.story import Outcome, Votes, VotingRule

APPROVAL, SINGLE = VotingRule.APPROVAL, VotingRule.SINGLE


def votes(*members: set[int]) -> Votes:
    return {option: frozenset(who) for option, who in enumerate(members)}


def test_the_option_with_most_votes_wins() -> None:
    tally = count(votes({1}, {2, 3}, {4}), 3, APPROVAL, 1, 77)
    assert (tally.outcome, tally.counts, tally.voters, tally.winner) == (
        Outcome.WON,
        (1, 2, 1),
        4,
        1,
    )
    assert tally.tied == ()


def test_by_approval_every_reaction_of_a_member_counts() -> None:
    tally = count(votes({1, 2}, {1, 2, 3}, {1}), 3, APPROVAL, 1, 77)
    assert (tally.counts, tally.voters, tally.winner) == ((2, 3, 1), 3, 1)


def test_by_single_a_member_with_several_picks_counts_for_none() -> None:
    tally = count(votes({1, 2, 3}, {3, 4, 5}, {4, 5}), 3, SINGLE, 1, 77)
    assert (tally.counts, tally.voters, tally.winner) == ((2, 0, 0), 2, 0)


def test_no_votes_are_silence() -> None:
    tally = count(votes(set(), set(), set()), 3, APPROVAL, 1, 77)
    assert (tally.outcome, tally.winner, tally.voters) == (Outcome.SILENCE, None, 0)


def test_votes_that_all_cancel_each_other_are_silence() -> None:
    assert count(votes({1}, {1}, set()), 3, SINGLE, 1, 77).outcome is Outcome.SILENCE


def test_below_the_quorum_nobody_wins_and_the_counts_are_kept() -> None:
    tally = count(votes({1, 2}, set(), set()), 3, APPROVAL, 3, 77)
    assert (tally.outcome, tally.winner, tally.counts) == (Outcome.QUORUM_MISSED, None, (2, 0, 0))


def test_the_quorum_counts_members_not_reactions() -> None:
    everything = votes({1}, {1}, {1})
    assert count(everything, 3, APPROVAL, 2, 77).outcome is Outcome.QUORUM_MISSED


def test_reactions_outside_the_ballot_are_ignored() -> None:
    assert count({3: frozenset({1})}, 3, APPROVAL, 1, 77).outcome is Outcome.SILENCE


def test_a_tie_is_drawn_by_the_hash_of_the_ballots_id() -> None:
    """Anyone can check the draw with a SHA-256 tool: the recipe is the one of the docstring."""
    for ballot in range(1000, 1020):
        tally = count(votes({1}, {2}, {3}), 3, APPROVAL, 1, ballot)
        expected = int(sha256(str(ballot).encode()).hexdigest(), 16) % 3
        assert (tally.winner, tally.tied) == (expected, (0, 1, 2))


def test_a_draw_is_among_the_tied_alone() -> None:
    for ballot in range(2000, 2020):
        tally = count(votes({1}, {2}, set()), 3, APPROVAL, 1, ballot)
        assert tally.winner in (0, 1)
        assert tally.tied == (0, 1)


def test_draws_are_fair_over_many_ballots() -> None:
    drawn = [draw(ballot, (0, 1, 2)) for ballot in range(3000)]
    assert all(900 < drawn.count(option) < 1100 for option in range(3))
