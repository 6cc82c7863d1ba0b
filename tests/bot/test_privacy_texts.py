"""What /privacy says, in every way of running the bot, and that it always fits one message."""

import pytest

from bot.privacy_texts import PrivacyNote, erased, privacy
from bot.setting_table import CONTACT_LENGTH, PURGE_DAYS_RANGE
from core.domain.story import StoryId
from core.services.privacy import Erased
from core.services.purging import Kept

MUCH = Kept(tuple(StoryId(1, serial) for serial in range(1, 2000)), 99_999_999, 99_999_999)


@pytest.mark.parametrize("has_model", [True, False])
@pytest.mark.parametrize("contact", ["", "x" * CONTACT_LENGTH])
@pytest.mark.parametrize("kept", [Kept(), MUCH])
@pytest.mark.parametrize("owner", ["", "*_~" * 300])
def test_it_fits_one_message(*, has_model: bool, contact: str, kept: Kept, owner: str) -> None:
    """Discord takes 2,000 characters."""
    note = PrivacyNote(
        has_model=has_model,
        embeds_elsewhere=True,
        is_moderated=True,
        purge_after_days=PURGE_DAYS_RANGE[-1],
        contact=contact,
    )
    assert len(privacy(note, kept, owner)) <= 2000


def test_it_says_where_texts_go() -> None:
    """To what was set and to nothing else."""
    plain = privacy(PrivacyNote(), Kept(), "ada")
    assert "The texts of a story go to the language model that writes it. Who" in plain
    more = privacy(PrivacyNote(embeds_elsewhere=True, is_moderated=True), Kept(), "ada")
    assert "searches the memory, and to the model that looks for what must not" in more
    offline = privacy(PrivacyNote(has_model=False), Kept(), "ada")
    assert "go to the language model" not in offline


def test_it_says_how_long_whom_to_ask_and_how_much_there_is() -> None:
    """The operator's contact comes before whoever owns the bot; a link in it stays a link."""
    kept = Kept((StoryId(1, 1),), 1, 0)
    address = "https://example.org/privacy-policy_1"
    told = privacy(PrivacyNote(purge_after_days=1, contact=address), kept, "ada")
    assert "1 day after the bot was removed" in told
    assert f"Ask {address}." in told
    assert "1 story with 1 turn, and 0 changes by moderators." in told
    assert "ada\\_1 at Discord" in privacy(PrivacyNote(), Kept(), "ada_1")
    assert "Ask whoever runs this bot" in privacy(PrivacyNote(), Kept(), "")


def test_what_came_of_the_button_is_said() -> None:
    """How much was found, and what couldn't be read."""
    assert erased(Erased()) == "Your name stands in no change of this server's stories."
    assert erased(Erased(1, 1)).startswith("Done: your name and id are out of 1 change in 1 story.")
    assert "2 stories couldn't be read" in erased(Erased(3, 2, (StoryId(1, 1), StoryId(1, 2))))
