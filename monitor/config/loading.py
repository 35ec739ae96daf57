"""The file and the environment together: `load`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.config import checks, values
from monitor.config.document import Document, quoted, read, read_text, read_what_parses
from monitor.config.environment import Environment, read_environment
from monitor.config.models import (
    SECTIONS,
    TABLES,
    FeedTable,
    Place,
    Polling,
    Section,
    Settings,
    WatchTable,
    WebhookTable,
)
from monitor.errors import ConfigError, Mistake

S = TypeVar("S", bound=Section)


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """The settings in a file and the environment; where both say something, the environment wins.

    Raises `ConfigError` with everything that is wrong, in the order of the file. What is merely
    odd is in `Settings.warnings`.
    """
    return _loaded(lambda: read(path), env)


def load_text(text: str, path: Path, env: Mapping[str, str]) -> Settings:
    """What `load` would give if this text stood in the file."""
    return _loaded(lambda: read_text(text, path), env)


def _loaded(document_of: Callable[[], Document], env: Mapping[str, str]) -> Settings:
    environment = read_environment(env)
    try:
        document = _overlaid(document_of(), environment)
    except ConfigError as error:
        raise ConfigError((*environment.mistakes, *error.mistakes)) from None
    loading = _Loading(document)
    settings = loading.settings(environment)
    report = checks.check(document, settings)
    mistakes = [*environment.mistakes, *loading.mistakes, *report.mistakes]
    if mistakes:
        raise ConfigError(_sorted(mistakes))
    warnings = _sorted([*environment.warnings, *report.warnings])
    return settings.model_copy(update={"warnings": warnings})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What can be told of a configuration that has mistakes."""

    settings: Settings
    is_whole: bool  # the file is there, and is TOML
    is_database_known: bool  # if it is not: by file, environment, or because nothing names one


def load_what_is_right(path: Path, env: Mapping[str, str]) -> Rest:
    """The settings as far as they can be told, with defaults for what is wrong; never raises.

    For those who look at a service: an edit that it rejected must not keep them out. Of a file that
    is not TOML, it is the sections and lines that are.
    """
    environment = read_environment(env)
    lost: Sequence[str] = ()
    try:
        document, is_whole = read(path), True
    except ConfigError:
        (document, lost), is_whole = read_what_parses(path), False
    document = _overlaid(document, environment)
    monitor = document.data.get("monitor")
    named = isinstance(monitor, dict) and "database" in monitor
    return Rest(
        settings=_Loading(document).settings(environment),
        is_whole=is_whole,
        is_database_known=named or not any(map(_DATABASE.match, lost)),
    )


_DATABASE = re.compile(r"\W*database\b")


def _sorted(mistakes: list[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda mistake: (mistake.line, mistake.column)))


def _overlaid(document: Document, environment: Environment) -> Document:
    """The document as if the environment's values stood in it."""
    data, origins = dict(document.data), {}
    for path, (variable, value) in environment.overrides.items():
        section, key = str(path[0]), str(path[1])
        table = data.get(section, {})
        if isinstance(table, dict):
            data[section] = {**table, key: value}
            origins[path] = variable
    return Document(document.file, data, document.places, origins)


@dataclass(slots=True)
class _Loading:
    """One reading of a document into models, with the mistakes met on the way."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)

    def settings(self, environment: Environment) -> Settings:
        """The document's settings; what is wrong has its default, and is in `mistakes`."""
        for key in self.document.data.keys() - SECTIONS.keys() - TABLES.keys():
            self.unknown_section(key)
        sections = {name: self.section(name, model) for name, model in SECTIONS.items()}
        watches = self.tables("watch", WatchTable)
        places = self.document.places_of("watch")
        feeds = [feed for feed in self.tables("feed", FeedTable) if feed.enabled]
        polling = sections["polling"]
        assert isinstance(polling, Polling)
        usual = polling.cadence
        cadences = {feed.url: feed.cadence(usual) for feed in feeds}
        return Settings.model_validate(
            {
                **sections,
                "watches": tuple(each.watch() for each in watches if each.enabled),
                "resting": tuple(each.watch() for each in watches if not each.enabled),
                "feeds": tuple(feed.spec() for feed in feeds),
                "cadences": {url: each for url, each in cadences.items() if each != usual},
                "watch_places": {
                    watch.name: Place(self.document.file, *places[watch.name])
                    for watch in watches
                    if watch.name in places
                },
                "slack_token": environment.slack_token,
                "slack_app_token": environment.slack_app_token,
                "slack_webhook": environment.slack_webhook,
                "slack_api_url": environment.slack_api_url,
                "web_token": environment.web_token,
                "web_read_token": environment.web_read_token,
                "webhooks": tuple(self.tables("webhook", WebhookTable)),
                "sink_secrets": environment.sink_secrets,
                "lists": _lists(self.document),
            }
        )

    def section(self, name: str, model: type[S]) -> S:
        """A `[section]`."""
        table = self.document.data.get(name, {})
        if isinstance(table, list):
            self.add((name,), f"must be written [{name}], in single brackets and once", label=())
        elif not isinstance(table, dict):
            self.add((name,), f"is a section: write [{name}] on a line of its own")
        else:
            return self.model((name,), table, model) or model()
        return model()

    def tables(self, name: str, model: type[S]) -> list[S]:
        """All `[[name]]` that are right."""
        tables = self.document.data.get(name, [])
        if isinstance(tables, dict):
            self.add((name,), f"must be written [[{name}]], in double brackets", label=())
            return []
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.add((name,), f"write each {name} as [[{name}]] with its keys below", label=())
            return []
        found = (self.model((name, n), table, model) for n, table in enumerate(tables))
        return [table for table in found if table is not None]

    def model(self, path: tuple[str | int, ...], table: dict[str, Any], model: type[S]) -> S | None:
        """A table as its model, or None with its mistakes noted."""
        problem = model.contradiction(table)
        if problem is not None and not _MEANT & {key.lower() for key in table}:
            key, message = problem
            self.add((*path, key) if key else path, message)
        try:
            found = model.model_validate(table)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        else:
            return None if problem else found
        for detail in details:
            self.explain(path, detail, model)
        return None

    def explain(
        self, path: tuple[str | int, ...], detail: ErrorDetails, model: type[Section]
    ) -> None:
        """One finding of pydantic's in the words of the file."""
        where = (*path, *detail["loc"])
        match detail["type"]:
            case "value_error":
                error = detail["ctx"]["error"]
                self.add(where, str(error), offset=getattr(error, "offset", None))
            case "missing":
                self.add(where, "is missing")
            case "extra_forbidden":
                self.add(where, _unknown(str(where[-1]), path, model), label=path)
            case "mapping_type" | "dict_type":
                self.add(where, 'must be a table: variants.ceasefire = ["cease-fire", "सीज़फायर"]')
            case "tuple_type":
                self.add(where, _no_list(where, self.document))
            case _:
                self.add(where, detail["msg"])

    def unknown_section(self, key: str) -> None:
        """Something at the top that is neither a section nor a list of tables."""
        value = self.document.data[key]
        if not isinstance(value, dict) and not (
            isinstance(value, list) and value and isinstance(value[0], dict)
        ):
            homes = _homes(key)
            hint = f"; it belongs below {homes}" if homes else "; is its [section] line missing?"
            message = f"unknown key {quoted(key)} outside of any section{hint}"
            self.add((key,), message, label=())
            return
        known = {**dict.fromkeys(SECTIONS, "[{}]"), **dict.fromkeys(TABLES, "[[{}]]")}
        close = difflib.get_close_matches(key.lower(), list(known), n=1, cutoff=0.6)
        shown = {name: brackets.format(name) for name, brackets in known.items()}
        hint = f"did you mean {shown[close[0]]}?" if close else f"known are {_list(shown.values())}"
        self.add((key,), f"unknown section [{key}]; {hint}", label=())

    def add(
        self,
        path: tuple[str | int, ...],
        message: str,
        label: tuple[str | int, ...] | None = None,
        *,
        offset: int | None = None,
    ) -> None:
        """Note a mistake."""
        self.mistakes.append(self.document.mistake(path, message, label, offset=offset))


def _lists(document: Document) -> tuple[str, ...]:
    """The lists of addresses for Apprise that channels name."""
    tables = [table for _, table in document.tables("watch")]
    slack = document.data.get("slack")
    tables += [slack] if isinstance(slack, dict) else []
    channels = [table.get(key) for table in tables for key in ("channel", "ops_channel")]
    named = [values.sink_of(each) for each in channels if isinstance(each, str)]
    return tuple(sorted({sink[1] for sink in named if sink and sink[0] == "apprise"}))


_SYNONYMS = {
    "term": "terms",
    "keyword": "terms",
    "keywords": "terms",
    "words": "terms",
    "phrases": "terms",
    "q": "query",
    "search": "query",
    "boolean": "query",
    "expression": "query",
    "synonym": "variants",
    "synonyms": "variants",
    "alias": "variants",
    "aliases": "variants",
    "spellings": "variants",
    "title": "name",
    "link": "url",
    "href": "url",
    "lang": "language",
    "every": "interval",
    "country": "side",
    "active": "enabled",
    "channels": "channel",
    "email": "contact",
    "db": "database",
    "bind": "host",
    "address": "host",
}
_MEANT = {key for key, meant in _SYNONYMS.items() if meant in {"terms", "query"}}
"""What a watch without terms and query was probably given in their place."""

_SECRET_KEYS = {
    "token": "SLACK_BOT_TOKEN",
    "bot_token": "SLACK_BOT_TOKEN",
    "slack_token": "SLACK_BOT_TOKEN",
    "slack_bot_token": "SLACK_BOT_TOKEN",
    "app_token": "SLACK_APP_TOKEN",
    "slack_app_token": "SLACK_APP_TOKEN",
    "webhook": "SLACK_WEBHOOK_URL",
    "webhook_url": "SLACK_WEBHOOK_URL",
    "slack_webhook_url": "SLACK_WEBHOOK_URL",
    "secret": "MONITOR_WEBHOOK_…_SECRET",
    "web_token": "MONITOR_WEB_TOKEN",
    "read_token": "MONITOR_WEB_READ_TOKEN",
    "web_read_token": "MONITOR_WEB_READ_TOKEN",
}


def _unknown(key: str, path: tuple[str | int, ...], model: type[Section]) -> str:
    """What to do about a key that its table does not have."""
    known = list(model.model_fields)
    if variable := _SECRET_KEYS.get(key.lower()):
        return (
            f"{quoted(key)} is a secret and does not belong in this file:"
            f" set {variable} or {variable}_FILE in the environment"
        )
    meant = _SYNONYMS.get(key.lower())
    elsewhere = _homes(key, but=str(path[0]))
    # what is a key of another table, or known to mean one, is not a misspelt one of this
    is_misspelt = meant is None and not elsewhere
    close = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6) if is_misspelt else []
    if meant in known or close:
        return (
            f"unknown key {quoted(key)}; did you mean {quoted(close[0] if close else meant or '')}?"
        )
    if homes := elsewhere or _homes(meant or "", but=str(path[0])):
        return f"unknown key {quoted(key)}; it belongs below {homes}"
    return f"unknown key {quoted(key)}; known are {_list(known)}"


def _homes(key: str, but: str = "") -> str:
    """The sections that have such a key."""
    homes = [f"[{name}]" for name, model in SECTIONS.items() if key in model.model_fields]
    homes += [f"[[{name}]]" for name, model in TABLES.items() if key in model.model_fields]
    return " or ".join(home for home in homes if home.strip("[]") != but)


def _list(words: Any) -> str:
    return ", ".join(words)


def _no_list(path: tuple[str | int, ...], document: Document) -> str:
    """A single value where several may stand."""
    networks = '["10.0.0.0/8"]'
    example = {
        "terms": '["ceasefire"]',
        "tags": '["wire"]',
        "allow": networks,
        "trusted_proxies": networks,
    }
    value: Any = document.data
    for part in path:
        value = value[part]
    shown = f"[{quoted(value)}]" if isinstance(value, str) else example.get(str(path[-1]), '["…"]')
    return f"must be a list of strings, e.g. {shown}"
