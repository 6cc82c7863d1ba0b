"""What may be told in a channel: texts are shown to the content filter before members read them.

Without a filter every text is fine, and nothing is asked; who may read a channel is told to the
model all the same. Whether a channel is age-restricted is asked anew each time, since it may change
at any moment. A text that couldn't be looked at is not fine: what follows from that is up to the
callers. Refusals are logged with their categories, never with the text.
"""

import logging

from core.domain.content import Bounds, Verdict, as_read, listed
from core.errors import FilterError, InputError, UncheckedError
from core.ports import Audience, ContentFilter

log = logging.getLogger(__name__)


class Screening:
    """The content filter, if there is one, and who may read which channel."""

    def __init__(self, audience: Audience, content_filter: ContentFilter | None = None) -> None:
        self._audience = audience
        self._filter = content_filter

    @property
    def on(self) -> bool:
        """Whether texts are looked at."""
        return self._filter is not None

    def bounds(self, channel: int) -> Bounds:
        """What a model may write for a channel just now."""
        return Bounds(self._audience.adults_only(channel))

    async def ready(self) -> None:
        """See that the filter answers, before something is paid for that it must see.

        Raises:
            FilterError: it doesn't.
        """
        if self._filter is not None:
            await self._filter.check()

    async def judge(self, channel: int, what: str, *texts: str) -> Verdict:
        """Whether texts may be told in a channel.

        Args:
            what: the texts are, for the log.

        Raises:
            FilterError: they couldn't be looked at.
        """
        if self._filter is None:
            return Verdict()
        read = [as_read(text) for text in texts]
        verdict = await self._filter.judge(read, adults=self.bounds(channel).adults)
        if not verdict.fine:
            log.info("the content filter refused a %s: %s", what, ", ".join(verdict.refused))
        return verdict

    async def admit(self, channel: int, what: str, *texts: str) -> None:
        """Look at what somebody wrote for a story.

        Args:
            what: how a sentence calls it.

        Raises:
            InputError: it may not be told in this channel.
            UncheckedError: it couldn't be looked at.
        """
        try:
            verdict = await self.judge(channel, what, *texts)
        except FilterError as error:
            log.warning("a %s couldn't be checked: %s", what, error.in_full)
            raise UncheckedError(
                f"The {what} can't be checked just now, and unchecked it isn't taken: "
                "try again in a minute."
            ) from error
        if not verdict.fine:
            raise InputError(_refusal(what, verdict))


def _refusal(what: str, verdict: Verdict) -> str:
    elsewhere = " In an age-restricted channel it could be told." if verdict.fit_for_adults else ""
    return f"The {what} can't be taken here, because of {listed(verdict.kinds)} in it.{elsewhere}"
