"""The Stage port on Discord: sends, edits, reads votes, over REST alone.

No cache decides what is asked, so it works for channels and threads the gateway never named; it
only words what Discord refused. discord.py's retries of 5xx answers and its waits for rate limits
stay; what it raises in the end is translated here, once, into core.errors. What a message looks
like is render's business.
"""

import json
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Literal, TypeVar, get_args

import aiohttp
import discord

from bot.permissions import SPEAKING, lacking
from bot.render import OPTION_EMOJI, Rendered, kind_of, plain_emoji, render
from core.errors import (
    ChannelGoneError,
    MessageGoneError,
    StageError,
    StageForbiddenError,
    StageUnavailableError,
)
from core.ports import Content, Posted, Votes
from core.services.lease import acting_under

T = TypeVar("T")

_PAGE = 100
"""Most users that Discord lists in one answer."""
_KINDS = Literal[0, 1]
"""Discord's numbers for ordinary and burst ("super") reactions."""

_CLOSED: dict[int, str] = {
    50001: "the bot can't see this channel (View Channel is missing)",
    50083: "the thread is archived and locked",
    160005: "the thread is locked",
}
"""Codes with which the whole channel refuses, until somebody changes something there.
(discord.com/developers/docs/topics/opcodes-and-status-codes)"""
_FULL: dict[int, str] = {
    30046: "Discord allows no more edits of a message this old",
    90001: "a member of this server has blocked the bot's reactions",
    30010: "the message has Discord's most reactions already",
}
"""Codes with which one message refuses, whoever asks and however often."""
_MISSING_PERMISSION = 50013
_UNKNOWN_CHANNEL = 10003
_ARCHIVED = 50083
_LATER = frozenset({408, 429})
"""Statuses below 500 that another try may mend."""


class DiscordStage:
    """Implements core.ports.Stage with the bot's own client."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def send(
        self, channel: int, content: Content, nonce: str, after: int | None = None
    ) -> Posted:
        """Post, once: the same nonce within minutes gives the existing message, made to show this.

        A request that was cut off may have reached Discord all the same, with an earlier text; and
        Discord forgets nonces: with ``after``, a message of ours above it that shows this is it.
        """
        shown = render(content)
        if after is not None:
            for message in await self._own_history(channel, after):
                if _words_of(message) == _words_meant(shown):
                    return _posted(message)
        with self._translated(channel, "Send Messages (in threads: Send Messages in Threads)"):
            message = await self._send(channel, shown, nonce)
        if _words_of(message) != _words_meant(shown):
            await self.edit(channel, message.id, content)
        return _posted(message)

    async def _send(self, channel: int, shown: Rendered, nonce: str) -> discord.Message:
        place = self._client.get_partial_messageable(channel)
        if shown.view is not None:
            return await place.send(view=shown.view, nonce=nonce, allowed_mentions=shown.mentions)
        return await place.send(
            shown.content, nonce=nonce, allowed_mentions=shown.mentions, suppress_embeds=True
        )

    async def edit(self, channel: int, message: int, content: Content) -> None:
        """Replace what one of our messages shows."""
        shown = render(content)
        ours = self._client.get_partial_messageable(channel).get_partial_message(message)

        async def change() -> None:
            if shown.view is not None:
                await ours.edit(view=shown.view, allowed_mentions=shown.mentions)
            else:
                # That it shows no previews is kept from when it was sent.
                await ours.edit(content=shown.content, allowed_mentions=shown.mentions)

        with self._translated(channel, "View Channel"):
            await self._unarchived(channel, change)

    async def delete(self, channel: int, message: int) -> None:
        """Delete one of our messages; done when it is gone already."""
        ours = self._client.get_partial_messageable(channel).get_partial_message(message)
        gone = suppress(MessageGoneError, ChannelGoneError)
        with gone, self._translated(channel, "View Channel"):
            await self._unarchived(channel, ours.delete)

    async def own_messages(self, channel: int, after: int) -> list[Posted]:
        """Our own messages above the id ``after``, oldest first."""
        return [_posted(message) for message in await self._own_history(channel, after)]

    async def _own_history(self, channel: int, after: int) -> list[discord.Message]:
        place = self._client.get_partial_messageable(channel)
        with self._translated(channel, "Read Message History"):
            newer = [
                message
                async for message in place.history(
                    limit=None, after=discord.Object(after), oldest_first=True
                )
            ]
            if not newer:
                # A history that may not be read looks empty; a single message says which it is.
                with suppress(discord.NotFound):
                    await place.fetch_message(after)
        # Discord's own notes in our name ("pinned a message") carry another type.
        ordinary = discord.MessageType.default
        return [m for m in newer if m.author.id == self._own_id and m.type is ordinary]

    async def votes(self, channel: int, message: int, options: int) -> Votes:
        """The reactions to a ballot, read afresh to the last page, bots left out."""
        with self._translated(channel, "Read Message History"):
            place = self._client.get_partial_messageable(channel)
            ballot = await place.fetch_message(message)
            present = {plain_emoji(str(reaction.emoji)) for reaction in ballot.reactions}
            return {
                option: await self._voters(channel, message, emoji)
                for option, emoji in enumerate(OPTION_EMOJI[:options])
                if plain_emoji(emoji) in present
            }

    async def signal(self, channel: int, ballot: int | None = None, options: int = 0) -> None:
        """The typing sign, or our reactions on a ballot; adding one twice changes nothing."""
        place = self._client.get_partial_messageable(channel)
        if ballot is None:
            with self._translated(channel, "Send Messages (in threads: Send Messages in Threads)"):
                await place.typing()
            return
        ours = place.get_partial_message(ballot)
        with self._translated(channel, "Add Reactions or Read Message History"):
            for emoji in OPTION_EMOJI[:options]:
                await self._unarchived(channel, lambda emoji=emoji: ours.add_reaction(emoji))

    async def _unarchived(self, channel: int, act: Callable[[], Awaitable[T]]) -> T:
        """Act; an archived thread takes no edits and no reactions, so it is brought back, once.

        Sending does that by itself. A locked one stays away.
        """
        try:
            return await act()
        except discord.HTTPException as error:
            if error.code != _ARCHIVED:
                raise
            with suppress(discord.Forbidden):
                await self._client.http.edit_channel(channel, archived=False)
                return await act()
            raise

    @contextmanager
    def _translated(self, channel: int, needs: str) -> Generator[None]:
        """Errors of ours for those of discord.py, with the permissions that are really missing."""
        try:
            yield
        except (discord.DiscordException, *_BROKEN) as error:
            raise self._worded(channel, translate(error, needs)) from error

    def _worded(self, channel: int, error: StageError) -> StageError:
        known = self._client.get_channel(channel) is not None
        if isinstance(error, ChannelGoneError) and known:
            # Deletion ends a story for good: one witness that contradicts the other isn't enough.
            return StageUnavailableError(f"{error} Discord's own list still has it.")
        lacks = lacking(self._client, channel) if isinstance(error, StageForbiddenError) else None
        if not lacks:
            return error
        speechless = not SPEAKING.isdisjoint(lacks)
        sentence = f"The bot lacks permissions in this channel: {', '.join(lacks)}."
        return StageForbiddenError(sentence, speechless=speechless)

    @property
    def _own_id(self) -> int:
        if self._client.user is None:
            raise StageUnavailableError("The bot isn't logged in to Discord yet.")
        return self._client.user.id

    async def _voters(self, channel: int, message: int, emoji: str) -> frozenset[int]:
        """Members who reacted with an emoji, ordinarily or as a burst."""
        people: set[int] = set()
        for kind in get_args(_KINDS):
            people |= await self._people(channel, message, emoji, kind)
        return frozenset(people - {self._own_id})

    async def _people(self, channel: int, message: int, emoji: str, kind: _KINDS) -> set[int]:
        """All pages of one kind. ``Reaction.users`` would stop at a count that may be stale."""
        seen: set[int] = set()
        bots: set[int] = set()
        while True:
            page = await self._client.http.get_reaction_users(
                channel, message, emoji, _PAGE, max(seen, default=None), kind
            )
            ids = {int(user["id"]) for user in page}
            bots |= {int(user["id"]) for user in page if user.get("bot")}
            # A page that brings nobody new ends it, whatever its length: never ask for ever.
            if ids <= seen or len(page) < _PAGE:
                return (seen | ids) - bots
            seen |= ids


def last_look(trace: aiohttp.TraceConfig) -> aiohttp.TraceConfig:
    """For the client: what was allowed a while ago is asked once more when its request goes out.

    Stands behind whatever else ``trace`` does with a request, such as holding it back.

    discord.py holds requests back for rate limits and repeats them by itself; a process may be
    stopped meanwhile. Requests that no lease stands behind, such as answers to commands, go out.
    """

    async def ask(*_: object) -> None:
        lease = acting_under.get()
        if lease is not None:
            await lease.check()

    trace.on_request_start.append(ask)
    return trace


def translate(error: Exception, needs: str) -> StageError:
    """The StageError for an exception of discord.py or its connection.

    Args:
        error: what was raised.
        needs: the permission that the request needs, for a refusal that doesn't name it.
    """
    match error:
        case discord.HTTPException():
            return _translate_answer(error, needs)
        case discord.DiscordException() if not isinstance(error, _CONNECTION):
            return StageError(f"Discord's client refused: {type(error).__name__}: {error}")
        case _:
            said = f"{type(error).__name__}: {error}"
            return StageUnavailableError(f"Discord can't be reached ({said}).")


_CONNECTION = (discord.RateLimited, discord.GatewayNotFound, discord.ConnectionClosed)
"""Exceptions of discord.py that are about the connection and not about what was asked."""
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError)
"""What a lost connection or a cut-off answer raises below discord.py."""


def _translate_answer(error: discord.HTTPException, needs: str) -> StageError:
    said = f"{error.status}, code {error.code}: {error.text}"
    if error.code in {*_CLOSED, *_FULL}:
        kind = StageForbiddenError if error.code in _CLOSED else StageError
        return kind(f"Discord refuses: {(_CLOSED | _FULL)[error.code]}.")
    if isinstance(error, discord.Forbidden):
        missing = f"{needs} is missing" if error.code == _MISSING_PERMISSION else error.text
        return StageForbiddenError(f"Discord refuses: {missing}.")
    if error.code == _UNKNOWN_CHANNEL:
        return ChannelGoneError(f"The channel is gone ({said}).")
    if isinstance(error, discord.NotFound):
        return MessageGoneError(f"The message is gone ({said}).")
    if error.status >= 500 or error.status in _LATER:
        return StageUnavailableError(f"Discord failed ({said}).")
    return StageError(f"Discord refused the request ({said}).")


def _posted(message: discord.Message) -> Posted:
    return Posted(message.id, message.created_at.timestamp(), kind_of(message))


def _words_meant(shown: Rendered) -> list[str]:
    """The texts of a rendered message, in order; Discord trims their ends."""
    if shown.view is None:
        return [(shown.content or "").strip()]
    parts = shown.view.walk_children()
    return [part.content.strip() for part in parts if isinstance(part, discord.ui.TextDisplay)]


def _words_of(message: discord.Message) -> list[str]:
    """The texts of a message, as ``_words_meant`` gives them."""
    if not message.components:
        return [message.content.strip()]
    containers = [part for part in message.components if isinstance(part, discord.Container)]
    parts = [part for container in containers for part in container.children]
    return [part.content.strip() for part in parts if isinstance(part, discord.TextDisplay)]
