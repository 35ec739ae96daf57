"""What people ask for in Slack, done: buttons below alerts, and a command.

`commands` answers what somebody typed; `listener` hears it, does it once, and says who did it.
"""

from monitor.hands.listener import Hands

__all__ = ["Hands"]
