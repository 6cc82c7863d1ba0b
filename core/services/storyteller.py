"""What can be asked of the stories: begin, look, close, pause, resume, end; or wake one by a vote.

A request is checked against the table of phases, takes the story by force (its epoch rises, a
worker that is at it is stopped), commits, and lets go. The work between requests is the wheel's.
Whoever asks says from which server (``guild``): a story of another one isn't there for them.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import uuid4

from core.domain import moves
from core.domain.identity import nonce
from core.domain.lifecycle import Event, describe
from core.domain.story import (
    Brief,
    Notice,
    PauseCause,
    Phase,
    Settings,
    Story,
    StoryId,
    Tally,
    Turn,
)
from core.errors import (
    ChannelGoneError,
    FencedError,
    PhaseError,
    RefusedError,
    StageForbiddenError,
    StageUnavailableError,
    TalewheelError,
)
from core.services.channels import Channels, IsOpen
from core.services.milestones import note_change
from core.services.requests import Requests, allows
from core.services.room import Room
from core.services.run import Stations
from core.services.sleepers import Sleepers
from core.services.turns import advance, refused
from core.services.voting import count_now
from core.services.wheel import LEASE_S, Pulse, Wheel

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """A story and its newest turn that is part of it (None before the first was reflected)."""

    story: Story
    turn: Turn | None


Errand = Callable[[], Coroutine[None, None, None]]
"""Something that goes on in the background until it is cancelled."""

UNREAD = (
    "Its long-term memory is searched by words, since the embeddings that are set read English "
    "only. With EMBEDDINGS=openai and an EMBEDDING_MODEL for its language it would be searched by "
    "meaning."
)
"""Said once, to the moderator who starts a story in another language (docs/memory.md)."""


class Storyteller:
    """The stories of one process, as members and moderators meet them.

    Attributes:
        requests: takes a story for what is asked of it; other services ask through it too.
    """

    def __init__(
        self,
        stations: Stations,
        *,
        lease_s: float = LEASE_S,
        room: Room | None = None,
        beside: Sequence[Errand] = (),
    ) -> None:
        """See the class.

        Args:
            stations: where the work is done.
            lease_s: how long a story waits for a process that died.
            room: how many stories a server may have; None: any number.
            beside: what else goes on while the wheel turns, and ends with it.
        """
        self._at = stations
        self._room = room
        self._beside = beside
        self._sleepers = Sleepers(stations, self._wake)
        self._wheel = Wheel(stations, lease_s, self._rested)
        self.requests = Requests(stations.store, self._wheel, self._sleepers)
        self._channels = Channels(stations, self._wheel, self.requests.taking)

    async def start(
        self, channel: int, guild: int, brief: Brief, settings: Settings, after: int
    ) -> Story:
        """Begin a story.

        Args:
            brief: what was asked; its title and outline are empty.
            after: id of the request (a snowflake): every message of the story is newer.

        Raises:
            PhaseError: a story runs here; nothing was changed.
            InputError: it may not be told in this channel.
            UncheckedError: the content filter can't look at it now.
            RefusedError: the channel doesn't take the end of its last story yet, or as many
                stories run in the server as may.
        """
        current = await self._at.store.current(channel)
        if current and current.phase is not Phase.ENDED:
            raise PhaseError(
                f"A story runs in this channel already: {describe(current.phase)}. "
                "/story status shows it, /story end ends it."
            )
        asked = (brief.premise, brief.genre, brief.style, brief.language)
        await self._at.screening.admit(channel, "premise, genre or style", *asked)
        if current and current.outbox:
            await self._tell_the_end(current.id)
        said = self._at.narrator.notice
        story = moves.begun(
            StoryId(channel, current.id.serial + 1 if current else 1),
            guild,
            brief,
            settings,
            now=self._at.clock.now(),
            turn_id=uuid4().hex,
            after=after,
            notice=Notice(nonce(uuid4().hex), said, after) if said else None,
        )
        async with self._room.for_another(guild) if self._room else nullcontext():
            if not await self._at.store.create(story, uuid4().hex):
                raise PhaseError("Somebody else began a story here at the same moment.")
        note_change(self._at.witness, None, story)
        self._wheel.look()
        return story

    def advice(self, brief: Brief) -> str:
        """What would let a story be remembered better; empty where there is nothing to say."""
        return "" if self._at.embedder.reads(brief.language) else UNREAD

    async def status(self, channel: int, guild: int | None = None) -> Status:
        """Where the channel's story stands; a running ballot is looked for. Raises NoStoryError."""
        story = await self._channels.looked_at(await self.requests.story(channel, guild))
        turn = await self._at.store.turn(story.id, story.head) if story.head else None
        return Status(story, turn)

    async def close(self, channel: int, guild: int | None = None) -> Tally:
        """Count the running vote now; one vote is enough for a result.

        Raises:
            PhaseError: no vote is running.
            RefusedError: see voting.count_now; or the channel can't be read.
        """
        async with self.requests.taking(channel, allows(Event.WON), guild) as run:
            try:
                return await count_now(run)
            except (StageForbiddenError, ChannelGoneError) as error:
                await refused(run, error)
                raise RefusedError(f"The votes can't be counted. {error}") from error

    async def pause(self, channel: int, by: str, guild: int | None = None) -> Story:
        """Stop the story where it stands; ``by`` is the display name of who asks.

        One that waits for something and would go on by itself stops waiting.
        """
        async with self.requests.taking(channel, allows(Event.PAUSED), guild) as run:
            await run.commit(
                moves.paused(
                    run.story,
                    PauseCause.MODERATOR,
                    "A moderator paused the story. /story resume goes on.",
                    # Only the channel is told who: what is kept needs no name.
                    said=f"{by} paused the story. /story resume goes on.",
                    now=self._at.clock.now(),
                    notice_nonce=nonce(uuid4().hex),
                )
            )
            return run.story

    async def resume(self, channel: int, guild: int | None = None) -> Story:
        """Go on with a paused story, with a fresh allowance of calls, or wake a sleeping one."""
        story = await self.requests.story(channel, guild)
        if story.phase is Phase.ASLEEP:
            return await self._wake(channel)
        async with self.requests.taking(channel, allows(Event.RESUMED), guild) as run:
            await run.commit(moves.resumed(run.story, self._at.clock.now()))
            if run.story.phase is Phase.ASLEEP:
                await run.commit(moves.woken(run.story, self._at.clock.now()))
            return run.story

    async def end(self, channel: int, by: str, guild: int | None = None) -> Story:
        """End the story for good; it stays readable, and another can begin."""
        async with self.requests.taking(channel, allows(Event.ENDED), guild) as run:
            turns = run.story.head_number
            sentence = (
                f"{by} ended the story after {turns} turn{'' if turns == 1 else 's'}. "
                "/story start begins another."
            )
            now, named = self._at.clock.now(), nonce(uuid4().hex)
            await run.commit(moves.ended(run.story, sentence, now=now, notice_nonce=named))
            return run.story

    def sleeps_on(self, channel: int, message: int) -> bool:
        """Whether a message is the ballot of a sleeping story, as far as this process knows."""
        return self._sleepers.sleeps_on(channel, message) is not None

    async def reacted(self, channel: int, message: int) -> None:
        """A member reacted to a message; if it is a sleeping story's ballot, the story wakes.

        Should that fail now, it is tried again until it doesn't.
        """
        story = self._sleepers.sleeps_on(channel, message)
        if story is None:
            return
        try:
            await self._wake(channel)
        except PhaseError:
            pass  # Somebody else's vote woke it.
        except TalewheelError as error:
            log.warning("story %s is woken later: %s", story, error)
            self._sleepers.ask(story, voted=True)

    @property
    def pulse(self) -> Pulse:
        """How the wheel turns at this moment."""
        return self._wheel.pulse

    async def run(self) -> None:
        """Work on every story that is due, until cancelled or closed."""
        for errand in (self._sleepers.watch, *self._beside):
            self._wheel.later(errand())
        await self._wheel.run()

    async def compare(self, guilds: frozenset[int], is_open: IsOpen) -> None:
        """See Channels.compare: to be called after each connect, before anything is worked on."""
        await self._channels.compare(guilds, is_open)

    async def reconcile(self) -> None:
        """See Sleepers.reconcile: to be called after each connect."""
        await self._sleepers.reconcile()

    async def left(self, guild: int) -> None:
        """See Channels.left."""
        await self._channels.left(guild)

    async def changed(self, guild: int, is_open: IsOpen) -> None:
        """See Channels.changed."""
        await self._channels.changed(guild, is_open)

    async def deleted(self, channel: int) -> None:
        """See Channels.deleted."""
        await self._channels.deleted(channel)

    async def cleared(self, channel: int, message: int, *, votes_lost: bool) -> None:
        """See Channels.cleared."""
        await self._channels.cleared(channel, message, votes_lost=votes_lost)

    async def aclose(self) -> None:
        """Take nothing new, let what is being sent finish, and hand the leases back."""
        await self._wheel.aclose()

    async def _tell_the_end(self, story: StoryId) -> None:
        """Give the channel what an ended story owes it.

        What is half written is taken back by where it stands: it must be gone before another story
        posts anything behind it.
        """
        try:
            async with self._wheel.taken(story) as run:
                await advance(run)
        except (FencedError, StageUnavailableError) as error:
            log.info("story %s hasn't told its end: %s", story, error)
            raise RefusedError(
                "The end of the last story isn't told here yet, and Discord takes nothing at the "
                "moment: try again in a minute."
            ) from error

    async def _rested(self, story: Story) -> None:
        self._channels.rested(story)
        await self._sleepers.note(story)
        if story.phase is Phase.ASLEEP:
            # A vote that came between the count and now was noticed by nobody.
            self._sleepers.ask(story.id)

    async def _wake(self, channel: int) -> Story:
        async with self.requests.taking(channel, allows(Event.WOKEN)) as run:
            await run.commit(moves.woken(run.story, self._at.clock.now()))
            return run.story
