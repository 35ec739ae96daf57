"""What `monitor why --json` prints: all that is known of an article, and each watch's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.cli.show import deliveries
from monitor.ports import ArticleTrace, DeliveryRow, FeedRow
from monitor.web.trace import Answer


def unseen_json(url: str, near: Sequence[FeedRow]) -> Mapping[str, Any]:
    """Of an address that no feed has listed; `near`: feeds of its site."""
    return {
        "url": url,
        "seen": False,
        "feeds": [
            {
                "name": row.spec.name,
                "health": row.health,
                "polled_at": _at(row.polled_at),
                "due_at": _at(row.due_at),
                "error": row.error,
            }
            for row in near
        ],
    }


def why_json(
    trace: ArticleTrace, answers: Mapping[str, Answer], rows: Sequence[DeliveryRow]
) -> Mapping[str, Any]:
    """Of an article: where it was seen, its text, its story, and of each watch what each stage did.

    A stage's `state` is good (it went on), bad (it ended here), warn (it waits here) or calm (nothing
    was to be done). `messages`: of its story.
    """
    return {
        "url": trace.url,
        "seen": True,
        "article": trace.article,
        "story": trace.story,
        "copy_of": trace.copy_of,
        "title": trace.title,
        "language": trace.language,
        "state": trace.state,
        "source": trace.source,
        "error": trace.error,
        "published_at": _at(trace.published_at),
        "first_seen_at": _at(trace.first_seen_at),
        "read_at": _at(trace.ingested_at),
        "sightings": [
            {"feed": seen.feed, "first_seen_at": _at(seen.first_seen_at), "backlog": seen.backlog}
            for seen in trace.sightings
        ],
        "watches": [
            {
                "name": name,
                "found": any(hit.watch == name for hit in trace.hits),
                "verdict": answer.verdict,
                "state": answer.tone,
                "stages": [
                    {"name": stage.name, "state": stage.tone, "said": [*stage.said]}
                    for stage in answer.stages
                ],
            }
            for name, answer in answers.items()
        ],
        "messages": deliveries.listed_json(rows),
    }


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
