"""What the tests of the playground have in common: why some of them cannot run here."""

import shutil

import pytest

from bot.playground.embedded_redis import EmbeddedRedisError, search_module, server_binary


def _missing_server() -> str | None:
    try:
        server_binary()
        search_module()
    except EmbeddedRedisError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine has no server or no browser for."""
    missing = _missing_server()
    chromium = shutil.which("chromium")
    for item in items:
        if missing is not None and item.get_closest_marker("redis"):
            item.add_marker(pytest.mark.skip(reason=missing))
        if chromium is None and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no program `chromium` on the PATH"))
