"""Has moved to monitor.demo.slack.server."""

from monitor.demo.slack.server import ALL_SCOPES

__all__ = ["ALL_SCOPES"]
