"""What Discord is given to show: the only code for messages, components, limits and escaping.

Prose and announcements are plain content, so that they copy, quote and read aloud like text; a
ballot is a layout of components. Every text of a model or a member is made harmless here: it can't
mention anybody, draw a link's card, or look like one of our announcements, a heading or a masked
link; in titles, names and answers no markdown of theirs works at all. Discord counts characters in
UTF-16 units and so does everything here. Sending is the business of the stage and the cogs.
"""

import re
from dataclasses import dataclass
from math import ceil

import discord
import regex

from core.domain.legible import is_blank, legible
from core.domain.lifecycle import describe
from core.domain.story import Outcome, Phase, Plan, Story, Tally, Turn, VotingRule
from core.domain.text import clip, split, utf16_length
from core.ports import Announcement, Ballot, BallotState, Content, MessageKind, Prose

MESSAGE_UNITS = 2000
"""Discord's limit for a message's content."""
BALLOT_UNITS = 4000
"""Discord's limit for all text of a layout together; discord.py doesn't check it."""
HEADING_UNITS = 200
"""Most that stands above a turn's first piece, so a piece of 1,800 fits below it."""
OPTION_EMOJI = ("1️⃣", "2️⃣", "3️⃣")
"""The reactions of a ballot, in the order of its options."""
_EMOJI_VARIANT = "\ufe0f"

_SMALL = "-# "
"""Discord's mark for small text: our announcements begin with it, prose can't."""
_PLAN_TITLE_UNITS = 130
_PLAN_TEXT_UNITS = 940
"""Titles of 60 and texts of 900 with a few escapes: three plans and the rest stay below 4,000."""
_BAR_CELLS = 6

_MARKDOWN = re.compile(r"([\\`*_~|<>\[\]#+-])")
_NUMBERED = re.compile(r"(?<!\S)(\d+)(?=[.)](?:\s|$))")
"""The number of a list's entry: where a page ends is known only later."""
_LINE_MARK = re.compile(
    r"^([^\S\n]*(?:(?:[-*+>]|\d+[.)])[^\S\n]+)*)(-#|#{1,3}|>>>)(?=\s)", re.MULTILINE
)
"""Marks at a line's beginning, or behind the sign of a list or a quoted line."""
_LINK_MARK = re.compile(r"\]\(")
_LIST_SIGN = re.compile(r"^(\d*)(?=[-*+>.)]+\s)")
_HIDING = re.compile(r"\|\||`{3}")
"""What hides a text or sets it apart: a spoiler, a fence."""
_KEYCAPS = regex.compile(r"^(?:[*_~`|\s\p{Default_Ignorable_Code_Point}]*[0-9#*]\ufe0f?\u20e3\s*)+")
_LOOK_ALIKES = str.maketrans({"#": "＃", ">": "＞"})

_ACTING = (
    # Mentions, commands, custom emoji, time stamps: <@1>, <#1>, </start:1>, <a:x:1>, <t:1:R>.
    (re.compile(r"<(?=[@#/:]|[a-z]+:(?!//))", re.IGNORECASE), "‹"),
    (re.compile(r"@(?=everyone|here)"), "＠"),
    # Discord's own addresses draw cards (an invitation, a gift) that no flag is said to suppress.
    (re.compile(r"(?<=discord)((?:app)?)\.(?=[a-z])", re.IGNORECASE), r"\1．"),
)
"""What does something wherever it stands, and the sign of the same length that only looks alike.

Not a backslash: behind an address, in code or behind another backslash it would escape nothing.
"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be sent: plain content or a layout, and whom it may mention."""

    content: str | None
    view: discord.ui.LayoutView | None
    mentions: discord.AllowedMentions


def plain_emoji(emoji: str) -> str:
    """An emoji without the sign that asks for its coloured form: Discord gives both spellings."""
    return emoji.replace(_EMOJI_VARIANT, "")


def is_option(emoji: str) -> bool:
    """Whether an emoji is one that votes are given with, however it is spelt."""
    return plain_emoji(emoji) in map(plain_emoji, OPTION_EMOJI)


# ── the channel's messages ───────────────────────────────────────────────────────────────────────


def render(content: Content) -> Rendered:
    """The message for a content; it always fits Discord's limits.

    Raises:
        ValueError: a piece of prose is too long for one message (splitting is core's business).
    """
    nobody = discord.AllowedMentions.none()
    match content:
        case Prose():
            return Rendered(prose(content), None, nobody)
        case Announcement():
            return Rendered(announcement(content), None, nobody)
        case Ballot():
            role = content.settings.notify_role
            return Rendered(None, ballot(content), _only(role) if role else nobody)


def kind_of(message: discord.Message) -> MessageKind:
    """What one of our own messages carries, told from the message itself."""
    if message.components:
        return MessageKind.BALLOT
    if message.content.startswith(_SMALL):
        return MessageKind.ANNOUNCEMENT
    return MessageKind.PROSE


def prose(piece: Prose) -> str:
    """One piece of a paragraph, under title and number if it is a turn's first.

    An empty piece shows "…": Discord refuses empty messages.
    """
    head = ""
    if piece.title is not None:
        head = _heading(piece.title, piece.number, dropped=piece.dropped)
    room = MESSAGE_UNITS - utf16_length(head)
    text = "…" if is_blank(piece.text) else harmless(piece.text, room)
    if (units := utf16_length(text)) > room:
        raise ValueError(f"a piece of {units} UTF-16 units doesn't fit into {room}")
    return head + text


def announcement(said: Announcement) -> str:
    """A sentence of the bot, small; whatever names stand in it show as they are written."""
    return _SMALL + sentence(said.text, MESSAGE_UNITS - len(_SMALL))


def sentence(text: str, room: int = MESSAGE_UNITS) -> str:
    """A sentence of the bot that may quote anybody, on one line; never empty."""
    return escaped(text, room) if not is_blank(text) else "…"


def ballot(content: Ballot) -> discord.ui.LayoutView:
    """The ballot in any of its states."""
    shown: list[discord.ui.Item[discord.ui.LayoutView]] = [
        discord.ui.TextDisplay(_question(content)),
        discord.ui.Separator(),
    ]
    shown += [
        discord.ui.TextDisplay(_option(index, plan, content.tally))
        for index, plan in enumerate(content.plans)
    ]
    if note := _note(content):
        shown.append(discord.ui.TextDisplay(note))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*shown))
    return view


def _only(role: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(
        everyone=False, users=False, roles=[discord.Object(role)], replied_user=False
    )


def _heading(title: str, number: int | None, *, dropped: bool = False) -> str:
    turn = f" · turn {number}" if number is not None else ""
    turn += " · taken back" if dropped else ""
    room = HEADING_UNITS - len(f"****{turn}\n")
    return f"**{'A new story' if is_blank(title) else escaped(title, room)}**{turn}\n"


def _question(content: Ballot) -> str:
    parts = ["**What happens next?**"]
    match content.state:
        case BallotState.OPEN:
            parts += [*_rules(content), _deadline(content)]
            if content.extended:
                parts.append("extended once")
        case BallotState.PAUSED:
            parts.append("paused: votes are kept")
        case BallotState.ASLEEP:
            parts.append("asleep: a vote wakes the story")
        case BallotState.CLOSED:
            parts.append(_result(content))
        case BallotState.ENDED:
            parts.append("the story has ended")
        case BallotState.REPLACED:
            parts.append("a fresh ballot has taken its place: vote there")
        case BallotState.DROPPED:
            parts.append("taken back: no longer part of the story")
    line = " · ".join(parts)
    if content.state is BallotState.OPEN and content.settings.notify_role:
        line += f"\n{_SMALL}<@&{content.settings.notify_role}>"
    return line


def _rules(content: Ballot) -> list[str]:
    single = content.settings.rule is VotingRule.SINGLE
    rule = "one vote each: who picks several counts for none" if single else "every reaction counts"
    quorum = content.settings.quorum
    return [rule] if quorum <= 1 else [rule, f"at least {_voters(quorum)}"]


def _deadline(content: Ballot) -> str:
    if content.closes_at is None:
        return f"closes in {duration(content.settings.vote_s)}"
    return f"closes {moment(content.closes_at)}"


def _result(content: Ballot) -> str:
    tally = content.tally
    if tally is None:
        return "closed"
    if tally.winner is None:
        return f"closed without a winner · {_voters(tally.voters)}"
    return f"{OPTION_EMOJI[tally.winner]} won · {_voters(tally.voters)}"


def _option(index: int, plan: Plan, tally: Tally | None) -> str:
    """A plan to vote for, or what became of it: who lost gives way to the story that goes on."""
    title = f"**{'…' if is_blank(plan.title) else escaped(plan.title, _PLAN_TITLE_UNITS)}**"
    title += " · edited by a moderator" if plan.edited else ""
    # On a line of its own, where it must not look like one more option.
    text = remark(_KEYCAPS.sub("", legible(plan.text)), _PLAN_TEXT_UNITS)
    if tally is None:
        return f"{OPTION_EMOJI[index]} {title}\n{text}"
    votes = tally.counts[index]
    line = f"{OPTION_EMOJI[index]} {bar(votes, max(tally.counts))} {votes} · {title}"
    if tally.winner is None:
        return f"{line}\n{text}"
    return f"{line} · won\n{text}" if tally.winner == index else line


def _note(content: Ballot) -> str:
    """The small print below the plans, or nothing."""
    tally = content.tally
    if content.state is BallotState.ASLEEP:
        return (
            f"{_SMALL}/story resume wakes it too, even in an archived thread, "
            "where nobody can react."
        )
    if tally is None or tally.winner is None or not tally.tied:
        return ""
    tied = " and ".join(OPTION_EMOJI[option] for option in tally.tied)
    this = f" ({content.message_id})" if content.message_id is not None else ""
    return (
        f"{_SMALL}A tie between {tied}, drawn so that anyone can check it: the SHA-256 of this "
        f"message's id{this}, as a number, modulo {len(tally.tied)}, is "
        f"{tally.tied.index(tally.winner)}; counted from 0 that is {OPTION_EMOJI[tally.winner]}."
    )


# ── answers to whoever gave a command ────────────────────────────────────────────────────────────


def status(story: Story, turn: Turn | None, today: str = "") -> str:
    """Where a story stands: phase in words, turn, deadline, what today has cost, links."""
    number = story.draft.number if story.draft else story.head_number
    lines = [_heading(story.brief.title, number or None) + _capitalised(describe(story.phase))]
    if story.pause is not None:
        lines.append(sentence(story.pause.reason, 500))
        if story.pause.until is not None:
            lines.append(f"It goes on by itself {moment(story.pause.until)}.")
    if story.phase is Phase.VOTING and story.closes_at is not None:
        extended = ", extended once" if story.extended else ""
        lines.append(f"The vote closes {moment(story.closes_at)}{extended}.")
    if today:
        lines.append(today)
    if turn is not None and (links := _links(story, turn)):
        lines.append(links)
    return "\n".join(lines)


def resumed(story: Story) -> str:
    """What a resumed story does next."""
    return f"The story goes on: {describe(story.phase)}."


def count(tally: Tally) -> str:
    """What a count came to, for the moderator who asked for it."""
    if tally.outcome is not Outcome.WON or tally.winner is None:
        return f"Counted: nothing won ({_voters(tally.voters)})."
    return f"Counted: {OPTION_EMOJI[tally.winner]} won ({_voters(tally.voters)})."


def pages(text: str) -> list[str]:
    """A long text as the contents of messages, in order; what it quotes is escaped already."""
    return list(split(text, MESSAGE_UNITS))


def message_link(guild: int, channel: int, message: int) -> str:
    """The address that opens a message in Discord."""
    return f"https://discord.com/channels/{guild}/{channel}/{message}"


def _links(story: Story, turn: Turn) -> str:
    named = [("last paragraph", turn.pieces[0] if turn.pieces else None), ("ballot", turn.ballot)]
    return " · ".join(
        f"[{name}]({message_link(story.guild, story.id.channel, message)})"
        for name, message in named
        if message is not None
    )


def _capitalised(half: str) -> str:
    return half[:1].upper() + half[1:] + "."


# ── words, numbers, escaping ─────────────────────────────────────────────────────────────────────


def harmless(text: str, room: int) -> str:
    """Free text with its emphasis, without headings, small text, endless quotes, masked links.

    Reads as it was written, as far as it can be seen. A backslash before each mark does it; where
    those would need more than ``room`` UTF-16 units, look-alikes of the same length stand for the
    marks, as they always do for what mentions somebody or draws a card.
    """
    text = _inert(legible(text))
    marked = _LINK_MARK.sub(r"]\(", _LINE_MARK.sub(r"\1\\\2", text))
    if utf16_length(marked) <= room:
        return marked
    alike = _LINE_MARK.sub(lambda mark: mark[0].translate(_LOOK_ALIKES), text)
    return _LINK_MARK.sub("]（", alike)


def remark(text: str, room: int = MESSAGE_UNITS) -> str:
    """Text on one line with its emphasis, clipped, that hides nothing and is no list or quotation.

    Never empty.
    """
    line = one_line(legible(text))
    if is_blank(line):
        return "…"
    shown = _HIDING.sub(lambda mark: "\\" + "\\".join(mark[0]), harmless(line, room))
    return clip(_LIST_SIGN.sub(r"\1\\", shown), room)


def escaped(text: str, room: int) -> str:
    """Text on one line in which no markdown works, clipped to ``room`` UTF-16 units."""
    line = _inert(one_line(legible(text)))
    limit = min(room, utf16_length(line))
    while True:
        shown = _without_markdown(clip(line, limit))
        over = utf16_length(shown) - room
        if over <= 0:
            return shown
        # At least half of what is too much are characters, the rest the marks before them.
        limit -= max(1, over // 2)


def plain_line(text: str) -> str:
    """Text on one line in which no markdown works, whole."""
    return _without_markdown(_inert(one_line(legible(text)))) or "…"


def plain_lines(text: str) -> str:
    """Text in its own lines in which no markdown works; empty where there is nothing to see."""
    return "" if is_blank(text) else "\n".join(map(plain_line, legible(text).split("\n")))


def _without_markdown(line: str) -> str:
    return _NUMBERED.sub(r"\1\\", _MARKDOWN.sub(r"\\\1", line))


def _inert(text: str) -> str:
    """Text in which nothing acts: no mention, no command, no emoji of a server, no card."""
    for acting, alike in _ACTING:
        text = acting.sub(alike, text)
    return text


def bar(count: int, most: int) -> str:
    """A count against the highest one: "■■■□□□"; a single vote is never invisible."""
    full = max(bool(count), round(count / most * _BAR_CELLS)) if most else 0
    return "■" * full + "□" * (_BAR_CELLS - full)


def duration(length_s: float) -> str:
    """A length of time in words, its two largest units: "1 hour 30 minutes"."""
    left = round(length_s)
    parts: list[str] = []
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}{'s' * (number != 1)}")
    return " ".join(parts[:2]) or "0 seconds"


def moment(at: float) -> str:
    """A moment as each member's Discord words it: "in 58 minutes"."""
    return f"<t:{ceil(at)}:R>"


def _voters(number: int) -> str:
    return "1 voter" if number == 1 else f"{number} voters"


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())
