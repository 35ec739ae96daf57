"""Delivery of alerts. Knows nothing of feeds, SQL or the monitor; slack-sdk is imported by
`alerts.slack` alone.
"""

from alerts.errors import AlertError, Ambiguous, Closed, Deferred, Rejected, Stopped
from alerts.message import Alert, Card, Image, Line, Message, Part, Passage, line
from alerts.sink import Posted, Sink

__all__ = [
    "Alert",
    "AlertError",
    "Ambiguous",
    "Card",
    "Closed",
    "Deferred",
    "Image",
    "Line",
    "Message",
    "Part",
    "Passage",
    "Posted",
    "Rejected",
    "Sink",
    "Stopped",
    "line",
]
