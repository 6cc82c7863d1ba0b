"""Use cases: what the bot can be asked to do, spoken to the ports alone."""
