"""A Slack for tests and for the demo: a real HTTP server with the Web API's methods, limits and bad days.

::

    async with SlackDouble() as slack:
        newsdesk = slack.add_channel("newsdesk")
        slack.script("chat.postMessage", "drop_after", "429:7")
        sink = SlackSink(slack.token, base_url=slack.url)
        ...
        assert slack.messages("newsdesk") == [...]
        assert [call.error for call in slack.calls] == [...]

Standalone: ``python -m monitor.demo.slack --port 8900``.
"""

from monitor.demo.slack.faults import FAULTS, Fault
from monitor.demo.slack.limits import block_errors, message_error, texts
from monitor.demo.slack.server import Call, SlackDouble

__all__ = ["FAULTS", "Call", "Fault", "SlackDouble", "block_errors", "message_error", "texts"]
