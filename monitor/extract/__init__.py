"""Page bytes to an article. Pure; runs in a worker process, for the bytes are anybody's."""

from __future__ import annotations

from monitor.extract.language import language_of
from monitor.extract.page import extract_page

__all__ = ["extract_page", "language_of"]
