"""Names that outlive a crash: the nonce by which Discord knows a message that was sent before.

A nonce is computed from what a message is, so that a restarted process finds the same one without
having stored it.
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
