"""What `talewheel purge` can be told; apart from bot.purge, so that a help text loads nothing."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from bot.moving_options import a_story, an_id


def purge_options(parser: ArgumentParser) -> None:
    """Add the options of `talewheel purge`."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = (
        "It says what will go and asks first. The bot may go on running; messages in Discord\n"
        "stay. Needs REDIS_URL, and neither a token nor a model. There is no way back."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--guild", type=an_id, metavar="ID", help="everything of a server")
    what.add_argument("--channel", type=an_id, metavar="ID", help="all stories of a channel")
    what.add_argument(
        "--story", type=a_story, metavar="CHANNEL:SERIAL", help="one story; 1 is a channel's first"
    )
    what.add_argument(
        "--moderator",
        type=an_id,
        metavar="USER_ID",
        help="a moderator's name and id, out of the logs of all servers; their changes stay",
    )
    parser.add_argument("--yes", action="store_true", help="don't ask")
