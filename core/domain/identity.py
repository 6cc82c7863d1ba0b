"""Names that outlive a crash: the nonce of a message, and the id that a moment would have.

A nonce is computed from what a message is, so that a restarted process finds the same one without
having stored it. Ids of Discord (snowflakes) grow with time, so that a moment bounds them.
"""

from hashlib import sha256

NONCE_LENGTH = 25
"""Discord refuses a longer nonce (discord.com/developers/docs/resources/message, "nonce")."""


def nonce(*parts: str | int) -> str:
    """25 hexadecimal digits (100 bits) of a hash over the parts, in their order.

    Args:
        parts: what makes the message the one it is: turn id, attempt, which part of the turn.
    """
    text = "\x1f".join(str(part) for part in parts)
    return sha256(text.encode("utf-8")).hexdigest()[:NONCE_LENGTH]


FINGERPRINT_LENGTH = 16


def fingerprint(text: str) -> str:
    """16 hexadecimal digits (64 bits) that tell whether a text is still the one somebody read."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:FINGERPRINT_LENGTH]


DISCORD_EPOCH_S = 1_420_070_400
"""The moment that snowflakes count from (discord.com/developers/docs/reference, "Snowflakes")."""
CLOCK_SKEW_S = 120.0
"""By how much this machine's clock may be ahead of Discord's."""


def id_before(now: float) -> int:
    """An id that every message sent from now on lies above, even if our clock is a little fast.

    Args:
        now: UTC seconds.
    """
    return max(0, int((now - CLOCK_SKEW_S - DISCORD_EPOCH_S) * 1000)) << 22
