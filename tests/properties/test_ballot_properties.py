"""What holds for every ballot, whatever the votes."""

from collections.abc import Mapping
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from core.domain.ballot import count
from core.domain.story import Outcome, VotingRule

MEMBERS = st.integers(1, 12)
VOTES = st.dictionaries(st.integers(0, 4), st.frozensets(MEMBERS), max_size=5)
RULES = st.sampled_from(VotingRule)
OPTIONS = st.integers(2, 4)
QUORUM = st.integers(1, 6)
BALLOT = st.integers(1, 2**63)


@given(VOTES, OPTIONS, RULES, QUORUM, BALLOT, st.randoms())
def test_any_order_of_votes_gives_one_tally(
    votes: Mapping[int, frozenset[int]],
    options: int,
    rule: VotingRule,
    quorum: int,
    ballot: int,
    random: Random,
) -> None:
    shuffled = list(votes.items())
    random.shuffle(shuffled)
    assert count(votes, options, rule, quorum, ballot) == count(
        dict(shuffled), options, rule, quorum, ballot
    )


@given(VOTES, OPTIONS, RULES, QUORUM, BALLOT)
def test_a_winner_has_the_highest_count_and_the_tied_share_it(
    votes: Mapping[int, frozenset[int]], options: int, rule: VotingRule, quorum: int, ballot: int
) -> None:
    tally = count(votes, options, rule, quorum, ballot)
    assert len(tally.counts) == options
    assert (tally.winner is not None) == (tally.outcome is Outcome.WON)
    if tally.winner is None:
        assert tally.voters < quorum or tally.voters == 0
        return
    assert tally.counts[tally.winner] == max(tally.counts) > 0
    assert tally.voters >= quorum
    if tally.tied:
        assert tally.winner in tally.tied
        assert [i for i, n in enumerate(tally.counts) if n == max(tally.counts)] == [*tally.tied]


@given(VOTES, OPTIONS, QUORUM, BALLOT)
def test_under_single_no_member_counts_twice(
    votes: Mapping[int, frozenset[int]], options: int, quorum: int, ballot: int
) -> None:
    tally = count(votes, options, VotingRule.SINGLE, quorum, ballot)
    assert sum(tally.counts) == tally.voters


@given(VOTES, OPTIONS, BALLOT, MEMBERS)
def test_one_more_vote_for_the_winner_never_makes_it_lose(
    votes: Mapping[int, frozenset[int]], options: int, ballot: int, member: int
) -> None:
    before = count(votes, options, VotingRule.APPROVAL, 1, ballot)
    if before.winner is None:
        return
    more = {**votes, before.winner: votes.get(before.winner, frozenset()) | {member}}
    assert count(more, options, VotingRule.APPROVAL, 1, ballot).winner == before.winner
