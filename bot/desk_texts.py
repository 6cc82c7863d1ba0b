"""What members and moderators are shown of a story's memory and log; render escapes and cuts it.

Every function gives the contents of ephemeral answers. Nothing is asked of a service here.
"""

from collections.abc import Sequence
from itertools import groupby

from bot import render
from core.domain.audit import Change, ChangeKind, Logged
from core.domain.entries import EntryKind, Recalled, fact_line
from core.domain.legible import legible
from core.domain.recurrence import CHAPTER_TURNS
from core.domain.story import Story, Tally, Turn
from core.domain.text import clip
from core.services.library import Chapter, Hit, LedgerPage, MemoryView, PromptPart, Recap
from core.services.moderation import Done
from core.services.traces import StillSaid

EXCERPT_UNITS = 200
"""How much of a text stands in a list of many."""
LOGGED_UNITS = 350
"""How much of each side of a change stands in the log's pages: ten of them fit a few messages."""


def memory_pages(view: MemoryView) -> list[str]:
    """Everything that a story remembers, and what the next prompt will hold of it."""
    story = view.story
    canon = "".join(f"\n- {_pinned(view, entry)}" for entry in story.canon.entries)
    prompt = "\n".join(map(_part, view.prompt))
    told = sum(part.tokens for part in view.prompt if not part.most)
    return render.pages(
        "\n\n".join(
            (
                f"**Short-term memory**\n{render.plain_lines(story.memory.text) or 'empty so far'}",
                f"**Canon**: {'in every prompt' if canon else 'nothing pinned'}{canon}",
                f"**Long-term memory**: {_kept(view)}",
                f"**The next prompt**, about {told} tokens and what the vote brings:\n{prompt}",
            )
        )
    )


def _pinned(view: MemoryView, fact: str) -> str:
    """A pinned fact; one that the next prompt has no room for says so."""
    unheld = " **(no room for it in the next prompt: unpin others)**"
    return f"{render.plain_line(fact)}{unheld if fact in view.left_out else ''}"


def _part(part: PromptPart) -> str:
    return f"- {part.name}: {'up to' if part.most else 'about'} {part.tokens} tokens"


def _kept(view: MemoryView) -> str:
    """The long-term memory in numbers."""
    chapters = f", and {_count(view.chapters, 'chapter')}" if view.chapters else ""
    lines = [f"{_count(view.summaries, 'summary', 'summaries')} that recall can find{chapters}."]
    if view.superseded is None:
        lines.append(f"The ledger has {view.facts} facts, those included that hold no longer.")
    else:
        holding = view.facts - view.superseded
        more = f", and {view.superseded} more that held once" if view.superseded else ""
        facts = _count(holding, "fact that holds", "facts that hold")
        lines.append(f"The ledger has {facts}{more}.")
    return " ".join([*lines, *(["/memory facts lists them."] if view.facts else [])])


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def hit_pages(story: Story, hits: Sequence[Hit]) -> list[str]:
    """What a search found, nearest first, with links."""
    if not hits:
        return ["Nothing found: this story's long-term memory is still empty."]
    return render.pages("\n".join(_hit(story, hit) for hit in hits))


def _hit(story: Story, hit: Hit) -> str:
    found = hit.recalled
    kind = "" if found.kind is EntryKind.SUMMARY else f" · {found.kind}"
    head = f"**{_turns(found).capitalize()}**{kind} · {found.score:.2f}{_behind(story, hit.turn)}"
    return f"{head}\n{_said(hit)}"


def _turns(entry: Recalled) -> str:
    """The turns that an entry of the long-term memory tells of."""
    if entry.kind is EntryKind.CHAPTER:
        return f"turns {entry.number - CHAPTER_TURNS + 1} to {entry.number}"
    return f"turn {entry.number}"


def _said(hit: Hit) -> str:
    """What was found, struck through where it holds no longer."""
    text = render.plain_line(fact_line(hit.recalled.about, hit.recalled.text))
    return f"~~{text}~~ until turn {hit.until}" if hit.until else text


def ledger_pages(page: LedgerPage) -> list[str]:
    """The facts of some turns, newest first, with links."""
    if not page.last:
        return ["The ledger is empty: nothing is told yet."]
    turns = "turn 1" if page.last == 1 else f"turns {page.first} to {page.last}"
    if not page.facts:
        return [f"The ledger has no facts of {turns}."]
    lines = [f"**The ledger**: facts of {turns}, the newest first"]
    for number, hits in groupby(page.facts, lambda hit: hit.recalled.number):
        facts = list(hits)
        # Behind an empty line: else it would go on the list above it.
        lines.append(f"\n**Since turn {number}**{_behind(page.story, facts[0].turn)}")
        lines += [f"- {_said(hit)}" for hit in facts]
    return render.pages("\n".join(lines))


def fact_pages(story: Story, hits: Sequence[Hit]) -> list[str]:
    """The facts that a question found, best first, with links."""
    if not hits:
        return ["The ledger is empty so far."]
    return render.pages(
        "\n".join(
            f"**Since turn {hit.recalled.number}**{_behind(story, hit.turn)}\n{_said(hit)}"
            for hit in hits
        )
    )


def why_pages(story: Story, turn: Turn) -> list[str]:
    """Which plan a turn follows, by how much it won, and what was recalled for it."""
    if turn.plan is None:
        won = "It is the story's opening: no vote came before it."
    else:
        won = f"It follows “{render.plain_line(turn.plan.title)}”{_margin(turn.decided)}."
    lines = [f"**Turn {turn.number}** · {_link(story, turn)}", won]
    if turn.forgotten:
        lines.append("A moderator took it out of recall.")
    facts = [hit for hit in turn.recalled if hit.kind is EntryKind.FACT]
    others = [hit for hit in turn.recalled if hit.kind is not EntryKind.FACT]
    for name, hits in (("Recalled for it", others), ("Facts of the ledger", facts)):
        if hits:
            lines.append(f"\n**{name}** ({len(hits)}, with scores):")
            lines += map(_recalled, hits)
    if not turn.recalled:
        lines.append("Nothing was recalled for it.")
    if turn.reflection is not None:
        lines.append(
            "\n**What was kept and dropped, and why**\n"
            f"{render.plain_lines(turn.reflection.rationale)}"
        )
    return render.pages("\n".join(lines))


def _recalled(hit: Recalled) -> str:
    text = render.plain_line(fact_line(hit.about, hit.text))
    return f"- {_turns(hit)} · {hit.score:.2f}: {text}"


def _margin(tally: Tally | None) -> str:
    if tally is None or tally.winner is None:
        return ""
    votes = tally.counts[tally.winner]
    others = max((n for at, n in enumerate(tally.counts) if at != tally.winner), default=0)
    if tally.tied:
        return f", drawn among {len(tally.tied)} plans with {votes} each"
    return f", which won with {votes} to {others}"


def recap_pages(recap: Recap) -> list[str]:
    """The story so far: its chapters, a summary for each turn that is in none, with links."""
    story = recap.story
    if not recap.parts:
        return ["Nothing is told yet: the first paragraph is on its way."]
    first, last = recap.first, recap.last
    start = "" if first == 1 else f"Turns {first} to {last}. "
    lines = [
        f"**{render.escaped(story.brief.title, 150)}**\n{start}{_premise(story, first)}".strip()
    ]
    headed = 0
    for part in recap.parts:
        if isinstance(part, Chapter):
            lines.append(_chapter(story, part))
            continue
        if part.number > headed:
            # Each heading ends with a whole ten, like chapters do.
            headed = min(last, -(-part.number // CHAPTER_TURNS) * CHAPTER_TURNS)
            lines.append(f"\n**{turns_of(part.number, headed)}**")
        told = part.summary or part.paragraph
        lines.append(f"**{part.number}** · {render.plain_line(told)} {_link(story, part)}")
    return render.pages("\n".join(lines))


def _chapter(story: Story, chapter: Chapter) -> str:
    begins, ends = chapter.begins, chapter.ends
    text = ends.reflection.chapter if ends.reflection else ""
    links = " – ".join(filter(None, (_link(story, begins), _link(story, ends))))
    head = f"\n**{turns_of(begins.number, ends.number)}**{f' · {links}' if links else ''}"
    return f"{head}\n{render.plain_lines(text)}"


def turns_of(first: int, last: int) -> str:
    """A run of turns, as a heading or on a button."""
    return f"Turn {first}" if first == last else f"Turns {first} to {last}"


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
        for name, text in zip(("before", "after"), _sides(change), strict=True)
        if text
    ]
    return "\n".join((head, *sides))


def _sides(change: Change) -> tuple[str, str]:
    """Before and after; of what is remembered of a turn only the lines that differ."""
    if change.was is None:
        return change.before, change.after
    before, after = change.before.split("\n"), change.after.split("\n")
    return (
        "\n".join(line for line in before if line not in after),
        "\n".join(line for line in after if line not in before),
    )


def choice_of(logged: Logged) -> str:
    """A change in the list of an autocomplete: at most 100 characters."""
    change = logged.change
    before, after = _sides(change)
    text = render.one_line(legible(after or before))
    return clip(f"{logged.number} · {change.kind} · {change.by.name} · {text}", 100)


def done(change: Done) -> str:
    """What was done, for the moderator who did it."""
    said = _DONE[change.change.kind].format(number=change.change.number)
    if change.while_writing and change.change.kind in _REACHING:
        said += " A paragraph is being written just now: it reaches what follows from it."
    return said


_DONE = {
    ChangeKind.MEMORY: "The memory is changed: the next paragraph is written with it.",
    ChangeKind.SUMMARY: "What is remembered of turn {number} is changed: recall finds it so.",
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
        f"- {_place(place)}: {clip(render.plain_line(place.text), EXCERPT_UNITS)}"
        for place in places
    ]
    return render.pages("These places may still tell it:\n" + "\n".join(lines))[0]


def _place(place: StillSaid) -> str:
    if place.where == EntryKind.CHAPTER:
        return f"chapter of turns {place.number - CHAPTER_TURNS + 1} to {place.number}"
    return f"{place.where} of turn {place.number}" if place.number else place.where


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


def _behind(story: Story, turn: Turn | None) -> str:
    """The link to a turn's message, behind something else on its line."""
    return f" · {link}" if turn and (link := _link(story, turn)) else ""


def _link(story: Story, turn: Turn) -> str:
    if not turn.pieces:
        return ""
    return render.message_link(story.guild, story.id.channel, turn.pieces[0])
