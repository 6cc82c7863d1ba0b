"""Interleavings of several workers and a moderator over one channel's stories, step by step.

The machine plays any order of creating, claiming, renewing, committing, losing replies, repeating,
editing, rewinding and reading against a store, fake or real, and knows from a model of a few lines
what each of them must give. Its rules know nothing of how a store is made.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from core.domain.entries import EntryKind
from core.domain.story import (
    Canon,
    Lineage,
    Memory,
    Phase,
    Plan,
    Plans,
    Story,
    StoryId,
    Stretch,
    Turn,
)
from core.errors import ConflictError, FencedError
from core.ports import Commit
from tests.contracts.store_samples import Doors, a_fact, a_story, an_entry, at_angle

T = TypeVar("T")

CHANNEL = a_story().id.channel
WORKERS = 3
LEASE_S = 10.0
START = 1_790_000_000.0

FENCED, APPLIED = "fenced", "applied"
workers = st.integers(0, WORKERS - 1)


@dataclass(frozen=True)
class Place:
    """Where a story was: what a rewind goes back to, and what undoes one."""

    head: str
    lineage: Lineage


class StoreMachine(RuleBasedStateMachine):
    """The model: ``truth`` is what must be stored; each worker holds what it last knew."""

    sent: Bundle[Commit] = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.doors = self.do(self.open())
        self.names = count(1)
        self.now = START
        self.truth: Story | None = None
        self.ended: list[Story] = []
        self.turns: dict[tuple[StoryId, str], Turn] = {}
        self.used: set[tuple[StoryId, str, int]] = set()
        self.places: list[Place] = []
        self.hands: dict[int, Story] = {}
        self.applied: set[str] = set()
        self.epochs: set[tuple[StoryId, int]] = set()
        self.makers: dict[StoryId, str] = {}

    async def open(self) -> Doors:
        """An empty store."""
        raise NotImplementedError

    async def shut(self) -> None:
        """Close what ``open`` opened."""

    def teardown(self) -> None:
        self.do(self.shut())
        self.loop.close()

    def do(self, doing: Awaitable[T]) -> T:
        """Wait for a call of the store."""

        async def done() -> T:
            return await doing

        return self.loop.run_until_complete(done())

    def name(self, kind: str) -> str:
        return f"{kind}-{next(self.names)}"

    # ── stories begin and end ────────────────────────────────────────────────────────────────────

    @initialize()
    def begin(self) -> None:
        self.create(serial_off=0, repeated=False)

    @rule(serial_off=st.sampled_from([-1, 0, 0, 0, 1]), repeated=st.booleans())
    def create(self, serial_off: int, repeated: bool) -> None:
        """A story is created where the channel is free, under the next serial; else nothing is."""
        last = self.truth.id.serial if self.truth else 0
        serial = last + 1 + serial_off
        if serial < 1:
            return
        story = a_story(CHANNEL, serial, due=self.now)
        operation = self.name("create")
        known = self.makers.get(story.id)
        if repeated and known:
            operation = known
        free = self.truth is None or self.truth.phase is Phase.ENDED
        wanted = operation == known or (serial == last + 1 and free)
        for _ in range(2):  # Its answer may be lost, and then it is repeated.
            assert self.do(self.doors.stories.create(story, operation)) is wanted
        if wanted and known is None:
            if self.truth:
                self.ended.append(self.truth)
            self.truth = story
            self.makers[story.id] = operation
            self.places = []

    # ── leases ───────────────────────────────────────────────────────────────────────────────────

    @rule(by_s=st.sampled_from([1.0, LEASE_S / 2, LEASE_S + 1, 86_400.0, -60.0, -86_400.0]))
    def the_clock_moves(self, by_s: float) -> None:
        """Time passes, or somebody sets the clock."""
        self.now += by_s

    @rule(worker=workers, force=st.sampled_from([True, True, False]))
    def claim(self, worker: int, force: bool) -> None:
        """Granted when it is due or forced; each epoch is given to one worker only."""
        truth = self.stored()
        claiming = self.doors.schedule.claim(truth.id, self.now, self.now + LEASE_S, force)
        if not force and (truth.due is None or truth.due > self.now):
            self.refused(claiming)
            return
        given = self.do(claiming)
        self.truth = replace(truth, epoch=truth.epoch + 1, due=self.now + LEASE_S)
        assert given == self.truth
        assert (given.id, given.epoch) not in self.epochs
        self.epochs.add((given.id, given.epoch))
        self.hands[worker] = given

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), hand_back=st.booleans())
    def renew(self, data: st.DataObject, hand_back: bool) -> None:
        """Whoever holds the newest epoch moves its lease's end; nobody else moves anything."""
        held = self.hands[data.draw(st.sampled_from(sorted(self.hands)))]
        until = self.now if hand_back else self.now + LEASE_S
        renewing = self.doors.schedule.renew(held.id, held.epoch, until)
        if self.fenced(held):
            self.refused(renewing)
            return
        self.do(renewing)
        if held.id == self.stored().id:
            self.truth = replace(self.stored(), due=until)
        else:
            self.ended = [replace(s, due=until) if s.id == held.id else s for s in self.ended]

    # ── commits ──────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.hands)
    @rule(target=sent, data=st.data(), answered=st.sampled_from([True, True, False]))
    def tell(self, data: st.DataObject, answered: bool) -> Commit:
        """A worker commits the turn that follows from what it knows; its answer may be lost."""
        worker = self.somebody(data)
        return self.send(worker, self.turn_after(self.hands[worker]), answered)

    @precondition(lambda self: self.hands)
    @rule(target=sent, data=st.data(), phase=st.sampled_from(sorted(Phase)))
    def move_on(self, data: st.DataObject, phase: Phase) -> Commit | MultipleResults[Commit]:
        """A worker commits another phase and due time, and nothing else."""
        if phase is Phase.ENDED and data.draw(st.integers(0, 3)):
            return nothing()  # Rarely: not much happens behind an end.
        worker = self.somebody(data)
        due = data.draw(st.sampled_from([None, self.now, self.now + 60]))
        moved = replace(self.hands[worker], phase=phase, due=due)
        return self.send(worker, Commit(self.name("phase"), moved))

    @precondition(lambda self: self.hands and len(self.places) > 1)
    @rule(target=sent, data=st.data())
    def rewind(self, data: st.DataObject) -> Commit | MultipleResults[Commit]:
        """The head moves to where the story was once; another way may begin there."""
        worker = self.somebody(data)
        held = self.hands[worker]
        known = [place for place in self.places if (held.id, place.head) in self.turns]
        if not known:
            return nothing()
        place = data.draw(st.sampled_from(known))
        moved = replace(held, head=place.head, lineage=place.lineage, phase=Phase.PUBLISHING)
        rewinding = self.send(worker, Commit(self.name("rewind"), moved))
        if data.draw(st.booleans()):
            self.send(worker, self.turn_after(self.hands[worker]))
        return rewinding

    def somebody(self, data: st.DataObject) -> int:
        """A worker that has claimed once; mostly one that still holds the story."""
        holding = [worker for worker, held in self.hands.items() if not self.fenced(held)]
        return data.draw(st.sampled_from(sorted([*holding, *holding, *self.hands])))

    def send(self, worker: int, change: Commit, answered: bool = True) -> Commit:
        """A worker's commit; only its answer tells the worker what it holds now."""
        if self.apply(change) == APPLIED and answered:
            self.hands[worker] = change.story
        return change

    @rule(change=sent)
    def repeat(self, change: Commit) -> None:
        """Anything that was sent is sent again: applied once, whoever came between."""
        self.apply(change)

    @precondition(lambda self: self.truth is not None)
    @rule(
        name=st.sampled_from(["canon", "memory", "settings"]),
        stale=st.integers(0, 1),
    )
    def edit(self, name: str, stale: int) -> None:
        """A moderator edits a versioned value beside the worker, perhaps an old version of it."""
        story = self.stored()
        version = _versions(story)[name] + 1 - stale
        if name == "canon":
            story = replace(story, canon=Canon((self.name("fact"),), version))
        elif name == "memory":
            story = replace(story, memory=Memory(self.name("edited"), version))
        else:
            rules = replace(story.settings, vote_s=60 + next(self.names))
            story = replace(story, settings=rules, settings_version=version)
        self.apply(Commit(self.name("edit"), story, writes=frozenset({name})))

    def turn_after(self, held: Story) -> Commit:
        """The next turn of what a worker holds: record, entries, head, lineage, memory and plans.

        Each turn has a fact that ends the fact of the turn before it.
        """
        id_, number = self.name("t"), held.head_number + 1
        lineage = held.lineage or (Stretch("main", 1, 0),)
        branch = lineage[-1].branch
        if (held.id, branch, number) in self.used:
            # A rewind led here: what follows grows on a branch of its own.
            branch = f"branch-{next(self.names)}"
            lineage = (*lineage, Stretch(branch, number, number))
        else:
            lineage = (*lineage[:-1], replace(lineage[-1], last=number))
        plans = tuple(Plan(f"{id_} {letter}", "They go.") for letter in "abc")
        story = replace(
            held,
            phase=Phase.VOTING,
            due=self.now + 60,
            head=id_,
            lineage=lineage,
            memory=Memory(f"After {id_}.", held.memory.version + 1),
            plans=Plans(plans, held.plans.version + 1),
        )
        return Commit(
            self.name("turn"),
            story,
            writes=frozenset({"memory", "plans"}),
            expects={"canon": held.canon.version},
            turn=Turn(id_, number, held.head, branch, None, f"Paragraph {id_}."),
            entries=(
                an_entry(id_, number, at_angle(number), branch=branch, text=f"Summary {id_}."),
                a_fact(
                    id_,
                    number,
                    vector=at_angle(-number),
                    branch=branch,
                    text=f"Fact of {id_}.",
                    ends=(f"{held.head}/1",) if held.head else (),
                ),
            ),
        )

    def apply(self, change: Commit) -> str:
        """Commit, compare with the model, and follow it."""
        wanted = self.predict(change)
        try:
            self.do(self.doors.stories.commit(change))
            outcome = APPLIED
        except FencedError:
            outcome = FENCED
        except ConflictError as error:
            outcome = error.field
        assert outcome == wanted
        if outcome == APPLIED and change.operation not in self.applied:
            self.follow(change)
        return outcome

    def predict(self, change: Commit) -> str:
        """What a commit must come to."""
        if change.operation in self.applied:
            return APPLIED
        stored = self.known(change.story.id)
        if stored.epoch != change.story.epoch:
            return FENCED
        wanted = dict(change.expects)
        wanted |= {name: _versions(change.story)[name] - 1 for name in change.writes}
        moved = sorted(name for name in wanted if _versions(stored)[name] != wanted[name])
        return moved[0] if moved else APPLIED

    def follow(self, change: Commit) -> None:
        """What the store holds after a commit that was applied."""
        self.applied.add(change.operation)
        new, stored = change.story, self.known(change.story.id)
        merged = replace(
            new,
            memory=(new if "memory" in change.writes else stored).memory,
            canon=(new if "canon" in change.writes else stored).canon,
            plans=(new if "plans" in change.writes else stored).plans,
            settings=(new if "settings" in change.writes else stored).settings,
            settings_version=(new if "settings" in change.writes else stored).settings_version,
        )
        before, after = _versions(stored), _versions(merged)
        assert all(before[name] <= after[name] for name in before), "no version goes back"
        if new.id == self.stored().id:
            self.truth = merged
        else:
            self.ended = [merged if story.id == new.id else story for story in self.ended]
        if change.turn is not None:
            self.turns[new.id, change.turn.id] = change.turn
            self.used.add((new.id, change.turn.branch, change.turn.number))
            self.places.append(Place(change.turn.id, new.lineage))

    # ── readings ─────────────────────────────────────────────────────────────────────────────────

    @rule(now_off=st.sampled_from([-1.0, 0.0, 60.0]))
    def look(self, now_off: float) -> None:
        """Due stories and phases are those of the stored states."""
        now, stories = self.now + now_off, [*self.ended, *([self.truth] if self.truth else [])]
        dues = sorted(story.due for story in stories if story.due is not None)
        found = self.do(self.doors.schedule.due(now, 100))
        assert set(found) == {s.id for s in stories if s.due is not None and s.due <= now}
        assert self.do(self.doors.schedule.next_due()) == (dues[0] if dues else None)
        for phase in Phase:
            listed = self.do(self.doors.schedule.in_phase(phase, None, 100))
            assert listed == sorted(s.id for s in stories if s.phase is phase)

    # ── what always holds ────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_state_is_the_one_that_was_committed_last(self) -> None:
        assert self.do(self.doors.stories.current(CHANNEL)) == self.truth
        for story in self.ended:
            assert self.do(self.doors.stories.load(story.id)) == story

    @invariant()
    def one_worker_at_most_can_commit(self) -> None:
        if self.truth is not None:
            holders = [w for w, held in self.hands.items() if not self.fenced(held)]
            live = [w for w in holders if self.hands[w].id == self.truth.id]
            assert len({self.hands[w].epoch for w in live}) <= 1

    @invariant()
    def head_lineage_turns_and_index_agree(self) -> None:
        """The turns behind the head are those of the lineage, and what a search can find."""
        if self.truth is None:
            return
        story, chain = self.truth, list[Turn]()
        at = story.head
        while at is not None:
            chain.append(self.do(self.doors.stories.turn(story.id, at)))
            assert chain[-1] == self.turns[story.id, at]
            at = chain[-1].parent
        numbers = [turn.number for turn in reversed(chain)]
        assert numbers == list(range(1, story.head_number + 1))
        for turn in chain:
            within = [s for s in story.lineage if s.first <= turn.number <= s.last]
            assert [stretch.branch for stretch in within] == [turn.branch]
        assert self.do(self.doors.memory.count(story.id, story.lineage)) == len(chain)
        place = (story.id, story.lineage)
        found = self.do(self.doors.memory.nearest(*place, at_angle(1), 100, {EntryKind.SUMMARY}))
        assert {one.turn_id for one in found} == {turn.id for turn in chain}
        worded = self.do(self.doors.memory.matching(*place, "fact", 100))
        assert {one.id for one in worded} == {f"{turn.id}/1" for turn in chain}

    @invariant()
    def a_fact_holds_until_a_turn_of_the_story_ended_it(self) -> None:
        """Whatever was told on other branches: along the lineage each ends the one before it."""
        if self.truth is None:
            return
        ids = {f"{turn.id}/1" for turn in self.turns.values()}
        place = (self.truth.id, self.truth.lineage)
        ended = self.do(self.doors.memory.ending(*place, ids))
        chain: list[str] = []
        at = self.truth.head
        while at is not None:
            chain.append(f"{at}/1")
            at = self.turns[self.truth.id, at].parent
        assert {(id_, later.id) for id_, later in ended} == set(pairwise(chain[::-1]))
        assert self.do(self.doors.memory.superseded(*place)) == len(chain[1:])

    def known(self, story: StoryId) -> Story:
        return next(one for one in [self.stored(), *self.ended] if one.id == story)

    def stored(self) -> Story:
        assert self.truth is not None
        return self.truth

    def fenced(self, held: Story) -> bool:
        return self.known(held.id).epoch != held.epoch

    def refused(self, doing: Awaitable[object]) -> None:
        try:
            self.do(doing)
        except FencedError:
            return
        raise AssertionError("somebody without the right to it was let through")


def nothing() -> MultipleResults[Commit]:
    """Nothing was sent."""
    return cast(MultipleResults[Commit], multiple())


def _versions(story: Story) -> dict[str, int]:
    return {
        "memory": story.memory.version,
        "canon": story.canon.version,
        "plans": story.plans.version,
        "settings": story.settings_version,
    }
