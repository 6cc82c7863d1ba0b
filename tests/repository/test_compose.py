"""docker-compose.yml: a Redis that keeps what it is given, and a bot that may do little else."""

import re
from typing import Any

import yaml

from tests.repository.root import read


def services() -> dict[str, Any]:
    return yaml.safe_load(read("docker-compose.yml"))["services"]


def redis_options() -> dict[str, str]:
    """The server's options by name."""
    words: list[str] = services()["redis"]["command"][1:]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_redis_keeps_every_story_on_disk() -> None:
    """Append-only, synced every second, into a named volume; nothing is evicted to make room."""
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
    assert "ports" not in bot
