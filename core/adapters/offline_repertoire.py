"""What may be told in each turn of a story, laid out ahead so that no run of words comes back soon.

The narrator remembers nothing of what it told. Instead all it may tell in ROUND turns is dealt in
advance, for a whole mood: for every turn and beat a few sentences with the lexicon's
words in them and the slots of cast and turn open. While dealing, a sentence that shares eight words
in a row with one dealt before is put aside for another. After ROUND turns the round begins anew.

What fills the open slots is treated as it behaves: what is new each turn (goal, find) separates two
runs, what stays (names, the danger, the place) does not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from core.adapters import offline_grammar as grammar
from core.adapters.offline_deck import seeded, stable_hash
from core.adapters.offline_lexicon import Mood
from core.adapters.offline_phrasebook import SLOT, Phrasebook

ROUND = 52
RUN_WORDS = 8
"""No run of this many words is dealt twice in a round."""
_EDGE_WORDS = 5
"""Nor do two sentences share so many words at their beginnings or ends: which sentences will stand
side by side isn't known yet, and a run may reach from one into the next."""
_OFFSETS = 1000
"""From so many an edition draws how far its words are turned."""
_PATTERNS_TRIED, _VARIATIONS = 8, 3
"""Wordings that are tried for one place: enough to find a free one nearly always."""
NEEDED = frozenset({"arrive", "find", "ways", "reveal", "question", "hook"})
"""Beats that a paragraph can't do without."""
_IN_ORDER = frozenset({"thread", "callback"})
"""Pools about what stands for several turns: gone through in order, so that no pattern meets it
twice."""
_REST_TURNS = 4
"""A pattern isn't used again within so many turns, if another will do."""
_STANDING = {"risk": 4, "tool": 3, "place": 3, "matter": 2, "kin": 2}
"""Slots whose words may be the same in two turns, and how many words they count for."""
_BEGINNINGS = {
    "goal": "the",
    "item": "a",
    "theitem": "the",
    "olditem": "the",
    "oldgoal": "the",
    "aim1": "the",
    "aim2": "the",
    "aim3": "the",
    "thread": "Qwho the",
    "did": "Qdid Qa Qthing to the",
}
"""How what is new each turn may begin with words that are not new."""
_CAST = frozenset({"L", "C", "R", "she", "her", "he", "his"})
_LASTING = {"thread": 8, "olditem": 3, "oldgoal": 3}
_LENGTHS = {"thread": 3}
"""Slots whose words stand for several turns, and how many words they have, if more than one."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

POSITIONS: Mapping[str, tuple[int, int]] = {
    "arrive": (1, 0),
    "arrive.free": (1, 0),
    "setting": (5, 4),
    "scene": (4, 1),
    "trouble": (2, 3),
    "talk": (4, 4),
    "find": (1, 0),
    "matter": (2, 0),
    "kin": (1, 0),
    "ways": (1, 0),
    "ways.free": (1, 0),
    "weigh": (3, 2),
    "thread": (1, 0),
    "callback": (1, 0),
    "remembered": (1, 0),
    "reveal": (1, 0),
    "question": (1, 0),
    "hook": (2, 0),
}
"""Sentences of a beat that are dealt to each turn: at first, and once all turns have had theirs."""


class Repertoire:
    """The sentences of one mood; takes a second or two to lay out and holds under a megabyte.

    Stories of the same mood share it, each entering the round at a place of its own.

    Attributes:
        edition: tells it from other rounds of the same mood.
    """

    def __init__(self, mood: Mood, edition: int = 0, usual: "Repertoire | None" = None) -> None:
        """Deal the whole round.

        Args:
            mood: whose words to use.
            edition: another number deals other patterns and words to each turn.
            usual: another edition; what it dealt is dealt to no turn again, if another will do.
        """
        self.edition = edition
        self._book = Phrasebook(mood)
        self._pools = {name: _shuffled(name, pool, edition) for name, pool in _pools().items()}
        self._offset = stable_hash("edition", edition) % _OFFSETS if edition else 0
        self._runs: set[tuple[str, ...]] = set(usual._runs) if usual else set()
        self._elsewhere: Mapping[str, Sequence[int]] = usual._turns if usual else {}
        self._edges: set[tuple[str, ...]] = set()
        self._taken: list[set[str]] = [set() for _ in range(ROUND)]
        self._turns: dict[str, list[int]] = {}
        self._dealt: dict[tuple[int, str], list[str]] = {}
        self._pickups: dict[tuple[int, str], str] = {}
        for stage in (0, 1):
            for turn in range(ROUND):
                self._deal_turn(turn, stage)
        self._begins: dict[tuple[str, ...], set[int]] = {}
        self._ends: dict[tuple[str, ...], set[int]] = {}
        self._note_edges()

    def sentences(self, place: int, pool: str) -> Sequence[str]:
        """What may be told of a pool ("setting", "scene.place") at a place of the round."""
        return self._dealt.get((place % ROUND, pool), ())

    def pickup(self, place: int, key: str) -> str | None:
        """How the hook of that key is taken up; None where that would repeat a run."""
        turn = place % ROUND
        before = self._dealt[(turn - 1) % ROUND, "hook"]
        if (turn, key) in self._pickups or any(grammar.hook_key(hook) == key for hook in before):
            return self._pickups.get((turn, key))
        # Another edition told the hook: the next place that takes up the same one will do.
        later = ((turn + step) % ROUND for step in range(1, ROUND))
        return next((self._pickups[at, key] for at in later if (at, key) in self._pickups), None)

    def clash(self, place: int, before: str, after: str) -> bool:
        """Whether a run over the joint of two sentences might be told in another turn too.

        Args:
            place: in the round.
            before: the first sentence, with its slots open, as it was dealt.
            after: the second.
        """
        turn = place % ROUND
        end, begin = _tokens(before, turn), _tokens(after, turn)
        for taken in range(max(1, RUN_WORDS - len(begin)), min(RUN_WORDS, len(end) + 1)):
            left, right = tuple(end[-taken:]), tuple(begin[: RUN_WORDS - taken])
            others = self._ends.get(left, set[int]()) & self._begins.get(right, set[int]())
            if left + right in self._runs or others - {turn}:
                return True
        return False

    def _note_edges(self) -> None:
        """In which turns a sentence begins, or ends, with which words."""
        told = [(turn, text) for (turn, _), texts in self._dealt.items() for text in texts]
        told += [(turn, text) for (turn, _), text in self._pickups.items()]
        for turn, text in told:
            tokens = _tokens(text, turn)
            for length in range(1, min(RUN_WORDS, len(tokens) + 1)):
                self._begins.setdefault(tuple(tokens[:length]), set()).add(turn)
                self._ends.setdefault(tuple(tokens[-length:]), set()).add(turn)

    def _deal_turn(self, turn: int, stage: int) -> None:
        for pool, patterns in self._pools.items():
            base, extra = POSITIONS.get(pool) or POSITIONS[pool.split(".")[0]]
            dealt = self._dealt.setdefault((turn, pool), [])
            for _ in range(extra if stage else base):
                place = turn * (base + extra) + len(dealt)
                open_to = [patterns[turn % len(patterns)]] if pool in _IN_ORDER else patterns
                wording = self._choose(turn, open_to, place)
                # What would repeat a run isn't dealt at all where a paragraph can do without it.
                if not (wording.runs or wording.tired) or pool.split(".")[0] in NEEDED:
                    dealt.append(self._deal(turn, wording))
        if not stage:
            self._deal_pickups(turn)

    def _deal_pickups(self, turn: int) -> None:
        """Of the hooks that this turn may end with, for the next one."""
        following = (turn + 1) % ROUND
        for text in self._dealt[turn, "hook"]:
            key = grammar.hook_key(text)
            pattern = grammar.HOOKS[key][1]
            wording = self._choose(following, [pattern], turn)
            if not wording.runs:
                self._pickups[following, key] = self._deal(following, wording)

    def _choose(self, turn: int, patterns: Sequence[str], place: int) -> "_Wording":
        """The first wording that repeats nothing; if all do, the one that repeats least."""
        return min(self._wordings(turn, patterns, place), key=_Wording.rank)

    def _deal(self, turn: int, best: "_Wording") -> str:
        self._runs.update(_windows(best.tokens, RUN_WORDS))
        self._edges.update(_edges(best.tokens))
        self._taken[turn] |= best.words
        self._turns.setdefault(best.pattern, []).append(turn)
        return best.text

    def _wordings(self, turn: int, patterns: Sequence[str], place: int) -> Iterator["_Wording"]:
        """Candidates, ending with the first that is free of faults."""
        avoid = self._taken[turn] | self._taken[turn - 1] | self._taken[turn - 2]
        begin = place % len(patterns)
        order = sorted([*patterns[begin:], *patterns[:begin]], key=lambda p: self._tired(p, turn))
        for pattern in order[:_PATTERNS_TRIED]:
            for variation in range(
                _VARIATIONS * _PATTERNS_TRIED // min(len(order), _PATTERNS_TRIED)
            ):
                text, words = self._book.word_it(pattern, place + variation + self._offset, avoid)
                tokens = _tokens(text, turn)
                runs = sum(window in self._runs for window in _windows(tokens, RUN_WORDS))
                edges = sum(edge in self._edges for edge in _edges(tokens))
                tired = self._tired(pattern, turn)
                faults = 9 * runs + edges + tired
                yield _Wording(text, pattern, tokens, words, runs, tired, faults)
                if not faults:
                    return

    def _tired(self, pattern: str, turn: int) -> int:
        """How near it was used: 0 for not in the turns about this one, 9 for in this very turn."""
        turns = self._turns.get(pattern, ())
        if turn in turns or turn in self._elsewhere.get(pattern, ()):
            return 9
        near = (min((turn - other) % ROUND, (other - turn) % ROUND) for other in turns)
        return 6 if any(distance < _REST_TURNS for distance in near) else 0


@dataclass(frozen=True, slots=True)
class _Wording:
    """A pattern with words, and what speaks against it."""

    text: str
    pattern: str
    tokens: Sequence[str]
    words: frozenset[str]
    runs: int
    tired: int
    faults: int

    def rank(self) -> int:
        """The lower the better."""
        return self.faults


def _shuffled(name: str, pool: Sequence[str], edition: int) -> list[str]:
    patterns = list(pool)
    seeded(*([name, edition] if edition else [name])).shuffle(patterns)
    return patterns


def _pools() -> dict[str, Sequence[str]]:
    """Every pool by its name; scenes and finds have one for each kind and one for none."""
    return {
        "arrive": grammar.ARRIVE,
        "arrive.free": grammar.ARRIVE_FREE,
        "matter": grammar.MATTER,
        "kin": grammar.KIN,
        "ways": grammar.WAYS,
        "ways.free": grammar.WAYS_FREE,
        "thread": grammar.THREAD,
        "callback": grammar.CALLBACK,
        "reveal": grammar.REVEAL,
        "question": grammar.QUESTION,
        "hook": [hook for hook, _ in grammar.HOOKS.values()],
        **{f"find.{kind}": patterns for kind, patterns in grammar.FIND.items()},
        "find.free": grammar.FIND_FREE,
        **{f"scene.{kind}": patterns for kind, patterns in grammar.SCENE.items()},
        "scene.free": grammar.SCENE_FREE,
        "setting": grammar.SETTING,
        "trouble": grammar.TROUBLE,
        "talk": grammar.TALK,
        "weigh": grammar.WEIGH,
        "remembered": grammar.REMEMBERED,
    }


def _tokens(text: str, turn: int) -> list[str]:
    """The words of a sentence, with a token of its own for what an open slot will hold."""

    def slot(match: re.Match[str]) -> str:
        name = match["name"]
        if name in _CAST:
            return f" Q{name} "
        if name in _STANDING:
            return (
                " the " + " ".join(f"Q{name}{index}" for index in range(1, _STANDING[name])) + " "
            )
        new = f" Q{name}T{turn // _LASTING.get(name, 1)} "
        return f" {_BEGINNINGS.get(name, '')} " + new * _LENGTHS.get(name, 1)

    return [word.lower() for word in _WORD.findall(SLOT.sub(slot, text))]


def _windows(tokens: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(islice(tokens, start, None) for start in range(size)), strict=False)


def _edges(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if len(tokens) >= _EDGE_WORDS:
        yield ("^", *tokens[:_EDGE_WORDS])
        yield ("$", *tokens[-_EDGE_WORDS:])
