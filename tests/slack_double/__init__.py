"""A Slack for tests: a real HTTP server with the Web API's methods, limits and bad days.

::

    async with SlackDouble() as slack:
        newsdesk = slack.add_channel("newsdesk")
        slack.script("chat.postMessage", "drop_after", "429:7")
        sink = SlackSink(slack.token, base_url=slack.url)
        ...
        assert slack.messages("newsdesk") == [...]
        assert [call.error for call in slack.calls] == [...]

Standalone: ``python -m tests.slack_double --port 8900``.
"""

from tests.slack_double.faults import FAULTS, Fault
from tests.slack_double.limits import block_errors, message_error, texts
from tests.slack_double.server import Call, SlackDouble

__all__ = ["FAULTS", "Call", "Fault", "SlackDouble", "block_errors", "message_error", "texts"]
