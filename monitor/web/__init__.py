"""The desk over HTTP: its sections, the API, health and metrics.

Who asks is known by a token, a session or a trusted proxy, else it is this machine's own
(`monitor.web.access`). What changes something is asked for by a form of the page, or by a program
with a token; hubs may say that a feed has changed (`monitor.web.push`). Nothing is loaded from
elsewhere, and every page works without its scripts. Words that came from a feed reach the page as
text, never as HTML.
"""

from monitor.web.access import Doors
from monitor.web.app import create_app
from monitor.web.decisions import Decisions
from monitor.web.feed_changes import Scout
from monitor.web.health import Health
from monitor.web.probes import create_probes
from monitor.web.push import Pushes
from monitor.web.server import WebError, WebServer

__all__ = [
    "Decisions",
    "Doors",
    "Health",
    "Pushes",
    "Scout",
    "WebError",
    "WebServer",
    "create_app",
    "create_probes",
]
