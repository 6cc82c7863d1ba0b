"""The ways back: rewinding a story, writing a turn anew, reflecting on it again. Pure, like moves.

Each moves the head of the story in its tree of turns and takes the memory back to what it was
behind the new head; canon and settings stay. Turns that leave the story stay where they are, in
Redis and in the channel, where they are marked. What was on its way to its first vote is taken out
of the channel, since nobody could have voted on it.
"""

from dataclasses import replace

from core.domain.identity import id_before
from core.domain.lifecycle import Event, next_phase
from core.domain.lineage import cut
from core.domain.moves import owed, working_phase
from core.domain.story import (
    Draft,
    Effect,
    Lineage,
    Memory,
    Notice,
    Phase,
    Plans,
    RefreshBallot,
    RefreshProse,
    RetireBallot,
    Story,
    Turn,
)

MARKED = 25
"""Most turns whose messages are marked by one step back: each costs two edits."""


def rewound(
    story: Story,
    target: Turn,
    lineage: Lineage,
    moved: tuple[Turn, ...],
    newest: int,
    said: Notice,
    now: float,
) -> Story:
    """The story stands at ``target`` again, which gets a fresh ballot without votes.

    Args:
        target: the new head; one that was staged before.
        lineage: the turns that lead to it.
        moved: turns that leave the story or come back to it, newest first.
        newest: id of the newest ballot of the story in its channel.
        said: what the channel is told.
    """
    return _aside(
        replace(
            story,
            phase=next_phase(story.phase, Event.REWOUND),
            lineage=lineage,
            head=target.id,
            memory=Memory(target.remembered, story.memory.version + 1),
            plans=Plans(target.offered, story.plans.version + 1),
            turns_version=story.turns_version + 1,
            draft=Draft(
                target.id,
                target.number,
                # A name that no ballot of this turn had before, so that none of them is found.
                attempt=story.epoch,
                plan=target.plan,
                after=max(newest, _under_way(story), id_before(now)),
            ),
        ),
        said,
        story,
        *(_retired(target) if target.tally is None else ()),
        RefreshProse(target.id),
        *_marked(tuple(turn for turn in moved if turn.id != target.id)),
        *_closed(story, target, moved),
    )


def reopened(target: Turn) -> Turn:
    """The record of a turn that is voted on once more."""
    return replace(target, plans=target.offered, tally=None, rules=None)


def retried(
    story: Story, head: Turn | None, parent: Turn | None, turn_id: str, said: Notice, now: float
) -> Story:
    """The newest turn is written anew from the same plan, as another turn with its number.

    Args:
        head: the story's head.
        parent: the turn before it; None before the opening.
        turn_id: the new turn's.
        said: what the channel is told.
    """
    phase = next_phase(story.phase, Event.RETRIED)
    if working_phase(story) in (Phase.WRITING, Phase.REFLECTING):
        draft = story.draft
        if draft is None:
            raise ValueError(f"story {story.id} is at work without a draft")
        again = Draft(turn_id, draft.number, 1, draft.plan, draft.after, decided=draft.decided)
        return _aside(replace(story, phase=phase, draft=again), said, story)
    if head is None:
        raise ValueError(f"story {story.id} has no turn to write anew")
    # The name is as unique as the turn's id, of which it is the start.
    branch = turn_id[:12]
    return _aside(
        replace(
            story,
            phase=phase,
            lineage=cut(story.lineage, head.number - 1, branch),
            head=parent.id if parent else None,
            memory=Memory(parent.remembered if parent else "", story.memory.version + 1),
            plans=Plans(parent.offered if parent else (), story.plans.version + 1),
            turns_version=story.turns_version + 1,
            draft=Draft(
                turn_id,
                head.number,
                attempt=1,
                plan=head.plan,
                after=max(head.ballot or 0, _under_way(story), id_before(now)),
                decided=head.decided,
            ),
        ),
        said,
        story,
        *_marked((head,)),
    )


def reflected_anew(
    story: Story, head: Turn, parent: Turn | None, said: Notice, now: float
) -> Story:
    """The head is reflected on again, from the memory before it; a fresh ballot follows."""
    newest = story.lineage[-1]
    return _aside(
        replace(
            story,
            phase=next_phase(story.phase, Event.REFLECTED_ANEW),
            lineage=(*story.lineage[:-1], replace(newest, last=head.number - 1)),
            head=parent.id if parent else None,
            memory=Memory(parent.remembered if parent else "", story.memory.version + 1),
            turns_version=story.turns_version + 1,
            draft=Draft(
                head.id,
                head.number,
                attempt=story.epoch,
                plan=head.plan,
                after=max(head.ballot or 0, id_before(now)),
            ),
        ),
        said,
        story,
        *_retired(head),
    )


def _aside(story: Story, said: Notice, before: Story, *effects: Effect) -> Story:
    """The new state with what every way back has in common.

    What was under way leaves the channel before the sentence comes.
    """
    withdraw = _under_way(before) or None
    said = replace(said, withdraw_after=withdraw)
    settled = replace(story, pause=None, closes_at=None, extended=False, tries=0)
    return replace(settled, outbox=owed(before, said, *effects))


def _under_way(story: Story) -> int:
    """The id above which the messages of a turn lie that nobody could vote on yet; 0: none."""
    return story.draft.after if story.draft else 0


def _retired(turn: Turn) -> tuple[Effect, ...]:
    return (RetireBallot(turn.id, turn.ballot),) if turn.ballot else ()


def _closed(story: Story, target: Turn, moved: tuple[Turn, ...]) -> tuple[Effect, ...]:
    """The ballot of a head that stays in the story behind another one is open no longer."""
    drawn = {target.id, *(turn.id for turn in moved)}
    return (RefreshBallot(story.head),) if story.head and story.head not in drawn else ()


def _marked(turns: tuple[Turn, ...]) -> tuple[Effect, ...]:
    return tuple(
        effect
        for turn in turns[:MARKED]
        if turn.pieces
        for effect in (RefreshProse(turn.id), RefreshBallot(turn.id))
    )
