"""The moderators' desk on the real thing: every command, form and button, what the model sees."""

from typing import Any, cast

import pytest
from simcord import InteractionResult
from simcord.actors import MemberActor

from core.adapters import redis_keys as keys
from core.domain.story import Phase
from core.domain.tokens import Budget
from tests.adapters.redis_raw import raw_client
from tests.e2e.endpoint import Kind, chapter_of, fact_of, memory_of, plan_title, summary_of
from tests.e2e.world import World, text_of

pytestmark = pytest.mark.redis

PREMISE = "Ormsay keeps a lighthouse."


async def begun(world: World, turns: int = 1) -> None:
    """A story of some turns, in its vote."""
    await world.start(PREMISE)
    for _ in range(turns - 1):
        await world.turn_over(0)


async def opened(world: World, who: MemberActor, command: str, **options: Any) -> InteractionResult:
    """A command that opens a form."""
    result = await who.slash(world.channel, command, **options)
    await world.until(lambda: result.modal or result.response)
    return result


def prefilled(result: InteractionResult) -> dict[str, str]:
    """The fields of a form, by name."""
    assert result.modal is not None, result.response
    fields = [part["component"] for part in result.modal["components"]]
    return {field["custom_id"]: field.get("value", "") for field in fields}


async def submitted(
    world: World, who: MemberActor, form: InteractionResult, **values: str
) -> InteractionResult:
    """A form that is sent, and answered."""
    result = await who.submit_modal(form, {**prefilled(form), **values})
    await world.until(lambda: said(result))
    return result


def said(result: InteractionResult) -> str:
    """Everything that was answered, to whoever asked and nobody else."""
    shown = [part for part in (result.response, *result.followups) if part and part.content]
    assert all(part.ephemeral for part in shown)
    return "\n".join(dict.fromkeys(part.content for part in shown)).replace("\\", "")


def labels(result: InteractionResult) -> list[str]:
    """What stands on the buttons under an answer."""
    rows: list[Any] = [
        row for part in (result.response, *result.followups) if part for row in part.components
    ]
    return [button["label"] for row in rows for button in row.get("components", [])]


async def pressed(
    world: World, who: MemberActor, under: InteractionResult, label: str
) -> InteractionResult:
    """A button that is pressed, and answered."""
    shown = [part for part in (*under.followups, under.response) if part and part.components]
    result = await who.click(shown[0].message, label=label)
    await world.until(lambda: result.modal or said(result))
    return result


async def asked_for(world: World, number: int, part: str) -> str:
    """A part of the newest request for paragraph ``number``."""
    return world.endpoint.of("Ormsay", Kind.PARAGRAPH, number)[-1].part(part)


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


async def test_an_edited_memory_reaches_the_next_prompt(world: World) -> None:
    await begun(world)
    form = await opened(world, world.mira, "memory edit")
    assert prefilled(form)["text"] == memory_of("Ormsay", 1)
    done = await submitted(world, world.mira, form, text="Ormsay has lost the key.")
    assert said(done).startswith("The memory is changed")
    assert "Ormsay has lost the key." in await world.ask(world.members[0], "memory show")
    await world.turn_over(0)
    assert await asked_for(world, 2, "memory") == "Ormsay has lost the key."


async def test_a_form_outlives_a_restart_and_a_stale_one_gives_both_texts(world: World) -> None:
    """The process that opened the form is gone; then the same form comes too late."""
    await begun(world)
    form = await opened(world, world.mira, "memory edit")
    other = await opened(world, world.mira, "memory edit")
    await world.stop()
    await world.live_again()
    await submitted(world, world.mira, form, text="Ormsay has lost the key.")
    late = said(await submitted(world, world.mira, other, text="Ormsay has found the key."))
    assert "was changed since you opened it" in late
    assert "Ormsay has lost the key." in late
    assert "Ormsay has found the key." in late
    assert (await world.story()).memory.text == "Ormsay has lost the key."


async def test_a_memory_that_is_too_long_is_handed_back(world: World) -> None:
    await begun(world)
    form = await opened(world, world.mira, "memory edit")
    text = "It rained on Ormsay. " * 21
    answer = said(await submitted(world, world.mira, form, text=text))
    assert "21 sentences; it may have at most 20" in answer
    assert answer.count("It rained on Ormsay.") == 21
    assert (await world.story()).memory.text == memory_of("Ormsay", 1)


async def test_an_amended_summary_is_found_and_the_old_one_is_nowhere_in_recall(
    world: World,
) -> None:
    await begun(world, 3)
    offered = await world.mira.autocomplete(world.channel, "memory amend", "turn", "1")
    assert [choice["value"] for choice in offered] == [1]
    form = await opened(world, world.mira, "memory amend", turn=1)
    assert prefilled(form)["text"] == summary_of("Ormsay", 1)
    done = await submitted(world, world.mira, form, text="Ormsay drowned a silver bell.")
    assert "What is remembered of turn 1 is changed" in said(done)
    found = await world.ask(world.members[0], "memory search", query="the silver bell")
    assert "Ormsay drowned a silver bell." in found
    assert f"/{world.channel.id}/" in found, "with a link to the message"
    await world.turn_over(0)
    recalled = await asked_for(world, 4, "recalled")
    assert "Turn 1: Ormsay drowned a silver bell." in recalled
    assert summary_of("Ormsay", 1) not in recalled


async def test_amended_facts_are_what_the_next_prompt_holds(world: World) -> None:
    """A fact changed, one struck out, one new; then all of it taken back."""
    await begun(world, 2)
    form = await opened(world, world.mira, "memory amend", turn=2)
    song = "The ferryman: He is owed a song for day 2."
    assert prefilled(form) == {
        "text": summary_of("Ormsay", 2),
        "facts": f"Ormsay: {fact_of('Ormsay', 2)}\n{song}",
    }
    facts = "Ormsay: Ormsay carries a silver bell.\nThe chapel: It is flooded."
    done = await submitted(world, world.mira, form, facts=facts)
    assert "What is remembered of turn 2 is changed" in said(done)
    await world.turn_over(0)
    ledger = await asked_for(world, 3, "ledger")
    assert "(since turn 2) Ormsay carries a silver bell." in ledger
    assert "(since turn 2) The chapel: It is flooded." in ledger
    assert fact_of("Ormsay", 1) not in ledger, "what it ended stays ended"
    assert "song for day 2" not in ledger
    await world.ask(world.mira, "memory undo", entry=1)
    listed = (await world.ask(world.members[0], "memory facts")).replace("\\", "")
    assert f"- ~~{fact_of('Ormsay', 2)}~~ until turn 3" in listed, "in other words it was ended"
    assert song in listed
    assert "bell." not in listed
    again = await opened(world, world.mira, "memory amend", turn=2)
    assert prefilled(again) == prefilled(form)


async def test_a_chapter_is_amended_found_and_told_in_the_recap(world: World) -> None:
    await begun(world, 10)
    everyone = world.members[0]
    recap = await world.ask(everyone, "recap")
    assert "**Turns 1 to 10**" in recap
    assert chapter_of("Ormsay", 10) in recap
    assert summary_of("Ormsay", 4) not in recap
    form = await opened(world, world.mira, "memory amend", turn=10)
    assert prefilled(form)["chapter"] == chapter_of("Ormsay", 10)
    text = "For ten days the Frumiotrope rang."
    facts = prefilled(form)["facts"] + "\nThe bell: It is called Borogove."
    await submitted(world, world.mira, form, chapter=text, facts=facts)
    found = await world.ask(everyone, "memory search", query="the Frumiotrope rang for ten days")
    assert found.startswith("**Turns 1 to 10** · chapter · ")
    assert text in found
    shown = await world.ask(everyone, "memory show")
    assert "10 summaries that recall can find, and 1 chapter." in shown
    assert "The ledger has 12 facts that hold, and 9 more that held once." in shown
    assert f"ledger: facts that matter then: up to {Budget().ledger} tokens" in shown
    assert "**Facts of the ledger**" in await world.ask(everyone, "why", turn=10)
    await world.ask(world.mira, "memory forget", turn=10)
    assert text not in await world.ask(everyone, "recap")

    rare = ("Frumiotrope", "Borogove")
    assert await holding(world, *rare) == set(rare), "the search for them finds them before"
    question = await world.mira.slash(world.channel, "story delete")
    await world.until(lambda: labels(question))
    await pressed(world, world.mira, question, "Delete it for good")
    assert await holding(world, *rare, "Ormsay", str(world.channel.id)) == set()


async def test_the_ledger_is_paged_by_buttons_that_outlive_a_restart(world: World) -> None:
    await begun(world, 4)
    for turn in (2, 3, 4):
        form = await opened(world, world.mira, "memory amend", turn=turn)
        shown = prefilled(form)["facts"]
        more = "".join(f"\nThe sea: It is {n} fathoms deep at stone {turn}." for n in range(6))
        await submitted(world, world.mira, form, facts=shown + more)
    ann = world.members[0]
    shown = await ann.slash(world.channel, "memory facts")
    await world.until(lambda: labels(shown))
    assert labels(shown) == ["Older facts"]
    assert "facts of turns 2 to 4" in said(shown)
    assert f"- {fact_of('Ormsay', 4)}" in said(shown)
    assert f"- ~~{fact_of('Ormsay', 3)}~~ until turn 4" in said(shown)
    assert f"/{world.channel.id}/" in said(shown), "with links to the messages"
    await world.stop()
    await world.live_again()
    older = await pressed(world, ann, shown, "Older facts")
    assert "facts of turn 1, the newest first" in said(older)
    assert labels(older) == []
    found = await world.ask(ann, "memory facts", about="what is owed to the ferryman")
    assert "The ferryman: He is owed a song" in found
    assert "Say in 1 to 1000 characters" in await world.ask(ann, "memory facts", about="  ")


async def test_a_recap_leads_back_by_buttons_that_outlive_a_restart(world: World) -> None:
    await begun(world, 2)
    ann = world.members[0]
    shown = await ann.slash(world.channel, "recap", turns=1)
    await world.until(lambda: labels(shown))
    assert labels(shown) == ["Turn 1"]
    assert summary_of("Ormsay", 2) in said(shown)
    await world.stop()
    await world.live_again()
    earlier = await pressed(world, ann, shown, "Turn 1")
    assert summary_of("Ormsay", 1) in said(earlier)
    assert labels(earlier) == ["Turns 1 to 2"]


async def test_facts_that_are_none_are_handed_back(world: World) -> None:
    """With the line and its number; what changed meanwhile is shown beside what was written."""
    await begun(world)
    form = await opened(world, world.mira, "memory amend", turn=1)
    before = await world.lineage()
    answer = said(await submitted(world, world.mira, form, facts="Ormsay waits.\nA: b"))
    assert "Line 1 (“Ormsay waits.”) isn't a fact" in answer
    assert "Facts:\nOrmsay waits.\nA: b" in answer
    assert await world.lineage() == before
    first = await opened(world, world.mira, "memory amend", turn=1)
    other = await opened(world, world.mira, "memory amend", turn=1)
    await submitted(world, world.mira, first, facts="Ormsay: Ormsay waits.")
    late = said(await submitted(world, world.mira, other, facts="Ormsay: Ormsay runs."))
    assert "was changed since you opened it" in late
    assert "Ormsay: Ormsay waits." in late
    assert "Ormsay: Ormsay runs." in late


async def test_a_fact_that_still_tells_it_is_one_press_from_being_amended(world: World) -> None:
    await begun(world)
    form = await opened(world, world.mira, "memory amend", turn=1)
    bell = "Ormsay drowned a silver bell."
    await submitted(world, world.mira, form, text=bell, facts=f"Ormsay: {bell}")
    form = await opened(world, world.mira, "memory amend", turn=1)
    done = await submitted(world, world.mira, form, text="Ormsay slept.")
    assert f"- fact of turn 1: {bell}" in said(done)
    form = await pressed(world, world.mira, done, "Amend turn 1")
    assert prefilled(form)["facts"] == f"Ormsay: {bell}"


async def test_a_forgotten_turn_leaves_recall_and_undo_brings_it_back(world: World) -> None:
    await begun(world, 3)
    assert "out of recall" in await world.ask(world.mira, "memory forget", turn=1)
    assert await world.remembered() == 2
    assert "forgotten already" in await world.ask(world.mira, "memory forget", turn=1)
    await world.turn_over(0)
    assert summary_of("Ormsay", 1) not in await asked_for(world, 4, "recalled")
    assert "in recall again" in await world.ask(world.mira, "memory undo", entry=1)
    assert await world.remembered() == 4


async def test_pinned_facts_stand_in_the_prompt_until_they_are_unpinned(world: World) -> None:
    await begun(world)
    await world.ask(world.mira, "memory pin", text="The sea is salt.")
    await world.turn_over(0)
    assert await asked_for(world, 2, "canon") == "- The sea is salt."
    [choice] = await world.mira.autocomplete(world.channel, "memory unpin", "entry", "SEA")
    assert choice["name"] == "The sea is salt."
    assert "Unpinned" in await world.ask(world.mira, "memory unpin", entry=choice["value"])
    assert "isn't pinned" in await world.ask(world.mira, "memory unpin", entry=choice["value"])
    await world.turn_over(0)
    assert await asked_for(world, 3, "canon") == ""


async def test_history_pages_through_everything_and_outlives_a_restart(world: World) -> None:
    await begun(world)
    for number in range(12):
        await world.ask(world.mira, "memory pin", text=f"Fact {number}.")
    shown = await world.mira.slash(world.channel, "memory history")
    await world.until(lambda: labels(shown))
    assert "12 · fact pinned" in said(shown)
    assert "after: Fact 11." in said(shown)
    assert "**2 · " not in said(shown)
    await world.stop()
    await world.live_again()
    older = await pressed(world, world.mira, shown, "Older changes")
    assert "2 · fact pinned" in said(older)
    assert "after: Fact 0." in said(older)
    assert labels(older) == []


# ── the story ────────────────────────────────────────────────────────────────────────────────────


async def test_an_edited_paragraph_is_read_stored_and_written_on_from(world: World) -> None:
    await begun(world)
    form = await opened(world, world.mira, "story edit")
    assert prefilled(form)["text"].startswith("On day 1 Ormsay followed nobody.")
    done = await submitted(world, world.mira, form, text="Ormsay slept through day 1.")
    assert labels(done) == ["Reflect on it again"]
    await world.rests(Phase.VOTING, 1)
    assert world.told()[-1].endswith("turn 1\nOrmsay slept through day 1.")
    await pressed(world, world.mira, done, "Reflect on it again")
    await world.rests(Phase.VOTING, 1)
    [_, again] = world.endpoint.of("Ormsay", Kind.REFLECTION, 1)
    assert "Ormsay slept through day 1." in again.text
    assert again.part("memory") == ""
    states = [text_of(ballot) for ballot in world.ballots()]
    assert "a fresh ballot has taken its place" in states[0]
    assert "every reaction counts" in states[1]
    await world.turn_over(0)
    assert await asked_for(world, 2, "previous") == "Ormsay slept through day 1."


async def test_an_edited_plan_stands_in_the_ballot_and_steers(world: World) -> None:
    await begun(world)
    await world.vote(1, world.members[0])
    form = await opened(world, world.mira, "plan edit", option=2)
    assert prefilled(form)["title"] == plan_title("Ormsay", 1, 1)
    await submitted(world, world.mira, form, title="The iron stair", text="Ormsay climbs down.")
    await world.rests(Phase.VOTING, 1)
    shown = text_of(world.ballots()[-1])
    assert "**The iron stair** · edited by a moderator\nOrmsay climbs down." in shown
    await world.ask(world.mira, "story close")
    await world.rests(Phase.VOTING, 2)
    assert await asked_for(world, 2, "plan") == "The iron stair\nOrmsay climbs down."


async def test_a_form_of_a_turn_that_is_over_changes_nothing(world: World) -> None:
    await begun(world)
    plan = await opened(world, world.mira, "plan edit", option=1)
    part = await opened(world, world.mira, "story edit")
    await world.turn_over(0)
    before = await world.story()
    assert "gone on to turn 2" in said(await submitted(world, world.mira, plan, title="Late"))
    assert "gone on to turn 2" in said(await submitted(world, world.mira, part, text="Late."))
    assert await world.story() == before


async def test_a_turn_is_written_anew_and_the_old_one_is_marked(world: World) -> None:
    await begun(world, 2)
    assert "written anew" in await world.ask(world.mira, "story retry")
    await world.rests(Phase.VOTING, 2)
    first, second = world.endpoint.of("Ormsay", Kind.PARAGRAPH, 2)
    assert first.part("plan") == second.part("plan")
    assert second.part("memory") == memory_of("Ormsay", 1)
    assert "mira had turn 2 written anew" in world.said()[-1]
    headings = [told.split("\n")[0] for told in world.told()]
    assert headings[1].endswith("turn 2 · taken back")
    assert headings[-1].endswith("turn 2")
    assert "taken back" in text_of(world.ballots()[1])
    assert await world.remembered() == 2


async def test_a_rewind_asks_first_and_comes_back_by_undo(world: World) -> None:
    await begun(world, 4)
    told = [turn.id for turn in await world.lineage()]
    question = await world.mira.slash(world.channel, "story rewind", turn=2)
    await world.until(lambda: labels(question))
    assert "turns 3 to 4 would leave" in said(question)
    assert (await world.story()).head_number == 4, "nothing before the button"
    await pressed(world, world.mira, question, "Go back to turn 2")
    await world.rests(Phase.VOTING, 2)
    assert (await world.story()).memory.text == memory_of("Ormsay", 2)
    assert await world.remembered() == 2
    await world.turn_over(1)
    assert await asked_for(world, 3, "memory") == memory_of("Ormsay", 2)
    assert summary_of("Ormsay", 4) not in await asked_for(world, 3, "recalled")
    late = await pressed(world, world.mira, question, "Go back to turn 2")
    assert "gone on to turn 3" in said(late), "a question is asked once"
    assert "turn 4 again" in await world.ask(world.mira, "memory undo", entry=1)
    await world.rests(Phase.VOTING, 4)
    assert [turn.id for turn in await world.lineage()] == told
    assert await world.remembered() == 4


async def test_settings_hold_from_the_next_vote_on(world: World) -> None:
    await begun(world)
    role = world.guild.create_role("storytellers")
    said = await world.ask(
        *(world.mira, "story settings"), quorum=2, voting="single", moderator_role=role
    )
    assert "a vote that runs keeps the old ones" in said
    assert "every reaction counts" in text_of(world.ballots()[-1])
    await world.turn_over(0)
    assert "at least 2 voters" in text_of(world.ballots()[-1])
    assert "nothing changed" in await world.ask(world.mira, "story settings", quorum=2)


async def test_a_deleted_story_is_nowhere_in_redis(world: World) -> None:
    """Rare words of premise, memory, plans, summaries, facts (one of them struck out) and edits."""
    await world.start("Ormsay keeps a lighthouse called Zyxquil.")
    await world.turn_over(0)
    form = await opened(world, world.mira, "memory edit")
    await submitted(world, world.mira, form, text="Ormsay fears Vorpelglass.")
    form = await opened(world, world.mira, "plan edit", option=1)
    await submitted(world, world.mira, form, title="The Quandrill", text="Ormsay meets Jubjubmoor.")
    form = await opened(world, world.mira, "memory amend", turn=1)
    facts = "Ormsay: Ormsay owns a Slithytove.\nThe cat: It is called Momerath."
    await submitted(world, world.mira, form, text="Ormsay sold the Frumiotrope.", facts=facts)
    form = await opened(world, world.mira, "memory amend", turn=1)
    await submitted(world, world.mira, form, facts="Ormsay: Ormsay owns a Slithytove.")
    await world.ask(world.mira, "memory pin", text="Mimsyvane is left-handed.")
    await world.rests(Phase.VOTING, 2)
    rare = ("Zyxquil", "Vorpelglass", "Quandrill", "Jubjubmoor", "Frumiotrope", "Mimsyvane")
    rare += ("Slithytove", "Momerath")
    assert await holding(world, *rare) == set(rare), "the search for them finds them before"

    question = await world.mira.slash(world.channel, "story delete")
    await world.until(lambda: labels(question))
    assert "can't be undone" in said(question)
    assert "Deleted: 2 turns" in said(
        await pressed(world, world.mira, question, "Delete it for good")
    )
    assert await holding(world, *rare, "Ormsay", str(world.channel.id)) == set()
    assert "no story" in await world.ask(world.mira, "memory show")
    await world.start(PREMISE)


async def holding(world: World, *words: str) -> set[str]:
    """The words that stand anywhere in Redis, in a key's name or value."""
    found: set[str] = set()
    async with raw_client(world.redis.url) as client:
        async for key in client.scan_iter(count=1000):
            if key.decode().startswith(keys.operation(world.channel.id, "x")[:-1]):
                continue  # marks that a change was applied: an epoch, gone within the hour
            dumped = await whole(client, key)
            found |= {word for word in words if word.encode() in key + dumped}
    return found


async def whole(client: Any, key: bytes) -> bytes:
    """Everything that a key holds."""
    kind = cast(bytes, await client.type(key)).decode()
    if kind == "hash":
        return b"".join(part for pair in (await client.hgetall(key)).items() for part in pair)
    if kind == "list":
        return b"".join(await client.lrange(key, 0, -1))
    assert kind == "string", kind
    return cast(bytes, await client.get(key))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


async def test_why_and_recap_tell_everyone(world: World) -> None:
    await begun(world, 3)
    why = await world.ask(world.members[0], "why", turn=3)
    assert f"“{plan_title('Ormsay', 2, 0)}”, which won with 1 to 0." in why
    assert "turn 1 · 0." in why
    assert "Day 3 is new." in why
    recap = await world.ask(world.members[0], "recap")
    assert [recap.index(summary_of("Ormsay", n)) for n in (1, 2, 3)] == sorted(
        recap.index(summary_of("Ormsay", n)) for n in (1, 2, 3)
    )
    assert "no turn 9" in await world.ask(world.members[0], "why", turn=9)


async def test_a_long_memory_is_paged_by_buttons_that_outlive_a_restart(world: World) -> None:
    await begun(world)
    for number in range(6):
        await world.ask(world.mira, "memory pin", text=f"Fact {number}: " + "it rains " * 25)
    form = await opened(world, world.mira, "memory edit")
    text = " ".join(f"Ormsay counted {'stones ' * 20}on day {n}." for n in range(18))
    await submitted(world, world.mira, form, text=text)
    shown = await world.members[0].slash(world.channel, "memory show")
    await world.until(lambda: labels(shown))
    assert labels(shown) == ["Page 2"]
    await world.stop()
    await world.live_again()
    second = await pressed(world, world.members[0], shown, "Page 2")
    assert "Page 1" in labels(second)
    assert "on day 17." in said(second)


# ── rights ───────────────────────────────────────────────────────────────────────────────────────


MODERATORS_COMMANDS: dict[str, dict[str, Any]] = {
    "memory edit": {},
    "memory amend": {"turn": 1},
    "memory forget": {"turn": 1},
    "memory pin": {"text": "Mine."},
    "memory unpin": {"entry": "Mine."},
    "memory history": {},
    "memory undo": {"entry": 1},
    "plan edit": {"option": 1},
    "story edit": {},
    "story retry": {},
    "story rewind": {"turn": 1},
    "story settings": {"quorum": 3},
    "story delete": {},
}


async def test_members_get_one_sentence_and_change_nothing(world: World) -> None:
    await begun(world)
    await world.ask(world.mira, "memory pin", text="Theirs.")
    before = await world.story()
    ann = world.members[0]
    for command, options in MODERATORS_COMMANDS.items():
        answer = await world.ask(ann, command, **options)
        assert answer.startswith("Only moderators can do this"), command
    assert await ann.autocomplete(world.channel, "memory unpin", "entry", "") == []
    assert await ann.autocomplete(world.channel, "memory undo", "entry", "") == []
    assert await world.story() == before


async def test_a_right_that_was_lost_is_lost_for_forms_and_buttons_too(world: World) -> None:
    """The story's own role makes moderators; what they opened does nothing once it doesn't."""
    await begun(world)
    role = world.guild.create_role("storytellers")
    dora = world.guild.add_member(world.env.create_user("dora"), roles=[role])
    assert "Only moderators" in await world.ask(dora, "memory pin", text="Hers.")
    await world.ask(world.mira, "story settings", moderator_role=role)
    assert "Pinned" in await world.ask(dora, "memory pin", text="Hers.")
    form = await opened(world, dora, "memory edit")
    question = await dora.slash(world.channel, "story delete")
    await world.until(lambda: labels(question))
    await world.ask(world.mira, "story settings", clear="moderator_role")
    before = await world.story()
    assert "Only moderators" in said(await submitted(world, dora, form, text="Mine."))
    assert "Only moderators" in said(await pressed(world, dora, question, "Delete it for good"))
    assert await world.story() == before


async def test_bad_numbers_are_told(world: World) -> None:
    await begun(world)
    for command in ("memory amend", "memory forget", "story rewind", "why"):
        for number in (0, 2, 99):
            answer = await world.ask(world.mira, command, turn=number)
            assert f"no turn {number}" in answer, command
            assert "turns 1 to 1" in answer, command
    assert "no change 7" in await world.ask(world.mira, "memory undo", entry=7)
    assert "has 1 parts" in await world.ask(world.mira, "story edit", part=2)


async def test_a_thread_and_a_forum_post_have_a_desk_of_their_own(world: World) -> None:
    """What is changed in one of them reaches its own story and no other."""
    thread, post = await world.thread(), await world.post()
    for word, channel in (("Quillon", thread), ("Brackwater", post)):
        await world.start(f"{word} looks for a door.", channel)
        assert "Pinned" in await world.ask(world.mira, "memory pin", channel, text=f"{word}'s own.")
        await world.turn_over(0, channel)
        [asked] = world.endpoint.of(word, Kind.PARAGRAPH, 2)
        assert asked.part("canon") == f"- {word}'s own."
        question = await world.mira.slash(channel, "story rewind", turn=1)
        await world.until(lambda: labels(question))  # noqa: B023 - awaited before the next one
        await pressed(world, world.mira, question, "Go back to turn 1")
        await world.rests(Phase.VOTING, 1, channel)
        assert await world.remembered(channel) == 1
        ann = world.members[0]
        assert "Only moderators" in await world.ask(ann, "memory pin", channel, text="Hers.")
    assert (await world.story(thread)).canon.entries == ("Quillon's own.",)
