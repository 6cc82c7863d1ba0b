"""Who won: every rule of voting, as one pure function of the votes and the rules.

The bot's own reactions and those of other bots are left out before they get here. When votes were
cast is unknown (Discord lists reactions without times), so no rule may depend on it.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from core.domain.story import Outcome, Tally, Votes, VotingRule


def count(votes: Votes, options: int, rule: VotingRule, quorum: int, ballot_id: int) -> Tally:
    """Count the votes of one ballot.

    The order in which votes are given makes no difference. A tie for the highest count is drawn
    among the tied (see ``draw``).

    Args:
        votes: option index → members; options outside the ballot are ignored.
        options: how many options the ballot has.
        rule: what a member's reactions mean.
        quorum: members with a vote that counts who are needed for a result; 1 is the least.
        ballot_id: id of the ballot's message.

    Returns:
        The tally; its outcome is SILENCE when no vote counts, QUORUM_MISSED below the quorum.
    """
    valid = _valid(votes, options, rule)
    counts = tuple(len(members) for members in valid)
    voters = len(frozenset[int]().union(*valid))
    if not voters:
        return Tally(Outcome.SILENCE, counts, 0)
    if voters < quorum:
        return Tally(Outcome.QUORUM_MISSED, counts, voters)
    best = [option for option, votes_ in enumerate(counts) if votes_ == max(counts)]
    if len(best) == 1:
        return Tally(Outcome.WON, counts, voters, best[0])
    return Tally(Outcome.WON, counts, voters, draw(ballot_id, best), tuple(best))


def draw(ballot_id: int, tied: Sequence[int]) -> int:
    """Draw one of the tied options so that anyone can check it and nobody can steer it.

    The SHA-256 of the ballot's message id (its decimal digits), read as a number, modulo how many
    are tied, picks from the tied in ballot order. The id is Discord's, fixed before the first vote.
    """
    number = int.from_bytes(sha256(str(ballot_id).encode("ascii")).digest())
    return tied[number % len(tied)]


def _valid(votes: Votes, options: int, rule: VotingRule) -> list[frozenset[int]]:
    """Per option, the members whose vote for it counts."""
    cast = [votes.get(option, frozenset()) for option in range(options)]
    if rule is VotingRule.APPROVAL:
        return cast
    picks = Counter(member for members in cast for member in members)
    return [frozenset(member for member in members if picks[member] == 1) for members in cast]
