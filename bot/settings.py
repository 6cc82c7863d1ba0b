"""The settings of the process: one frozen value, read once at start, with every fault named.

This is the only reader of the environment. What settings there are, and how each one's text is
read, stands in bot.setting_table.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from bot import setting_table as table
from bot.failpoints import Failpoint
from bot.setting_table import Embeddings, LogFormat, LogLevel, Setting
from core.domain.spending import Budgets, Caps, Price
from core.domain.story import Settings
from core.errors import StartError

T_co = TypeVar("T_co", covariant=True)
_KEY_LENGTH = 12
"""Shorter than any key that endpoints give, longer than the users of most databases."""

OPENAI_HOST = "api.openai.com"
"""Where an endpoint is that was given no address."""


class SettingsError(StartError):
    """Settings are missing or wrong.

    Attributes:
        faults: one line per fault: name, value (secrets masked), what would be right.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


# ── the value ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BotSettings:
    """What the process was told; see ``SETTINGS`` of bot.setting_table for each one's meaning.

    ``discord_api_url``, ``discord_gateway_url`` and ``openai_base_url`` are empty for the services'
    own addresses; ``caps`` are the whole process's; ``prices`` are by the model's name;
    ``moderation_model`` is empty for none, and ``moderation_api_key`` may be the other endpoint's;
    ``lease_s`` and ``cooldown_s`` are in seconds;
    ``failpoint`` is None unless a test wants a crash.
    """

    discord_token: str = field(repr=False)
    discord_api_url: str = field(repr=False)
    discord_gateway_url: str = field(repr=False)
    openai_api_key: str = field(repr=False)
    openai_base_url: str = field(repr=False)
    narrator_model: str
    reflector_model: str
    model_patience: int
    embeddings: Embeddings
    embedding_model: str
    redis_url: str = field(repr=False)
    allowed_guilds: frozenset[int]
    caps: Caps
    guild_caps: Caps
    story_caps: Caps
    prices: Mapping[str, Price]
    stories_per_guild: int
    cooldown_s: int
    moderation_model: str
    moderation_base_url: str = field(repr=False)
    moderation_api_key: str = field(repr=False)
    story: Settings
    language: str
    log_level: LogLevel
    log_format: LogFormat
    metrics_port: int | None
    metrics_host: str
    purge_after_days: int
    privacy_contact: str
    lease_s: float
    failpoint: Failpoint | None

    @property
    def has_endpoint(self) -> bool:
        """Whether an endpoint that speaks the OpenAI API was named."""
        return bool(self.openai_api_key or self.openai_base_url)

    @property
    def budgets(self) -> Budgets:
        """What may be spent in a day, and what models cost."""
        return Budgets(self.caps, self.guild_caps, self.story_caps, self.prices)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never reach a log."""
        addresses = (
            self.redis_url,
            self.openai_base_url,
            self.discord_api_url,
            self.discord_gateway_url,
            self.moderation_base_url,
        )
        passwords = [urlsplit(address).password for address in addresses]
        keys = (self.discord_token, self.openai_api_key, self.moderation_api_key)
        return tuple(secret for secret in (*keys, *passwords) if secret)

    @classmethod
    def read(cls, environ: Mapping[str, str], *, playground: bool = False) -> "BotSettings":
        """Read all settings from a mapping of names to texts.

        Args:
            environ: see ``environment``; an empty text is as good as none.
            playground: don't ask for a token and an endpoint, which the playground does without.

        Raises:
            SettingsError: with a line for each fault.
        """
        found = cls.inspect(environ, playground=playground)
        if found.faults:
            raise SettingsError(found.faults)
        return found.settings

    @classmethod
    def inspect(cls, environ: Mapping[str, str], *, playground: bool = False) -> "Inspected":
        """Read what can be read; whatever is missing or wrong is as if it wasn't said.

        Args:
            environ, playground: see ``read``.
        """
        reader = _Reader(environ)
        narrator_model = reader.take(table.NARRATOR_MODEL)
        settings = cls(
            discord_token=reader.take(table.DISCORD_TOKEN),
            discord_api_url=reader.take(table.DISCORD_API_URL),
            discord_gateway_url=reader.take(table.DISCORD_GATEWAY_URL),
            openai_api_key=reader.take(table.OPENAI_API_KEY),
            openai_base_url=reader.take(table.OPENAI_BASE_URL),
            narrator_model=narrator_model,
            reflector_model=reader.take(table.REFLECTOR_MODEL) or narrator_model,
            model_patience=reader.take(table.MODEL_PATIENCE),
            embeddings=reader.take(table.EMBEDDINGS),
            embedding_model=reader.take(table.EMBEDDING_MODEL),
            redis_url=reader.take(table.REDIS_URL),
            allowed_guilds=reader.take(table.ALLOWED_GUILDS),
            caps=Caps(reader.take(table.DAILY_TOKEN_CAP), reader.take(table.DAILY_COST_CAP)),
            guild_caps=Caps(
                reader.take(table.GUILD_DAILY_TOKEN_CAP), reader.take(table.GUILD_DAILY_COST_CAP)
            ),
            story_caps=Caps(
                reader.take(table.STORY_DAILY_TOKEN_CAP), reader.take(table.STORY_DAILY_COST_CAP)
            ),
            prices=reader.take(table.PRICES),
            stories_per_guild=reader.take(table.STORIES_PER_GUILD),
            cooldown_s=reader.take(table.COMMAND_COOLDOWN_SECONDS),
            moderation_model=reader.take(table.MODERATION_MODEL),
            moderation_base_url=reader.take(table.MODERATION_BASE_URL),
            moderation_api_key=reader.take(table.MODERATION_API_KEY),
            story=Settings(
                vote_s=reader.take(table.VOTE_SECONDS),
                sentences=reader.take(table.SENTENCES),
                rule=reader.take(table.VOTING),
                quorum=reader.take(table.QUORUM),
            ),
            language=reader.take(table.LANGUAGE),
            log_level=reader.take(table.LOG_LEVEL),
            log_format=reader.take(table.LOG_FORMAT),
            metrics_port=reader.take(table.METRICS_PORT),
            metrics_host=reader.take(table.METRICS_HOST),
            purge_after_days=reader.take(table.PURGE_AFTER_DAYS),
            privacy_contact=reader.take(table.PRIVACY_CONTACT),
            lease_s=reader.take(table.LEASE_SECONDS),
            failpoint=reader.take(table.FAILPOINT),
        )
        if not playground:
            reader.demand_token()
            reader.demand_endpoint()
        reader.demand_prices(settings)
        if settings.moderation_model and not settings.moderation_api_key:
            key = settings.openai_api_key if reader.shares_key() else ""
            settings = replace(settings, moderation_api_key=key)
            reader.demand_filter_key()
        return Inspected(settings, tuple(reader.faults), (*settings.secrets, *reader.secrets()))


@dataclass(frozen=True, slots=True)
class Inspected:
    """Settings as far as they can be read.

    Attributes:
        settings: those that are missing or wrong at their defaults.
        faults: one line per fault, beginning with the setting's name and a colon.
        secrets: texts that must never be shown, also those that couldn't be read.
    """

    settings: BotSettings
    faults: tuple[str, ...]
    secrets: tuple[str, ...]

    @property
    def faulty(self) -> frozenset[str]:
        """The names of the settings that are missing or wrong."""
        return frozenset(fault.partition(":")[0] for fault in self.faults)


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
        if not self._text(table.DISCORD_TOKEN):
            self.faults.append(
                f"{table.DISCORD_TOKEN.name}: not set; must be {table.DISCORD_TOKEN.right}"
            )

    def demand_endpoint(self) -> None:
        if not (self._text(table.OPENAI_API_KEY) or self._text(table.OPENAI_BASE_URL)):
            self.faults.append(
                f"{table.OPENAI_API_KEY.name}: not set; must be {table.OPENAI_API_KEY.right}; "
                f"or set {table.OPENAI_BASE_URL.name} for a local server"
            )

    def secrets(self) -> list[str]:
        """What must never be shown of the texts, also of those that can't be read."""
        texts = [self._text(setting) for setting in table.SETTINGS if setting.secret]
        for setting in table.SETTINGS:
            if found := table.USER_INFO.search(self._text(setting)):
                user, colon, password = found[0].removesuffix("@").partition(":")
                # Some put a key where the user stands; a short one is a name, and a word besides.
                texts += [password] if colon else [user] * (len(user) >= _KEY_LENGTH)
        return [text for text in texts if text]

    def demand_prices(self, settings: BotSettings) -> None:
        """A cap in dollars holds nothing back where a model that is used has no price."""
        capped = {
            table.DAILY_COST_CAP: settings.caps,
            table.GUILD_DAILY_COST_CAP: settings.guild_caps,
            table.STORY_DAILY_COST_CAP: settings.story_caps,
        }
        needing = [setting.name for setting, caps in capped.items() if caps.micros is not None]
        if not needing or any(fault.startswith(table.PRICES.name) for fault in self.faults):
            return
        for model, setting in _models_used(settings).items():
            named, price = f"{model} ({setting.name})", settings.prices.get(model)
            reads = setting is table.EMBEDDING_MODEL
            if price is None:
                wrong = f"holds no price of {named}"
            elif price.prompt and not price.completion and not reads:
                wrong = f"says nothing of what {named} writes"
            else:
                continue
            self.faults.append(
                f"{table.PRICES.name}: {wrong}, which {needing[0]} needs; "
                f"add {model}=prompt{'' if reads else '/completion'}, in dollars for a million "
                "tokens"
            )

    def shares_key(self) -> bool:
        """Whether both endpoints are OpenAI's own: a key goes only to whoever it is a key of."""
        addresses = (table.OPENAI_BASE_URL, table.MODERATION_BASE_URL)
        return all(_is_openai(self._text(address)) for address in addresses)

    def demand_filter_key(self) -> None:
        key = table.OPENAI_API_KEY if self.shares_key() else table.MODERATION_API_KEY
        if not (self._text(table.MODERATION_API_KEY) or self._text(key)):
            self.faults.append(
                f"{table.MODERATION_API_KEY.name}: not set; must be "
                f"{table.MODERATION_API_KEY.right}, since {table.MODERATION_MODEL.name} is set "
                f"(a local server usually takes any word); {table.OPENAI_API_KEY.name} takes its "
                f"place only where {table.OPENAI_BASE_URL.name} and "
                f"{table.MODERATION_BASE_URL.name} are both OpenAI's own"
            )

    def _text(self, setting: Setting[object]) -> str:
        return self._environ.get(setting.name, "").strip()


def _models_used(settings: BotSettings) -> dict[str, Setting[str]]:
    """The models that are paid for, and the settings that name them."""
    if not settings.has_endpoint:
        return {}
    used: dict[str, Setting[str]] = {settings.narrator_model: table.NARRATOR_MODEL}
    used.setdefault(settings.reflector_model, table.REFLECTOR_MODEL)
    if settings.embeddings is Embeddings.OPENAI:
        used.setdefault(settings.embedding_model, table.EMBEDDING_MODEL)
    return used


def _is_openai(address: str) -> bool:
    """Whether an address, which may be none at all, is of OpenAI's own endpoint."""
    try:
        return not address or urlsplit(address).hostname == OPENAI_HOST
    except ValueError:
        return False


def environment(folder: Path) -> dict[str, str]:
    """The process's environment over the names of ``folder``/.env, where there is one.

    Raises:
        SettingsError: the file can't be read.
    """
    return named_in(folder) | dict(os.environ)


def named_in(folder: Path) -> dict[str, str]:
    """What ``folder``/.env says; nothing where there is none. Raises like ``environment``."""
    file = folder / ".env"
    if not file.is_file():
        return {}
    try:
        # Without interpolation: a token may have a "$" in it.
        named = dotenv_values(file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f".env: {file} can't be read ({error}); it must be UTF-8"]) from error
    return {name: text for name, text in named.items() if text is not None}


def process_environment() -> dict[str, str]:
    """The process's environment alone."""
    return dict(os.environ)
