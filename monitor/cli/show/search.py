"""What `monitor search` prints: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from monitor.cli.show.passages import marked, passage_text
from monitor.match.passage import best_passage, highlight
from monitor.ports import Match
from monitor.web import words
from monitor.web.view import web_link


def found(match: Match, now: datetime) -> Iterator[RenderableType]:
    """An article: headline, who and when, the best passage; what was matched stands out."""
    each = match.archived
    document = each.document
    in_title = [span for span in match.spans if span.field == "title"]
    in_body = [span for span in match.spans if span.field == "body"]
    yield marked(highlight(document.title or "(untitled)", in_title), "bold")
    facts = (match.publisher, document.language, words.ago(each.first_seen_at, now))
    yield Padding(Text(" · ".join(filter(None, facts)), style="dim"), (0, 0, 0, 2))
    if document.body.strip():
        yield Padding(passage_text(best_passage(document.body, in_body, 240)), (0, 0, 0, 2))
    if link := web_link(each.url):
        yield Padding(Text(link, style="dim", overflow="fold"), (0, 0, 0, 2))
