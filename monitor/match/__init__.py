"""Which watches an article matches, and where.

A watch has terms, any one of which is enough, or a query in the watch language
(docs/watch-language.md). What counts as the same word is `monitor.text`'s to say.

    language   a query's text into a tree    index      what a chunk of text means to all watches
    query      the tree                      memo       chunks that were seen before
    spellings  what a term is looked for by  scan       one document while it is matched
    compounds, acronyms                      nodes      a query, asked about a scan
    about      source:, site:, lang: …       matcher    all watches against a document
    plan       a watch, ready to be asked    explain    why, and why not
    frequency  how common words are          passage    the part of a text that shows it best
    document   what is matched               backtest   a watch against the archive
    accept     cases with known answers      presearch  what need not be cut up
    lookup     what an index of articles is asked for a query
"""

from __future__ import annotations

from monitor.match.document import Document
from monitor.match.matcher import Matcher, compile_watches

__all__ = ["Document", "Matcher", "compile_watches"]
