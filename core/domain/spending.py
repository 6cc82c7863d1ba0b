"""What calls to models cost: prices, who pays, and the caps that it is held against.

Money is counted in whole micro-dollars (a millionth of a dollar), so that sums are exact. A price
in dollars for a million tokens is the same number of micro-dollars for one token. Every call is
paid for by the process and, where it is made for one, by a server and by a story; each of these
accounts begins anew with each UTC day. What people are told of it is budgets' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from core.domain.identity import fingerprint
from core.domain.story import Usage

MICROS = 1_000_000
"""Micro-dollars in a dollar."""
NEARLY, WHOLE = 80, 100
"""Percent of a budget at which people are told that it ends, and at which it has ended."""
ANSWER_SHARE = 0.25
"""What part of a request's tokens is taken to come back, before that is known: of a turn's two
requests, 15 and 20 % do."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls came to.

    Attributes:
        tokens: sent and received.
        micros: micro-dollars.

    Raises:
        ValueError: below nothing: no call gives anything back.
    """

    tokens: int = 0
    micros: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 0 or self.micros < 0:
            raise ValueError(f"a call can't cost {self.tokens} tokens and {self.micros} micros")

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.micros + other.micros)


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in dollars for a million of them (as endpoints list it).

    Attributes:
        prompt: of tokens that are sent.
        completion: of tokens that come back; 0 for a model that only reads.
        cached: of sent tokens that the endpoint still knew.
    """

    prompt: float
    completion: float = 0.0
    cached: float = 0.0

    def of(self, usage: Usage) -> int:
        """What calls cost, in micro-dollars, rounded up."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        return ceil(
            fresh * self.prompt
            + usage.cached_tokens * self.cached
            + usage.completion_tokens * self.completion
        )

    def expected(self, tokens: int) -> int:
        """What so many tokens, sent and received, will cost about, in micro-dollars."""
        mixed = (1 - ANSWER_SHARE) * self.prompt + ANSWER_SHARE * self.completion
        return ceil(tokens * max(self.prompt, mixed))


FREE = Price(0.0)
"""Of a model that nobody named a price for."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be spent in a UTC day; None: no cap.

    Attributes:
        tokens: sent and received.
        micros: micro-dollars.
    """

    tokens: int | None = None
    micros: int | None = None


NO_CAPS = Caps()


class Scope(StrEnum):
    """Whose budget it is."""

    PROCESS = "process"
    GUILD = "guild"
    STORY = "story"


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays.

    Attributes:
        scope: what it is.
        name: which one: a server's id, a story's fingerprint; empty for the process.
    """

    scope: Scope
    name: str = ""


PROCESS = Account(Scope.PROCESS)


def guild_account(guild: int) -> Account:
    """The account of a server."""
    return Account(Scope.GUILD, str(guild))


def story_account(story: str) -> Account:
    """The account of a story, by its id as a text.

    It doesn't hold that id: what was spent outlives a story that is deleted, and must name nobody.
    """
    return Account(Scope.STORY, fingerprint(story))


@dataclass(frozen=True, slots=True)
class Budgets:
    """What may be spent in a UTC day, and what models cost.

    Attributes:
        process, guild, story: caps of the process, of each server, of each story.
        prices: by the model's name.
    """

    process: Caps = NO_CAPS
    guild: Caps = NO_CAPS
    story: Caps = NO_CAPS
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])

    def caps(self, scope: Scope) -> Caps:
        """The caps of every account of a scope."""
        return {Scope.PROCESS: self.process, Scope.GUILD: self.guild, Scope.STORY: self.story}[
            scope
        ]

    @property
    def limited(self) -> bool:
        """Whether there is any cap at all."""
        return any(caps != NO_CAPS for caps in (self.process, self.guild, self.story))

    def price(self, model: str) -> Price:
        """What a model costs; nothing where nobody said so."""
        return self.prices.get(model, FREE)

    def expected(self, model: str, tokens: int) -> Spent:
        """What a request of so many tokens will come to about."""
        return Spent(tokens, self.price(model).expected(tokens))

    def cost(self, model: str, usage: Usage) -> Spent:
        """What requests to a model came to."""
        return Spent(usage.tokens, self.price(model).of(usage))


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside for a request before it is sent, until its cost is known.

    Attributes:
        call: id of the request, unique.
        model: which model it goes to.
        spent: what it is expected to come to.
        day: the UTC day that it counts for ("2026-11-23"), however long it takes.
        payers: the accounts that it counts for.
        process: id of the process that sends it, unique per start.
    """

    call: str
    model: str
    spent: Spent
    day: str
    payers: tuple[Account, ...] = (PROCESS,)
    process: str = ""

    @property
    def story(self) -> str:
        """The name of the story's account that pays; empty where none does."""
        return next((payer.name for payer in self.payers if payer.scope is Scope.STORY), "")

    def teller(self, payer: Account) -> str:
        """Who would tell people that this account comes to its end; empty for nobody.

        The owner of the bot is told by a process, everybody else by a story in its channel.
        """
        return self.process if payer.scope is Scope.PROCESS else self.story


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands on a day.

    Attributes:
        account: whose.
        spent: what was spent or is set aside.
        teller: who is to tell people that little or nothing is left; empty: nobody needs to.
    """

    account: Account
    spent: Spent
    teller: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a request may be sent.

    Attributes:
        standings: of each payer, in their order, before the request; where it is repeated, it
            is in them already.
        refused: the first payer whose budget is spent; None: it may be sent.
    """

    standings: tuple[Standing, ...]
    refused: Standing | None = None


def reached(spent: Spent, caps: Caps, percent: int = WHOLE) -> bool:
    """Whether so much of a budget is spent, in tokens or in money."""
    pairs = ((spent.tokens, caps.tokens), (spent.micros, caps.micros))
    return any(cap is not None and used * 100 >= cap * percent for used, cap in pairs)


def day_of(time: float) -> str:
    """The UTC day of a time, as ledgers name it ("2026-11-23")."""
    return datetime.fromtimestamp(time, UTC).date().isoformat()


def day_ends(time: float) -> float:
    """When the UTC day of a time ends, UTC seconds."""
    now = datetime.fromtimestamp(time, UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1)).timestamp()
