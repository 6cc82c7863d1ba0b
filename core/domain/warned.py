"""That a budget comes to its end, told once in a story's channel.

What was told is kept in the story, by the commit that owes it to the channel: so it is told once,
whatever crashes and however often somebody asks for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.domain.identity import id_before
from core.domain.moves import owed
from core.domain.spending import Account
from core.domain.story import Notice, Story


@dataclass(frozen=True, slots=True)
class Alert:
    """What a story must tell its channel.

    Attributes:
        day: the UTC day that it is about.
        account: whose budget is nearly spent.
        sentence: for moderators.
    """

    day: str
    account: Account
    sentence: str

    @property
    def name(self) -> str:
        """What it is known by in the story that tells it."""
        return f"{self.day} {self.account.scope}"


def warned(
    story: Story, alerts: Sequence[Alert], now: float, named: Callable[[Alert], str]
) -> Story:
    """The channel is owed what it wasn't told yet; the very same story where that is nothing.

    Args:
        alerts: all of one day.
        now: UTC seconds.
        named: gives each notice its nonce.
    """
    fresh = [alert for alert in alerts if alert.name not in story.warned]
    if not fresh:
        return story
    notices = [Notice(named(alert), alert.sentence, id_before(now)) for alert in fresh]
    today = (told for told in story.warned if told.startswith(fresh[0].day))
    return replace(
        story,
        warned=(*today, *(alert.name for alert in fresh)),
        outbox=owed(story, *notices),
    )
