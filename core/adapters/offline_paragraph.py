"""Composing a paragraph: which beats, in which order, with which patterns.

``scene_of`` decides what happens in a turn (what is done, what is found, what comes to light), from
the step's context alone; writing and reflecting both ask it and so agree. ``compose`` tells it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, pairwise

from core.adapters import offline_grammar as grammar
from core.adapters.offline_cast import (
    State,
    premise_threads,
    read_state,
    story_seed,
    thread_at,
)
from core.adapters.offline_deck import deal, deal_in_order, seeded
from core.adapters.offline_ledger import passes
from core.adapters.offline_lexicon import ITEM, MEANING, Kind, Mood
from core.adapters.offline_phrasebook import Phrasebook, can_be_told, cast_words, tell
from core.adapters.offline_plans import (
    OPENING_DEED,
    Choice,
    goal_of_deed,
    matter_of,
    plan_aims,
    read_plan,
)
from core.adapters.offline_premise import Reading, definite, detect_mood, read_premise
from core.adapters.offline_repertoire import POSITIONS, Repertoire
from core.domain.recurrence import StepContext
from core.domain.story import Brief
from core.domain.text import clip, sentences

CHAPTER_TURNS = 8
"""Every so many turns the open question is answered and another one asked."""
_PREMISE_UNITS = 400
_ANSWER_TO_ANYTHING = "{R} had known all along, and had been paid to keep quiet"
"""For an open question that people wrote into the memory."""


_REMEMBER_EVERY = 3
"""Every so many turns a fact that people wrote is told, and in the turn after one of the ledger."""
_LONG_AGO, _AGAIN = 8, 20
"""Turns after which a fact of the ledger is worth telling again, and from then on between two
times, however often it is recalled."""
_SPARE = 6
"""A long paragraph is told longer by about one sentence in so many, and any may end shorter by as
much: some are left out where they would repeat a run of words."""
_FILLING = (
    *("scene", "talk", "remembered", "setting", "weigh", "trouble", "pickup", "scene", "setting"),
    *("thread", "talk", "callback", "setting", "weigh", "trouble", "scene", "talk", "setting"),
    *("scene", "kin"),
)
"""What is added to the needed beats, in this order, round after round, until there is enough."""
_LAYOUTS = (
    """pickup arrive setting setting | scene scene kin talk | trouble setting scene+ trouble |
    find weigh talk matter thread talk weigh+ |
    callback+ matter+ setting+ trouble+ talk+ remembered kin+ reveal question ways hook""",
    """pickup setting arrive scene | talk scene setting talk | trouble scene+ matter trouble |
    setting callback find weigh |
    setting+ kin matter+ trouble+ talk+ thread+ weigh+ remembered reveal question ways hook""",
    """pickup callback talk | arrive setting scene kin setting | trouble scene talk scene+ |
    remembered find weigh matter setting+ |
    matter+ trouble+ weigh+ talk+ thread+ reveal question ways hook""",
    """pickup arrive scene | setting talk setting trouble | scene+ talk setting find weigh matter |
    talk+ trouble+ remembered setting+ weigh+ |
    matter+ callback+ thread+ kin reveal question ways hook""",
)
"""The order of the beats; a bar begins a new block, a plus takes all that is left of a beat."""
_OPENING_LAYOUT = (
    "opening cast opening opening | opening+ setting | setting talk scene scene kin"
    " | scene+ trouble talk find weigh matter"
    " | setting+ matter+ weigh+ trouble+ talk+ thread+ ways hook"
)
_INTRODUCING = frozenset({"cast", "ways"})
"""Told however long the opening has become by then."""
_LONG = 8
"""From so many sentences on an opening takes one for each of the cast, and a later paragraph that
has more names the people of the premise besides its main thing."""
_SHORT = 4
"""A paragraph of so few sentences does without a hook."""
_BLOCK = 8
"""No block is longer, so that a paragraph of 40 sentences isn't a wall of text."""
_OFTEN = {"risk": 8, "thread": 10, "olditem": 8, "oldgoal": 8}
"""What would tire: once in so many of the paragraph's sentences."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens in one turn.

    Attributes:
        seed: of the story.
        number: the turn's number.
        state: the story before it.
        mood, reading: of the brief.
        choice: what was decided; the opening has one too, made of the premise.
        title: the plan's title, or "".
        item: what is found, with article.
        meaning: what it is like.
        answer: what comes to light, or "".
        next_thread: the question after that, or "".
    """

    seed: str
    number: int
    state: State
    mood: Mood
    reading: Reading
    choice: Choice
    title: str
    item: str
    meaning: str
    answer: str = ""
    next_thread: str = ""

    @property
    def place(self) -> int:
        """The turn's place in the mood's repertoire: every story enters it somewhere else."""
        return int(self.seed) + self.number


def scene_of(context: StepContext) -> Scene:
    """What happens in the step."""
    brief = context.brief
    seed, mood, reading = story_seed(brief), detect_mood(brief), read_premise(brief)
    state = read_state(context.memory, brief)
    choice = (
        read_plan(context.plan, reading) if context.plan else _first_choice(seed, mood, reading)
    )
    meaning = deal_in_order(MEANING, f"{seed} meaning", context.number)
    for slot, name in (("{L}", state.lead), ("{C}", state.companion), ("{R}", state.rival)):
        meaning = meaning.replace(slot, name.name)
    answer, next_thread = _turn_of_thread(brief, context.number, mood, reading, state)
    return Scene(
        seed,
        context.number,
        state,
        mood,
        reading,
        choice,
        context.plan.title if context.plan else "",
        deal_in_order(ITEM, f"{seed} item", context.number),
        meaning,
        answer,
        next_thread,
    )


def compose(scene: Scene, context: StepContext, repertoire: Repertoire) -> str:
    """The paragraph of a step: about ``context.sentences`` sentences in a few blocks.

    Args:
        scene: of this context.
        context: the step.
        repertoire: of the scene's mood; another edition tells the same in other words.
    """
    teller = _Teller(scene, context, repertoire)
    told = _tell_beats(teller, context.sentences + max(0, context.sentences - 4) // (_SPARE - 1))
    layout = _OPENING_LAYOUT if context.plan is None else _layout(scene, repertoire.edition)
    blocks = list(_arrange(told, layout))
    length = sum(len(sentences(line.told)) for block in blocks for line in block)
    _mend_joints(blocks, teller, length - context.sentences * (_SPARE - 1) // _SPARE)
    _top_up(blocks, teller, context.sentences)
    short = (part for block in blocks if block for part in _parted(block))
    return "\n\n".join(" ".join(line.told for line in part) for part in short)


def _parted(block: list["_Line"]) -> Iterator[list["_Line"]]:
    """A block in parts of about the same length, none longer than _BLOCK; talk begins one."""
    length = sum(len(sentences(line.told)) for line in block)
    wanted = length / -(-length // _BLOCK)
    part: list[_Line] = []
    for line in block:
        told = sum(len(sentences(other.told)) for other in part)
        talks = line.told.startswith("“") and told > wanted / 2 and length > _BLOCK
        if part and (told + len(sentences(line.told)) > min(wanted + 1, _BLOCK) or talks):
            yield part
            part = []
        part.append(line)
    yield part


@dataclass(frozen=True, slots=True)
class _Line:
    """Sentences of a beat: with their slots open, as they were dealt, and as they are told."""

    beat: str
    dealt: str
    told: str

    @property
    def after_find(self) -> bool:
        """Whether it makes sense only once the turn's find has been told."""
        return self.beat == "weigh" or "theitem" in self.dealt


def _mend_joints(blocks: list[list[_Line]], teller: "_Teller", droppable: int) -> None:
    """Where a run over the joint of two lines might come back, tell something else there.

    Args:
        blocks: of the paragraph; mended in place.
        teller: has the lines that aren't told yet.
        droppable: sentences that the paragraph can do without.
    """
    told: list[_Line] = []
    for block in blocks:
        waiting, block[:] = block[:], []
        while waiting:
            line = waiting.pop(0)
            if told and teller.clash(told[-1], line):
                found = any(earlier.beat == "find" for earlier in told)
                other = _instead(told[-1], line, waiting, teller, found=found)
                culprit = line if line.beat in _FILLING else told[-1]
                if other:
                    line = other
                elif culprit.beat in _FILLING and droppable > 0:
                    droppable -= len(sentences(culprit.told))
                    if culprit is line:
                        continue
                    if block:
                        told.pop()
                        block.pop()
                        waiting.insert(0, line)
                        continue
            block.append(line)
            told.append(line)


def _instead(
    before: _Line, line: _Line, waiting: list[_Line], teller: "_Teller", *, found: bool
) -> _Line | None:
    """A line to follow ``before`` in place of one that clashes: a later one, or a spare one."""
    if line.beat in _FILLING:
        for index, other in enumerate(waiting):
            if other.beat not in _FILLING:
                break  # What comes behind it may rest on it.
            if not teller.clash(before, other):
                waiting[index] = line
                return other
        return teller.spare(line.beat, found, before, *waiting[:1])
    # It can't be spared, so something is put between.
    for beat in _FILLING:
        if between := teller.spare(beat, found, before, line):
            waiting.insert(0, line)
            return between
    return None


def _top_up(blocks: list[list[_Line]], teller: "_Teller", target: int) -> None:
    """Lines at the ends of all blocks but the last, until the paragraph is long enough."""
    for beat in _FILLING:
        length = sum(len(sentences(line.told)) for block in blocks for line in block)
        if length * _SPARE >= target * (_SPARE - 1):
            return
        found = False
        for block, following in pairwise([block for block in blocks if block]):
            found = found or any(line.beat == "find" for line in block)
            if line := teller.spare(beat, found, block[-1], following[0]):
                block.append(line)
                break


def _first_choice(seed: str, mood: Mood, reading: Reading) -> Choice:
    rng = seeded(seed, "first")
    if reading.goals:
        goal, kind = reading.goals[0]
    elif reading.place.startswith("the "):
        goal, kind = reading.place, Kind.PLACE
    else:
        goal, kind = rng.choice(mood.goals[Kind.PLACE]), Kind.PLACE
    return Choice(OPENING_DEED.replace("@", goal), goal, kind, rng.choice(mood.risk))


def _turn_of_thread(
    brief: Brief, number: int, mood: Mood, reading: Reading, state: State
) -> tuple[str, str]:
    """The answer that comes to light and the question after it; twice "" in most turns."""
    chapter, rest = divmod(number, CHAPTER_TURNS)
    if rest:
        return "", ""
    answers = dict(mood.threads) | dict(premise_threads(reading))
    answer = answers.get(state.thread, _ANSWER_TO_ANYTHING).replace("{R}", state.rival.name)
    following = thread_at(brief, mood, chapter)
    if following == state.thread:
        following = thread_at(brief, mood, chapter + 1)
    return answer, following


def _words(scene: Scene, context: StepContext) -> dict[str, str]:
    words = cast_words(scene.state) | {
        "did": scene.choice.did,
        "title": scene.title.rstrip("."),
        "goal": scene.choice.goal,
        "risk": scene.choice.risk,
        "item": scene.item,
        "theitem": definite(scene.item),
        "meaning": scene.meaning,
        "answer": scene.answer,
        "premise": _told(context.brief.premise, scene.reading),
    }
    # Only recent finds, so that a pattern never meets the same one twice.
    if past := [fact for fact in scene.state.facts if fact.item][-3:]:
        rng = seeded(scene.seed, "past", scene.number)
        words["olditem"] = rng.choice(past).item
        words["oldgoal"] = goal_of_deed(rng.choice(past).did, scene.reading)
    words["fact"] = _remembered(scene, context)
    words["matter"] = matter_of(scene.reading, scene.number)
    words["kin"] = scene.reading.kin
    aims = plan_aims(scene.seed, scene.number, scene.mood, scene.reading)
    words |= {f"aim{number}": goal for number, (goal, _) in enumerate(aims, start=1)}
    return {name: word for name, word in words.items() if word}


def _told(premise: str, reading: Reading) -> str:
    """The premise as a sentence of the story; one in another language stands in quotes."""
    text = clip(" ".join(premise.split()), _PREMISE_UNITS)
    if not reading.english:
        return f"“{text}”"
    return text if text.endswith((".", "!", "?", "…", "”", '"')) else text + "."


def _layout(scene: Scene, edition: int) -> str:
    return deal(_LAYOUTS, f"{scene.seed} layout", scene.number + edition)[0]


def _arrange(told: Mapping[str, list[_Line]], layout: str) -> Iterator[list[_Line]]:
    """The beats' lines in the order of a layout, block by block."""
    left = {beat: list(lines) for beat, lines in told.items()}
    found = False
    for block in layout.split("|"):
        parts: list[_Line] = []
        for beat in block.split():
            waiting = left.get(beat.rstrip("+"), [])
            allowed = [line for line in waiting if found or not line.after_find]
            for line in allowed if beat.endswith("+") else allowed[:1]:
                waiting.remove(line)
                parts.append(line)
                found = found or line.beat == "find"
        if parts:
            yield parts


def _tell_beats(teller: "_Teller", target: int) -> dict[str, list[_Line]]:
    """Lines of each beat until the paragraph has about ``target`` sentences."""
    told: dict[str, list[_Line]] = {}
    length = 0
    for beat in chain(teller.needed(), cycle(_FILLING)):
        if (length >= target and beat not in _INTRODUCING) or teller.spent:
            break
        line = teller.next(beat, target - length)
        if line:
            told.setdefault(beat, []).append(line)
            length += len(sentences(line.told))
    return told


class _Teller:
    """Tells the sentences that the repertoire has for this turn, beat by beat."""

    def __init__(self, scene: Scene, context: StepContext, repertoire: Repertoire) -> None:
        self._scene = scene
        self._repertoire = repertoire
        self._opening = context.plan is None
        self._target = context.sentences
        self._words = _words(scene, context)
        self._left = {beat: list(self._dealt(beat, repertoire)) for beat in POSITIONS}
        self._used: dict[str, int] = {}
        self._left["opening"], self._left["cast"] = _open_with(scene, repertoire.edition)
        self._left["pickup"] = list(_pickup(context, scene, repertoire))

    @property
    def spent(self) -> bool:
        """Whether no beat has anything left to tell."""
        return not any(self._left[beat] for beat in _FILLING)

    def needed(self) -> list[str]:
        """The beats that a paragraph has however short it is, most important first."""
        if self._opening and self._target < _LONG:
            return ["opening", "cast", "ways", "find", "hook"]
        if self._opening:
            length = min(len(grammar.OPENING), self._target - 2)
            return ["opening"] * length + ["find", "ways", "hook", "matter", "kin"]
        if self._target <= _SHORT:
            return ["arrive", "find", "ways"]
        beats = ["arrive", "find", "hook", "ways", "matter", *(["kin"] * (self._target > _LONG))]
        if self._scene.answer:
            beats[2:2] = ["reveal", "question"]
        return beats

    def next(self, beat: str, room: int) -> _Line | None:
        """The next sentences of a beat; None if it has none left or none that fits the room."""
        words = self._words
        if beat == "question":
            words = words | {"thread": self._scene.next_thread}
        left = self._left[beat]
        while left:
            text = left.pop(0)
            if can_be_told(text, words) and not self._tires(beat, text):
                told = tell(text, words)
                if len(sentences(told)) <= room + 1 or beat in {"opening", "cast"}:
                    for slot in _OFTEN:
                        self._used[slot] = self._used.get(slot, 0) + (f"{{{slot}}}" in text)
                    return _Line(beat, text, told)
        return None

    def _tires(self, beat: str, text: str) -> bool:
        """Whether a line that can be spared would bring up the same thing once too often."""
        return beat in _FILLING and any(
            slot in text and self._used.get(slot, 0) > self._target // often
            for slot, often in _OFTEN.items()
        )

    def clash(self, before: _Line, after: _Line) -> bool:
        """Whether the two should not stand side by side."""
        return self._repertoire.clash(self._scene.place, before.dealt, after.dealt)

    def spare(self, beat: str, found: bool, before: _Line, *following: _Line) -> _Line | None:
        """One more line of a beat, of one sentence, that goes between its neighbours.

        Args:
            beat: its beat.
            found: whether the turn's find has been told by then.
            before: the line in front of it.
            following: the line behind it, if there is one yet.
        """
        skipped: list[str] = []
        chosen: _Line | None = None
        while chosen is None and (other := self.next(beat, 0)):
            early = other.after_find and not found
            neighbours = pairwise([before, other, *following])
            if early or any(self.clash(one, two) for one, two in neighbours):
                skipped.append(other.dealt)
            else:
                chosen = other
        self._left[beat] += skipped
        return chosen

    def _leads_on(self) -> bool:
        """Whether what the premise is about is none of the coming ballot's own aims."""
        heads = {self._words[f"aim{number}"].split()[-1] for number in (1, 2, 3)}
        matter = self._words.get("matter", "")
        return bool(matter) and matter.split()[-1] not in heads

    def _dealt(self, beat: str, repertoire: Repertoire) -> Sequence[str]:
        kind, own = self._scene.choice.kind, bool(self._scene.choice.did)
        pool = beat
        if beat in {"scene", "find"}:
            pool = f"{beat}.{kind or 'free'}"
        elif beat == "arrive" and not own:
            pool = "arrive.free"
        elif beat == "ways" and not self._leads_on():
            pool = "ways.free"
        return repertoire.sentences(self._scene.place, pool)


def _open_with(scene: Scene, edition: int) -> tuple[list[str], list[str]]:
    """The sentences that open a story, and the one that names its cast if there is no room."""
    seed = "opening" + f" {edition}" * bool(edition)
    book, rng = Phrasebook(scene.mood), seeded(scene.seed, seed)
    told = [
        book.word_it(rng.choice(patterns), scene.place + edition)[0]
        for patterns in (*grammar.OPENING, grammar.OPENING_CAST)
    ]
    return told[:-1], told[-1:]


def _pickup(context: StepContext, scene: Scene, repertoire: Repertoire) -> Iterator[str]:
    """How the sentence that ended the previous paragraph is taken up, if it was one of ours."""
    last = " ".join(sentences(context.previous)[-2:])
    state = scene.state
    names = {"{L}": state.lead.name, "{C}": state.companion.name, "{R}": state.rival.name}
    for key in grammar.HOOKS:
        sign = key.replace("'", "’")
        for slot, name in names.items():
            sign = sign.replace(slot, name)
        text = repertoire.pickup(scene.place, key)
        if text and sign in last:
            yield text
            return


def _remembered(scene: Scene, context: StepContext) -> str:
    """A fact that people wrote or that has long been known, every few turns another one."""
    turn, rest = divmod(scene.number, _REMEMBER_EVERY)
    facts: list[str] = []
    if rest == 0:
        facts = [*context.canon, *(fact.text for fact in scene.state.facts if not fact.own)]
    elif rest == 1:
        due = range(_LONG_AGO, _LONG_AGO + _REMEMBER_EVERY)
        old = [fact for fact in context.ledger if (scene.number - fact.number) % _AGAIN in due]
        facts = [fact.text for fact in old if not passes(fact.text)]
    if not facts:
        return ""
    fact = facts[turn % len(facts)]
    return fact if fact.endswith((".", "!", "?")) else fact + "."
