"""What must hold of a channel whose story rests: what members see is what Redis holds, once.

Each check compares the local Discord, Redis's records and its search index with one another; it
knows the words that tests/faults/story_endpoint writes. It looks at one channel with all of its
stories, and changes nothing. Violations are AssertionErrors.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from bot.render import OPTION_EMOJI
from core.adapters import redis_keys as keys
from core.adapters.redis_story_store import RedisStoryStore
from core.adapters.redis_vectors import recorded_embedder
from core.domain.ballot import draw
from core.domain.story import Phase, Plan, Story, StoryId, Tally, Turn
from core.services.publishing import GONE
from core.services.remembering import remembered_ids
from tests.adapters.redis_raw import raw_client
from tests.faults.discord_server import Channel, DiscordServer, Message
from tests.faults.story_endpoint import TITLE

SMALL = "-# "
"""An announcement begins so."""
DEADLINE_TOLERANCE_S = 10.0
"""A ballot is drawn before Discord gives it the time stamp that its window counts from."""

Counts = tuple[int, ...]
Bounds = Callable[[Message], tuple[Counts, Counts]]
"""The least and the most votes, per option, that a ballot can have been decided by."""


def as_they_stand(ballot: Message) -> tuple[Counts, Counts]:
    """The bounds for a ballot that nobody voted on after it was closed."""
    counts = votes_on(ballot)
    return counts, counts


def votes_on(ballot: Message) -> Counts:
    """The members' reactions to a ballot, per option."""
    guild = ballot.channel.guild
    bots = {one.user.id for one in guild.members.values() if one.user.bot} if guild else set[int]()
    reactions = [ballot.reactions.get(emoji) for emoji in OPTION_EMOJI]
    return tuple(len((one.normal | one.burst) - bots) if one else 0 for one in reactions)


def is_ballot(message: Message) -> bool:
    """Whether a message of the bot is a ballot."""
    return bool(message.components)


def is_announcement(message: Message) -> bool:
    """Whether a message of the bot is one of its sentences."""
    return message.content.startswith(SMALL)


def words_of(message: Message) -> str:
    """The words of a paragraph that a message carries, without its heading, one space between."""
    return " ".join(re.sub(rf"^\*\*{TITLE}\*\* · turn \d+\n", "", message.content).split())


def kept_phase(story: Story) -> Phase:
    """The phase, or the one that a pause keeps."""
    return story.pause.kept if story.pause else story.phase


class Witness:
    """Compares a channel's stage with its records."""

    def __init__(self, server: DiscordServer, store: RedisStoryStore, redis_url: str) -> None:
        self._server = server
        self._store = store
        self._url = redis_url

    async def current(self, channel: Channel) -> Story | None:
        """The channel's newest story as Redis holds it, if there is one."""
        return await self._store.current(channel.id)

    async def told(self, story: Story) -> list[Turn]:
        """The turns that led to the head, oldest first."""
        turns: list[Turn] = []
        at = story.head
        while at is not None:
            turns.append(await self._store.turn(story.id, at))
            at = turns[-1].parent
        return turns[::-1]

    async def texts(self, story: Story) -> dict[str, Turn]:
        """Every turn of a story whose text is committed, those outside the lineage included."""
        async with raw_client(self._url) as client:
            pattern = keys.turn(story.id, "*").replace("[", "\\[")
            found = [key.decode() async for key in client.scan_iter(match=pattern, count=1000)]
        names = [key.rpartition(":")[2] for key in found]
        return {name: await self._store.turn(story.id, name) for name in names}

    async def check_told_once(
        self,
        channel: Channel,
        said: Iterable[str] = (),
        *,
        torn: frozenset[int] = frozenset(),
        bounds: Bounds = as_they_stand,
    ) -> None:
        """Every turn stands on stage once, in order, as Redis holds it, and nothing else does.

        Args:
            channel: its newest story rests: open, asleep, ended, or paused in one of those.
            said: the bot's sentences in the channel, in any order.
            torn: ballots that a moderator deleted.
            bounds: which votes can have decided a ballot.
        """
        newest = await self._store.current(channel.id)
        assert newest is not None, "no story is stored"
        shown = {message.id: message for message in self._server.bot_messages(channel)}
        placed: list[int] = []
        results: list[str] = []
        for serial in range(1, newest.id.serial + 1):
            story = await self._store.load(StoryId(channel.id, serial))
            turns = await self.told(story)
            assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
            for turn in turns:
                placed += self._check_turn(story, turn, shown, torn, bounds)
                results += _results(turn, torn)
            for before, turn in pairwise(turns):
                _check_follows(before, turn)
            placed += await self._check_left_over(story, turns, shown, placed)
            await self._check_memory(story, turns)
        rest = [one.id for one in shown.values() if not is_announcement(one)]
        assert rest == placed, f"nothing more, nothing less: {rest} is shown, {placed} is told"
        sentences = [
            one.content.removeprefix(SMALL) for one in shown.values() if is_announcement(one)
        ]
        gone = [sentence for sentence in sentences if sentence == GONE]
        assert len(gone) <= len(torn), "said once for a ballot that was deleted"
        _check_said([one for one in sentences if one != GONE], said, results)

    def _check_turn(
        self,
        story: Story,
        turn: Turn,
        shown: dict[int, Message],
        torn: frozenset[int],
        bounds: Bounds,
    ) -> list[int]:
        """One turn that was staged; gives its messages."""
        if turn.ballot is None:
            assert story.phase is Phase.ENDED, f"turn {turn.number} has no ballot"
            return []
        gone = set(turn.pieces) - shown.keys()
        assert not gone, f"turn {turn.number}: {gone} of its messages are gone"
        assert len(turn.pieces) == 2, "the paragraphs are made too long for one message"
        text = "".join(shown[piece].text + "\n" for piece in turn.pieces)
        heading = f"**{TITLE}** · turn {turn.number}\n"
        assert text.split() == (heading + turn.paragraph).split(), f"shown is {text!r}"
        if turn.ballot in torn:
            return [*turn.pieces]
        assert turn.ballot in shown, f"turn {turn.number}: its ballot is gone"
        self._check_ballot(story, turn, shown[turn.ballot], bounds)
        return [*turn.pieces, turn.ballot]

    def _check_ballot(self, story: Story, turn: Turn, ballot: Message, bounds: Bounds) -> None:
        bot = self._server.world.bot.id
        ours = {emoji for emoji, reaction in ballot.reactions.items() if bot in reaction.normal}
        assert ours == set(OPTION_EMOJI), f"turn {turn.number}: three reactions"
        assert all(plan.title in ballot.text for plan in _plans(story, turn))
        if turn.id == story.head and turn.tally is None:
            _check_open(story, ballot)
            return
        assert turn.tally is not None, f"turn {turn.number} has a successor and no result"
        _check_result(turn, turn.tally, ballot, bounds(ballot))

    async def _check_left_over(
        self, story: Story, turns: Sequence[Turn], shown: dict[int, Message], placed: list[int]
    ) -> list[int]:
        """What a story that was ended in the middle of a turn leaves on stage: words it holds."""
        texts = await self.texts(story)
        untold = [texts[name] for name in texts if name not in {turn.id for turn in turns}]
        unstaged = [turn for turn in turns if turn.ballot is None]
        if story.phase is not Phase.ENDED:
            assert not untold, f"text that no turn of the lineage has: {untold}"
            return []
        left = [*untold, *unstaged]
        assert len(left) <= 1, f"more than one turn was under way at the end: {left}"
        if not left:
            return []
        after = max(placed, default=0)
        before = await self._begin_of_next(story)
        found = [one for one in shown.values() if after < one.id < before]
        found = [one for one in found if not is_announcement(one)]
        told = " ".join(left[0].paragraph.split())
        for message in found:
            if is_ballot(message):
                assert "the story has ended" in message.text, f"left open: {message.text!r}"
            else:
                assert words_of(message) in told, f"{message.text!r} isn't what Redis holds"
        return [message.id for message in found]

    async def _begin_of_next(self, story: Story) -> int:
        """Every message of the story after this one has an id above it."""
        newest = await self._store.current(story.id.channel)
        if newest is None or newest.id == story.id:
            return 1 << 63
        following = await self._store.load(StoryId(story.id.channel, story.id.serial + 1))
        return (int((following.created_at - 1_420_070_400) * 1000) << 22) - 1

    async def _check_memory(self, story: Story, turns: list[Turn]) -> None:
        """Records, index, lineage and head agree, and the short-term memory is the head's."""
        if not turns:
            assert not story.lineage
            return
        assert (story.lineage[0].first, story.lineage[-1].last) == (1, turns[-1].number)
        last = turns[-1].reflection
        assert last is not None
        assert story.memory.text == last.memory
        async with raw_client(self._url) as client:
            pattern = f"{keys.MEMORY_PREFIX}{{{story.id.channel}}}:{story.id.serial}:*"
            entries = {key.decode() async for key in client.scan_iter(match=pattern, count=1000)}
            ids = set[str]().union(*map(remembered_ids, turns))
            expected = {keys.memory(story.id, id_) for id_ in ids}
            assert entries == expected, "an entry for each turn of the lineage, and for its facts"
            assert await _search(client, keys.MEMORY_INDEX, story.id) == sorted(expected), "found"
            newest = keys.memory(story.id, turns[-1].id)
            assert await _nearest(client, story.id, newest) == newest, "the nearest to itself"
            place = rf" @phase:{{{story.phase.value}}}"
            found = await _search(client, keys.STORIES_INDEX, story.id, place)
            assert found == [keys.story(story.id)], "the index knows the phase"


# ── what is found by search ──────────────────────────────────────────────────────────────────────


def _own(story: StoryId) -> str:
    return rf"@story:{{{story.channel}\:{story.serial}}}"


async def _search(client: Any, index: str, story: StoryId, more: str = "") -> list[str]:
    """The keys that a search of a story finds, sorted."""
    command = ("FT.SEARCH", index, _own(story) + more, "NOCONTENT", "LIMIT", 0, 1000)
    _, *found = await client.execute_command(*command, "DIALECT", 2)
    return sorted(key.decode() for key in found)


async def _nearest(client: Any, story: StoryId, entry: str) -> str:
    """The key of the memory entry that is nearest to one."""
    vectors = await recorded_embedder(client)
    assert vectors is not None
    vector = await client.hget(entry, vectors.field)
    query = f"({_own(story)})=>[KNN 1 @{vectors.field} $v]"
    command = ("FT.SEARCH", keys.MEMORY_INDEX, query, "PARAMS", 2, "v", vector, "NOCONTENT")
    _, found = await client.execute_command(*command, "DIALECT", 2)
    return found.decode()


# ── ballots ──────────────────────────────────────────────────────────────────────────────────────


def _plans(story: Story, turn: Turn) -> Sequence[Plan]:
    if turn.plans:
        return turn.plans
    assert turn.reflection is not None
    return turn.reflection.plans


def _check_open(story: Story, ballot: Message) -> None:
    """The newest ballot says how the story stands."""
    face = ballot.text
    match story.phase:
        case Phase.VOTING:
            stamp = re.search(r"closes <t:(\d+):R>", face)
            assert stamp is not None, face
            assert story.closes_at is not None
            assert abs(int(stamp[1]) - story.closes_at) <= DEADLINE_TOLERANCE_S, "the deadline"
            assert ("extended once" in face) == story.extended, face
        case Phase.ASLEEP:
            assert "asleep: a vote wakes the story" in face, face
        case Phase.PAUSED:
            assert "paused: votes are kept" in face, face
        case Phase.ENDED:
            assert "the story has ended" in face, face
        case _:
            raise AssertionError(f"a story that rests isn't in {story.phase}")


def _check_result(turn: Turn, tally: Tally, ballot: Message, bounds: tuple[Counts, Counts]) -> None:
    """The result shown is the vote that decided, and those votes were really cast."""
    assert tally.winner is not None
    for option, votes in enumerate(tally.counts):
        line = rf"{OPTION_EMOJI[option]} [■□]+ {votes} · \*\*{re.escape(turn.plans[option].title)}"
        assert re.search(line, ballot.text), f"{line} isn't in {ballot.text!r}"
        least, most = bounds[0][option], bounds[1][option]
        assert least <= votes <= most, f"turn {turn.number}: {tally.counts} of {bounds}"
    voters = f"{tally.voters} voter{'' if tally.voters == 1 else 's'}"
    assert f"{OPTION_EMOJI[tally.winner]} won · {voters}" in ballot.text, "the result stands there"
    best = [option for option, votes in enumerate(tally.counts) if votes == max(tally.counts)]
    assert tally.winner == (best[0] if len(best) == 1 else draw(ballot.id, best))


def _check_follows(before: Turn, turn: Turn) -> None:
    assert before.tally is not None
    assert before.tally.winner is not None
    assert turn.plan is not None
    assert turn.plan == before.plans[before.tally.winner], "the plan that won steers the next turn"
    assert turn.paragraph.startswith(f"Turn {turn.number} follows {turn.plan.title}, ")


# ── sentences ────────────────────────────────────────────────────────────────────────────────────


def _results(turn: Turn, torn: frozenset[int]) -> list[str]:
    """What may be said of a closed ballot that a moderator tore off."""
    closed = turn.tally is not None and turn.ballot in torn
    return [f"The vote of turn {turn.number} is closed:"] if closed else []


def _check_said(sentences: Sequence[str], said: Iterable[str], results: Sequence[str]) -> None:
    beginnings = tuple(results)
    about_votes = [text for text in sentences if beginnings and text.startswith(beginnings)]
    assert len(about_votes) == len(set(about_votes)), f"said twice: {about_votes}"
    others = [text for text in sentences if text not in about_votes]
    owed = list(said)
    assert Counter(others) == Counter(owed), f"each sentence once: shown {others}, said {owed}"
