"""What moderators change of the story itself: its newest paragraph, its plans, and the ways back.

Each takes the story by force, commits what changes together with its entry in the log and what the
channel is owed, and lets go; the wheel does the rest. Texts are replaced only if they still read as
whoever replaces them saw them (``seen``, a fingerprint).
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from core.domain import edits, ways_back
from core.domain.audit import Change, ChangeKind, Moderator, Road
from core.domain.identity import id_before, nonce
from core.domain.lifecycle import Event, describe
from core.domain.lineage import cut, holds
from core.domain.moves import ended, owed, working_phase
from core.domain.story import (
    Lineage,
    Notice,
    Phase,
    Plan,
    Plans,
    RefreshBallot,
    RefreshProse,
    Story,
    Turn,
)
from core.domain.text import joined, split
from core.errors import InputError, PhaseError
from core.ports import Archive, Clock, StoryStore
from core.services.library import branch_with, told_turn
from core.services.moderation import Done, check_seen
from core.services.pieces import PIECE_UNITS
from core.services.requests import Requests, allows
from core.services.run import Run
from core.services.screening import Screening

_VOTED_ON = frozenset({Phase.VOTING, Phase.ASLEEP})
"""Phases in which a paragraph and its ballot stand in the channel, whole."""


class Direction:
    """Changes of the course of a channel's story."""

    def __init__(
        self,
        *,
        requests: Requests,
        store: StoryStore,
        archive: Archive,
        clock: Clock,
        screening: Screening,
    ) -> None:
        self._requests = requests
        self._store = store
        self._archive = archive
        self._clock = clock
        self._screening = screening

    # ── what stands in the channel ───────────────────────────────────────────────────────────────

    async def edit_part(
        self,
        channel: int,
        by: Moderator,
        place: int,
        text: str,
        seen: str,
        undoes: int | None = None,
    ) -> Done:
        """Replace one message's part of the newest paragraph: message, record and next prompt.

        Args:
            place: which part, from 0.

        Raises:
            PhaseError: no finished paragraph stands in the channel with its ballot.
            InputError: no such part, a text out of its range, or one that may not be told in this
                channel.
            StaleError: it reads differently by now.
            UncheckedError: the content filter couldn't look at it.
        """
        told = edits.part(text)
        # Before the story is taken: nobody is kept waiting for the filter.
        await self._screening.admit(channel, "text", told)
        async with self._requests.taking(channel, _voted_on) as run:
            turn = await _head(run)
            parts = parts_of(turn)
            if not 0 <= place < len(parts):
                raise InputError(f"The paragraph has {len(parts)} parts; there is no {place + 1}.")
            check_seen("paragraph", parts[place], seen)
            after = (*parts[:place], told, *parts[place + 1 :])
            change = self._change(
                ChangeKind.PARAGRAPH, by, parts[place], told, turn, place=place, undoes=undoes
            )
            await run.commit(
                replace(
                    run.story,
                    turns_version=run.story.turns_version + 1,
                    outbox=owed(run.story, RefreshProse(turn.id)),
                ),
                writes=frozenset({"turns"}),
                turn=replace(turn, parts=after, paragraph=joined(after)),
                change=change,
            )
            return Done(run.story, change)

    async def edit_plan(
        self,
        channel: int,
        by: Moderator,
        place: int,
        plan: Plan,
        seen: str,
        undoes: int | None = None,
    ) -> Done:
        """Replace a plan while it is voted on; the ballot follows, and votes stand.

        Args:
            place: which plan, from 0.
            plan: checked, see edits.plan; called edited unless it reads as the model wrote it.

        Raises:
            PhaseError: no ballot is open.
            InputError: there is no such plan, another one says the same, or it may not be told in
                this channel.
            StaleError: it reads differently by now.
            UncheckedError: the content filter couldn't look at it.
        """
        await self._screening.admit(channel, "plan", str(plan))
        async with self._requests.taking(channel, _voted_on) as run:
            turn = await _head(run)
            options = run.story.plans.options
            if not 0 <= place < len(options):
                raise InputError(f"There are {len(options)} plans; there is no {place + 1}.")
            before = options[place]
            check_seen("plan", str(before), seen)
            written = turn.reflection.plans[place] if turn.reflection else None
            plan = replace(plan, edited=str(plan) != str(written))
            changed = (*options[:place], plan, *options[place + 1 :])
            edits.check_distinct(changed)
            change = self._change(
                ChangeKind.PLAN,
                by,
                str(before),
                str(plan),
                turn,
                place=place,
                undoes=undoes,
            )
            await run.commit(
                replace(
                    run.story,
                    plans=Plans(changed, run.story.plans.version + 1),
                    turns_version=run.story.turns_version + 1,
                    outbox=owed(run.story, RefreshBallot(turn.id)),
                ),
                writes=frozenset({"plans", "turns"}),
                turn=replace(turn, plans=changed),
                change=change,
            )
            return Done(run.story, change)

    async def reflect_again(self, channel: int, by: Moderator) -> Done:
        """Make memory, summary and plans anew from the newest paragraph; a fresh ballot follows."""
        async with self._requests.taking(channel, _voted_on) as run:
            turn = await _head(run)
            parent = await _parent(run, turn)
            before = run.story.memory.text
            change = self._change(ChangeKind.REFLECTED, by, before, "", turn)
            said = self._notice(
                f"{by.name} had the plans made anew from turn {turn.number}: a fresh ballot comes."
            )
            await run.commit(
                ways_back.reflected_anew(run.story, turn, parent, said, self._clock.now()),
                writes=frozenset({"memory", "turns"}),
                change=change,
            )
            return Done(run.story, change)

    # ── the ways back ────────────────────────────────────────────────────────────────────────────

    async def retry(self, channel: int, by: Moderator) -> Done:
        """Have the newest turn written anew from the same plan; its text stays a road not taken.

        Raises:
            PhaseError: the table of phases refuses it.
        """
        async with self._requests.taking(channel, allows(Event.RETRIED)) as run:
            head = await run.head()
            written = working_phase(run.story) not in (Phase.WRITING, Phase.REFLECTING)
            number = run.story.draft.number if run.story.draft else run.story.head_number
            parent = await _parent(run, head) if written and head else None
            change = Change(
                ChangeKind.RETRIED,
                self._clock.now(),
                by,
                before=head.paragraph if written and head else "",
                number=number,
                turn_id=head.id if written and head else "",
                road=Road(run.story.head, run.story.lineage) if written else None,
            )
            said = self._notice(f"{by.name} had turn {number} written anew from the same plan.")
            await run.commit(
                ways_back.retried(run.story, head, parent, uuid4().hex, said, self._clock.now()),
                writes=frozenset({"memory", "plans", "turns"}) if written else frozenset(),
                change=change,
            )
            return Done(run.story, change)

    async def rewind(self, channel: int, by: Moderator, number: int) -> Done:
        """Go back to a turn: what came after it leaves recall, and it gets a fresh ballot.

        Raises:
            InputError: the story has no such turn.
        """

        def has_it(story: Story) -> None:
            allows(Event.REWOUND)(story)
            branch_with(story, number)

        async with self._requests.taking(channel, has_it) as run:
            lineage = cut(run.story.lineage, number, uuid4().hex[:12])
            target = await told_turn(self._archive, run.story, number)
            sentence = (
                f"{by.name} took the story back to turn {number}. What came after it is no longer "
                "part of the story; the vote on how it goes on begins again."
            )
            return await self._move(run, by, target, lineage, sentence)

    async def put_back(self, channel: int, by: Moderator, road: Road, undoes: int) -> Done:
        """Take back a rewind or a writing anew: the head goes where it was before.

        Turns that were told since leave the story, as by a rewind.

        Raises:
            InputError: the story stood nowhere then.
        """
        if road.head is None:
            raise InputError("There was no finished turn then to go back to.")
        async with self._requests.taking(channel, allows(Event.REWOUND)) as run:
            target = await self._store.turn(run.story.id, road.head)
            sentence = (
                f"{by.name} brought the story back to turn {target.number} as it was told before; "
                "the vote on how it goes on begins again."
            )
            return await self._move(run, by, target, road.lineage, sentence, undoes)

    async def _move(
        self,
        run: Run,
        by: Moderator,
        target: Turn,
        lineage: Lineage,
        sentence: str,
        undoes: int | None = None,
    ) -> Done:
        story, head = run.story, await run.head()
        moved = await self._moved(run, head, target, lineage)
        change = Change(
            ChangeKind.REWOUND,
            self._clock.now(),
            by,
            before=f"turn {story.head_number}",
            after=f"turn {target.number}",
            number=target.number,
            turn_id=target.id,
            road=Road(story.head, story.lineage),
            undoes=undoes,
        )
        newest = max([turn.ballot or 0 for turn in (*moved, target, *([head] if head else []))])
        await run.commit(
            ways_back.rewound(
                story, target, lineage, moved, newest, self._notice(sentence), self._clock.now()
            ),
            writes=frozenset({"memory", "plans", "turns"}),
            turn=ways_back.reopened(target),
            change=change,
        )
        return Done(run.story, change)

    async def _moved(
        self, run: Run, head: Turn | None, target: Turn, lineage: Lineage
    ) -> tuple[Turn, ...]:
        """The newest turns that leave the story or come back, as many as are marked."""
        leaving = await self._until(run, head, lambda turn: holds(lineage, turn))
        coming = await self._until(run, target, lambda turn: holds(run.story.lineage, turn))
        return (*leaving, *coming)

    async def _until(self, run: Run, turn: Turn | None, stop: Callable[[Turn], bool]) -> list[Turn]:
        """Turns from one to the last before ``stop``, newest first."""
        found: list[Turn] = []
        while turn is not None and not stop(turn) and len(found) < ways_back.MARKED:
            found.append(turn)
            turn = await run.turn(turn.parent) if turn.parent else None
        return found

    # ── the end ──────────────────────────────────────────────────────────────────────────────────

    async def delete(self, channel: int) -> int:
        """Remove everything of the channel's newest story from Redis; its messages stay.

        Returns:
            How many turns it had.
        """
        story = await self._requests.story(channel)
        if story.phase is not Phase.ENDED:
            async with self._requests.taking(channel, allows(Event.ENDED)) as run:
                # Nothing is said or drawn any more: what could be would be read from what goes.
                over = ended(run.story, "", now=self._clock.now(), notice_nonce=nonce(uuid4().hex))
                await run.commit(replace(over, outbox=()))
        await self._archive.purge(story.id)
        return story.head_number

    # ── common ───────────────────────────────────────────────────────────────────────────────────

    def _change(
        self,
        kind: ChangeKind,
        by: Moderator,
        before: str,
        after: str,
        turn: Turn,
        *,
        place: int = 0,
        undoes: int | None = None,
    ) -> Change:
        now = self._clock.now()
        return Change(
            kind, now, by, before, after, turn.number, turn.id, place=place, undoes=undoes
        )

    def _notice(self, sentence: str) -> Notice:
        return Notice(nonce(uuid4().hex), sentence, id_before(self._clock.now()))


def parts_of(turn: Turn) -> tuple[str, ...]:
    """A turn's paragraph as it lies over its messages."""
    return turn.parts or tuple(split(turn.paragraph, PIECE_UNITS))


def is_voted_on(story: Story) -> bool:
    """Whether the newest paragraph stands in the channel with its ballot, paused or not."""
    return working_phase(story) in _VOTED_ON


def _voted_on(story: Story) -> None:
    """Raises PhaseError unless a paragraph stands in the channel with its ballot."""
    if not is_voted_on(story):
        raise PhaseError(
            f"That can be changed while it is voted on, and {describe(story.phase)}. "
            "Nothing was changed."
        )


async def _head(run: Run) -> Turn:
    turn = await run.head()
    if turn is None:
        raise ValueError(f"story {run.story.id} is voted on without a turn")
    return turn


async def _parent(run: Run, turn: Turn) -> Turn | None:
    return await run.turn(turn.parent) if turn.parent else None
