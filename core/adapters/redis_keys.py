"""Every key that Talewheel keeps in Redis, its type and its lifetime: nowhere else.

    key                                    type    lives     holds
    tw:story:{<channel>}:<serial>          hash    for good  a story's state (index tw-stories)
    tw:current:{<channel>}                 string  for good  serial of the channel's newest story
    tw:turn:{<channel>}:<serial>:<turn>    hash    for good  a turn's record
    tw:turns:{<channel>}:<serial>          hash    for good  "<branch> <number>" → turn
    tw:memory:{<channel>}:<serial>:<turn>  hash    for good  a memory entry (index tw-memory)
    tw:changes:{<channel>}:<serial>        list    for good  what moderators changed, oldest first
    tw:import:{<channel>}:<serial>         string  while a story is imported: by which run; no story
                                                             is begun there meanwhile
    tw:op:{<channel>}:<operation>          string  1 hour    that a change was applied: its epoch
    tw:op:{<channel>}:claim-<random>       string  1 minute  that a claim was granted: its epoch
    tw:spend:{<day>}                       hash    3 days    what calls cost: a field per call, two
                                                             per account that pays, and who tells
                                                             of a budget's end
    tw:meta:gone                           hash    for good  places that the bot lost: since when
    tw:meta:<name>                         hash    for good  what an index was made from; which
                                                             commands Discord was given, and by
                                                             which application; which format
                                                             everything has

The kind stands first, so that an index finds its records by a prefix; the braces put everything of
a channel into one slot, so that one script can change it at once. What stands inside the records is
redis_schema's business.
"""

import re

from core.domain.story import StoryId

STORY_PREFIX = "tw:story:"
"""With its colon: without it an index would also take keys of a longer kind."""
MEMORY_PREFIX = "tw:memory:"
TURN_PREFIX = "tw:turn:"
CHANGES_PREFIX = "tw:changes:"
IMPORT_PREFIX = "tw:import:"
STORIES_INDEX = "tw-stories"
MEMORY_INDEX = "tw-memory"
FORMAT_META = "format"
"""The name of the record that says which format everything has at least."""

DEPARTURES = "gone"
"""Name of the record of places that the bot lost."""

OPERATION_LIFETIME_S = 3600
"""How long a change is known by its operation; a worker repeats it for a quarter of an hour."""
CLAIM_LIFETIME_S = 60
"""A claim is repeated by its own call only, within seconds."""
SPEND_LIFETIME_S = 3 * 86_400
"""A day's spending is asked for during that day; the rest is for looking back."""

_PART_LIMIT = 200


def story(story: StoryId) -> str:
    """The hash of a story's state."""
    return f"{STORY_PREFIX}{{{story.channel}}}:{story.serial}"


def current(channel: int) -> str:
    """The serial of the channel's newest story."""
    if channel <= 0:
        raise ValueError(f"a channel's id is positive, got {channel}")
    return f"tw:current:{{{channel}}}"


def turn(story: StoryId, turn_id: str) -> str:
    """The hash of a turn's record."""
    return f"{TURN_PREFIX}{{{story.channel}}}:{story.serial}:{_part('turn id', turn_id)}"


def memory(story: StoryId, entry_id: str) -> str:
    """The hash of an entry of the long-term memory."""
    return f"{MEMORY_PREFIX}{{{story.channel}}}:{story.serial}:{_part('entry id', entry_id)}"


def turns(story: StoryId) -> str:
    """The hash that finds a turn by its branch and number."""
    return f"tw:turns:{{{story.channel}}}:{story.serial}"


def turn_place(branch: str, number: int) -> str:
    """The field of a turn in ``turns``."""
    return f"{_part('branch', branch)} {number}"


def changes(story: StoryId) -> str:
    """The list of what moderators changed."""
    return f"{CHANGES_PREFIX}{{{story.channel}}}:{story.serial}"


def importing(story: StoryId) -> str:
    """The mark that a story is being imported: its records come first, its own hash last."""
    return f"{IMPORT_PREFIX}{{{story.channel}}}:{story.serial}"


def named_story(key: str) -> StoryId | None:
    """The story that a key of ``story`` or ``importing`` belongs to; None for another key."""
    found = re.fullmatch(r"tw:(?:story|import):\{([0-9]{1,20})\}:([0-9]{1,20})", key)
    if found is None or not (int(found[1]) and int(found[2])):
        return None
    return StoryId(int(found[1]), int(found[2]))


def everything_of(channel: int) -> str:
    """A pattern that matches every key of a channel."""
    return f"tw:*:{{{channel}}}*"


def parts_of(story: StoryId) -> tuple[str, ...]:
    """How the keys of a story's turns and memory begin, and no key of another story."""
    channel = f"{{{story.channel}}}:{story.serial}"
    return tuple(f"tw:{kind}:{channel}:" for kind in ("turn", "memory"))


def operations_of(channel: int) -> str:
    """How the keys of a channel's marks begin, those of claims included."""
    return f"tw:op:{{{channel}}}:"


def operation(channel: int, operation_id: str) -> str:
    """The mark that a change was applied."""
    return f"tw:op:{{{channel}}}:{_part('operation', operation_id)}"


def claim(channel: int, claim_id: str) -> str:
    """The mark that a claim was granted."""
    return operation(channel, f"claim-{claim_id}")


def spend(day: str) -> str:
    """What calls to models cost on a UTC day."""
    return f"tw:spend:{{{_part('day', day)}}}"


def meta(name: str) -> str:
    """Something outside the stories: what an index was made from, what Discord was told by whom."""
    return f"tw:meta:{_part('name', name)}"


def _part(name: str, value: str) -> str:
    """The value, which must be something that reads as one word in a key."""
    if not value or len(value) > _PART_LIMIT or not value.isprintable() or " " in value:
        raise ValueError(
            f"a key's {name} is 1 to {_PART_LIMIT} printable characters without a space,"
            f" got {value[:_PART_LIMIT]!r}"
        )
    return value
