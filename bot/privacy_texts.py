"""What /privacy says. Each sentence is a promise that the code keeps; docs/privacy.md says more.

Nothing is asked of a service here.
"""

from dataclasses import dataclass

from bot import render
from core.services.privacy import Erased
from core.services.purging import Kept

OWNER_UNITS = 200
UNNAME = "Take my name out of this server's log"
"""What stands on the button."""


@dataclass(frozen=True, slots=True)
class PrivacyNote:
    """What depends on how the bot is run.

    Attributes:
        has_model: whether a model writes; False where templates do, on the bot's own machine.
        embeds_elsewhere: whether an endpoint makes the vectors of the memory.
        is_moderated: whether texts are shown to a moderation model.
        purge_after_days: the grace after the bot was removed.
        contact: whom to ask; empty for whoever owns the bot at Discord.
    """

    has_model: bool = True
    embeds_elsewhere: bool = False
    is_moderated: bool = False
    purge_after_days: int = 30
    contact: str = ""


def privacy(note: PrivacyNote, kept: Kept, owner: str) -> str:
    """The whole answer: one message.

    Args:
        note: how the bot is run.
        kept: of the channel in which it was asked.
        owner: who owns the bot at Discord; empty where that isn't known.
    """
    days = f"{note.purge_after_days} day{'' if note.purge_after_days == 1 else 's'}"
    parts = {
        "What this bot keeps": _KEPT,
        "Where it goes": f"{_model(note)} {_GOES}",
        "For how long": f"Until a moderator gives /story delete. All of a server goes {days} after "
        f"the bot was removed from it, all of a channel {days} after it was deleted.",
        "Questions, and deletion on request": _contact(note, owner),
        "In this channel now": _kept(kept),
        "Your name": _BUTTON,
    }
    return "\n\n".join(f"**{heading}**\n{text}" for heading, text in parts.items())


_KEPT = """\
- Of stories: premise and settings, paragraphs, plans, and what it remembers of them.
- Of votes: how many each plan got. Who voted is read to count, and never kept.
- Of moderators: name and id with each change they make to a story, and what they wrote.
- Discord's numbers of this server and of channels, messages and roles that stories use.
What members write in messages of their own is not kept."""
_GOES = (
    "Discord gets what you see here. The bot trains no model; what the model's provider does with "
    "texts, whoever runs the bot can tell you."
)
_BUTTON = (
    "The button takes your name and id out of the log of all stories of this server, for good. "
    "Your changes stay, by “a moderator”. Messages that name you are Discord's: a moderator can "
    "delete them."
)


def _model(note: PrivacyNote) -> str:
    if not note.has_model:
        return "No model is asked: the texts are made from templates, where the bot runs."
    also = ["the model that searches the memory"] if note.embeds_elsewhere else []
    also += ["the model that looks for what must not be shown"] if note.is_moderated else []
    to = ", and to ".join(["The texts of a story go to the language model that writes it", *also])
    return f"{to}. Who you are isn't sent with them: no name and no id of a member."


def _contact(note: PrivacyNote, owner: str) -> str:
    if note.contact:
        return f"Ask {note.contact}."  # the operator's own words, perhaps a link
    if owner:
        return f"Ask whoever runs this bot: {render.escaped(owner, OWNER_UNITS)} at Discord."
    return "Ask whoever runs this bot: its profile and this server's moderators know who."


def _kept(kept: Kept) -> str:
    if not kept.stories:
        return "Nothing is kept of it."
    stories = _count(len(kept.stories), "story", "stories")
    turns, changes = _count(kept.turns, "turn"), _count(kept.changes, "change")
    return f"{stories} with {turns}, and {changes} by moderators."


def erased(done: Erased) -> str:
    """What came of the button."""
    left = (
        f" {_count(len(done.unread), 'story', 'stories')} couldn't be read, and may still have "
        "it: whoever runs the bot finds them in its log."
        if done.unread
        else ""
    )
    if not done.changes:
        return f"Your name stands in no change of this server's stories.{left}"
    changes, stories = _count(done.changes, "change"), _count(done.stories, "story", "stories")
    return (
        f"Done: your name and id are out of {changes} in {stories}. What you change from now on "
        f"is logged with your name again; press the button again then.{left}"
    )


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
