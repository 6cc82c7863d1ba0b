"""An outage of Redis is said once when it begins and once when it is over."""

import logging

import pytest

from core.adapters.redis_outage import Kind, Outage
from core.errors import StoreUnavailableError

ERROR = StoreUnavailableError("Redis couldn't claim story 1:1: READONLY")


def test_an_outage_is_said_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage()
    with caplog.at_level(logging.WARNING):
        outage.answered(Kind.READING)
        for _ in range(100):
            outage.failed(Kind.READING, ERROR)
            outage.failed(Kind.CHANGE, ERROR)
        for _ in range(100):
            outage.answered(Kind.CHANGE)
            outage.answered(Kind.READING)
    away, back = caplog.messages
    assert away.startswith("Redis is away")
    assert "READONLY" in away
    assert back.startswith("Redis is back")


def test_a_server_that_answers_and_takes_nothing_is_not_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As a replica does: readings succeed in between, and say nothing about changes."""
    outage = Outage()
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            outage.failed(Kind.CHANGE, ERROR)
            outage.answered(Kind.READING)
    assert len(caplog.messages) == 1
