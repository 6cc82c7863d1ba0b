"""What a channel must still show, and what it may still cost, whatever happens next.

It is written whenever something interrupts the bot's work (the process died, a moderator's request
took the story): what is committed by then is fixed for good. It is held against the channel
whenever the story rests. What must hold at any rest, whatever came before, is told_once's.
"""

import time
from collections import defaultdict

from core.domain.lifecycle import due_at_rest
from core.domain.story import PauseCause, Phase, Story, Turn
from tests.faults.discord_server import Channel, Message
from tests.faults.process_house import ProcessHouse
from tests.faults.told_once import (
    Counts,
    is_announcement,
    is_ballot,
    kept_phase,
    votes_on,
    words_of,
)

AT_REST = frozenset({Phase.VOTING, Phase.ASLEEP, Phase.ENDED})
_TEXT_COMMITTED = frozenset({Phase.REFLECTING, Phase.PUBLISHING})


def rests(story: Story) -> bool:
    """Whether a story waits for people, and the channel is owed nothing."""
    due = due_at_rest(story)
    calm = kept_phase(story) in AT_REST and not story.outbox and story.due == due
    return calm and (due is None or due > time.time())


def lost_leases(output: str, story: Story) -> int:
    """How often a worker of the story was too slow to renew its lease, and another took over.

    That costs a call to the model without any crash; it comes on a machine with too much to do.
    """
    return output.count(f"story {story.id}: the lease on story {story.id} ran out")


class Ledger:
    """The books of one channel.

    Attributes:
        torn: ballots that a moderator deleted.
    """

    def __init__(self, house: ProcessHouse, channel: Channel) -> None:
        self._house = house
        self._channel = channel
        self.torn: set[int] = set()
        self._said: list[str] = []
        self._pausing: bool = False
        self._ended: set[int] = set()
        self._may_cost: dict[tuple[str, str, int], int] = {}
        self._texts: dict[str, str] = {}
        self._read: dict[int, str] = {}
        self._closed: dict[str, Turn] = {}
        self._votes: dict[int, list[tuple[float, int]]] = defaultdict(list)
        self._asked_to_close: dict[int, float] = {}
        self._deadlines: dict[int, float] = {}

    # ── what people did ──────────────────────────────────────────────────────────────────────────

    def voted(self, ballot: Message, option: int) -> None:
        """Somebody voted who had not."""
        self._votes[ballot.id].append((time.time(), option))

    def asks_to_close(self, ballot: Message, deadline: float | None) -> None:
        """From now on a ballot may be counted, and since its deadline if that has passed.

        Args:
            ballot: the newest one.
            deadline: None when it isn't known, and so from when on.
        """
        since = 0.0 if deadline is None else min(time.time(), deadline)
        self._asked_to_close.setdefault(ballot.id, since)

    # ── what is fixed from now on ────────────────────────────────────────────────────────────────

    async def interrupted(self) -> Story | None:
        """Something cut into the bot's work: note what Redis and the channel hold by now."""
        story = await self._house.witness.current(self._channel)
        if story is not None:
            self._note_sentences(story)
            await self._note_turns(story)
            self._note_costs(story)
        return story

    def _note_sentences(self, story: Story) -> None:
        pause = story.pause
        if pause is not None and not self._pausing:
            assert pause.cause is PauseCause.MODERATOR, f"paused by a fault: {pause.reason}"
            # What is stored names nobody; the channel is told who it was.
            by = self._house.moderator.user.name
            self._said.append(pause.reason.replace("A moderator", by, 1))
        self._pausing = pause is not None
        if story.phase is Phase.ENDED and story.id.serial not in self._ended:
            self._ended.add(story.id.serial)
            number = story.head_number
            turns = f"{number} turn{'' if number == 1 else 's'}"
            by = self._house.moderator.user.name
            self._said.append(f"{by} ended the story after {turns}. /story start begins another.")

    async def _note_turns(self, story: Story) -> None:
        """Committed texts, the parts of them that members read, results, deadlines."""
        turns = await self._house.witness.texts(story)
        for turn in turns.values():
            known = self._texts.setdefault(turn.id, turn.paragraph)
            assert known == turn.paragraph, f"turn {turn.number} was rewritten"
            if turn.tally is not None:
                known = self._closed.setdefault(turn.id, turn)
                assert known == turn, f"turn {turn.number} changed after its vote"
        head = turns.get(story.head or "")
        if head is not None and head.ballot is not None and story.closes_at is not None:
            self._deadlines.setdefault(head.ballot, story.closes_at)
        paragraphs = [" ".join(turn.paragraph.split()) for turn in turns.values()]
        for message in self._prose():
            words = words_of(message)
            if any(words in paragraph for paragraph in paragraphs):
                self._read[message.id] = words

    def _note_costs(self, story: Story) -> None:
        """What is committed is never paid for again, what isn't is paid for once more."""
        draft, phase = story.draft, kept_phase(story)
        for number in range(1, story.head_number + 2):
            under_way = draft is not None and number == draft.number
            later = number > (draft.number if draft else story.head_number)
            written = not later and (not under_way or phase in _TEXT_COMMITTED)
            reflected = not later and (not under_way or phase is Phase.PUBLISHING)
            self._fix(story, "outline", 1, committed=bool(story.brief.title))
            self._fix(story, "paragraph", number, committed=written)
            self._fix(story, "reflection", number, committed=reflected)

    def _fix(self, story: Story, what: str, number: int, *, committed: bool) -> None:
        key = (story.brief.premise, what, number)
        self._may_cost[key] = self._house.endpoint.asked_of[key] + (not committed)

    # ── what must hold ───────────────────────────────────────────────────────────────────────────

    async def verify(self, story: Story) -> bool:
        """Hold everything against a story that rests; False when it moved meanwhile.

        Raises:
            AssertionError: something was lost, told twice, changed or paid for again.
        """
        try:
            await self._verify(story)
        except AssertionError:
            if await self._house.witness.current(self._channel) != story:
                return False
            raise
        await self.interrupted()
        return True

    async def _verify(self, story: Story) -> None:
        self._note_sentences(story)
        lost = lost_leases(self._house.bot.output, story)
        for key, asked in self._house.endpoint.asked_of.items():
            if key[0] == story.brief.premise:
                may = self._may_cost.get(key, 1) + lost
                assert asked <= may, f"{key} was asked for {asked} times of {may}"
        shown = {message.id: message for message in self._house.server.bot_messages(self._channel)}
        for message, words in self._read.items():
            assert message in shown, f"members read {words!r}, and it is gone"
            now = words_of(shown[message])
            assert now.startswith(words), f"members read {words!r}, now it is {now!r}"
        await self._house.witness.check_told_once(
            self._channel, self._said, torn=frozenset(self.torn), bounds=self._bounds
        )

    def _bounds(self, ballot: Message) -> tuple[Counts, Counts]:
        """Votes that came before it could be counted count; none counts that was never given."""
        moments = (self._asked_to_close.get(ballot.id), self._deadlines.get(ballot.id))
        earliest = min((at for at in moments if at is not None), default=0.0)
        least = [0, 0, 0]
        for at, option in self._votes[ballot.id]:
            least[option] += at < earliest
        return tuple(least), votes_on(ballot)

    def _prose(self) -> list[Message]:
        shown = self._house.server.bot_messages(self._channel)
        return [one for one in shown if not is_ballot(one) and not is_announcement(one)]
