"""The page, health and metrics over HTTP: what a person or a probe may read, and nothing else.

Only GET and HEAD, no cookies, no script, nothing loaded from elsewhere. Words that came from a
feed reach the page as text, never as HTML.
"""

from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.server import WebError, WebServer

__all__ = ["Health", "WebError", "WebServer", "create_app"]
