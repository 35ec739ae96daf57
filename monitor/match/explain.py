"""What a watch looks for, and why a document matches it or does not: for `explain` and `why`."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.match.document import Document
from monitor.match.frequency import Frequencies
from monitor.match.language import parse_term
from monitor.match.matcher import compile_watches, spans_of
from monitor.match.nodes import AllNode, AnyNode, AtLeastNode, NearNode, Node, NotNode, WithinNode
from monitor.match.plan import read
from monitor.match.query import (
    About,
    And,
    AtLeast,
    Meta,
    Near,
    Not,
    Note,
    Or,
    Term,
    Within,
    bracketed,
)
from monitor.match.query import Node as QueryNode
from monitor.match.scan import Scan
from monitor.match.spellings import expand, shown
from monitor.model import Span, Watch
from monitor.text import normal_form


@dataclass(frozen=True, slots=True)
class TermPlan:
    """How one term of a watch is looked for."""

    term: str  # the watch's own spelling
    spellings: tuple[str, ...]  # in normal form, the term's own first, variants last
    is_anchor: bool  # the rest of the query is looked at only where this was seen
    capitals: bool  # an acronym that is a word in small letters: capitals only


@dataclass(frozen=True, slots=True)
class Trace:
    """A part of a query, and how a document answered it."""

    text: str  # with all its brackets
    matched: bool
    spans: tuple[Span, ...]  # what of the document is why; none if it did not match
    parts: tuple[Trace, ...] = ()
    operator: str = ""  # AND, OR, NOT …; empty for a term
    known: tuple[str, ...] | None = None  # for source:Dawn: the sources that the document has


@dataclass(frozen=True, slots=True)
class Explanation:
    """A watch, taken apart."""

    bracketed: str
    notes: tuple[Note, ...]
    terms: tuple[TermPlan, ...]  # in the query's order, each once
    always: bool  # it has no term that must be there: it is asked of every article
    trace: Trace | None  # with a document only

    def reasons(self) -> tuple[str, ...]:
        """Why the document does not match, in one sentence each; empty if it does."""
        return () if self.trace is None or self.trace.matched else tuple(_reasons(self.trace))


def explain(
    watch: Watch, document: Document | None = None, *, frequencies: Frequencies | None = None
) -> Explanation:
    """What the watch looks for, and with a document, how it answers.

    Raises `QueryError` if the watch can't be read.
    """
    query = read(watch)
    matcher = compile_watches([watch], frequencies=frequencies)
    (plan,) = matcher.plans().values()
    anchors = {leaf.spellings for leaf in plan.anchors or ()}
    variants = {normal_form(term): others for term, others in watch.variants}
    terms: dict[str, TermPlan] = {}
    for term in _terms(query.root):
        if term.text in terms:
            continue
        expansion = expand(term)
        spelled = [*expansion.spellings]
        for other in variants.get(normal_form(term.text), ()):
            spelled += expand(parse_term(other)).spellings
        terms[term.text] = TermPlan(
            term=term.text,
            spellings=tuple(dict.fromkeys(map(shown, spelled))),
            is_anchor=expansion.spellings in anchors,
            capitals=expansion.capitals,
        )
    trace = None
    if document is not None:
        trace = _trace(query.root, plan.root, matcher.scan(document), document)
    return Explanation(
        bracketed=bracketed(query.root),
        notes=query.notes,
        terms=tuple(terms.values()),
        always=plan.anchors is None,
        trace=trace,
    )


def _parts(node: QueryNode) -> tuple[QueryNode, ...]:
    match node:
        case And(parts=parts) | Or(parts=parts) | Within(parts=parts):
            return parts
        case Not(part=part) | AtLeast(part=part):
            return (part,)
        case Near(left=left, right=right):
            return left, right
        case _:
            return ()


def _terms(node: QueryNode) -> list[Term]:
    if isinstance(node, Term):
        return [node]
    return [term for part in _parts(node) for term in _terms(part)]


def _trace(query: QueryNode, node: Node, scan: Scan, document: Document) -> Trace:
    match node:
        case AllNode(parts=parts) | AnyNode(parts=parts) | WithinNode(parts=parts):
            below = parts
        case NotNode(part=part) | AtLeastNode(part=part):
            below = (part,)
        case NearNode(left=left, right=right):
            below = (left, right)
        case _:
            below = ()
    mine = _parts(query)  # a term with variants has none of its own
    matched = node.holds(scan)
    return Trace(
        text=bracketed(query),
        matched=matched,
        spans=spans_of(scan, node) if matched else (),
        parts=tuple(
            _trace(one, other, scan, document)
            for one, other in zip(mine, below, strict=False)
            if mine
        ),
        operator=_operator(query),
        known=_known(query.about, document) if isinstance(query, Meta) else None,
    )


def _known(about: About, document: Document) -> tuple[str, ...]:
    """What a document is, by its own account."""
    return {
        "source": document.sources,
        "site": document.sites,
        "lang": (document.language,) if document.language else (),
        "tag": document.tags,
        "side": document.sides,
        "author": document.authors,
    }[about]


def _operator(query: QueryNode) -> str:
    if isinstance(query, Near) and query.ordered:
        return "ONEAR"
    return type(query).__name__.upper() if _parts(query) else ""


def _reasons(trace: Trace) -> list[str]:
    if trace.operator == "NOT":
        found = trace.parts[0]
        return [f"{trace.text}: {found.text} is there"]
    if trace.known is not None:
        return [f"{trace.text}: the article has {', '.join(trace.known) or 'none'}"]
    if not trace.parts:
        return [f"{trace.text} is not there"]
    missing = [part for part in trace.parts if not part.matched]
    if not missing:
        how = {
            "ATLEAST": "not so often",
            "ONEAR": "not so near, or the other way round",
        }.get(trace.operator, "not so near")
        return [f"{trace.text}: all of it is there, but {how}"]
    if trace.operator == "OR":
        return [f"none of {trace.text} is there"]
    return [reason for part in missing for reason in _reasons(part)]
