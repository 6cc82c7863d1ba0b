"""What `talewheel export` and `talewheel import` can be told.

Apart from bot.moving, which does it, so that a help text needs nothing but the standard library.
"""

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter

_ID = "[0-9]{1,20}"


def export_options(parser: ArgumentParser) -> None:
    """Add the options of `talewheel export`."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = (
        "Without a choice, all stories. The bot may go on running. Needs REDIS_URL, and neither\n"
        "a token nor a model. The file holds what members wrote: it is made readable by you alone."
    )
    parser.add_argument("file", metavar="FILE", help="where to; - for standard output")
    parser.add_argument(
        "--channel", type=an_id, action="append", default=[], help="only this channel's stories"
    )
    parser.add_argument(
        "--story",
        type=a_story,
        action="append",
        default=[],
        metavar="CHANNEL:SERIAL",
        help="only this story; 1 is a channel's first",
    )
    parser.add_argument(
        "--guild", type=an_id, action="append", default=[], help="only this server's stories"
    )
    parser.add_argument(
        "--without-vectors",
        action="store_true",
        help="a much smaller file; the import makes the vectors again, which takes long",
    )


def import_options(parser: ArgumentParser) -> None:
    """Add the options of `talewheel import`."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = (
        "The file is checked to its end before anything is written. An import can be repeated:\n"
        "what is there already is passed over. Needs REDIS_URL and EMBEDDINGS, and no token.\n"
        "Stories go on where they were. Those that come to another channel wait, paused, until\n"
        "/story resume posts their newest paragraph and a fresh ballot there."
    )
    parser.add_argument("file", metavar="FILE", help="where from; - for standard input")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="replace stories that differ, if nothing newer than the file's is lost by it",
    )
    parser.add_argument(
        "--channel",
        type=_pair,
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="bring the stories of one channel to another",
    )
    parser.add_argument(
        "--guild",
        type=_pair,
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="say that the stories of one server belong to another",
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="have every story posted anew where it was: for another bot, or emptied channels",
    )


def an_id(text: str) -> int:
    """An id of Discord. Raises ArgumentTypeError."""
    if not re.fullmatch(_ID, text) or not int(text):
        raise ArgumentTypeError(f"{text!r} is no id of Discord, such as 81384788765712384")
    return int(text)


def a_story(text: str) -> tuple[int, int]:
    """A story, as the log and an export name it. Raises ArgumentTypeError."""
    channel, _, serial = text.partition(":")
    if not re.fullmatch(f"{_ID}:{_ID}", text) or not int(serial):
        raise ArgumentTypeError(f"{text!r} names no story, as 81384788765712384:1 does")
    return an_id(channel), int(serial)


def _pair(text: str) -> tuple[int, int]:
    old, found, new = text.partition("=")
    if not found:
        raise ArgumentTypeError(f"{text!r} must be two ids, OLD=NEW")
    return an_id(old), an_id(new)
