"""The pause between a member's commands that cost: what asks a model, or may.

Asked like every other condition of a command, after what was given has been checked: who mistyped
something needn't wait. It holds for commands and presses alike, and over all of them together.
discord.py's own check keeps such pauses per decorated function, out of a press's reach and common
to all bots of a process; its arithmetic is used.
"""

from math import ceil
from typing import cast

from discord import app_commands

from bot.cogs.requests import Asked, place_of
from core.errors import RefusedError


class Cooldowns:
    """Who has to wait, in one process.

    Attributes:
        pauses: by server and member; those that were over when somebody last asked are gone.
    """

    def __init__(self, seconds: int) -> None:
        """See the class.

        Args:
            seconds: how long a pause is; 0: nobody waits.
        """
        self._seconds = seconds
        self.pauses: dict[tuple[int, int], app_commands.Cooldown] = {}

    def take(self, guild: int, member: int, now: float) -> float:
        """Begin a member's pause.

        Args:
            now: when they asked, UTC seconds.

        Returns:
            How long they have to wait instead, where an earlier pause isn't over; else 0.
        """
        if not self._seconds:
            return 0.0
        self.pauses = {
            key: pause for key, pause in self.pauses.items() if pause.get_retry_after(now) > 0
        }
        new = app_commands.Cooldown(1, self._seconds)
        pause = self.pauses.setdefault((guild, member), new)
        return pause.update_rate_limit(now) or 0.0


def require_rested(interaction: Asked) -> None:
    """Begin the pause of whoever asks. Raises RefusedError while an earlier one lasts."""
    cooldowns = cast(Cooldowns, interaction.client.cooldowns)
    guild, asked_at = place_of(interaction).guild, interaction.created_at.timestamp()
    left_s = ceil(cooldowns.take(guild, interaction.user.id, asked_at))
    if left_s:
        raise RefusedError(
            "This costs a little each time, so there is a pause in between: try again in "
            f"{left_s} second{'' if left_s == 1 else 's'}."
        )
