"""Talewheel without Discord: the rules, the use cases and the adapters to Redis and the models."""
