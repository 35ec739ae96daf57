"""Pages to extract from, and what is in them."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest

from monitor.errors import ParseError
from monitor.extract import extract_page
from monitor.model import Extraction

URL = "https://valley.example/2025/05/river-truce/"
TEXT = """\
Boats crossed the river again on Saturday, a day after both banks agreed to a truce that nobody
had thought possible a week ago.

Traders on the eastern bank said the first ferries were full before sunrise, and that the price
of flour had fallen by a third.

The commission that watches over the water said it would meet again on Monday to talk about the
dam, which is what the quarrel was about.

“We have waited for this,” said a ferryman, who has worked on the river for thirty years and has
seen four truces come and go."""
PARAGRAPHS = [text.replace("\n", " ") for text in TEXT.split("\n\n")]


def extract(
    page: str | bytes, content_type: str = "text/html; charset=utf-8", url: str = URL, **more: Any
) -> Extraction:
    """Extract as if fetched from URL."""
    body = page.encode() if isinstance(page, str) else page
    return extract_page(body, url=url, content_type=content_type, **more)


def refusal(page: str | bytes, content_type: str = "text/html") -> ParseError:
    """Extract what has no article, and say why not."""
    with pytest.raises(ParseError) as caught:
        extract(page, content_type)
    return caught.value


def page_of(
    *,
    head: str = "",
    title: str = "River truce holds",
    paragraphs: list[str] = PARAGRAPHS,
    after: str = "",
    lang: str = "en",
) -> str:
    """A plain page."""
    body = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><title>{title} | The Valley Post</title>{head}'
        f"</head><body><nav><a href='/'>Home</a><a href='/news'>News</a></nav>"
        f"<article><h1>{title}</h1>{body}</article>{after}"
        "<footer>© The Valley Post. All rights reserved.</footer></body></html>"
    )


def json_ld(**stated: Any) -> str:
    """A statement for search engines, to stand in the head."""
    return f'<script type="application/ld+json">{json.dumps(stated)}</script>'
