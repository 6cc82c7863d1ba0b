"""The settings of the process: one frozen value, read once at start, with every fault named.

This is the only reader of the environment. Each setting is one ``Setting`` in ``SETTINGS``: its
name, how its text is read, what it is when nothing is said. Rules of a single story that members
may change are core.domain.story.Settings; here are only the defaults they start with.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit

from dotenv import dotenv_values

from bot.failpoints import RIGHT, Failpoint
from core.domain.story import Settings, VotingRule
from core.errors import StartError

VOTE_SECONDS_RANGE = range(5, 604_801)
"""From a playground's quick vote to a week."""
SENTENCES_RANGE = range(3, 41)
"""Around the 20 of arXiv 2305.13304."""
QUORUM_RANGE = range(1, 1001)
LEASE_SECONDS_RANGE = range(1, 61)
LANGUAGE_LENGTH = 60

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


class SettingsError(StartError):
    """Settings are missing or wrong.

    Attributes:
        faults: one line per fault: name, value (secrets masked), what would be right.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


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
        masked = re.sub(r"(?<=//)[^/@\s]*@", "(hidden)@", printable)
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
DAILY_TOKEN_CAP: Setting[int | None] = Setting(
    "DAILY_TOKEN_CAP",
    _cap,
    "a whole number of at least 1, or empty for no cap",
    None,
    "Tokens of the whole process in a UTC day; reached, stories pause until the next.",
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
    EMBEDDINGS,
    EMBEDDING_MODEL,
    REDIS_URL,
    ALLOWED_GUILDS,
    DAILY_TOKEN_CAP,
    VOTE_SECONDS,
    SENTENCES,
    QUORUM,
    VOTING,
    LANGUAGE,
    LOG_LEVEL,
    LOG_FORMAT,
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


# ── the value ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BotSettings:
    """What the process was told; see ``SETTINGS`` for each one's meaning.

    ``discord_api_url``, ``discord_gateway_url`` and ``openai_base_url`` are empty for the services'
    own addresses; ``daily_token_cap`` is None for no cap; ``lease_s`` is in seconds;
    ``failpoint`` is None unless a test wants a crash.
    """

    discord_token: str = field(repr=False)
    discord_api_url: str = field(repr=False)
    discord_gateway_url: str = field(repr=False)
    openai_api_key: str = field(repr=False)
    openai_base_url: str = field(repr=False)
    narrator_model: str
    reflector_model: str
    embeddings: Embeddings
    embedding_model: str
    redis_url: str = field(repr=False)
    allowed_guilds: frozenset[int]
    daily_token_cap: int | None
    story: Settings
    language: str
    log_level: LogLevel
    log_format: LogFormat
    lease_s: float
    failpoint: Failpoint | None

    @property
    def has_endpoint(self) -> bool:
        """Whether an endpoint that speaks the OpenAI API was named."""
        return bool(self.openai_api_key or self.openai_base_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never reach a log."""
        addresses = (
            self.redis_url,
            self.openai_base_url,
            self.discord_api_url,
            self.discord_gateway_url,
        )
        passwords = [urlsplit(address).password for address in addresses]
        return tuple(s for s in (self.discord_token, self.openai_api_key, *passwords) if s)

    @classmethod
    def read(cls, environ: Mapping[str, str], *, playground: bool = False) -> "BotSettings":
        """Read all settings from a mapping of names to texts.

        Args:
            environ: see ``environment``; an empty text is as good as none.
            playground: don't ask for a token and an endpoint, which the playground does without.

        Raises:
            SettingsError: with a line for each fault.
        """
        reader = _Reader(environ)
        narrator_model = reader.take(NARRATOR_MODEL)
        settings = cls(
            discord_token=reader.take(DISCORD_TOKEN),
            discord_api_url=reader.take(DISCORD_API_URL),
            discord_gateway_url=reader.take(DISCORD_GATEWAY_URL),
            openai_api_key=reader.take(OPENAI_API_KEY),
            openai_base_url=reader.take(OPENAI_BASE_URL),
            narrator_model=narrator_model,
            reflector_model=reader.take(REFLECTOR_MODEL) or narrator_model,
            embeddings=reader.take(EMBEDDINGS),
            embedding_model=reader.take(EMBEDDING_MODEL),
            redis_url=reader.take(REDIS_URL),
            allowed_guilds=reader.take(ALLOWED_GUILDS),
            daily_token_cap=reader.take(DAILY_TOKEN_CAP),
            story=Settings(
                vote_s=reader.take(VOTE_SECONDS),
                sentences=reader.take(SENTENCES),
                rule=reader.take(VOTING),
                quorum=reader.take(QUORUM),
            ),
            language=reader.take(LANGUAGE),
            log_level=reader.take(LOG_LEVEL),
            log_format=reader.take(LOG_FORMAT),
            lease_s=reader.take(LEASE_SECONDS),
            failpoint=reader.take(FAILPOINT),
        )
        if not playground:
            reader.demand_token()
            reader.demand_endpoint()
        if reader.faults:
            raise SettingsError(reader.faults)
        return settings


class _Reader:
    """Takes settings out of an environment and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def take(self, setting: Setting[T_co]) -> T_co:
        text = self._text(setting)
        if not text:
            return setting.default
        try:
            return setting.read(text)
        except ValueError:
            self.faults.append(f"{setting.name}: {setting.shown(text)} must be {setting.right}")
            return setting.default

    def demand_token(self) -> None:
        if not self._text(DISCORD_TOKEN):
            self.faults.append(f"{DISCORD_TOKEN.name}: not set; must be {DISCORD_TOKEN.right}")

    def demand_endpoint(self) -> None:
        if not (self._text(OPENAI_API_KEY) or self._text(OPENAI_BASE_URL)):
            self.faults.append(
                f"{OPENAI_API_KEY.name}: not set; must be {OPENAI_API_KEY.right}; "
                f"or set {OPENAI_BASE_URL.name} for a local server"
            )

    def _text(self, setting: Setting[object]) -> str:
        return self._environ.get(setting.name, "").strip()


def environment(folder: Path) -> dict[str, str]:
    """The process's environment over the names of ``folder``/.env, where there is one.

    Raises:
        SettingsError: the file can't be read.
    """
    file = folder / ".env"
    if not file.is_file():
        return dict(os.environ)
    try:
        # Without interpolation: a token may have a "$" in it.
        named = dotenv_values(file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f".env: {file} can't be read ({error}); it must be UTF-8"]) from error
    return {name: text for name, text in named.items() if text is not None} | dict(os.environ)
