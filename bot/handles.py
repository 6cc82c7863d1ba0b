"""Names of buttons and forms (Discord's custom_id): what was opened, of which story and text.

Everything that a press or a submit needs stands in the name itself, so that both work after a
restart. A name is only a claim: what it says is checked against the story of the channel in which
it was used, and whoever presses is checked like whoever gives a command; a made-up name can do
nothing that its maker couldn't do by a command.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from core.errors import RefusedError

LIMIT = 100
"""Discord's limit for a custom_id."""


class Purpose(StrEnum):
    """What a press or a submit asks for."""

    SHOW = "show"
    """Turn a page of /memory show."""
    FACTS = "facts"
    """Turn a page of /memory facts."""
    RECAP = "recap"
    """Turn a page of /recap."""
    HISTORY = "history"
    """Turn a page of /memory history."""
    MEMORY = "memory"
    """Open the form with the short-term memory, or submit it."""
    SUMMARY = "summary"
    """Open the form with what is remembered of a turn, or submit it."""
    PART = "part"
    """Open the form with a part of the newest paragraph, or submit it."""
    PLAN = "plan"
    """Submit the form with a plan."""
    REFLECT = "reflect"
    REWIND = "rewind"
    DELETE = "delete"
    UNNAME = "unname"
    """Take the name of whoever presses out of the log; of no story, but of the whole server."""


@dataclass(frozen=True, slots=True)
class Handle:
    """The name of a button or a form.

    Attributes:
        purpose: what it is for.
        serial: which story of its channel it was made for.
        number: a turn, a page or the number of a change; 0 where there is none.
        place: which part or plan, from 0; or the newest turn when it was made.
        seen: fingerprint of the text that was shown; empty where none was.
    """

    purpose: Purpose
    serial: int
    number: int = 0
    place: int = 0
    seen: str = ""

    def __str__(self) -> str:
        return f"tw:{self.purpose}:{self.serial}:{self.number}:{self.place}:{self.seen}"


UNKNOWN = "The bot doesn't know this any more: /story status shows where the story is."

_FORM = re.compile(r"tw:([a-z]+):(\d{1,9}):(\d{1,9}):(\d{1,9}):([0-9a-f]{0,16})", re.ASCII)


def read(custom_id: str) -> Handle:
    """The handle that a custom_id names.

    Raises:
        RefusedError: it is none of ours, or of a version that is gone.
    """
    named = _FORM.fullmatch(custom_id)
    if named is None or named[1] not in set(Purpose):
        raise RefusedError(UNKNOWN)
    serial, number, place = (int(part) for part in named.group(2, 3, 4))
    return Handle(Purpose(named[1]), serial, number, place, named[5])
