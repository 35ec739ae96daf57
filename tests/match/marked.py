"""Cases as people write them, `A [ceasefire] holds`, turned into those of `monitor.match.accept`.

`cases/` holds them by script. `[…]` marks what is to be found; `{…}` too, where two finds overlap.
A case without a mark is not to match, unless it says so. `{` in a query is itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cases"


def unmarked(field: str, marked: str) -> tuple[str, list[dict[str, Any]]]:
    """A text without its marks, and the spans they were around."""
    text = ""
    starts: dict[str, int] = {}
    spans: list[dict[str, Any]] = []
    for char in marked:
        if char in "[{":
            starts[char] = len(text)
        elif char in "]}":
            start = starts.pop("[" if char == "]" else "{")
            spans.append({"field": field, "start": start, "end": len(text), "text": text[start:]})
        else:
            text += char
    assert not starts, marked
    return text, spans


def plain(case: dict[str, Any]) -> dict[str, Any]:
    """A case with texts and offsets instead of marked texts."""
    title, in_title = unmarked("title", case.get("title", ""))
    body, in_body = unmarked("body", case.get("body", ""))
    spans = in_title + in_body
    return {"match": bool(spans), **case, "title": title, "body": body, "spans": spans}


def cases() -> Iterator[dict[str, Any]]:
    """All cases of the folder."""
    for file in sorted(FOLDER.glob("*.json")):
        for case in json.loads(file.read_text("utf-8")):
            yield plain(case)
