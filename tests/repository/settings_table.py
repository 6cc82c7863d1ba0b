"""README's table of settings, out of bot.setting_table.

`python -m tests.repository.settings_table` writes it into the README, and a test holds it to that:
no setting is documented by hand.
"""

from enum import Enum

from bot.setting_table import SETTINGS, Setting
from tests.repository.root import ROOT, read

BEGIN = "<!-- settings: python -m tests.repository.settings_table -->"
END = "<!-- end of settings -->"
REQUIRED = {"DISCORD_TOKEN": "required", "OPENAI_API_KEY": "required, or the next"}
"""Settings that have no default and that a start asks for."""


def table() -> str:
    """The table in Markdown, a row for each setting in the order of SETTINGS."""
    rows = ["| setting | default | what it is for |", "|---|---|---|"]
    rows += [f"| `{one.name}` | {_default(one)} | {_cell(one.help)} |" for one in SETTINGS]
    return "\n".join(rows)


def between_marks(text: str, new: str | None = None) -> str:
    """What stands between the marks of a text, or the text with something else there."""
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    return inside.strip() if new is None else f"{before}{BEGIN}\n\n{new}\n\n{END}{after}"


def _default(setting: Setting[object]) -> str:
    value = setting.default
    if isinstance(value, Enum):
        value = value.value
    if value is None or value == "" or (not isinstance(value, int) and not value):
        return REQUIRED.get(setting.name, "")
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(between_marks(read("README.md"), table()), encoding="utf-8")
