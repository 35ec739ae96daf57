"""The environment and `feeds.toml` → `Settings`; every mistake at once, with file:line:column.

::

    settings = load(config_path_from(os.environ), os.environ)

The file is read by `document` (positions by `positions`), the environment by `environment`; the
two are laid over each other and checked against `models`, whose values are parsed by `values`,
`addresses` and `queries`; `checks` looks at the whole; `changes` tells two settings apart.
`editing` changes the file's text, `writing` puts it into the file's place.
"""

from __future__ import annotations

from monitor.config.changes import differences
from monitor.config.checks import folded
from monitor.config.environment import config_path_from
from monitor.config.loading import load, load_text, load_what_is_right
from monitor.config.models import Alerts, Fetch, Monitor, Polling, Settings, Slack, Web
from monitor.config.queries import checked

__all__ = [
    "Alerts",
    "Fetch",
    "Monitor",
    "Polling",
    "Settings",
    "Slack",
    "Web",
    "checked",
    "config_path_from",
    "differences",
    "folded",
    "load",
    "load_text",
    "load_what_is_right",
]
