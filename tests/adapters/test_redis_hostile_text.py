"""What members write stays inside the values it is stored in: no key, script or query is made."""

import ast
from dataclasses import replace

import pytest

from bot.playground.embedded_redis import EmbeddedRedis
from core.adapters import redis_keys as keys
from core.adapters.redis_database import RedisDatabase
from core.domain.lineage import MAIN_BRANCH
from core.domain.story import Brief, Canon, Memory, Plan, Plans, Stretch
from core.domain.words import STOP_WORDS, search_words
from core.ports import Commit
from tests.adapters.redis_raw import raw_client
from tests.conftest import redis_doors
from tests.contracts.store_samples import a_fact, a_story, a_turn, an_entry, at_angle
from tests.core.domain.injections import INJECTIONS
from tests.repository.root import ROOT

COMMANDS = (
    "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "'] redis.call('FLUSHALL') --",
    "]] redis.call('SET', KEYS[1], '') [[",
    "*)=>[KNN 1 @vector $q]",
    "@story:{*} | @branch:{*}",
    "tw:story:{1}:1",
    "\x00\xff}{",
)


@pytest.mark.redis
async def test_text_comes_back_as_it_was_and_touches_no_other_key(
    database: RedisDatabase, empty_redis: EmbeddedRedis
) -> None:
    """In premise, plans, memory, canon, paragraph and summary, of one story after another.

    A neighbour with the same words is neither changed nor found.
    """
    doors = redis_doors(database)
    lineage = (Stretch(MAIN_BRANCH, 1, 9),)
    for serial, text in enumerate([*COMMANDS, *INJECTIONS.values()], 1):
        story = replace(
            a_story(channel=serial),
            brief=Brief(text, text, text, text, text, text),
            memory=Memory(text),
            canon=Canon((text, text)),
            plans=Plans((Plan(text, text),) * 3),
        )
        assert await doors.stories.create(story, "create")
        turn = replace(a_turn(paragraph=text), branch=MAIN_BRANCH, plan=Plan(text, text))
        seen = text.encode("utf-8", "replace").decode()  # a summary is legible by then
        entry = an_entry("t1", 1, at_angle(0), branch=MAIN_BRANCH, text=seen)
        fact = a_fact("t1", 1, 2, at_angle(90), branch=MAIN_BRANCH, about=seen, text=seen)
        await doors.stories.commit(Commit("write", story, turn=turn, entries=(entry, fact)))
        assert await doors.stories.load(story.id) == story
        assert await doors.stories.turn(story.id, "t1") == turn
        found, about = await doors.memory.nearest(story.id, lineage, at_angle(0), 500)
        assert (found.text, about.text, about.about) == (seen, seen, seen)
        worded = await doors.memory.matching(story.id, lineage, text, 500)
        assert {hit.text for hit in worded} <= {seen}
        assert bool(worded) is bool(set(search_words(text)) - STOP_WORDS)
        assert await doors.memory.count(story.id, lineage) == 1
        async with raw_client(empty_redis.url) as client:
            there = {key async for key in client.scan_iter(match=f"tw:*{{{serial}}}*")}
        assert there == {
            key.encode()
            for key in (
                keys.story(story.id),
                keys.current(serial),
                keys.turn(story.id, "t1"),
                keys.turns(story.id),
                keys.memory(story.id, "t1"),
                keys.memory(story.id, "t1/2"),
                keys.operation(serial, "write"),
            )
        }


def test_every_script_is_a_constant() -> None:
    """What a script works on comes as KEYS and ARGV; nothing is ever written into its text."""
    found = 0
    for file in sorted((ROOT / "core").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = constants_of(tree)
        for call in scripts_in(tree):
            [text] = call.args
            for part in parts_of(text):
                value = constants.get(part.id) if isinstance(part, ast.Name) else part
                assert isinstance(value, ast.Constant), f"{file.name}:{call.lineno}"
            found += 1
    assert found >= 5


def constants_of(tree: ast.Module) -> dict[str, ast.expr]:
    """What a module binds to a name, once."""
    bound = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {
        target.id: node.value
        for node in bound
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def parts_of(text: ast.expr) -> list[ast.expr]:
    """The texts that one is put together from."""
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        return [*parts_of(text.left), *parts_of(text.right)]
    return [text]


def scripts_in(tree: ast.Module) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Script"
    ]
