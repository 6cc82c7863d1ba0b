"""What happens to the channels of the stories: gone, cleared, shut, open again.

It is told in plain ids, by whoever hears Discord's events. Each telling changes stories by commits;
the wheel then does what is owed. Nothing here speaks to Discord but for one look at a ballot that
somebody asked about, and nothing is repeated for ever: a story that was shut out is tried once for
each change that Discord tells of, with growing pauses for as long as the tries are refused.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol
from uuid import uuid4

from core.domain import moves
from core.domain.departures import a_channel, a_guild
from core.domain.identity import id_before, nonce
from core.domain.lifecycle import LIVE, is_shut_out
from core.domain.story import Notice, PauseCause, Phase, Story, StoryId
from core.errors import (
    ChannelGoneError,
    MessageGoneError,
    RecordError,
    RefusedError,
    StageError,
    StageForbiddenError,
    StoreError,
    TalewheelError,
)
from core.services.publishing import stage_anew
from core.services.run import Run, Stations
from core.services.turns import refused
from core.services.wheel import Wheel

log = logging.getLogger(__name__)

SETTLE_S = 1.0
"""Changes come in groups (three emojis cleared, twenty roles moved): they are taken together."""
TRY_WAITS_S = (2.0, 10.0, 60.0, 300.0, 1800.0)
"""Pause before a story that is shut out is tried because something changed, by how many such tries
in a row were refused: one refused request each, so at most two an hour in the long run."""
LOOK_S = 10.0
"""A running ballot is looked at for /story status at most this often."""
PAGE = 100
ABSENT = "The bot isn't in this server. When it is invited again, the story goes on by itself."
CLEARED = (
    "The reactions of this vote were cleared, and Discord forgot the votes with them: vote again."
)
LAST_OFFER = " The bot put its reactions back for the last time: anybody can add 1️⃣ 2️⃣ 3️⃣."

IsOpen = Callable[[int], bool]
"""Whether a channel looks as if the bot could tell a story there; True where nobody knows."""


class Taking(Protocol):
    """Takes a channel's story by force, then lets it go."""

    def __call__(self, channel: int) -> AbstractAsyncContextManager[Run]:
        """Raises NoStoryError or RefusedError; nothing was disturbed."""
        ...


class Channels:
    """The channels of one process's stories."""

    def __init__(self, stations: Stations, wheel: Wheel, taking: Taking) -> None:
        self._at = stations
        self._wheel = wheel
        self._taking = taking
        self._in_order = asyncio.Lock()
        self._cleared: dict[int, bool] = {}
        self._trying: set[int] = set()
        self._refused_tries: dict[int, int] = {}
        self._looked_at: dict[int, float] = {}

    # ── servers ──────────────────────────────────────────────────────────────────────────────────

    async def left(self, guild: int) -> None:
        """The bot was sent away from a server: its stories rest, without one more request."""
        async with self._in_order:
            await self._gone(guild)

    async def changed(self, guild: int, is_open: IsOpen) -> None:
        """The bot came (back) to a server, or something changed there: try what was shut out."""
        async with self._in_order:
            await self._at.departures.forget({a_guild(guild)})
            await self._let_in(is_open, guild)

    async def compare(self, guilds: frozenset[int], is_open: IsOpen) -> None:
        """The same for whatever happened while nobody listened.

        Args:
            guilds: every server that the bot is in.
            is_open: see ``changed``.

        Raises:
            StoreUnavailableError: Redis is away; call it again.
        """
        async with self._in_order:
            lost = await self._at.departures.lost()
            await self._at.departures.forget(lost.keys() & set(map(a_guild, guilds)))
            for guild in sorted(await self._at.schedule.guilds() - guilds):
                await self._gone(guild)
            await self._let_in(is_open, among=guilds)

    async def _gone(self, guild: int) -> None:
        # Remembered first: a server whose stories rest already isn't looked at again.
        await self._at.departures.note(a_guild(guild), self._at.clock.now())
        await self._shut_out(guild)

    async def _shut_out(self, guild: int) -> None:
        for phase in sorted(LIVE):
            async for story in self._of(guild, phase):
                await self._move(story.channel, self._absent)

    async def _let_in(
        self, is_open: IsOpen, guild: int | None = None, among: frozenset[int] | None = None
    ) -> None:
        async for story_id in self._of(guild, Phase.PAUSED):
            story = await self._at.store.load(story_id)
            here = among is None or story.guild in among
            if not here or not is_shut_out(story) or story_id.channel in self._trying:
                continue
            invited = story.pause is not None and story.pause.cause is PauseCause.ABSENT
            if invited or is_open(story_id.channel):
                self._trying.add(story_id.channel)
                self._wheel.later(self._try(story_id.channel))

    async def _try(self, channel: int) -> None:
        tries = self._refused_tries.get(channel, 0)
        await self._at.clock.sleep(TRY_WAITS_S[min(tries, len(TRY_WAITS_S) - 1)])
        self._trying.discard(channel)
        self._refused_tries[channel] = tries + 1
        await self._move(channel, lambda story: moves.let_in(story, self._at.clock.now()))

    def rested(self, story: Story) -> None:
        """A worker left a story at rest: unless it is shut out again, its tries are forgotten."""
        if not is_shut_out(story):
            self._refused_tries.pop(story.id.channel, None)

    def _absent(self, story: Story) -> Story:
        return moves.shut_out(story, PauseCause.ABSENT, ABSENT, self._at.clock.now())

    async def _of(self, guild: int | None, phase: Phase) -> AsyncGenerator[StoryId]:
        after: StoryId | None = None
        while page := await self._at.schedule.in_phase(phase, after, PAGE, guild):
            for story in page:
                yield story
            after = page[-1]

    # ── channels ─────────────────────────────────────────────────────────────────────────────────

    async def deleted(self, channel: int) -> None:
        """A channel or thread was deleted: its story ends, without one more request."""
        try:
            if await self._has_story(channel):
                await self._at.departures.note(a_channel(channel), self._at.clock.now())
        except StoreError as error:
            # A story that goes on meets it again; of one that has ended nobody hears once more.
            log.warning("that channel %s is gone isn't remembered: %s", channel, error)
        await self._move(channel, moves.vanished)

    async def _has_story(self, channel: int) -> bool:
        try:
            return await self._at.store.current(channel) is not None
        except RecordError:
            return True  # One that can't be read is kept like any other.

    async def cleared(self, channel: int, message: int, *, votes_lost: bool) -> None:
        """Reactions were taken off a message; if it is a ballot, ours are put back.

        Args:
            votes_lost: whether members' reactions may have gone too.
        """
        if channel in self._cleared:
            self._cleared[channel] |= votes_lost
        elif await self._is_ballot(channel, message):
            self._cleared[channel] = votes_lost
            self._wheel.later(self._offer_again(channel))

    async def _is_ballot(self, channel: int, message: int) -> bool:
        story = await self._at.store.current(channel)
        if story is None or story.phase is Phase.ENDED or story.head is None:
            return False
        return (await self._at.store.turn(story.id, story.head)).ballot == message

    async def _offer_again(self, channel: int) -> None:
        await self._at.clock.sleep(SETTLE_S)
        votes_lost = self._cleared.pop(channel)
        await self._move(channel, lambda story: self._offered(story, votes_lost=votes_lost))

    def _offered(self, story: Story, *, votes_lost: bool) -> Story:
        last = story.offers == moves.MOST_OFFERS - 1
        sentence = CLEARED + (LAST_OFFER if last else "")
        notice = Notice(nonce(uuid4().hex), sentence, id_before(self._at.clock.now()))
        return moves.offered_again(story, notice if votes_lost else None)

    async def looked_at(self, story: Story) -> Story:
        """A story that somebody asks about, after a look whether its running ballot is there.

        Discord doesn't tell of deleted messages: so it is found out when it matters to somebody.
        """
        channel, now = story.id.channel, self._at.clock.monotonic()
        if story.phase is not Phase.VOTING or story.head is None:
            return story
        if now < self._looked_at.get(channel, now):
            return story
        self._looked_at[channel] = now + LOOK_S
        ballot = (await self._at.store.turn(story.id, story.head)).ballot
        if ballot is None:
            return story
        try:
            await self._at.stage.votes(channel, ballot, 0)
        except (MessageGoneError, StageForbiddenError, ChannelGoneError) as error:
            return await self._met(story, ballot, error)
        except StageError as error:
            log.info("the ballot of story %s could not be looked at: %s", story.id, error)
        return story

    async def _met(
        self,
        story: Story,
        ballot: int,
        error: MessageGoneError | StageForbiddenError | ChannelGoneError,
    ) -> Story:
        """What a look found, done as the wheel would do it; gives the story as it is then."""
        with suppress(RefusedError):
            async with self._taking(story.id.channel) as run:
                if run.story.phase is not Phase.VOTING or run.story.head != story.head:
                    return run.story
                if isinstance(error, MessageGoneError):
                    await stage_anew(run, ballot)
                else:
                    await refused(run, error)
                return run.story
        return story

    async def _move(self, channel: int, move: Callable[[Story], Story]) -> None:
        """Change a channel's story by force, if there is one that the move changes.

        A fault is said in the log: the next event, the next start or a command does it.
        """
        try:
            story = await self._at.store.current(channel)
            if story is None or move(story) == story:
                return
            async with self._taking(channel) as run:
                if (changed := move(run.story)) != run.story:
                    await run.commit(changed)
        except TalewheelError as error:
            log.warning("the story of channel %s was left as it was: %s", channel, error)
