"""Which watches an article matches, and where.

A watch has terms, any one of which is enough, or a query in the watch language
(docs/watch-language.md). `language` reads it into a tree (`query`), `spellings` says what a term is
looked for by, `plan` what to wait for, `index` what a chunk of text means to all watches together;
`matcher` reads documents. What counts as the same word is `monitor.text`'s to say.
"""

from __future__ import annotations

from monitor.match.document import Document
from monitor.match.matcher import Matcher, compile_watches

__all__ = ["Document", "Matcher", "compile_watches"]
