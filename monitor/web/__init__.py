"""The page, health and metrics over HTTP: what a person or a probe may read.

Nothing can be changed but what belongs to one story (`monitor.web.decisions`), and that only from
this machine; and hubs may say that a feed has changed (`monitor.web.push`). No script, nothing loaded from elsewhere. Words that came from a feed reach the page
as text, never as HTML.
"""

from monitor.web.access import Doors
from monitor.web.app import create_app, create_probes
from monitor.web.decisions import Decisions
from monitor.web.feed_changes import Scout
from monitor.web.health import Health
from monitor.web.push import Pushes
from monitor.web.server import WebError, WebServer

__all__ = ["Decisions", "Doors", "Health", "Pushes", "Scout", "WebError", "WebServer", "create_app", "create_probes"]
