"""What each event changes in a story, beside its phase: pure functions from state to state.

The phase comes from lifecycle's table, so every function here refuses (PhaseError) what the table
doesn't list. Ids, nonces and the time are given in; the outbox is filled here, so that what the
channel is owed is committed together with the change that owes it.
"""

from collections.abc import Collection
from dataclasses import replace

from core.domain.audit import nameless
from core.domain.identity import id_before
from core.domain.lifecycle import AT_ONCE, Event, is_shut_out, next_phase, pausing
from core.domain.lineage import extended
from core.domain.story import (
    Brief,
    Draft,
    Effect,
    Memory,
    Notice,
    OfferVotes,
    Opening,
    Pause,
    PauseCause,
    Phase,
    Plans,
    Reflection,
    RefreshBallot,
    Settings,
    Story,
    StoryId,
    Tally,
    Usage,
    WholeText,
)
from core.domain.tokens import corrected
from core.errors import AllowanceSpentError

LEAST_VOTE_S = 5.0
"""A resumed vote stays open for this long at least, so that it can be seen."""
TURN_CALLS = 20
"""Calls to models that one turn may make before a person acts, whatever fails: two when nothing
does, with one more each for a story's outline, for a paragraph that was an echo, for plans that
were alike, and for an outline, paragraph or reflection that the content filter refused; seven for a
call that is tried all through an outage; the rest is for crashes and for memories that are edited
meanwhile. What a call may cost is bounded by the narrator (at most 4 requests) and the embedder
(beside each at most 3 times 3): 260 requests a turn, 80 of them completions. What the content
filter is shown costs no tokens; it is asked at most once more than there are calls."""
MOST_OFFERS = 3
"""How often our reactions are put back on one ballot: who clears them again means it."""


def begun(
    story: StoryId,
    guild: int,
    brief: Brief,
    settings: Settings,
    *,
    now: float,
    turn_id: str,
    after: int,
    notice: Notice | None,
) -> Story:
    """A new story, about to write its opening.

    Args:
        after: every message of the story has an id above this one.
        notice: what the channel is told first, if anything.
    """
    return Story(
        id=story,
        guild=guild,
        phase=Phase.WRITING,
        epoch=0,
        due=AT_ONCE,
        brief=brief,
        settings=settings,
        draft=Draft(turn_id, number=1, attempt=1, plan=None, after=after),
        outbox=(notice,) if notice else (),
        said=after,
        created_at=now,
    )


def titled(story: Story, opening: Opening, usage: Usage) -> Story:
    """The opening call gave a title and an outline; its cost belongs to the first turn."""
    draft = _draft(story)
    return replace(
        story,
        brief=replace(story.brief, title=opening.title, outline=opening.outline),
        draft=replace(draft, usage=draft.usage + usage),
    )


def called(story: Story) -> Story:
    """A call to a model is about to be made for the draft; committed first, it is never forgotten.

    Raises:
        AllowanceSpentError: TURN_CALLS were made, and only a person may allow more.
    """
    draft = _draft(story)
    if draft.calls >= TURN_CALLS:
        raise AllowanceSpentError(
            f"This turn has called the model {TURN_CALLS} times and still isn't done, so it stops "
            "before it costs more. /story resume allows as many calls again."
        )
    return replace(story, draft=replace(draft, calls=draft.calls + 1))


def not_called(story: Story) -> Story:
    """The call that was counted last never went out: the day's budget was spent already."""
    draft = _draft(story)
    return replace(story, draft=replace(draft, calls=draft.calls - 1))


def text_finished(story: Story) -> Story:
    """The paragraph stands; from now on nobody may write it again."""
    return replace(story, phase=next_phase(story.phase, Event.TEXT_FINISHED), tries=0)


def reflected(story: Story, reflection: Reflection, written: Usage) -> Story:
    """Memory and plans are the reflection's, and the draft is the new head of its branch.

    The measure of a token moves here, not with the text: a reflection goes on from the very prompt
    that the paragraph was written with, which must be trimmed as it was then.

    Args:
        written: what the paragraph cost, by which the story's measure of a token is corrected.
    """
    draft = _draft(story)
    return replace(
        story,
        phase=next_phase(story.phase, Event.REFLECTED),
        tries=0,
        memory=Memory(reflection.memory, story.memory.version + 1),
        plans=Plans(reflection.plans, story.plans.version + 1),
        lineage=extended(story.lineage, draft.number),
        head=draft.turn_id,
        bytes_per_token=corrected(story.bytes_per_token, written),
    )


def staged(story: Story, opened_at: float) -> Story:
    """The ballot is up; its window counts from ``opened_at``, the ballot's own time stamp."""
    return replace(
        story,
        phase=next_phase(story.phase, Event.STAGED),
        tries=0,
        draft=None,
        extended=False,
        offers=0,
        closes_at=opened_at + story.settings.vote_s,
    )


def won(story: Story, tally: Tally, turn_id: str, ballot: int, now: float) -> Story:
    """A plan won: the next turn begins, and the old ballot is owed its result.

    Args:
        tally: with a winner among the story's plans.
        turn_id: of the next turn.
        ballot: the message of the ballot that was counted.
        now: with the ballot it bounds the ids of the next turn's messages, so that a search for
            them needn't walk through what members said during the vote.
    """
    if tally.winner is None:
        raise ValueError("a count without a winner begins no turn")
    return replace(
        story,
        phase=next_phase(story.phase, Event.WON),
        closes_at=None,
        extended=False,
        draft=Draft(
            turn_id,
            story.head_number + 1,
            attempt=1,
            plan=story.plans.options[tally.winner],
            after=max(ballot, id_before(now)),
            decided=tally,
        ),
        outbox=owed(story, *_refresh(story)),
    )


def undecided(story: Story, now: float) -> Story:
    """Silence or a missed quorum: the window runs once more, then the story falls asleep."""
    if story.extended:
        return replace(
            story,
            phase=next_phase(story.phase, Event.FELL_ASLEEP),
            closes_at=None,
            outbox=owed(story, *_refresh(story)),
        )
    return replace(
        story,
        phase=next_phase(story.phase, Event.EXTENDED),
        extended=True,
        closes_at=now + story.settings.vote_s,
        outbox=owed(story, *_refresh(story)),
    )


def woken(story: Story, now: float) -> Story:
    """A vote came (or a moderator asked): the ballot is open again for a full window."""
    return replace(
        story,
        phase=next_phase(story.phase, Event.WOKEN),
        extended=False,
        closes_at=now + story.settings.vote_s,
        outbox=owed(story, *_refresh(story)),
    )


def paused(
    story: Story,
    cause: PauseCause,
    reason: str,
    *,
    now: float,
    notice_nonce: str | None,
    until: float | None = None,
    said: str | None = None,
) -> Story:
    """Stop where it stands; a paragraph that is half written is taken back.

    A moderator also stops a pause that would end by itself from doing so.

    Args:
        reason: the sentence for members.
        said: the sentence for the channel, where that is another one.
        notice_nonce: names the message with that sentence; None says nothing (it was said before).
        until: when it goes on by itself; a fault with such a time counts as a try.
    """
    waits_out = cause is PauseCause.FAULT and until is not None
    event = pausing(story) if cause is PauseCause.MODERATOR else Event.PAUSED
    left = None if story.closes_at is None else max(0.0, story.closes_at - now)
    if story.pause:
        left = story.pause.vote_left_s
    return replace(
        story,
        phase=next_phase(story.phase, event),
        pause=Pause(working_phase(story), cause, reason, left, until),
        tries=story.tries + 1 if waits_out else 0,
        closes_at=None,
        outbox=owed(story, *_stopped(story, said or reason, notice_nonce, now)),
    )


def resumed(story: Story, now: float, *, by_itself: bool = False) -> Story:
    """Go on with what was kept; a paragraph that was taken back is written under new nonces.

    With nothing of it left, its messages needn't be sought in what was said during the pause.

    Args:
        by_itself: the pause's time was over. Else a person asked, which allows as many calls and
            tries as at the turn's beginning.
    """
    pause = story.pause
    phase = next_phase(story.phase, Event.RESUMED, pause.kept if pause else None)
    draft = story.draft
    if phase is Phase.WRITING and draft:
        draft = replace(draft, attempt=draft.attempt + 1)
        if pause and pause.withdrawn:
            draft = replace(draft, after=max(draft.after, id_before(now)))
    if draft and not by_itself:
        draft = replace(draft, calls=0)
    left = pause.vote_left_s if pause else None
    return replace(
        story,
        phase=phase,
        pause=None,
        tries=story.tries if by_itself else 0,
        draft=draft,
        closes_at=None if left is None else now + max(left, LEAST_VOTE_S),
        outbox=owed(story, *_refresh(story)),
    )


def shut_out(story: Story, cause: PauseCause, reason: str, now: float) -> Story:
    """Nothing may be sent any more: stop where it stands; what the channel is owed waits.

    A pause that would end by itself becomes this one; any other stays what it is. A vote whose time
    passed while the bot was away from the server has its whole window once more.
    """
    if story.phase is Phase.ENDED or (story.pause and story.pause.until is None):
        return story
    if story.pause:
        return replace(story, pause=replace(story.pause, cause=cause, reason=reason, until=None))
    left = None if story.closes_at is None else max(0.0, story.closes_at - now)
    if left == 0.0 and cause is PauseCause.ABSENT:
        left = story.settings.vote_s
    return replace(
        story,
        phase=next_phase(story.phase, Event.PAUSED),
        pause=Pause(story.phase, cause, reason, left),
        tries=0,
        closes_at=None,
    )


def let_in(story: Story, now: float) -> Story:
    """Something changed in the channel: a story that was shut out goes on, others stay."""
    return resumed(story, now) if is_shut_out(story) else story


def vanished(story: Story) -> Story:
    """The channel was deleted: the story ends, and nobody is owed anything any more."""
    if story.phase is Phase.ENDED:
        return story
    return replace(
        story,
        phase=next_phase(story.phase, Event.ENDED),
        pause=None,
        closes_at=None,
        draft=None,
        outbox=(),
    )


def unheard(story: Story) -> Story:
    """The channel refuses a story that is stopped already: what it is owed is given up."""
    return replace(story, outbox=())


def offered_again(story: Story, notice: Notice | None = None) -> Story:
    """Our reactions were taken off the head's ballot: they are put back, MOST_OFFERS times.

    Args:
        notice: told to the channel with it, if votes were lost.
    """
    on_stage = working_phase(story) in (Phase.VOTING, Phase.ASLEEP)
    if story.head is None or not on_stage or story.offers >= MOST_OFFERS:
        return story
    told = () if notice is None else (notice,)
    return replace(
        story,
        offers=story.offers + 1,
        outbox=owed(story, OfferVotes(story.head), *told),
    )


def balloted_anew(
    story: Story, gone: int, sentence: str, *, now: float, notice_nonce: str
) -> Story:
    """The head's ballot is gone from the channel: a fresh one is staged, with no votes on it.

    Args:
        gone: the message id of the ballot that is gone.
        sentence: told to the channel first.
    """
    if story.head is None:
        raise ValueError("a story without a head has no ballot to stage again")
    return replace(
        story,
        phase=next_phase(story.phase, Event.REWOUND),
        closes_at=None,
        extended=False,
        draft=Draft(
            story.head, story.head_number, attempt=1, plan=None, after=max(gone, id_before(now))
        ),
        # Its drawing is done by this: paid once more after a crash, it would stage a second one.
        outbox=owed(
            settled(story, RefreshBallot(story.head)),
            Notice(notice_nonce, sentence, id_before(now)),
        ),
    )


def ended(story: Story, sentence: str, *, now: float, notice_nonce: str) -> Story:
    """No turn follows; what was told stays readable."""
    return replace(
        story,
        phase=next_phase(story.phase, Event.ENDED),
        pause=None,
        closes_at=None,
        draft=None,
        outbox=owed(story, *_stopped(story, sentence, notice_nonce, now)),
    )


def redated(story: Story, now: float) -> Story:
    """Its time was set by a clock that was ahead: a vote runs a full window, a pause is over."""
    if story.phase is Phase.VOTING:
        closes_at = now + story.settings.vote_s
        return replace(story, closes_at=closes_at, outbox=owed(story, *_refresh(story)))
    if story.pause and story.pause.until is not None:
        return replace(story, pause=replace(story.pause, until=now))
    return story


def settled(story: Story, effect: Effect, message: int | None = None) -> Story:
    """The channel got what it was owed; ``message`` is the sentence, if it was one."""
    return replace(
        story,
        outbox=tuple(other for other in story.outbox if other != effect),
        said=story.said if message is None else message,
    )


def withdrawn(story: Story) -> Story:
    """What was half written when the story was paused is gone from the channel."""
    return replace(story, pause=story.pause and replace(story.pause, withdrawn=True))


def unsigned(story: Story, names: Collection[str]) -> Story:
    """The story without a moderator's name in why it is paused and in what its channel is owed."""

    def told(effect: Effect) -> Effect:
        if isinstance(effect, Notice):
            return replace(effect, text=nameless(effect.text, names))
        return effect

    pause = story.pause
    return replace(
        story,
        pause=pause and replace(pause, reason=nameless(pause.reason, names)),
        outbox=tuple(map(told, story.outbox)),
    )


def _draft(story: Story) -> Draft:
    if story.draft is None:
        raise ValueError(f"story {story.id} is {story.phase} and has no draft")
    return story.draft


def owed(story: Story, *effects: Effect) -> tuple[Effect, ...]:
    """The outbox with new effects; the same effect is owed once, at its latest place."""
    return (*(earlier for earlier in story.outbox if earlier not in effects), *effects)


def _stopped(story: Story, text: str, nonce: str | None, now: float) -> tuple[Effect, ...]:
    """What a story that stops owes: its text whole, a sentence, its ballot drawn again."""
    return (*_whole(story), *_notice(story, text, nonce, now), *_refresh(story))


def _whole(story: Story) -> tuple[Effect, ...]:
    """The text that is finished and not staged: the channel may have only the beginning of it."""
    finished = working_phase(story) in (Phase.REFLECTING, Phase.PUBLISHING)
    return (WholeText(story.draft),) if finished and story.draft else ()


def _notice(story: Story, text: str, nonce: str | None, now: float) -> tuple[Effect, ...]:
    """A sentence; while a paragraph is being written it takes the place of what is there of it."""
    half_written = story.draft if working_phase(story) is Phase.WRITING else None
    if nonce is None and half_written is None:
        return ()
    withdraw_after = half_written.after if half_written else None
    return (Notice(nonce, text, id_before(now), withdraw_after),)


def _refresh(story: Story) -> tuple[Effect, ...]:
    """The head's ballot, where it is on stage or may be."""
    if story.head is None:
        return ()
    match working_phase(story):
        case Phase.VOTING | Phase.ASLEEP:
            return (RefreshBallot(story.head),)
        case Phase.PUBLISHING:
            return (RefreshBallot(story.head, _draft(story).after),)
        case _:
            return ()


def working_phase(story: Story) -> Phase:
    """The phase, or the one that a pause keeps."""
    return story.pause.kept if story.pause else story.phase
