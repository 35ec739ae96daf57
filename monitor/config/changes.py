"""What a reload changed, in lines for people."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta

from monitor.config import values
from monitor.config.document import quoted
from monitor.config.models import SECTIONS, Settings
from monitor.model import Cadence, FeedSpec, Watch

RESTART = frozenset(
    {
        "monitor.database",
        "monitor.workers",
        "monitor.log",
        "web.enabled",
        "web.host",
        "web.port",
        "web.hosts",
        "web.trusted_proxies",
        "web.auth_header",
        "MONITOR_WEB_TOKEN",
        "MONITOR_WEB_READ_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_WEBHOOK_URL",
        "SLACK_API_URL",
    }
)
"""Settings that a running service can't take over."""

_SHOWN = 5
"""Terms of an edit that are named: a log line is not the place for two hundred."""

_SIZES = {"fetch.max_feed", "fetch.max_page", "retention.size"}
_OFF = {
    "alerts.max_age",
    "alerts.repeat_critical",
    "alerts.backfill",
    "retention.articles",
    "retention.matched",
}
_HIDDEN = {"monitor.database", "fetch.proxy"}


def differences(old: Settings, new: Settings) -> tuple[str, ...]:
    """One line for each thing that differs: `+` came, `-` went, `~` changed.

    No secret is shown, only that it changed.
    """
    return (
        *_settings(old, new),
        *_webhooks(old, new),
        *_watches(old, new),
        *_feeds(old, new),
    )


def _settings(old: Settings, new: Settings) -> Iterator[str]:
    for section, model in SECTIONS.items():
        for key in model.model_fields:
            name = f"{section}.{key}"
            before = getattr(getattr(old, section), key)
            after = getattr(getattr(new, section), key)
            if before != after:
                change = (
                    "" if name in _HIDDEN else f": {_show(name, before)} → {_show(name, after)}"
                )
                yield _line(name, change)
    for name, key in (
        ("SLACK_BOT_TOKEN", "slack_token"),
        ("SLACK_APP_TOKEN", "slack_app_token"),
        ("SLACK_WEBHOOK_URL", "slack_webhook"),
        ("SLACK_API_URL", "slack_api_url"),
        ("MONITOR_WEB_TOKEN", "web_token"),
        ("MONITOR_WEB_READ_TOKEN", "web_read_token"),
    ):
        if getattr(old, key) != getattr(new, key):
            yield _line(name, "")


def _webhooks(old: Settings, new: Settings) -> Iterator[str]:
    """What leads to places beside Slack; their addresses may be secrets, too."""
    before = {hook.name: hook for hook in old.webhooks}
    after = {hook.name: hook for hook in new.webhooks}
    yield from (f"- webhook {quoted(name)}" for name in before if name not in after)
    yield from (f"+ webhook {quoted(name)}" for name in after if name not in before)
    yield from (
        f"~ webhook {quoted(name)}: url"
        for name, hook in after.items()
        if name in before and before[name] != hook
    )
    for name in sorted({*old.sink_secrets, *new.sink_secrets}):
        if old.sink_secrets.get(name) != new.sink_secrets.get(name):
            yield f"~ {name}"


def _line(name: str, change: str) -> str:
    return f"~ {name}{change}" + (" (takes effect after a restart)" if name in RESTART else "")


def _show(name: str, value: object) -> str:
    match value:
        case None:
            return "off" if name in _OFF else "none"
        case timedelta():
            return values.show_duration(value)
        case bool():
            return "true" if value else "false"
        case int() if name in _SIZES:
            return values.show_size(value)
        case tuple():
            return ", ".join(str(item) for item in value) or "none"
        case _:
            return str(value)


def _watches(old: Settings, new: Settings) -> Iterator[str]:
    before = {watch.name: watch for watch in old.watches}
    after = {watch.name: watch for watch in new.watches}
    rested, rests = ({watch.name for watch in each.resting} for each in (old, new))
    for name in before:
        if name not in after:
            yield f"~ watch {quoted(name)}: rests" if name in rests else f"- watch {quoted(name)}"
    for name, watch in after.items():
        if name not in before:
            again = f"~ watch {quoted(name)}: looks again"
            yield again if name in rested else f"+ watch {quoted(name)}"
        elif watch != before[name]:
            yield f"~ watch {quoted(name)}: {', '.join(_edits(before[name], watch))}"


def _edits(before: Watch, after: Watch) -> Iterator[str]:
    """What is different about a watch."""
    if (before.query is None) != (after.query is None):
        yield "terms instead of a query" if after.query is None else "a query instead of terms"
    elif before.query != after.query:
        yield "query"
    elif before.terms != after.terms:
        came = [f"+ {quoted(term)}" for term in after.terms if term not in before.terms]
        went = [f"- {quoted(term)}" for term in before.terms if term not in after.terms]
        yield f"terms {_few([*came, *went]) or 'in another order'}"
    old, new = dict(before.variants), dict(after.variants)
    changed = [quoted(term) for term in {**old, **new} if old.get(term) != new.get(term)]
    if changed:
        yield f"variants of {_few(changed)}"
    if before.channel != after.channel:
        yield f"channel: {before.channel or 'default'} → {after.channel or 'default'}"
    told = {"name", "terms", "query", "variants", "channel"}
    for each in dataclasses.fields(before):  # the rest by name alone
        if each.name not in told and getattr(before, each.name) != getattr(after, each.name):
            yield each.name


def _few(parts: list[str]) -> str:
    """The first of them, and how many more."""
    more = len(parts) - _SHOWN
    return ", ".join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _feeds(old: Settings, new: Settings) -> Iterator[str]:
    before, after = _by_url(old), _by_url(new)
    names = {feed.name: feed for url, feed in before.items() if url not in after}
    moved = {
        names[feed.name].url: feed
        for url, feed in after.items()
        if url not in before and feed.name in names
    }
    for url, feed in before.items():
        if url not in after and url not in moved:
            yield f"- feed {quoted(feed.name)}"
    for url, feed in after.items():
        was = before.get(url) or names.get(feed.name)
        if was is None:
            yield f"+ feed {quoted(feed.name)}"
            continue
        changed = [_fields(was, feed)] if was != feed else []
        cadences = old.cadence_of(was.url), new.cadence_of(url)
        if cadences[0] != cadences[1] and (was.url in old.cadences or url in new.cadences):
            changed.append(_fields(*cadences))
        if changed:
            yield f"~ feed {quoted(feed.name)}: {', '.join(changed)}"


def _by_url(settings: Settings) -> Mapping[str, FeedSpec]:
    return {feed.url: feed for feed in settings.feeds}


def _fields(before: FeedSpec | Cadence, after: FeedSpec | Cadence) -> str:
    """The names of the fields that differ; of a name, what it was."""
    changed = [
        spec.name
        for spec in dataclasses.fields(before)
        if getattr(before, spec.name) != getattr(after, spec.name)
    ]
    return ", ".join(
        f"name (was {quoted(getattr(before, key))})" if key == "name" else key for key in changed
    )
