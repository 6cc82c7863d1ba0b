"""Slash commands: each parses what was given, checks the right, calls one service and answers."""
