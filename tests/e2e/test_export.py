"""/story export on the real thing: real turns, real votes, real Redis, real files."""

from typing import Any

import pytest
from simcord import MemberActor

from core.domain.story import Phase
from tests.adapters.epub_reading import XHTML, Epub
from tests.adapters.markdown_reading import read
from tests.e2e.endpoint import Kind, title_of
from tests.e2e.world import World

pytestmark = pytest.mark.redis

NO_STORY = "There is no story in this channel yet: /story start begins one."
PREMISE = "Ormsay keeps a lighthouse."


async def export(world: World, who: MemberActor, **options: Any) -> dict[str, bytes]:
    """The files of the answer, by the endings of their names; nobody else may see them."""
    result = await who.slash(world.channel, "story export", **options)

    def files() -> list[Any]:
        shown = [part for part in (result.response, *result.followups) if part is not None]
        assert all(part.ephemeral for part in shown)
        return [file for part in shown for file in part.attachments]

    await world.until(files)
    contents = {file.filename: world.env.backend.cdn.get(file.url) for file in files()}
    return {name.rpartition(".")[2]: data for name, data in contents.items() if data is not None}


async def test_the_book_is_the_story_as_the_channel_read_it(world: World) -> None:
    """Every paragraph in order, the votes that decided with their numbers, the roads not taken."""
    await world.start(PREMISE)
    await world.vote(1, world.members[0])
    await world.vote(1, world.members[1])
    await world.vote(0, world.members[2])
    await world.ask(world.mira, "story close")
    await world.rests(Phase.VOTING, 2)
    await world.turn_over(2)
    turns = await world.lineage()

    files = await export(world, world.members[2])
    assert set(files) == {"epub", "md"}
    epub = Epub(files["epub"])
    epub.check()
    assert epub.said("title") == [title_of("Ormsay")]
    assert epub.said("creator") == ["The members of Harbour"]
    blocks = [block.text for block in read(files["md"].decode())]
    for turn in turns:
        found = epub.find(f"turn-{turn.number}")
        [prose] = [one for one in found.iter(f"{XHTML}div") if one.get("class") == "prose"]
        assert "".join(prose.itertext()) == turn.paragraph.replace("\n", "")
        assert turn.paragraph in blocks
    won, lost = turns[0].plans[1], turns[0].plans[0]
    assert blocks.count(won.title) == 1
    assert "turn 2 · chosen by 2 of 3 voters · the other two roads" in blocks
    assert "turn 3 · chosen by the only voter · the other two roads" in blocks
    [road] = [block for block in blocks if block.startswith(f"{lost.title} · 1 of 3 voters")]
    assert road.endswith(lost.text)
    assert blocks.count("To be continued") == 1


async def test_the_book_of_an_ended_story_ends(world: World) -> None:
    """It can be had for as long as the story is kept, and without a format that isn't one."""
    said = await world.ask(world.members[0], "story export")
    assert said == NO_STORY
    await world.start(PREMISE)
    await world.ask(world.mira, "story end")
    await world.rests(Phase.ENDED, 1)
    files = await export(world, world.members[0], format="markdown")
    assert set(files) == {"md"}
    blocks = [block.text for block in read(files["md"].decode())]
    assert "The End" in blocks
    assert "Where the story ended" in blocks
    said = await world.ask_raw(world.members[0], "story export", world.channel, format="pdf")
    assert said == "format is 'pdf'; it must be epub or markdown."


async def test_a_story_that_is_not_told_yet_has_no_book(world: World) -> None:
    """Said in a sentence, while its first paragraph is being written."""
    held = world.endpoint.hold(Kind.PARAGRAPH, 1)
    await world.ask(world.mira, "story start", premise=PREMISE)
    await held.reached.wait()
    said = await world.ask(world.members[0], "story export")
    assert said == "This story has no finished turn yet."
    held.release()
    await world.rests(Phase.VOTING, 1)
    assert set(await export(world, world.members[0])) == {"epub", "md"}
