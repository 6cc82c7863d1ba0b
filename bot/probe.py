"""`talewheel health`: asks the bot that runs beside this process whether it is well.

It is what the image's health check runs, every half a minute, so it loads as little as it can; what
health means is decided by the bot that is asked (bot.health).
"""

from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 5.0
"""The bot answers within a second, unless its loop is blocked."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked for here, not listened on
"""Addresses that mean all of this machine's, and one of those to ask at."""


def probe(host: str, port: int, timeout_s: float = TIMEOUT_S) -> tuple[bool, str]:
    """Ask a bot; gives whether it is well, and what it says of itself.

    Args:
        host: METRICS_HOST of the bot.
        port: its METRICS_PORT.
        timeout_s: after so long it isn't well.
    """
    at = _EVERYWHERE.get(host, host)
    connection = HTTPConnection(at, port, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200, answer.read(1000).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return False, f"no answer at {at}, port {port}: {error or type(error).__name__}"
    finally:
        connection.close()
