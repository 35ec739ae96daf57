"""From a watch to a plan: what it asks of a text, and which term to wait for before asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from monitor.errors import QueryError
from monitor.match.about import wanted
from monitor.match.frequency import Frequencies
from monitor.match.index import leaf_share
from monitor.match.language import parse, parse_term
from monitor.match.nodes import (
    AllNode,
    AnyNode,
    AtLeastNode,
    Leaf,
    MetaNode,
    NearNode,
    Node,
    NotNode,
    TermNode,
    WithinNode,
)
from monitor.match.query import And, AtLeast, Meta, Near, Not, Or, Query, Term, Within
from monitor.match.query import Node as QueryNode
from monitor.match.spellings import Expansion, expand
from monitor.model import Watch
from monitor.text import normal_form

Content: TypeAlias = tuple[tuple[str, ...], str | None, tuple[tuple[str, tuple[str, ...]], ...]]
"""All of a watch that decides what it matches."""


_MOST_SECONDS: Final = 8
"""Terms of which one must be there beside an anchor: each is noted at each of the anchors."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A watch, ready to be asked."""

    root: Node
    leaves: tuple[Leaf, ...]  # all of its terms
    anchors: tuple[Leaf, ...] | None  # it can't hold without one of them; None: always ask
    second: tuple[Leaf, ...] | None = None  # nor without one of these, the rarest of the rest
    terms: tuple[TermNode, ...] = ()  # if any of these anywhere is enough: then it holds


def content_of(watch: Watch) -> Content:
    """What decides what a watch matches: two with the same content have the same plan."""
    return watch.terms, watch.query, watch.variants


def read(watch: Watch) -> Query:
    """The watch's query; its terms are an OR. Raises `QueryError`."""
    if watch.query is not None:
        return parse(watch.query)
    terms = tuple(parse_term(term) for term in watch.terms)
    if not terms:
        raise QueryError("has neither terms nor a query", "", 0, 0)
    return Query(" | ".join(watch.terms), terms[0] if len(terms) == 1 else Or(terms))


class Planner:
    """Makes plans whose terms are shared: the same term in two watches is looked for once."""

    def __init__(
        self, frequencies: Frequencies, leaves: Mapping[Expansion, Leaf] | None = None
    ) -> None:
        self._frequencies = frequencies
        self._leaves = dict(leaves or {})
        self._by_term: dict[tuple[str, bool], Leaf] = {}

    def plan(self, watch: Watch) -> Plan:
        """The plan of a watch. Raises `QueryError`."""
        query = read(watch)
        variants = {normal_form(term): spelled for term, spelled in watch.variants}
        leaves: dict[Leaf, None] = {}
        root = self._node(query.root, variants, leaves)
        _, anchors = self._anchors(root)
        return Plan(root, tuple(leaves), anchors, self._second(root, anchors), _any_of(root))

    # -- nodes

    def _node(
        self,
        node: QueryNode,
        variants: Mapping[str, tuple[str, ...]],
        leaves: dict[Leaf, None],
    ) -> Node:
        def made(part: QueryNode) -> Node:
            return self._node(part, variants, leaves)

        match node:
            case Term():
                return self._term(node, variants, leaves)
            case Meta():
                return MetaNode(wanted(node.about, node.value))
            case And():
                return AllNode(tuple(map(made, node.parts)))
            case Or():
                return AnyNode(tuple(map(made, node.parts)))
            case Not():
                return NotNode(made(node.part))
            case Near():
                return NearNode(made(node.left), made(node.right), node.distance, node.ordered)
            case Within():
                return WithinNode(tuple(map(made, node.parts)), node.distance)
            case AtLeast():
                return AtLeastNode(node.count, made(node.part))

    def _term(
        self,
        term: Term,
        variants: Mapping[str, tuple[str, ...]],
        leaves: dict[Leaf, None],
    ) -> Node:
        spelled = (term, *map(parse_term, variants.get(normal_form(term.text), ())))
        nodes: list[Node] = []
        for each in spelled:
            leaf = self._leaf(each)
            leaves[leaf] = None
            nodes.append(TermNode(leaf, term.field, term.text))
        return nodes[0] if len(nodes) == 1 else AnyNode(tuple(nodes))

    def _leaf(self, term: Term) -> Leaf:
        key = (term.text, term.exact)
        leaf = self._by_term.get(key)
        if leaf is None:
            expansion = expand(term)
            if not expansion.spellings:
                raise QueryError(
                    f"{term.text!r} has no word to look for", term.text, 0, len(term.text)
                )
            leaf = self._leaves.get(expansion)
            if leaf is None:
                leaf = self._leaves[expansion] = Leaf(
                    expansion.spellings, capitals=expansion.capitals
                )
            self._by_term[key] = leaf
        return leaf

    # -- anchors

    def _anchors(self, node: Node) -> tuple[float, tuple[Leaf, ...] | None]:
        """The terms one of which must be there, the rarest choice, and how often that is."""
        match node:
            case TermNode():
                return leaf_share(node.leaf, self._frequencies), (node.leaf,)
            case AnyNode():
                return self._all_of(node.parts)
            case AllNode():
                return min(
                    (self._anchors(part) for part in node.parts if not isinstance(part, NotNode)),
                    key=lambda found: found[0],
                )
            case NearNode():
                return min(
                    self._anchors(node.left),
                    self._anchors(node.right),
                    key=lambda found: found[0],
                )
            case WithinNode():
                return min(map(self._anchors, node.parts), key=lambda found: found[0])
            case AtLeastNode():
                return self._anchors(node.part)
            case _:
                return float("inf"), None

    def _second(self, root: Node, anchors: tuple[Leaf, ...] | None) -> tuple[Leaf, ...] | None:
        """The rarest of what else must be there: any of these terms. None if there are many."""
        wanted = [
            choice
            for choice in _required(root)
            if len(choice) <= _MOST_SECONDS and choice.isdisjoint(anchors or ())
        ]
        if not wanted:
            return None
        return tuple(min(wanted, key=self._share_of))

    def _share_of(self, leaves: Iterable[Leaf]) -> float:
        return sum(leaf_share(leaf, self._frequencies) for leaf in leaves)

    def _all_of(self, parts: tuple[Node, ...]) -> tuple[float, tuple[Leaf, ...] | None]:
        share = 0.0
        leaves: dict[Leaf, None] = {}
        for part in parts:
            cost, found = self._anchors(part)
            if found is None:
                return cost, None
            share += cost
            leaves.update(dict.fromkeys(found))
        return share, tuple(leaves)


def _any_of(root: Node) -> tuple[TermNode, ...]:
    """The terms of a plain list; nothing of what asks for more."""
    parts = root.parts if isinstance(root, AnyNode) else (root,)
    terms = tuple(
        part
        for part in parts
        if isinstance(part, TermNode) and part.field is None and not part.leaf.capitals
    )
    return terms if len(terms) == len(parts) else ()


def _required(node: Node) -> list[frozenset[Leaf]]:
    """Sets of terms, of each of which one must be there."""
    match node:
        case TermNode():
            return [frozenset((node.leaf,))]
        case AnyNode():
            choices = [_required(part) for part in node.parts]
            if all(choices):
                return [frozenset().union(*(min(choice, key=len) for choice in choices))]
            return []
        case AllNode() | WithinNode():
            return [choice for part in node.parts for choice in _required(part)]
        case NearNode():
            return _required(node.left) + _required(node.right)
        case AtLeastNode():
            return _required(node.part)
        case _:
            return []
