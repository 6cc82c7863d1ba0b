"""Whether a Redis server keeps what it is given, told by its own figures (INFO and CONFIG).

Pure: figures in, findings out. They are asked for at the start (redis_greeting, which says what
isn't well) and by a look at the set-up (redis_checkup, which says everything).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.domain.checkup import Area, Finding, Topic

_OK = "ok"
_KILO = 1024
_FULL = 0.9
_CROWDED = 0.5
"""Of the machine's memory: writing a snapshot can take as much again."""


def keeping(info: Mapping[str, Any], flush: str | None, saves: str | None) -> list[Finding]:
    """What may lose stories, and what keeps them.

    Args:
        info: the sections memory and persistence of INFO, by redis-py.
        flush: appendfsync; None where CONFIG is forbidden.
        saves: when snapshots are written (save), "" for never; None where CONFIG is forbidden.
    """
    durable = is_durable(info)
    found = [*_eviction(info), *_log(info, flush, saves), *_room(info)]
    return [*found, *_writing(info, durable=durable)]


def is_durable(info: Mapping[str, Any]) -> bool:
    """Whether there is an append-only file that a commit can wait for."""
    return str(info.get("aof_enabled")) == "1"


def _eviction(info: Mapping[str, Any]) -> Iterator[Finding]:
    topic = Topic(Area.REDIS, "eviction")
    policy = info.get("maxmemory_policy")
    if policy == "noeviction":
        yield topic.ok("maxmemory-policy noeviction")
        return
    found = f"maxmemory-policy {policy}: when memory is short, stories are dropped"
    remedy = "Set maxmemory-policy noeviction."
    # Without a limit nothing is short yet; with one, the day will come.
    yield (topic.fault if info.get("maxmemory") else topic.warning)(found, remedy)


def _log(info: Mapping[str, Any], flush: str | None, saves: str | None) -> Iterator[Finding]:
    topic = Topic(Area.REDIS, "durability")
    if not is_durable(info):
        remedy = "Set appendonly yes."
        if saves == "":
            yield topic.fault("appendonly no, and no snapshots: a restart loses everything", remedy)
        else:
            yield topic.warning(
                "appendonly no: a crash of the server can take back what members have read", remedy
            )
    elif flush == "everysec":
        yield topic.warning(
            "appendfsync everysec: each step of a story waits up to a second for the disk",
            "Set appendfsync always.",
        )
    elif flush == "no":
        yield topic.warning(
            "appendfsync no: the disk is written to when the system likes, and each step of a "
            "story waits for it",
            "Set appendfsync always.",
        )
    else:
        yield topic.ok("appendonly yes" + (f", appendfsync {flush}" if flush else ""))


def _writing(info: Mapping[str, Any], *, durable: bool) -> Iterator[Finding]:
    """Whether the last writes to the disk went well."""
    topic = Topic(Area.REDIS, "disk")
    look = "Look at the server's log and its disk: Redis may refuse every change until it can."
    statuses = {
        "its append-only file couldn't be written": durable and info.get("aof_last_write_status"),
        "its append-only file couldn't be rewritten": durable
        and info.get("aof_last_bgrewrite_status"),
        "its last snapshot couldn't be written": info.get("rdb_last_bgsave_status"),
    }
    failed = [what for what, status in statuses.items() if status and status != _OK]
    if failed:
        yield topic.fault("; ".join(failed), look)
    else:
        yield topic.ok("the last writes went well")


def _room(info: Mapping[str, Any]) -> Iterator[Finding]:
    topic = Topic(Area.REDIS, "memory")
    used, limit, machine = (
        int(info.get(name, 0)) for name in ("used_memory", "maxmemory", "total_system_memory")
    )
    found = f"{_size(used)} used"
    if limit:
        found += f" of maxmemory {_size(limit)}"
    if machine:
        found += f"; the machine has {_size(machine)}"
    if limit and used > _FULL * limit:
        yield topic.fault(
            found, "Raise maxmemory: a full Redis refuses every change, and stories wait."
        )
    elif machine and max(used, limit) > machine * (_CROWDED if not limit else 1):
        yield topic.warning(found, "Give the machine more memory, or move Redis to a larger one.")
    else:
        yield topic.ok(found)


def _size(amount: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if amount < _KILO:
            return f"{amount:.0f} {unit}"
        amount /= _KILO
    return f"{amount:,.1f} GB"
