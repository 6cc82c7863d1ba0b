"""Handing over a book: the files of /story export, to whoever asked and to nobody else.

Volume by volume, each as soon as it is made: nothing of a long story is kept until its end is
there. What a book is and how large its files may be is the press's business; here is Discord's:
how much one message takes, and what it says when it takes nothing.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import aclosing

import aiohttp
import discord

from bot.book_texts import handed_over
from bot.cogs.requests import Asked, Place
from core.domain.book import VOLUME_TURNS
from core.errors import InputError, RefusedError
from core.ports import BookFormat
from core.services.press import BookFile, Order, Press

FRAME_BYTES = 64 * 1024
"""Kept free beside the files: some count a request as a whole, with its words and boundaries."""
_TOO_LARGE = 413


async def hand_over(
    interaction: Asked, press: Press, place: Place, formats: frozenset[BookFormat]
) -> None:
    """Give the channel's story as a book.

    Args:
        interaction: deferred.
        press: makes it.
        place: whose story.
        formats: of the files.

    Raises:
        RefusedError: Discord takes no files here; or what the press refuses.
    """
    room = interaction.filesize_limit - FRAME_BYTES
    order = Order(place.channel, place.guild, _server(interaction), formats, room)
    async with aclosing(press.volumes(order)) as volumes:
        async for volume in volumes:
            words = handed_over(volume.book, volume.files, VOLUME_TURNS)
            for files in _messages(volume.files, room):
                await _send(interaction, words, files)
                words = ""


def formats_of(wanted: str | None) -> frozenset[BookFormat]:
    """The formats that an option asks for: all where it isn't given. Raises InputError."""
    if wanted is None:
        return frozenset(BookFormat)
    if wanted not in set(BookFormat):
        raise InputError(f"format is {wanted!r}; it must be {' or '.join(BookFormat)}.")
    return frozenset({BookFormat(wanted)})


def _server(interaction: Asked) -> str:
    """The server's name; empty while Discord hasn't told it."""
    return interaction.guild.name if interaction.guild else ""


def _messages(files: Sequence[BookFile], room: int) -> Iterator[Sequence[BookFile]]:
    """The files by the messages that carry them: all in one where they fit together."""
    if sum(len(file.data) for file in files) <= room:
        yield files
    else:
        yield from ((file,) for file in files)


async def _send(interaction: Asked, words: str, files: Sequence[BookFile]) -> None:
    try:
        try:
            await _sent(interaction, words, files)
        except (aiohttp.ClientError, OSError):
            # A connection that died. Given twice is better than never.
            await _sent(interaction, words, files)
    except discord.HTTPException as refusal:
        if isinstance(refusal, discord.Forbidden):
            raise RefusedError(
                "Discord doesn't let the bot attach files in this channel. A moderator can allow "
                "it Attach Files here; then ask again."
            ) from refusal
        if refusal.status == _TOO_LARGE:
            raise RefusedError(
                "Discord took the files for too large. Ask for one format: epub is the smaller one."
            ) from refusal
        raise


async def _sent(interaction: Asked, words: str, files: Sequence[BookFile]) -> None:
    await interaction.followup.send(
        words or discord.utils.MISSING,
        files=[discord.File(io.BytesIO(file.data), file.name) for file in files],
        ephemeral=True,
        allowed_mentions=discord.AllowedMentions.none(),
        suppress_embeds=True,
    )
