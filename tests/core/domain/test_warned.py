"""A channel is told once a day that a budget comes to its end."""

from dataclasses import replace
from itertools import count

from core.domain.identity import id_before
from core.domain.spending import Account, guild_account, story_account
from core.domain.story import Notice, Story
from core.domain.warned import Alert, warned
from tests.fakes.stories import a_story

TODAY, TOMORROW, NOW = "2026-11-23", "2026-11-24", 1_790_000_000.0
STORY, GUILD = story_account("900:1"), guild_account(10)


def told(story: Story, *alerts: Alert) -> Story:
    """The story once it owes its channel the alerts, under the nonces n1, n2 and so on."""
    numbers = count(1)
    return warned(story, alerts, NOW, lambda _: f"n{next(numbers)}")


def alert(account: Account = STORY, day: str = TODAY) -> Alert:
    return Alert(day, account, f"For moderators: {account.scope}.")


def test_each_budget_has_a_sentence_of_its_own() -> None:
    """Behind what the channel is owed already."""
    earlier = Notice("n0", "Something else.")
    story = told(a_story(outbox=(earlier,)), alert(GUILD), alert(STORY))
    assert story.outbox == (
        earlier,
        Notice("n1", "For moderators: guild.", id_before(NOW)),
        Notice("n2", "For moderators: story.", id_before(NOW)),
    )


def test_what_was_told_today_isnt_told_again() -> None:
    """Not even once its channel has it: the story itself remembers."""
    heard = replace(told(a_story(), alert(STORY)), outbox=())
    assert told(heard, alert(STORY)) is heard
    assert told(heard) is heard
    both = told(heard, alert(STORY), alert(GUILD))
    assert [notice.text for notice in both.outbox if isinstance(notice, Notice)] == [
        "For moderators: guild."
    ]
    assert len(both.warned) == 2


def test_tomorrow_it_is_told_again_and_today_forgotten() -> None:
    today = told(a_story(), alert(STORY), alert(GUILD))
    tomorrow = told(replace(today, outbox=()), alert(STORY, TOMORROW))
    assert len(tomorrow.outbox) == 1
    assert tomorrow.warned == ("2026-11-24 story",)
