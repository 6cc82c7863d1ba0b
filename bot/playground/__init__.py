"""The playground: the real bot in a local page, without any account."""
