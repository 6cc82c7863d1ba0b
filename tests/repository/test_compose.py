"""docker-compose.yml: a Redis that keeps what it is given, and a bot that may do little else."""

import re
from io import StringIO
from typing import Any

import yaml
from dotenv import dotenv_values

from bot.setting_table import METRICS_HOST, METRICS_PORT, Embeddings
from bot.settings import BotSettings
from tests.repository.root import read

KEYS = {
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "env_file",
    "extra_hosts",
    "environment",
    "healthcheck",
    "image",
    "logging",
    "mem_limit",
    "pids_limit",
    "ports",
    "read_only",
    "restart",
    "security_opt",
    "stop_grace_period",
    "tmpfs",
    "volumes",
}
"""Of a service, those that are used here (github.com/compose-spec/compose-spec, 05-services.md)."""


def services() -> dict[str, Any]:
    return yaml.safe_load(read("docker-compose.yml"))["services"]


def redis_options() -> dict[str, str]:
    """The server's options by name."""
    words: list[str] = services()["redis"]["command"][1:]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_redis_keeps_every_story_on_disk() -> None:
    """Append-only, synced at every write, into a named volume; nothing is evicted to make room."""
    assert redis_options() == {
        "--appendonly": "yes",
        "--appendfsync": "always",
        "--maxmemory-policy": "noeviction",
    }
    assert services()["redis"]["volumes"] == ["redis-data:/data"]
    assert "redis-data" in yaml.safe_load(read("docker-compose.yml"))["volumes"]


def test_redis_loads_its_search_module() -> None:
    """Redis 8's entry point loads it only while the command begins with redis-server."""
    redis = services()["redis"]
    assert re.fullmatch(r"redis:8(\.\d+)*", redis["image"])
    assert redis["command"][0] == "redis-server"
    assert "entrypoint" not in redis


def test_redis_is_not_published_beyond_the_host() -> None:
    """It has no password: only this machine's loopback may reach it."""
    for port in services()["redis"].get("ports", []):
        assert port.startswith("127.0.0.1:")
    assert services()["redis"].get("network_mode") != "host"


def test_redis_is_healthy_only_once_it_answers() -> None:
    """An error, as while the data loads, is not a PONG."""
    kind, command = services()["redis"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert "redis-cli ping" in command
    assert "PONG" in command


def test_the_bot_waits_for_redis_and_reaches_it() -> None:
    """It starts against a Redis that answers, in database 0: RediSearch knows no other."""
    bot = services()["bot"]
    assert bot["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert bot["environment"]["REDIS_URL"] == "redis://redis:6379/0"
    assert bot["env_file"] == ".env"


def test_both_come_back_after_a_crash_and_stop_in_peace() -> None:
    """A host that reboots has its stories running again; sends under way get time to finish."""
    for service in services().values():
        assert service["restart"] == "unless-stopped"
        assert int(service["stop_grace_period"].removesuffix("s")) >= 20


def test_the_bot_may_change_nothing_but_tmp() -> None:
    """All that it keeps is in Redis, so nothing else needs to be writable."""
    bot = services()["bot"]
    assert bot["read_only"] is True
    assert bot["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's own, in memory
    assert bot["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in bot["security_opt"]
    assert bot["mem_limit"] == "1g"
    assert bot["pids_limit"] >= 100
    assert "privileged" not in bot
    assert "volumes" not in bot


def test_monitoring_is_reached_from_this_host_alone() -> None:
    """Inside, the bot listens on every address, or nothing could be published at all."""
    bot = services()["bot"]
    port = METRICS_PORT.read(bot["environment"]["METRICS_PORT"])
    assert METRICS_HOST.read(bot["environment"]["METRICS_HOST"]) == "0.0.0.0"  # noqa: S104
    assert bot["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert "network_mode" not in bot


def test_the_images_own_health_check_is_left_alone() -> None:
    assert "healthcheck" not in services()["bot"]
    assert services()["bot"]["build"] == "."


def test_two_values_of_env_are_enough() -> None:
    """A copy of .env.example with token and key, under what compose sets, is a whole setup."""
    named = dotenv_values(stream=StringIO(read(".env.example")), interpolate=False)
    named |= {"DISCORD_TOKEN": "a-token", "OPENAI_API_KEY": "sk-a-key"}
    given = {name: text or "" for name, text in named.items()}
    settings = BotSettings.read(given | services()["bot"]["environment"])
    assert settings.redis_url == "redis://redis:6379/0"
    assert settings.metrics_port == 9464
    assert settings.embeddings is Embeddings.MINILM, "the image has its weights"
    assert settings.has_endpoint
    assert settings.failpoint is None


def test_what_is_compose_s_business_wins_over_env() -> None:
    """A container's environment is env_file below environment, so what .env says of it is moot."""
    assert set(services()["bot"]["environment"]) == {"REDIS_URL", "METRICS_HOST", "METRICS_PORT"}
    assert all(isinstance(value, str) for value in services()["bot"]["environment"].values())


def test_logs_are_kept_and_never_fill_the_disk() -> None:
    for service in services().values():
        options = service["logging"]["options"]
        assert service["logging"]["driver"] == "json-file"
        assert re.fullmatch(r"[0-9]+m", options["max-size"])
        assert isinstance(options["max-file"], str), "options of a log driver are texts"


def test_nothing_in_it_is_known_to_no_engine() -> None:
    """Each key is one of the Compose specification's, and all that is named is there."""
    whole = yaml.safe_load(read("docker-compose.yml"))
    assert {name for name in whole if not name.startswith("x-")} == {"name", "services", "volumes"}
    for service in services().values():
        assert set(service) <= KEYS
        for needed in service.get("depends_on", {}):
            assert "healthcheck" in services()[needed]
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in whole["volumes"]


def test_a_model_on_the_host_can_be_reached() -> None:
    """docs/providers.md names it so; on Linux Docker knows the name only where it is asked to."""
    assert services()["bot"]["extra_hosts"] == ["host.docker.internal:host-gateway"]
