"""Phases and events of a story: one table; every pair that isn't in it is refused with a sentence.

    started ─▶ writing ─▶ reflecting ─▶ publishing ─▶ voting ─▶ writing (next turn) …
                                                        │  ▲
                                                        ▼  │ woken
                                                      asleep        any live phase ─▶ paused, ended

Only the phase is decided here; what else changes with it is moves' business.
"""

from collections.abc import Mapping
from enum import StrEnum

from core.domain.story import PauseCause, Phase, Story
from core.errors import PhaseError


class Event(StrEnum):
    """Everything that can happen to a story, worded so that "a story can't be …" reads well."""

    TEXT_FINISHED = "text finished"
    REFLECTED = "reflected"
    STAGED = "staged"
    WON = "closed"
    EXTENDED = "extended"
    FELL_ASLEEP = "put to sleep"
    WOKEN = "woken"
    PAUSED = "paused"
    HELD = "held"
    RESUMED = "resumed"
    REFLECTED_ANEW = "reflected on again"
    RETRIED = "retried"
    REWOUND = "rewound"
    ENDED = "ended"


LIVE = frozenset(Phase) - {Phase.ENDED}
"""Phases of a story that still goes on."""

WORKING = frozenset({Phase.WRITING, Phase.REFLECTING, Phase.PUBLISHING})
"""Phases in which the bot is at work and nobody votes."""

_P = Phase
_TABLE: Mapping[tuple[Phase, Event], Phase] = {
    (_P.WRITING, Event.TEXT_FINISHED): _P.REFLECTING,
    (_P.REFLECTING, Event.REFLECTED): _P.PUBLISHING,
    (_P.PUBLISHING, Event.STAGED): _P.VOTING,
    (_P.VOTING, Event.WON): _P.WRITING,
    (_P.VOTING, Event.EXTENDED): _P.VOTING,
    (_P.VOTING, Event.FELL_ASLEEP): _P.ASLEEP,
    (_P.ASLEEP, Event.WOKEN): _P.VOTING,
    **{(phase, Event.PAUSED): _P.PAUSED for phase in LIVE - {_P.PAUSED}},
    (_P.PAUSED, Event.HELD): _P.PAUSED,
    **{
        (phase, Event.RETRIED): _P.WRITING
        for phase in (_P.VOTING, _P.ASLEEP, _P.PAUSED, _P.WRITING, _P.REFLECTING)
    },
    **{(phase, Event.REFLECTED_ANEW): _P.REFLECTING for phase in (_P.VOTING, _P.ASLEEP, _P.PAUSED)},
    **{(phase, Event.REWOUND): _P.PUBLISHING for phase in LIVE},
    **{(phase, Event.ENDED): _P.ENDED for phase in LIVE},
}

_WHERE: Mapping[Phase, str] = {
    _P.WRITING: "its next paragraph is being written",
    _P.REFLECTING: "it is taking its newest paragraph into memory",
    _P.PUBLISHING: "its next ballot is being posted",
    _P.VOTING: "a vote is running",
    _P.ASLEEP: "it is asleep, waiting for a vote",
    _P.PAUSED: "it is paused",
    _P.ENDED: "it has ended",
}


def next_phase(phase: Phase, event: Event, kept: Phase | None = None) -> Phase:
    """The phase an event leads to.

    Args:
        phase: where the story stands.
        event: what happens.
        kept: the phase a pause came from; needed for RESUMED.

    Raises:
        PhaseError: the table doesn't list the pair; the sentence says where the story stands.
    """
    if (phase, event) == (Phase.PAUSED, Event.RESUMED) and kept is not None:
        return kept
    try:
        return _TABLE[phase, event]
    except KeyError:
        raise PhaseError(f"The story can't be {event} now: {describe(phase)}.") from None


def pausing(story: Story) -> Event:
    """The event that a moderator's pause is: a pause that would end by itself is held."""
    waits = story.pause is not None and story.pause.until is not None
    return Event.HELD if waits else Event.PAUSED


def describe(phase: Phase) -> str:
    """Half a sentence for people: where a story in this phase stands."""
    return _WHERE[phase]


_SHUT_OUT = frozenset({PauseCause.CHANNEL, PauseCause.ABSENT})


def is_shut_out(story: Story) -> bool:
    """Whether nothing may be sent to the story's channel until something changes there.

    What the channel is owed waits meanwhile.
    """
    return story.pause is not None and story.pause.cause in _SHUT_OUT


AT_ONCE = 0.0
"""Due time of work that waits for nobody."""


def due_at_rest(story: Story) -> float | None:
    """When somebody must act on a story that nobody holds (UTC); None: when somebody asks."""
    if is_shut_out(story):
        return None
    if story.outbox or story.phase in WORKING:
        return AT_ONCE
    if story.phase is Phase.VOTING:
        return story.closes_at
    return story.pause.until if story.pause else None


LONGEST_PAUSE_S = 86_400.0
"""A pause that ends by itself waits for the UTC day to turn at most."""


def longest_wait(story: Story, lease_s: float) -> float:
    """How far ahead a story's due time may rightly lie, seconds, whoever holds it.

    Args:
        story: as it stands.
        lease_s: how long a claim lasts.
    """
    if story.phase is Phase.VOTING:
        return max(lease_s, story.settings.vote_s)
    return max(lease_s, LONGEST_PAUSE_S) if story.phase is Phase.PAUSED else lease_s
