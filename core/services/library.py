"""Reading a story's memory: what it holds, what a search finds, what was told so far.

Whoever asks says from which server (``guild``): a story of another one isn't there for them.

Nothing is changed here. What is shown of the next prompt is assembled by the very code that makes
it, so what moderators see is what the model will see.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from core.domain.audit import Change
from core.domain.entries import EntryKind, Recalled
from core.domain.ledger import memory_of
from core.domain.legible import legible
from core.domain.lineage import branch_of
from core.domain.prompts import RULES
from core.domain.recurrence import CHAPTER_TURNS, StepContext, assemble, ends_chapter
from core.domain.retrieval import Answer, fused
from core.domain.story import Draft, Story, Turn
from core.domain.tokens import BUDGET, estimate_tokens
from core.errors import InputError, NoStoryError, RecordError
from core.ports import ALL_KINDS, Archive, Embedder, MemorySearch, StoryStore
from core.services.recall import WORDS_WHERE_UNREAD
from core.services.traces import StillSaid, held_until, still_said
from core.services.work import on, working_on

QUERY_CHARACTERS = 1000
"""More than any embedder of ours reads of one text."""
SEARCH_WORDS = 0.3
"""Weight of BM25 beside similarity in what people search: they type names, which mean little."""
FOUND = 8
"""What a search gives: a summary or two beside the facts, which are many and short."""
FACTS_FOUND = 15
"""Facts about one thing that are listed: what two or three messages hold."""
LEDGER_TURNS, LEDGER_FACTS = 20, 20
"""A page of the ledger goes back so many turns, or to the turn in which it gets so many facts."""
RECAP_TURNS = 50
"""Turns of a recap where nobody says how many: five chapters, and what came after them."""
RECAP_MOST = 100
"""Turns of a recap: as many as are asked for, up to what somebody may still want to read."""


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of the next prompt and about how many tokens it takes.

    Attributes:
        name: as prompts name it.
        tokens: how many.
        most: whether it may take so many, and takes as many as the vote makes it.
    """

    name: str
    tokens: int
    most: bool = False


@dataclass(frozen=True, slots=True)
class MemoryView:
    """A story with everything that it remembers in plain language.

    Attributes:
        story: its short-term memory and canon are what the next prompt will hold.
        summaries: entries of the long-term memory that recall can find.
        prompt: the parts of the next prompt.
        facts: all that the ledger has.
        superseded: how many of them hold no longer; None where they are too many to tell.
        chapters: how many there are.
        left_out: pinned facts that the next prompt has no room for: a story's tokens may turn out
            shorter than they were taken to be when these were pinned.
    """

    story: Story
    summaries: int
    prompt: tuple[PromptPart, ...]
    facts: int = 0
    superseded: int | None = 0
    chapters: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found, and the turn it belongs to (None when its record can't be read).

    Attributes:
        recalled: a summary, a fact or a chapter.
        turn: whose it is.
        until: of a fact that holds no longer, the turn whose fact says otherwise; else 0.
    """

    recalled: Recalled
    turn: Turn | None
    until: int = 0


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The facts of some turns, newest turn first; no turns (``last`` is 0) before the first one."""

    story: Story
    first: int
    last: int
    facts: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A run of turns that is told condensed, by the last one's record."""

    begins: Turn
    ends: Turn


@dataclass(frozen=True, slots=True)
class Recap:
    """What was told, oldest first: in chapters as far as there are some, else turn by turn.

    Attributes:
        story: whose it is.
        first, last: the turns that are covered; 0 where nothing is told yet.
        parts: chapters and turns.
    """

    story: Story
    first: int
    last: int
    parts: tuple[Chapter | Turn, ...]

    @property
    def neighbours(self) -> tuple[int, ...]:
        """The last turns of the recaps that go before and after this one, as far as there are."""
        newest = self.story.head_number
        after = min(newest, self.last + RECAP_TURNS)
        return tuple(
            upto
            for upto, there in ((self.first - 1, self.first > 1), (after, self.last < newest))
            if there
        )


async def channel_story(store: StoryStore, channel: int, guild: int | None = None) -> Story:
    """The channel's newest story, live or ended; ``guild`` is None where the bot itself asks.

    Raises:
        NoStoryError: there is none, or none of that server's.
    """
    story = await store.current(channel)
    if story is None or guild not in (None, story.guild):
        raise NoStoryError("There is no story in this channel yet: /story start begins one.")
    return story


async def told_turn(archive: Archive, story: Story, number: int) -> Turn:
    """A turn of the story by its number.

    Raises:
        InputError: the story has no such turn (yet, or any more).
    """
    return await archive.turn_at(story.id, branch_with(story, number), number)


def branch_with(story: Story, number: int) -> str:
    """The branch that a turn of the story stands on. Raises InputError, see ``told_turn``."""
    branch = branch_of(story.lineage, number)
    if branch is None:
        told = story.head_number
        raise InputError(
            f"There is no turn {number}: this story has turns 1 to {told}."
            if told
            else "This story has no finished turn yet."
        )
    return branch


class Library:
    """Answers questions about the story of a channel."""

    def __init__(
        self, *, store: StoryStore, archive: Archive, search: MemorySearch, embedder: Embedder
    ) -> None:
        self._store = store
        self._archive = archive
        self._search = search
        self._embedder = embedder

    async def story(self, channel: int, guild: int | None = None) -> Story:
        """The channel's newest story. Raises NoStoryError."""
        return await channel_story(self._store, channel, guild)

    async def memory(self, channel: int, guild: int | None = None) -> MemoryView:
        """Short-term memory, canon, the size of the long-term memory, the next prompt's parts."""
        story = await self.story(channel, guild)
        place = (story.id, story.lineage)
        context = await self._next_context(story)
        return MemoryView(
            story,
            await self._search.count(*place),
            _prompt_of(context, story.bytes_per_token),
            await self._search.count(*place, EntryKind.FACT),
            await self._search.superseded(*place),
            await self._search.count(*place, EntryKind.CHAPTER),
            tuple(fact for fact in story.canon.entries if fact not in context.canon),
        )

    async def find(
        self, channel: int, query: str, guild: int | None = None, limit: int = FOUND
    ) -> list[Hit]:
        """Summaries, facts and chapters that fit a query by meaning and by words, best first.

        Raises:
            NoStoryError: the channel has no story.
            InputError: the query is empty or longer than QUERY_CHARACTERS.
        """
        return await self._find(channel, query, guild, limit, ALL_KINDS)

    async def facts_about(self, channel: int, about: str, guild: int | None = None) -> list[Hit]:
        """Facts of the ledger that fit a query, best first. Raises as ``find`` does."""
        return await self._find(channel, about, guild, FACTS_FOUND, {EntryKind.FACT})

    async def facts(
        self, channel: int, before: int | None = None, guild: int | None = None
    ) -> LedgerPage:
        """The ledger from its newest turn back, or from the one below ``before``.

        What is shown is read from as many turns, however long the story is.
        """
        story = await self.story(channel, guild)
        last = story.head_number if before is None else min(before - 1, story.head_number)
        at, found = last, list[tuple[Recalled, Turn]]()
        while at > max(0, last - LEDGER_TURNS) and len(found) < LEDGER_FACTS:
            turn = await self._told(story, at)
            found += [(fact, turn) for fact in _standing(turn)]
            at -= 1
        until = await held_until(self._search, story, [fact for fact, _ in found])
        hits = tuple(Hit(fact, turn, until.get(fact.id, 0)) for fact, turn in found)
        return LedgerPage(story, at + 1, max(0, last), hits)

    async def turn(self, channel: int, number: int, guild: int | None = None) -> tuple[Story, Turn]:
        """A turn by its number. Raises NoStoryError, InputError."""
        story = await self.story(channel, guild)
        return story, await self._told(story, number)

    async def head(self, channel: int) -> tuple[Story, Turn]:
        """The newest finished turn. Raises NoStoryError, InputError."""
        story = await self.story(channel)
        return story, await self._told(story, story.head_number)

    async def recap(
        self,
        channel: int,
        turns: int | None = None,
        guild: int | None = None,
        last: int | None = None,
    ) -> Recap:
        """What was told.

        Args:
            channel: whose story.
            turns: how many turns, 1 to RECAP_MOST; None: about RECAP_TURNS, whole chapters.
            guild: where it is asked.
            last: the newest of them; None: the newest of the story.
        """
        if turns is not None and not 1 <= turns <= RECAP_MOST:
            raise InputError(f"turns is {turns}; it must be from 1 to {RECAP_MOST}.")
        story = await self.story(channel, guild)
        last = story.head_number if last is None else min(last, story.head_number)
        first = recap_from(last) if turns is None else max(1, last - turns + 1)
        at, parts = first, list[Chapter | Turn]()
        while at <= last:
            chapter = await self._chapter(story, at, last)
            parts.append(chapter or await self._told(story, at))
            at += CHAPTER_TURNS if chapter else 1
        return Recap(story, first if parts else 0, last if parts else 0, tuple(parts))

    async def still_said(self, channel: int, change: Change) -> list[StillSaid]:
        """Places that still tell what an amendment or a forgetting took away; see traces."""
        story = await self.story(channel)
        told = await self._told(story, change.number)
        with working_on(on(story)):
            return await still_said(self._search, self._embedder, story, told, change)

    async def _find(
        self, channel: int, query: str, guild: int | None, limit: int, kinds: Collection[EntryKind]
    ) -> list[Hit]:
        words = legible(query).strip()
        if not words or len(words) > QUERY_CHARACTERS:
            raise InputError(
                f"Say in 1 to {QUERY_CHARACTERS} characters what to look for; "
                f"this has {len(words)}."
            )
        story = await self.story(channel, guild)
        with working_on(on(story)):
            [vector] = await self._embedder.embed([words])
        place = (story.id, story.lineage)
        answer = Answer(
            await self._search.nearest(*place, vector, limit, kinds),
            await self._search.matching(*place, words, limit, kinds),
        )
        read = self._embedder.reads(story.brief.language)
        by_meaning = read and not await self._search.stale(*place)
        found = fused(answer, SEARCH_WORDS if by_meaning else WORDS_WHERE_UNREAD)[:limit]
        until = await held_until(self._search, story, found)
        return [
            Hit(hit, await self._turn_or_none(story, hit.turn_id), until.get(hit.id, 0))
            for hit in found
        ]

    async def _chapter(self, story: Story, first: int, last: int) -> Chapter | None:
        """The chapter that begins with a turn and ends before ``last`` or there, if there is one.

        One that was forgotten with its turn is as if it weren't there.
        """
        end = first + CHAPTER_TURNS - 1
        if not ends_chapter(end) or end > last:
            return None
        ends = await self._told(story, end)
        if ends.forgotten or ends.reflection is None or not ends.reflection.chapter:
            return None
        return Chapter(await self._told(story, first), ends)

    async def _next_context(self, story: Story) -> StepContext:
        """What the next step will hold whatever wins."""
        head = await self._store.turn(story.id, story.head) if story.head else None
        draft = story.draft or Draft("next", story.head_number + 1, 1, None, 0)
        return assemble(replace(story, draft=draft), head.paragraph if head else "", ())

    async def _told(self, story: Story, number: int) -> Turn:
        return await told_turn(self._archive, story, number)

    async def _turn_or_none(self, story: Story, turn_id: str) -> Turn | None:
        try:
            return await self._store.turn(story.id, turn_id)
        except RecordError:
            return None


def recap_from(last: int) -> int:
    """The turn that a recap up to a turn begins with, which a chapter begins with too."""
    return max(0, last - RECAP_TURNS) // CHAPTER_TURNS * CHAPTER_TURNS + 1


_OPEN_PARTS = (
    PromptPart("recalled summaries", BUDGET.recalled, most=True),
    PromptPart("ledger: facts that matter then", BUDGET.ledger, most=True),
    PromptPart("plan", BUDGET.plan, most=True),
)


def _prompt_of(context: StepContext, bytes_per_token: float) -> tuple[PromptPart, ...]:
    """The parts that are known before the vote, and the most that those take which aren't."""
    known = [
        PromptPart(name, estimate_tokens(text, bytes_per_token)) for name, text in _parts(context)
    ]
    return (*known, *_OPEN_PARTS)


def _standing(turn: Turn) -> list[Recalled]:
    """The facts of a turn, as recall finds them."""
    if turn.forgotten:
        return []
    return [
        Recalled(turn.id, turn.number, fact.text, 0.0, EntryKind.FACT, fact.key, fact.about)
        for fact in memory_of(turn).facts
        if not fact.dropped
    ]


def _parts(context: StepContext) -> Sequence[tuple[str, str]]:
    """The parts of a prompt that stand before the vote decides, by the names that prompts give."""
    brief = context.brief
    return (
        ("rules", RULES),
        ("premise", brief.premise),
        ("title, genre, style, language", f"{brief.title} {brief.genre} {brief.style}"),
        ("outline", brief.outline),
        ("canon", "\n".join(context.canon)),
        ("memory", context.memory),
        ("previous", context.previous),
    )
