"""What the settings themselves tell: their faults, names that look misspelt, choices with a risk.

Pure: settings in, findings out. What a setting leads to (a server, a model) is looked at elsewhere.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from urllib.parse import urlsplit

from bot.setting_table import SETTINGS, LogLevel
from bot.settings import BotSettings, Inspected
from core.domain.checkup import Area, Finding, Topic

_LOCAL_ENDS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
_LIKENESS = 0.87
"""Of a name and the setting it was meant to be: a letter or an "S" more or less."""


def settings_findings(read: Inspected, file: Iterable[str] = ()) -> list[Finding]:
    """Everything that can be said of the settings without asking anybody.

    Args:
        read: the settings as far as they can be read.
        file: the names in .env.
    """
    found = [
        *map(_fault, read.faults),
        *_misspelt(file),
        *_spending(read.settings),
        *_in_the_open(read.settings),
        *_logging(read.settings),
        *_unused(read.settings),
        *_for_tests(read.settings),
    ]
    if not read.faults:
        found.insert(0, Topic(Area.SETTINGS, "values").ok("all can be read"))
    return found


def _fault(line: str) -> Finding:
    """A line of BotSettings.read: "NAME: value must be what would be right"."""
    found, must, right = line.partition(" must be ")
    if not must:
        found, _, right = line.partition("; ")
        remedy = f"{right[:1].upper()}{right[1:]}." if right else "See .env.example."
    else:
        remedy = f"It must be {right}."
    return Topic(Area.SETTINGS, "values").fault(found.rstrip(";"), remedy)


def _misspelt(file: Iterable[str]) -> Iterator[Finding]:
    known = {setting.name for setting in SETTINGS}
    for name in file:
        if name in known:
            continue
        if meant := get_close_matches(name, known, 1, _LIKENESS):
            yield Topic(Area.SETTINGS, "names").warning(
                f".env has {name}, which is no setting and does nothing",
                f"If you meant {meant[0]}, write that.",
            )


def _spending(settings: BotSettings) -> Iterator[Finding]:
    topic = Topic(Area.SETTINGS, "spending")
    if settings.budgets.limited or not settings.has_endpoint:
        return
    if is_near(settings.openai_base_url):
        yield topic.ok("no cap; the endpoint is near by, and may cost nothing")
        return
    yield topic.warning(
        "no cap is set, so a day may cost any amount",
        "Set DAILY_TOKEN_CAP, or DAILY_COST_CAP with PRICES.",
    )


def _in_the_open(settings: BotSettings) -> Iterator[Finding]:
    """Whatever leaves the machine, or lets others in, without anything that protects it."""
    topic = Topic(Area.SETTINGS, "exposure")
    addresses = {
        "OPENAI_BASE_URL": (settings.openai_base_url, settings.openai_api_key),
        "MODERATION_BASE_URL": (settings.moderation_base_url, settings.moderation_api_key),
        "DISCORD_API_URL": (settings.discord_api_url, settings.discord_token),
        "REDIS_URL": (settings.redis_url, urlsplit(settings.redis_url).password),
    }
    for name, (address, secret) in addresses.items():
        plain = urlsplit(address).scheme in {"http", "redis"}
        if secret and plain and not is_near(address):
            yield topic.warning(
                f"{name} goes over the network without TLS, and so do the secret and the stories",
                "Use https:// (rediss:// for Redis), or a network of your own.",
            )
    if settings.metrics_port and not is_near(f"http://{settings.metrics_host}"):
        yield topic.warning(
            f"METRICS_HOST {settings.metrics_host} lets every machine that reaches this one read "
            "the metrics",
            "Keep 127.0.0.1, or have a firewall let only the monitoring in.",
        )


def _logging(settings: BotSettings) -> Iterator[Finding]:
    if settings.log_level is LogLevel.DEBUG:
        yield Topic(Area.SETTINGS, "log").warning(
            "LOG_LEVEL DEBUG writes many lines for every turn",
            "Set INFO, unless you look for something just now.",
        )


def _unused(settings: BotSettings) -> Iterator[Finding]:
    alone = settings.moderation_base_url or settings.moderation_api_key
    if alone and not settings.moderation_model:
        yield Topic(Area.SETTINGS, "moderation").warning(
            "a moderation endpoint is set and no MODERATION_MODEL: no text is looked at",
            "Set MODERATION_MODEL, such as omni-moderation-latest, or take the endpoint out.",
        )


def _for_tests(settings: BotSettings) -> Iterator[Finding]:
    if settings.failpoint is not None:
        yield Topic(Area.SETTINGS, "failpoint").fault(
            "FAILPOINT has the bot kill itself in the middle of a turn; it is for tests alone",
            "Remove it.",
        )
    if settings.discord_api_url or settings.discord_gateway_url:
        yield Topic(Area.SETTINGS, "other server").warning(
            "DISCORD_API_URL or DISCORD_GATEWAY_URL is set: the bot talks to another server than "
            "Discord",
            "Remove both, unless that is what you want.",
        )


def is_near(address: str) -> bool:
    """Whether an address is on this machine or in a network of one's own, as far as it tells.

    A name without a dot is one of a container's or a home's network.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme == "unix":
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith(_LOCAL_ENDS))
    return not ip.is_unspecified and not ip.is_global
