"""Stories on their way to another database: what changes with the place, what a replacement loses.

Pure, like moves.

A story that comes back to the channel it lived in goes on where it was: its messages are there. One
that comes to another channel, or under another bot, has no messages yet: every id of the old ones
is dropped, and it waits, paused, for a moderator's ``resume``, which posts its newest paragraph and
a fresh ballot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from core.domain.identity import id_before
from core.domain.lifecycle import due_at_rest
from core.domain.moves import working_phase
from core.domain.story import Draft, Pause, PauseCause, Phase, Story, StoryId, Turn

MOVED = "The story was moved here. /story resume posts its newest paragraph and goes on."
"""Why a story that has no messages yet is paused."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many stories, and records of them, were read or written."""

    stories: int = 0
    turns: int = 0
    entries: int = 0
    changes: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.stories + other.stories,
            self.turns + other.turns,
            self.entries + other.entries,
            self.changes + other.changes,
        )


@dataclass(frozen=True, slots=True)
class Places:
    """Where stories go.

    Attributes:
        channels, guilds: old id → new id; others stay.
        anew: whether those that stay in their channel have no messages there either.
    """

    channels: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    guilds: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    anew: bool = False

    def channel(self, story: StoryId) -> int:
        """The channel that a story comes to."""
        return self.channels.get(story.channel, story.channel)

    def uproots(self, story: StoryId) -> bool:
        """Whether a story leaves its messages behind."""
        return self.anew or story.channel in self.channels


def arrived(story: Story, places: Places, serial: int, epoch: int, now: float) -> Story:
    """A story as it is stored where it comes to.

    Args:
        story: as it was exported.
        places: where it goes.
        serial: its number there.
        epoch: above every one that anybody may hold there.
        now: UTC seconds.
    """
    guild = places.guilds.get(story.guild, story.guild)
    if guild != story.guild:
        # Roles are a server's own.
        rules = replace(story.settings, notify_role=None, moderator_role=None)
        story = replace(story, guild=guild, settings=rules)
    if places.uproots(story.id):
        story = _uprooted(story, epoch, now)
    place = StoryId(places.channel(story.id), serial)
    story = replace(story, id=place, epoch=epoch)
    return replace(story, due=due_at_rest(story))


def _uprooted(story: Story, epoch: int, now: float) -> Story:
    """A story without messages; what it has to do next begins with showing its newest text."""
    after = id_before(now)
    bare = replace(
        story, closes_at=None, extended=False, offers=0, tries=0, outbox=(), said=after, pause=None
    )
    if story.phase is Phase.ENDED:
        return replace(bare, draft=None)
    phase = working_phase(story)
    if story.head is not None and phase not in (Phase.REFLECTING, Phase.PUBLISHING):
        # Whatever was being written: members here haven't read what it follows.
        phase, draft = Phase.PUBLISHING, Draft(story.head, story.head_number, 1, None, after)
    elif story.draft is not None:
        draft = story.draft
    else:
        raise ValueError(f"story {story.id} is {phase} and has neither a head nor a draft")
    return replace(
        bare,
        phase=Phase.PAUSED,
        pause=Pause(phase, PauseCause.MODERATOR, MOVED),
        # The epoch names its messages as no others were ever named.
        draft=replace(draft, attempt=epoch, after=after, calls=0),
    )


def uprooted_turn(turn: Turn, story: Story) -> Turn:
    """A turn without messages; the one that members vote on next is open again.

    Args:
        turn: as it was exported.
        story: as ``arrived`` gives it.
    """
    bare = replace(turn, pieces=(), ballot=None, staged_at=None, parts=())
    pause = story.pause
    if pause and pause.kept is Phase.PUBLISHING and turn.id == story.head:
        return replace(bare, plans=turn.offered, tally=None, rules=None)
    return bare


def same_state(one: Story, other: Story) -> bool:
    """Whether two stories are one, whoever holds it."""
    return replace(one, epoch=0, due=None) == replace(other, epoch=0, due=None)


def would_lose(here: Story, archived: Story, turns: int, changes: int) -> str:
    """What would be gone if a story were replaced, as half a sentence; empty where nothing is.

    Args:
        here: the story that is there.
        archived: the one that comes.
        turns: how many turns only the first one has.
        changes: how many changes by moderators only the first one has.
    """
    what: list[str] = []
    if turns:
        what.append(_counted(turns, "turn"))
    if changes:
        what.append(_counted(changes, "change by moderators", "changes by moderators"))
    if here.phase is Phase.ENDED and archived.phase is not Phase.ENDED:
        what.append("its end")
    if not what and any(a > b for a, b in zip(_versions(here), _versions(archived), strict=True)):
        what.append("newer memory, plans or settings")
    return " and ".join(what)


def _versions(story: Story) -> tuple[int, ...]:
    versions = (story.memory.version, story.canon.version, story.plans.version)
    return (*versions, story.settings_version, story.turns_version)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def needed_turns(story: Story) -> frozenset[str]:
    """Ids of the turns without which a story can't go on."""
    has_text = working_phase(story) in (Phase.REFLECTING, Phase.PUBLISHING)
    drafted = story.draft.turn_id if story.draft and has_text else None
    return frozenset(one for one in (story.head, drafted) if one is not None)
