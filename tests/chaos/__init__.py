"""Chaos: the service killed at random instants while its Slack misbehaves. ``python -m tests.chaos``."""
