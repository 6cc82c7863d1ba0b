"""Nonces: the same for the same message, fitting Discord, never shared."""

from core.domain.identity import NONCE_LENGTH, nonce


def test_the_same_parts_give_the_same_nonce() -> None:
    assert nonce("turn", 1, 0) == nonce("turn", 1, 0)


def test_a_nonce_fits_discord() -> None:
    assert len(nonce("turn", 1, 0)) == NONCE_LENGTH == 25


def test_no_two_messages_share_a_nonce() -> None:
    named = [("t1", 1, 0), ("t1", 1, 1), ("t1", 11, 0), ("t11", 1, 0), ("t1", "1/0")]
    assert len({nonce(*parts) for parts in named}) == len(named)
