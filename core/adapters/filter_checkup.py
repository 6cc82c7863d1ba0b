"""Looks at the content filter the way the bot does at its start: two harmless words."""

import time
from collections.abc import AsyncGenerator

from core.adapters.openai_checkup import failed
from core.domain.checkup import Area, Finding, Topic
from core.errors import FilterError
from core.ports import ContentFilter


class FilterCheckup:
    """Looks at one content filter.

    Args:
        content_filter: whoever made it closes it.
    """

    def __init__(self, content_filter: ContentFilter) -> None:
        self._filter = content_filter

    async def look(self) -> AsyncGenerator[Finding, None]:
        """Whether it answers, and how soon: every paragraph waits for it."""
        topic = Topic(Area.MODERATION, "filter")
        began = time.perf_counter()
        try:
            await self._filter.check()
        except FilterError as error:
            yield failed(topic, "", error)
        else:
            yield topic.ok(f"looked at two words in {time.perf_counter() - began:.1f} s")
