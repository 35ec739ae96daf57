"""What `monitor watches explain` prints: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from monitor.cli.show.passages import FOUND, marked, passage_text
from monitor.match import Document
from monitor.match.explain import Explanation, TermPlan, Trace
from monitor.match.language import line_and_column
from monitor.match.passage import best_passage, highlight
from monitor.match.query import Note
from monitor.model import Span, Watch

_SHOWN_WORDS = 4  # of those that a term was found as


def explained(
    watch: Watch, explanation: Explanation, document: Document | None
) -> Iterator[RenderableType]:
    """A query taken apart; with an article, how it answers."""
    yield Text(explanation.bracketed, style="bold")
    for note in explanation.notes:
        yield Text(_note(watch.query or "", note), style="yellow")
    if explanation.terms:
        yield ""
        yield Text("Each term is found as", style="dim")
        yield _terms(explanation.terms)
    yield Text(_waits_for(explanation), style="dim")
    if document is not None and explanation.trace is not None:
        yield ""
        yield from _answered(explanation, explanation.trace, document)


def explained_json(watch: Watch, explanation: Explanation) -> Mapping[str, Any]:
    """The same for machines; `matched` is null where there is no article."""
    trace = explanation.trace
    return {
        "bracketed": explanation.bracketed,
        "notes": [_note(watch.query or "", note) for note in explanation.notes],
        "terms": [
            {
                "term": term.term,
                "found_as": [*term.spellings],
                "capitals": term.capitals,
                "anchor": term.is_anchor,
            }
            for term in explanation.terms
        ],
        "asked_of_every_article": explanation.always,
        "matched": None if trace is None else trace.matched,
        "reasons": [*explanation.reasons()],
        "spans": [
            [span.field, span.start, span.end, span.term]
            for span in (trace.spans if trace is not None and trace.matched else ())
        ],
    }


def _note(query: str, note: Note) -> str:
    row, column = line_and_column(query, note.start)
    place = f"line {row}, column {column}" if "\n" in query.strip() else f"column {column}"
    return f"{place}: {note.message}"


def _terms(terms: Iterable[TermPlan]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(overflow="fold", max_width=30)
    table.add_column(overflow="fold")
    for term in terms:
        exactly = "in capitals only" if term.capitals else "exactly so"
        spelled = (
            f"{spelling[1:]} ({exactly})" if spelling.startswith("=") else spelling
            for spelling in term.spellings
        )
        table.add_row(Text(term.term), Text(", ".join(spelled)))
    return table


def _waits_for(explanation: Explanation) -> str:
    if explanation.always:
        return "No word must be there: every article is asked."
    anchors = [term.term for term in explanation.terms if term.is_anchor]
    shown = ", ".join(anchors[:8]) + (f" and {len(anchors) - 8} more" if len(anchors) > 8 else "")
    return (
        f"Only articles with {'one of ' if len(anchors) > 1 else ''}{shown} are looked at closely."
    )


def _answered(
    explanation: Explanation, trace: Trace, document: Document
) -> Iterator[RenderableType]:
    spans = trace.spans if trace.matched else tuple(_found_in(trace))
    yield from _article(document, spans)
    yield ""
    yield _tree(trace, document)
    if trace.matched:
        yield Text("It matches.", style="green")
    for reason in explanation.reasons():
        yield Text(f"It does not match: {reason}.", style="red")


def _article(document: Document, spans: Sequence[Span]) -> Iterator[RenderableType]:
    """The headline and the passage where most was found."""
    in_title = [span for span in spans if span.field == "title"]
    yield marked(highlight(document.title, in_title), "bold")
    in_body = [span for span in spans if span.field == "body"]
    if document.body:
        yield passage_text(best_passage(document.body, in_body))


def _tree(trace: Trace, document: Document, above: Tree | None = None) -> Tree:
    label = Text("✓ " if trace.matched else "✗ ", style="green" if trace.matched else "red")
    label.append(trace.text, "default")
    found = trace.spans if not trace.parts else ()
    for number, (word, count) in enumerate(_words_of(found, document)):
        label.append("  " if not number else ", ")
        label.append(word, FOUND)
        label.append(f" ×{count}" if count > 1 else "", "dim")
    here = above.add(label) if above is not None else Tree(label, guide_style="dim")
    for part in trace.parts:
        _tree(part, document, here)
    return here


def _words_of(spans: Iterable[Span], document: Document) -> list[tuple[str, int]]:
    """What was found, as it is written, the most frequent first, and how often."""
    counts: dict[str, int] = {}
    for span in spans:
        text = document.title if span.field == "title" else document.body
        word = " ".join(text[span.start : span.end].split())
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])[:_SHOWN_WORDS]


def _found_in(trace: Trace) -> Iterator[Span]:
    """Everything that was found of a query, also where the whole does not match."""
    if trace.matched and not trace.parts:
        yield from trace.spans
    for part in trace.parts:
        yield from _found_in(part)
