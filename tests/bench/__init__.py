"""Measurements that anyone can repeat: `make bench`. No test asserts a time."""
