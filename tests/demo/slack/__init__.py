"""Tests of the Slack that the demo has."""
