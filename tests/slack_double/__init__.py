"""Has moved to monitor.demo.slack."""

from monitor.demo.slack import FAULTS, Call, Fault, SlackDouble, block_errors, message_error, texts

__all__ = ["FAULTS", "Call", "Fault", "SlackDouble", "block_errors", "message_error", "texts"]
