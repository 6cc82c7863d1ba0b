"""What people are told of budgets: that one is spent, that one nearly is, what today has cost.

Sentences for a channel are all ours: no member's word and no name stands in them. When they are
said, and to whom, is decided elsewhere.
"""

from dataclasses import dataclass

from core.domain.spending import MICROS, WHOLE, Budgets, Caps, Scope, Spent, Standing

_CENT = MICROS // 100

_SPENT = {
    Scope.PROCESS: "The bot has spent its budget for today ({}): stories go on",
    Scope.GUILD: "This server has spent its budget for today ({}): its stories go on",
    Scope.STORY: "This story has spent its budget for today ({}): it goes on",
}
_TURNS = "when the UTC day turns, at 00:00."

_NEARLY = {
    Scope.PROCESS: (
        "The bot has spent {} % of its budget for today ({}). When all of it is spent, every "
        "story pauses until the UTC day turns, at 00:00."
    ),
    Scope.GUILD: (
        "For moderators: the stories of this server have spent {} % of its budget for today "
        "({}). When all of it is spent, they pause until the UTC day turns, at 00:00."
    ),
    Scope.STORY: (
        "For moderators: this story has spent {} % of its budget for today ({}). When all of "
        "it is spent, it pauses until the UTC day turns, at 00:00."
    ),
}

_GONE = {
    Scope.PROCESS: (
        "The bot has spent its budget for today ({}). Every story pauses before it goes on, "
        "until the UTC day turns, at 00:00."
    ),
    Scope.GUILD: (
        "For moderators: the stories of this server have spent its budget for today ({}). Each "
        "pauses before it goes on, until the UTC day turns, at 00:00."
    ),
    Scope.STORY: (
        "For moderators: this story has spent its budget for today ({}). It pauses before it "
        "goes on, until the UTC day turns, at 00:00."
    ),
}


def spent_sentence(standing: Standing, caps: Caps) -> str:
    """Whose budget is spent, how much it was, and when things go on."""
    _, amount = _nearest(standing.spent, caps)
    return f"{_SPENT[standing.account.scope].format(amount)} {_TURNS}"


def nearly_sentence(standing: Standing, caps: Caps) -> str:
    """Whose budget is nearly spent, or spent by now, how much of it, and what comes then."""
    percent, amount = _nearest(standing.spent, caps)
    if percent >= WHOLE:
        return _GONE[standing.account.scope].format(amount)
    return _NEARLY[standing.account.scope].format(percent, amount)


@dataclass(frozen=True, slots=True)
class Today:
    """What a story and its server have spent since the UTC day began.

    Attributes:
        story, guild: what was spent or is set aside.
        budgets: what they may spend, and what models cost.
    """

    story: Spent
    guild: Spent
    budgets: Budgets


def today_sentence(today: Today) -> str:
    """What today has cost, in tokens and, where models have prices, in dollars."""
    priced = bool(today.budgets.prices)
    story = _amounts(today.story, today.budgets.story, priced=priced)
    guild = _amounts(today.guild, today.budgets.guild, priced=priced)
    return f"Today (UTC): this story {story}; this server {guild}."


def dollars(micros: int) -> str:
    """An amount as people write it: to the cent, below that to two digits."""
    if 0 < micros < _CENT:
        amount = f"{micros / MICROS:.2g}"
        return f"${amount}" if "e" not in amount else "less than $0.0001"
    return f"${micros / MICROS:,.2f}"


def cap_in_dollars(micros: int) -> str:
    """An amount as the operator set it: to the last digit."""
    whole, part = divmod(micros, MICROS)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{digits}"


def _amounts(spent: Spent, caps: Caps, *, priced: bool) -> str:
    tokens = f"{spent.tokens:,}"
    if caps.tokens is not None:
        tokens += f" of {caps.tokens:,}"
    told = f"{tokens} tokens"
    if not priced:
        return told
    money = f"about {dollars(spent.micros)}"
    if caps.micros is not None:
        money += f" of {cap_in_dollars(caps.micros)}"
    return f"{told}, {money}"


def _nearest(spent: Spent, caps: Caps) -> tuple[int, str]:
    """The cap that is nearest to its end: percent spent, and the amounts in words."""
    of_caps: list[tuple[int, str]] = []
    if caps.tokens is not None:
        used = spent.tokens * WHOLE // max(1, caps.tokens)
        of_caps.append((used, f"{spent.tokens:,} of {caps.tokens:,} tokens"))
    if caps.micros is not None:
        used = spent.micros * WHOLE // max(1, caps.micros)
        of_caps.append((used, f"{dollars(spent.micros)} of {cap_in_dollars(caps.micros)}"))
    return max(of_caps)
