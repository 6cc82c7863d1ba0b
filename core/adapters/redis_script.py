"""What a script is: a text that never changes, known to the server by a name."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, run by its hash and sent whole to a server that doesn't have it yet."""

    text: str

    @property
    def sha(self) -> str:
        """The name that Redis gives to a script."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
