"""What `monitor watches list` prints, and what is said of a name that no watch has."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from monitor import answers
from monitor.config import Settings, folded
from monitor.model import Watch
from monitor.ports import Precision, WatchRow
from monitor.web import words


def kind(watch: Watch) -> str:
    """What a watch is made of, in a word."""
    return "terms" if watch.query is None else "query"


def unknown(name: str, watches: Sequence[Watch]) -> str:
    """What to say of a name that no watch has."""
    names = {folded(watch.name): watch.name for watch in watches}
    close = difflib.get_close_matches(folded(name), list(names), n=1, cutoff=0.6)
    close = close or [key for key in names if folded(name) in key][:1]
    if close:
        return f'no watch is called "{name}"; did you mean "{names[close[0]]}"?'
    return f'no watch is called "{name}"; see `monitor watches list`'


def listed(
    settings: Settings,
    written: Mapping[str, str],
    found: Mapping[str, WatchRow] | None,
    unjudged: Mapping[str, str],
) -> Iterator[RenderableType]:
    """Every watch: where it leads, what it found in a week, what people think of that, and itself
    with all its brackets.

    `found` is by name; None where there is no database to ask, without those not run yet.
    `unjudged`: why spikes can't be judged as yet, by name.
    """
    for watch in settings.watches:
        head = Text(watch.name, style="bold")
        head.append(f"  {kind(watch)}", style="dim")
        head.append(f" → {watch.channel or settings.slack.channel or 'the default channel'}", "dim")
        if found is not None:
            row = found.get(watch.name)
            lately = "not run yet" if row is None else f"{words.some(row.hits, 'hit')} in 7 days"
            head.append(f" · {lately}", "dim")
            if row is not None and row.precision is not None:
                head.append(f" · {answers.precision(row.precision)}", "dim")
            if watch.spike:
                head.append(f" · spikes: {unjudged.get(watch.name, 'are told')}", "dim")
        yield head
        yield Padding(Text(written[watch.name]), (0, 0, 0, 4))
    if not settings.watches:
        yield Text("No watches. Add a [[watch]] to feeds.toml.")


def listed_json(
    settings: Settings,
    written: Mapping[str, str],
    found: Mapping[str, WatchRow] | None,
    unjudged: Mapping[str, str],
) -> list[dict[str, Any]]:
    """The same for machines."""
    rows = found or {}
    return [
        {
            "name": watch.name,
            "kind": kind(watch),
            "terms": list(watch.terms),
            "query": watch.query,
            "variants": {term: list(spellings) for term, spellings in watch.variants},
            "channel": watch.channel or settings.slack.channel,
            "bracketed": written[watch.name],
            "hits_7_days": rows[watch.name].hits if watch.name in rows else None,
            "precision": _judged(rows[watch.name].precision) if watch.name in rows else None,
            "spikes": watch.spike is not None,
            "spikes_unjudged": unjudged.get(watch.name),
        }
        for watch in settings.watches
    ]


def _judged(found: Precision | None) -> dict[str, Any] | None:
    if found is None:
        return None
    terms = {
        term: {"judged": each.judged, "relevant": each.relevant}
        for term, each in found.terms.items()
    }
    return {"judged": found.judged, "relevant": found.relevant, "terms": terms}
