"""Every setting of the process: its name, how its text is read, what it is when nothing is said.

``SETTINGS`` lists them all, in the order in which documentation does. They are read out of the
environment in bot.settings; nothing is read here. Rules of a single story that members may change
are core.domain.story.Settings; here are only the defaults they start with.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit

from bot.failpoints import RIGHT, Failpoint
from core.domain.spending import MICROS, Price
from core.domain.story import VotingRule

VOTE_SECONDS_RANGE = range(5, 604_801)
"""From a playground's quick vote to a week."""
SENTENCES_RANGE = range(3, 41)
"""Around the 20 of arXiv 2305.13304."""
QUORUM_RANGE = range(1, 1001)
LEASE_SECONDS_RANGE = range(1, 61)
COOLDOWN_RANGE = range(3601)
PATIENCE_RANGE = range(1, 21)
STORIES_RANGE = range(1, 1_001)
PORT_RANGE = range(1, 65_536)
PURGE_DAYS_RANGE = range(1, 366)
CONTACT_LENGTH = 200
LANGUAGE_LENGTH = 60

USER_INFO = re.compile(r"(?<=//).*@")
"""User and password in an address, also in one that is broken by a character of the password:
rather too much than too little."""

T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)


class Embeddings(StrEnum):
    """What turns summaries into vectors."""

    MINILM = "minilm"
    OPENAI = "openai"


class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co]):
    """One setting of the environment.

    Attributes:
        name: of the variable.
        read: from its text, already stripped and not empty; raises ValueError when it isn't right.
        right: what would be right, worded to follow "must be".
        default: the value when the variable is missing or empty.
        help: what it is for, one sentence.
        secret: whether its value must never be shown.
    """

    name: str
    read: Callable[[str], T_co]
    right: str
    default: T_co
    help: str
    secret: bool = False

    def shown(self, text: str) -> str:
        """The value as a fault may show it: one line, secrets and passwords masked, cut if long."""
        if self.secret:
            return f"(hidden, {len(text)} characters)"
        printable = "".join(c if c.isprintable() else "�" for c in text)
        masked = USER_INFO.sub("(hidden)@", printable)
        return f'"{masked}"' if len(masked) <= 80 else f'"{masked[:80]}…"'


# ── how texts are read ───────────────────────────────────────────────────────────────────────────


def _whole(within: range) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = _digits(text)
        if number not in within:
            raise ValueError(text)
        return number

    return read


def _digits(text: str) -> int:
    """A whole number as people write one: ``int`` would also take "1_000" and "+5"."""
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise ValueError(text)
    return int(text)


def _cap(text: str) -> int | None:
    number = _digits(text)
    if not number:
        raise ValueError(text)
    return number


def _port(text: str) -> int | None:
    return _whole(PORT_RANGE)(text)


def _amount(text: str) -> Decimal:
    """An amount of dollars as people write one: "0.25", not "1e3" and not "-1"."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        raise ValueError(text)
    return Decimal(text)


def _money_cap(text: str) -> int | None:
    micros = int(_amount(text) * MICROS)
    if not micros:
        raise ValueError(text)
    return micros


def _prices(text: str) -> Mapping[str, Price]:
    """model=prompt/completion or model=prompt/cached/completion, with commas between models."""
    prices: dict[str, Price] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        model, found, numbers = part.rpartition("=")
        amounts = [float(_amount(number.strip())) for number in numbers.split("/")]
        if not found or not model.strip() or model.strip() in prices:
            raise ValueError(text)
        match amounts:
            case [prompt]:
                price = Price(prompt, 0.0, prompt)
            case [prompt, completion]:
                price = Price(prompt, completion, prompt)
            case [prompt, cached, completion]:
                price = Price(prompt, completion, cached)
            case _:
                raise ValueError(text)
        prices[model.strip()] = price
    if not prices:
        raise ValueError(text)
    return MappingProxyType(prices)


def _ids(text: str) -> frozenset[int]:
    ids = frozenset(_digits(part.strip()) for part in text.split(",") if part.strip())
    if not ids:
        raise ValueError(text)  # commas alone would mean: everywhere
    return ids


def _secret(text: str) -> str:
    if any(character.isspace() for character in text) or not text.isascii():
        raise ValueError
    return text


def _short(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > limit or not text.isprintable():
            raise ValueError(text)
        return text

    return read


def _one_of(choices: type[E], fold: Callable[[str], str] = str.lower) -> Callable[[str], E]:
    return lambda text: choices(fold(text))


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0:
            raise ValueError(text)
        return text.rstrip("/")

    return read


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not place or _database(parts):
        raise ValueError(text)
    return text


def _database(parts: SplitResult) -> int:
    """The database's number: RediSearch indexes database 0 alone."""
    named = parse_qs(parts.query).get("db", ["0"])[-1]
    path = "" if parts.scheme == "unix" else parts.path.strip("/")
    return _digits(path or named)


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def _words(within: range) -> str:
    return f"a whole number from {within.start} to {within.stop - 1}"


DISCORD_TOKEN = Setting(
    "DISCORD_TOKEN",
    _secret,
    "a bot's token as Discord's developer portal shows it (Bot › Reset Token), without spaces",
    "",
    "The bot's token, from Discord's developer portal.",
    secret=True,
)
DISCORD_API_URL = Setting(
    "DISCORD_API_URL",
    _url("http", "https"),
    "an http:// or https:// address up to and with the version, such as http://127.0.0.1:8080/api/v10",
    "",
    "REST address of another server that speaks Discord's protocol.",
)
DISCORD_GATEWAY_URL = Setting(
    "DISCORD_GATEWAY_URL",
    _url("ws", "wss"),
    "a ws:// or wss:// address",
    "",
    "Gateway address of another server that speaks Discord's protocol.",
)
OPENAI_API_KEY = Setting(
    "OPENAI_API_KEY",
    _secret,
    "the endpoint's key, without spaces",
    "",
    "Key of the endpoint that writes; a local server usually takes any word.",
    secret=True,
)
OPENAI_BASE_URL = Setting(
    "OPENAI_BASE_URL",
    _url("http", "https"),
    "an http:// or https:// address, up to and with /v1",
    "",
    "Address of an endpoint that speaks the OpenAI API; empty: OpenAI's own.",
)
NARRATOR_MODEL = Setting(
    "NARRATOR_MODEL",
    _short(200),
    "a model's name as the endpoint knows it",
    "gpt-5-mini",
    "The model that writes the paragraphs.",
)
REFLECTOR_MODEL = Setting(
    "REFLECTOR_MODEL",
    _short(200),
    "a model's name as the endpoint knows it",
    "",
    "The model that rewrites the memory and makes the plans; empty: the narrator's.",
)
MODEL_PATIENCE = Setting(
    "MODEL_PATIENCE",
    _whole(PATIENCE_RANGE),
    _words(PATIENCE_RANGE),
    1,
    "How many times longer than usual (20 s to the first word, 120 s for a paragraph) a model is "
    "waited for; more for a local one on a slow machine.",
)
EMBEDDINGS = Setting(
    "EMBEDDINGS",
    _one_of(Embeddings),
    "minilm or openai",
    Embeddings.MINILM,
    "What turns summaries into vectors: minilm (in the process, reads English) or the endpoint.",
)
EMBEDDING_MODEL = Setting(
    "EMBEDDING_MODEL",
    _short(200),
    "a model's name as the endpoint knows it",
    "text-embedding-3-small",
    "The endpoint's embedding model; only for EMBEDDINGS=openai.",
)
REDIS_URL = Setting(
    "REDIS_URL",
    _redis_url,
    "redis://host:port/0, rediss://host:port/0 or unix:///path (search works in database 0 alone)",
    "redis://127.0.0.1:6379/0",
    "Redis 8, or another with RediSearch.",
)
ALLOWED_GUILDS = Setting(
    "ALLOWED_GUILDS",
    _ids,
    "ids of servers with commas between them, such as 81384788765712384,41771983423143937",
    frozenset[int](),
    "Servers in which stories may be started; empty: all. A story that runs elsewhere goes on.",
)
_CAP_RIGHT = "a whole number of at least 1, or empty for no cap"
_MONEY_RIGHT = "an amount of dollars such as 2.50, or empty for no cap"

DAILY_TOKEN_CAP: Setting[int | None] = Setting(
    "DAILY_TOKEN_CAP",
    _cap,
    _CAP_RIGHT,
    None,
    "Tokens of the whole process in a UTC day; reached, stories pause until the next.",
)
DAILY_COST_CAP: Setting[int | None] = Setting(
    "DAILY_COST_CAP",
    _money_cap,
    _MONEY_RIGHT,
    None,
    "Dollars of the whole process in a UTC day, by PRICES; reached, stories pause until the next.",
)
GUILD_DAILY_TOKEN_CAP: Setting[int | None] = Setting(
    "GUILD_DAILY_TOKEN_CAP",
    _cap,
    _CAP_RIGHT,
    None,
    "Tokens of one server in a UTC day; reached, its stories pause until the next.",
)
GUILD_DAILY_COST_CAP: Setting[int | None] = Setting(
    "GUILD_DAILY_COST_CAP",
    _money_cap,
    _MONEY_RIGHT,
    None,
    "Dollars of one server in a UTC day, by PRICES; reached, its stories pause until the next.",
)
STORY_DAILY_TOKEN_CAP: Setting[int | None] = Setting(
    "STORY_DAILY_TOKEN_CAP",
    _cap,
    _CAP_RIGHT,
    None,
    "Tokens of one story in a UTC day; reached, it pauses until the next.",
)
STORY_DAILY_COST_CAP: Setting[int | None] = Setting(
    "STORY_DAILY_COST_CAP",
    _money_cap,
    _MONEY_RIGHT,
    None,
    "Dollars of one story in a UTC day, by PRICES; reached, it pauses until the next.",
)
PRICES: Setting[Mapping[str, Price]] = Setting(
    "PRICES",
    _prices,
    "model=prompt/completion or model=prompt/cached/completion, in dollars for a million tokens, "
    "with commas between models",
    MappingProxyType({}),
    "What the models cost: with it, what stories cost is shown and can be capped.",
)
STORIES_PER_GUILD: Setting[int] = Setting(
    "STORIES_PER_GUILD",
    _whole(STORIES_RANGE),
    _words(STORIES_RANGE),
    50,
    "Stories that may run at once in one server.",
)
COMMAND_COOLDOWN_SECONDS = Setting(
    "COMMAND_COOLDOWN_SECONDS",
    _whole(COOLDOWN_RANGE),
    _words(COOLDOWN_RANGE),
    5,
    "How long a member waits between commands that cost, in seconds; 0: not at all.",
)
VOTE_SECONDS = Setting(
    "VOTE_SECONDS",
    _whole(VOTE_SECONDS_RANGE),
    _words(VOTE_SECONDS_RANGE),
    3600,
    "How long a vote of a new story lasts, in seconds.",
)
SENTENCES = Setting(
    "SENTENCES",
    _whole(SENTENCES_RANGE),
    _words(SENTENCES_RANGE),
    20,
    "Sentences in a paragraph of a new story.",
)
QUORUM = Setting(
    "QUORUM",
    _whole(QUORUM_RANGE),
    _words(QUORUM_RANGE),
    1,
    "Voters without whom a ballot of a new story doesn't count.",
)
VOTING = Setting(
    "VOTING",
    _one_of(VotingRule),
    "approval or single",
    VotingRule.APPROVAL,
    "approval: every reaction counts; single: who picked several options counts for none.",
)
LANGUAGE = Setting(
    "LANGUAGE",
    _short(LANGUAGE_LENGTH),
    f"a language's name of at most {LANGUAGE_LENGTH} characters",
    "English",
    "The language of a new story, as one would say it to a writer.",
)
LOG_LEVEL = Setting(
    "LOG_LEVEL",
    _one_of(LogLevel, str.upper),
    "DEBUG, INFO, WARNING or ERROR",
    LogLevel.INFO,
    "The least that is logged.",
)
LOG_FORMAT = Setting(
    "LOG_FORMAT",
    _one_of(LogFormat),
    "text or json",
    LogFormat.TEXT,
    "text for people, json for machines.",
)
METRICS_PORT: Setting[int | None] = Setting(
    "METRICS_PORT",
    _port,
    f"{_words(PORT_RANGE)}, or empty for none",
    None,
    "Port with /metrics (Prometheus) and /healthz; empty: none.",
)
METRICS_HOST = Setting(
    "METRICS_HOST",
    _short(255),
    "an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    "127.0.0.1",
    "Address on which METRICS_PORT listens.",
)
MODERATION_MODEL = Setting(
    "MODERATION_MODEL",
    _short(200),
    "a model's name as the endpoint knows it, such as omni-moderation-latest",
    "",
    "The moderation model that premises, edits and paragraphs are shown to; empty: none.",
)
MODERATION_BASE_URL = Setting(
    "MODERATION_BASE_URL",
    _url("http", "https"),
    "an http:// or https:// address, up to and with /v1",
    "",
    "Address of the endpoint with /moderations; empty: OpenAI's own.",
)
MODERATION_API_KEY = Setting(
    "MODERATION_API_KEY",
    _secret,
    "the endpoint's key, without spaces",
    "",
    "Key of the moderation endpoint; empty: OPENAI_API_KEY, where that one is OpenAI's own too.",
    secret=True,
)
PURGE_AFTER_DAYS = Setting(
    "PURGE_AFTER_DAYS",
    _whole(PURGE_DAYS_RANGE),
    _words(PURGE_DAYS_RANGE),
    30,
    "Days after which everything of a server that the bot was removed from is deleted.",
)
PRIVACY_CONTACT = Setting(
    "PRIVACY_CONTACT",
    _short(CONTACT_LENGTH),
    f"a name, an address or a link of at most {CONTACT_LENGTH} characters",
    "",
    "Whom /privacy names for questions and deletion; empty: whoever owns the bot at Discord.",
)
LEASE_SECONDS = Setting(
    "LEASE_SECONDS",
    _whole(LEASE_SECONDS_RANGE),
    _words(LEASE_SECONDS_RANGE),
    10,
    "How long a story waits for a process that died in the middle of its turn, in seconds.",
)

SETTINGS: tuple[Setting[object], ...] = (
    DISCORD_TOKEN,
    DISCORD_API_URL,
    DISCORD_GATEWAY_URL,
    OPENAI_API_KEY,
    OPENAI_BASE_URL,
    NARRATOR_MODEL,
    REFLECTOR_MODEL,
    MODEL_PATIENCE,
    EMBEDDINGS,
    EMBEDDING_MODEL,
    REDIS_URL,
    ALLOWED_GUILDS,
    DAILY_TOKEN_CAP,
    DAILY_COST_CAP,
    GUILD_DAILY_TOKEN_CAP,
    GUILD_DAILY_COST_CAP,
    STORY_DAILY_TOKEN_CAP,
    STORY_DAILY_COST_CAP,
    PRICES,
    STORIES_PER_GUILD,
    COMMAND_COOLDOWN_SECONDS,
    MODERATION_MODEL,
    MODERATION_BASE_URL,
    MODERATION_API_KEY,
    VOTE_SECONDS,
    SENTENCES,
    QUORUM,
    VOTING,
    LANGUAGE,
    LOG_LEVEL,
    LOG_FORMAT,
    METRICS_PORT,
    METRICS_HOST,
    PURGE_AFTER_DAYS,
    PRIVACY_CONTACT,
    LEASE_SECONDS,
)
"""Every setting, in the order in which documentation lists them."""

FAILPOINT: Setting[Failpoint | None] = Setting(
    "FAILPOINT",
    Failpoint.read,
    RIGHT,
    None,
    "Where the process kills itself.",
)
"""For crash tests alone, and so not one of SETTINGS, which an operator is told about."""
