"""Talewheel on Discord: what members see and press, and the process that runs it."""
