"""What members and moderators are shown of a story's memory and log; render escapes and cuts it.

Every function gives the contents of ephemeral answers. Nothing is asked of a service here.
"""

from collections.abc import Sequence

from bot import render
from core.domain.audit import ChangeKind, Logged
from core.domain.legible import legible
from core.domain.story import Story, Tally, Turn
from core.domain.text import clip
from core.services.library import Hit, MemoryView, StillSaid
from core.services.moderation import Done

EXCERPT_UNITS = 200
"""How much of a text stands in a list of many."""
CHAPTER_TURNS = 10
"""Turns under one heading of a recap: about what fits one message."""
LOGGED_UNITS = 350
"""How much of each side of a change stands in the log's pages: ten of them fit a few messages."""


def memory_pages(view: MemoryView) -> list[str]:
    """Everything that a story remembers, and what the next prompt will hold of it."""
    story = view.story
    canon = "".join(f"\n- {render.plain_line(entry)}" for entry in story.canon.entries)
    kept = "1 summary" if view.summaries == 1 else f"{view.summaries} summaries"
    prompt = "\n".join(f"- {part.name}: about {part.tokens} tokens" for part in view.prompt)
    told = sum(part.tokens for part in view.prompt)
    return render.pages(
        "\n\n".join(
            (
                f"**Short-term memory**\n{render.plain_lines(story.memory.text) or 'empty so far'}",
                f"**Canon**: {'in every prompt' if canon else 'nothing pinned'}{canon}",
                f"**Long-term memory**: {kept} that recall can find.",
                f"**The next prompt**, about {told} tokens and what is recalled:\n{prompt}",
            )
        )
    )


def hit_pages(story: Story, hits: Sequence[Hit]) -> list[str]:
    """What a search found, nearest first, with links."""
    if not hits:
        return ["Nothing found: this story's long-term memory is still empty."]
    return render.pages("\n".join(_hit(story, hit) for hit in hits))


def _hit(story: Story, hit: Hit) -> str:
    found = hit.recalled
    link = f" · {_link(story, hit.turn)}" if hit.turn and hit.turn.pieces else ""
    return f"**Turn {found.number}** · {found.score:.2f}{link}\n{render.plain_line(found.text)}"


def why_pages(story: Story, turn: Turn) -> list[str]:
    """Which plan a turn follows, by how much it won, and what was recalled for it."""
    if turn.plan is None:
        won = "It is the story's opening: no vote came before it."
    else:
        won = f"It follows “{render.plain_line(turn.plan.title)}”{_margin(turn.decided)}."
    lines = [f"**Turn {turn.number}** · {_link(story, turn)}", won]
    if turn.forgotten:
        lines.append("A moderator took it out of recall.")
    if turn.recalled:
        lines.append(f"\n**Recalled for it** ({len(turn.recalled)}, with similarity):")
        lines += [
            f"- turn {hit.number} · {hit.score:.2f}: {render.plain_line(hit.text)}"
            for hit in turn.recalled
        ]
    else:
        lines.append("Nothing was recalled for it.")
    if turn.reflection is not None:
        lines.append(
            "\n**What was kept and dropped, and why**\n"
            f"{render.plain_lines(turn.reflection.rationale)}"
        )
    return render.pages("\n".join(lines))


def _margin(tally: Tally | None) -> str:
    if tally is None or tally.winner is None:
        return ""
    votes = tally.counts[tally.winner]
    others = max((n for at, n in enumerate(tally.counts) if at != tally.winner), default=0)
    if tally.tied:
        return f", drawn among {len(tally.tied)} plans with {votes} each"
    return f", which won with {votes} to {others}"


def recap_pages(story: Story, turns: Sequence[Turn]) -> list[str]:
    """The story so far, a summary for each turn, with links."""
    if not turns:
        return ["Nothing is told yet: the first paragraph is on its way."]
    first = turns[0].number
    start = "" if first == 1 else f"Turns {first} to {turns[-1].number}. "
    lines = [
        f"**{render.escaped(story.brief.title, 150)}**\n{start}{_premise(story, first)}".strip()
    ]
    for turn in turns:
        if turn is turns[0] or (turn.number - 1) % CHAPTER_TURNS == 0:
            lines.append(f"\n**{_chapter(turn.number, turns[-1].number)}**")
        told = turn.summary or turn.paragraph
        lines.append(f"**{turn.number}** · {render.plain_line(told)} {_link(story, turn)}")
    return render.pages("\n".join(lines))


def _chapter(first: int, last: int) -> str:
    """What a run of turns is headed by: each ends with a whole ten."""
    end = min(last, -(-first // CHAPTER_TURNS) * CHAPTER_TURNS)
    return f"Turn {first}" if first == end else f"Turns {first} to {end}"


def _premise(story: Story, first: int) -> str:
    return render.plain_line(story.brief.premise) if first == 1 else ""


def history_pages(log: Sequence[Logged]) -> list[str]:
    """A page of the log, newest first."""
    if not log:
        return ["No moderator has changed anything yet."]
    return render.pages("\n\n".join(_logged(logged) for logged in log))


def _logged(logged: Logged) -> str:
    change = logged.change
    about = f" · turn {change.number}" if change.number else ""
    undoes = f" · takes back {change.undoes}" if change.undoes is not None else ""
    head = (
        f"**{logged.number} · {change.kind}**{about}{undoes} · "
        f"{render.escaped(change.by.name, 60)} · {render.moment(change.at)}"
    )
    sides = [
        f"{name}: {clip(render.plain_line(text), LOGGED_UNITS)}"
        for name, text in (("before", change.before), ("after", change.after))
        if text
    ]
    return "\n".join((head, *sides))


def choice_of(logged: Logged) -> str:
    """A change in the list of an autocomplete: at most 100 characters."""
    change = logged.change
    text = render.one_line(legible(change.after or change.before))
    return clip(f"{logged.number} · {change.kind} · {change.by.name} · {text}", 100)


def done(change: Done) -> str:
    """What was done, for the moderator who did it."""
    said = _DONE[change.change.kind].format(number=change.change.number)
    if change.while_writing and change.change.kind in _REACHING:
        said += " A paragraph is being written just now: it reaches what follows from it."
    return said


_DONE = {
    ChangeKind.MEMORY: "The memory is changed: the next paragraph is written with it.",
    ChangeKind.SUMMARY: "The summary of turn {number} is changed, and recall finds the new one.",
    ChangeKind.FORGOTTEN: "Turn {number} is out of recall. /memory undo brings it back.",
    ChangeKind.REMEMBERED: "Turn {number} is in recall again.",
    ChangeKind.PINNED: "Pinned: it stands in every prompt from now on.",
    ChangeKind.UNPINNED: "Unpinned: the next prompt holds it no longer.",
    ChangeKind.PARAGRAPH: "The paragraph is changed, and the next prompt holds it so. Memory, "
    "summary and plans are still those of the old text.",
    ChangeKind.PLAN: "The plan is changed; the ballot follows, and votes stand.",
    ChangeKind.SETTINGS: "The settings are changed; a vote that runs keeps the old ones.",
    ChangeKind.REFLECTED: "Memory, summary and plans are being made anew; a fresh ballot comes.",
    ChangeKind.RETRIED: "Turn {number} is being written anew from the same plan.",
    ChangeKind.REWOUND: "The story stands at turn {number} again; a fresh ballot comes.",
}


_REACHING = frozenset(_DONE) - {
    *(ChangeKind.PARAGRAPH, ChangeKind.PLAN, ChangeKind.SETTINGS),
    *(ChangeKind.REFLECTED, ChangeKind.RETRIED, ChangeKind.REWOUND),
}
"""Changes of what prompts hold, which a paragraph under way doesn't see."""


def still_said(places: Sequence[StillSaid]) -> str:
    """Where a thing that was amended or forgotten is told as well; empty where nowhere is."""
    if not places:
        return ""
    lines = [
        f"- {place.where}{f' of turn {place.number}' if place.number else ''}: "
        f"{clip(render.plain_line(place.text), EXCERPT_UNITS)}"
        for place in places
    ]
    return render.pages("These places may still tell it:\n" + "\n".join(lines))[0]


def both_pages(sentence: str, theirs: str, yours: str) -> list[str]:
    """Two texts of which only one can stand, so that whoever wrote the second loses nothing."""
    return render.pages(
        f"{render.plain_line(sentence)} Open it again to write yours over it.\n\n"
        f"**It reads now**\n{render.plain_lines(theirs) or 'nothing'}\n\n"
        f"**You wrote**\n{render.plain_lines(yours)}"
    )


def refused_pages(sentence: str, yours: str) -> list[str]:
    """Why a text wasn't taken, and the text back."""
    return render.pages(
        f"{render.plain_line(sentence)} Nothing was changed.\n\n"
        f"**You wrote**\n{render.plain_lines(yours)}"
    )


def rewind_question(number: int, told: int) -> str:
    """What a rewind will do."""
    if number == told:
        return f"Turn {number} is the newest one: it would get a fresh ballot without votes."
    gone = f"turn {told}" if told == number + 1 else f"turns {number + 1} to {told}"
    return (
        f"The story would go back to turn {number}: {gone} would leave the story and its recall. "
        "Their messages stay, marked; nothing is destroyed, and /memory undo brings it all back."
    )


def delete_question(story: Story) -> str:
    """What deleting will do."""
    turns = story.head_number
    return (
        f"**{render.escaped(story.brief.title, 150) or 'This story'}** with "
        f"{turns} turn{'' if turns == 1 else 's'}, its memory, its log and all that is kept of it "
        "would be deleted for good. Its messages in this channel stay. This can't be undone."
    )


def _link(story: Story, turn: Turn) -> str:
    if not turn.pieces:
        return ""
    return render.message_link(story.guild, story.id.channel, turn.pieces[0])
