"""Who is told that a budget comes to its end: the bot's owner, and moderators in a story's channel.

The ledger names one teller for each budget and day. A process that is it tells the owner at once. A
story that is it finds the alert here when it comes to rest, and owes it to its channel by a commit
that also notes that it was said: so it is said once, and a crash before that commit only means that
the story's next request brings the alert again. Nothing is said twice. Two things can go unsaid: a
process that dies between the ledger's answer and its message leaves the owner untold that day, and
a story that is named and makes no request any more leaves its server's moderators untold.
"""

from collections.abc import Callable, Sequence

from core.domain.budgets import nearly_sentence, spent_sentence
from core.domain.spending import (
    NEARLY,
    PROCESS,
    WHOLE,
    Account,
    Budgets,
    Reservation,
    Standing,
    reached,
    story_account,
)
from core.domain.warned import Alert


class Alerts:
    """What this process has to tell of the budgets."""

    def __init__(
        self,
        budgets: Budgets = Budgets(),  # noqa: B008 - frozen
        tell_owner: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Know of nothing to tell.

        Args:
            budgets: what may be spent.
            tell_owner: given a sentence when the process's budget is nearly spent, and one when all
                of it is.
        """
        self._budgets = budgets
        self._tell_owner = tell_owner
        self._told: dict[int, str] = {}
        self._owed: dict[str, dict[Account, Alert]] = {}

    def nearly_spent(self, reservation: Reservation, standings: Sequence[Standing]) -> None:
        """See to it that people are told of budgets that are nearly spent.

        Args:
            reservation: the request that the ledger ruled on.
            standings: how its payers stand; those with a teller are nearly spent.
        """
        for standing in standings:
            if not standing.teller or standing.teller != reservation.teller(standing.account):
                continue
            caps = self._budgets.caps(standing.account.scope)
            sentence = nearly_sentence(standing, caps)
            if standing.account == PROCESS:
                self._tell_once(NEARLY, reservation.day, sentence)
                if reached(standing.spent, caps):
                    self._told[WHOLE] = reservation.day  # That sentence says it.
            else:
                alert = Alert(reservation.day, standing.account, sentence)
                self._owed.setdefault(reservation.story, {}).setdefault(standing.account, alert)

    def spent(self, reservation: Reservation, refused: Standing) -> str:
        """A request was refused; gives the sentence that says why.

        The story that asked pauses with it, and so needs no alert that this budget is nearly spent.
        """
        sentence = spent_sentence(refused, self._budgets.caps(refused.account.scope))
        self._owed.get(reservation.story, {}).pop(refused.account, None)
        if refused.account == PROCESS and refused.teller == reservation.process:
            self._tell_once(WHOLE, reservation.day, sentence)
        return sentence

    def take(self, story: str, day: str) -> list[Alert]:
        """What a story (its id) must tell its channel on this day; older alerts are forgotten."""
        owed = self._owed.pop(story_account(story).name, {})
        return [alert for alert in owed.values() if alert.day == day]

    def _tell_once(self, percent: int, day: str, sentence: str) -> None:
        if self._told.get(percent) != day:
            self._told[percent] = day
            self._tell_owner(sentence)
