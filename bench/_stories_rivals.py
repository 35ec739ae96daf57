"""Other ways to find copies and reports of one event, for `bench.stories`.

Each rival gets the words of the articles as `monitor.text` cuts them, so that scripts without
spaces and curly quotes are no handicap; says for each two articles how alike they are, from 0 to
1; and puts together what is alike enough: single linkage, connected components. It is judged
three times: at a threshold that people use; at that threshold, and with that kind of shingles,
which are best on the very set; and the same once more if it too passes over what lies more than 72
hours apart. The last two know the answers: ours does not.
"""

from __future__ import annotations

import importlib.util
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from bench._stories_score import Score, b_cubed, of_pairs
from bench._stories_sets import Document, Edits, Pairs, Stories
from monitor.text import tokens

Matrix: TypeAlias = "npt.NDArray[np.float32]"
Words: TypeAlias = Sequence[Sequence[str]]

WINDOW: Final = timedelta(hours=72)
STEPS: Final = 80  # thresholds tried for the best one
PERMUTATIONS: Final = 128  # datasketch's own default


def words_of(documents: Sequence[Document]) -> Words:
    return [[token.norm for token in tokens(f"{each.title}\n\n{each.text}")] for each in documents]


class Rival(ABC):
    """Another way. `usual` is the least likeness that people use it with."""

    name: ClassVar[str]
    module: ClassVar[str]  # what has to be installed
    usual: ClassVar[float]
    told: ClassVar[str]  # that threshold, in its own terms

    @abstractmethod
    def likeness(self, words: Words) -> Matrix:
        """How alike each two are; the pairs that it would pass over are 0."""

    def others(self, words: Words) -> Iterator[Matrix]:
        """Ways that may be better than the usual one, if they are not the same."""
        yield self.likeness(words)

    @classmethod
    def here(cls) -> bool:
        return importlib.util.find_spec(cls.module) is not None


class MinHashLsh(Rival):
    """datasketch: signatures of 128 permutations over shingles of three words, an LSH index at the
    threshold, and each find checked by its estimated Jaccard index.

    The best threshold is looked for with all pairs, so without what an index misses, and with
    shingles of one word too, which suit headlines.
    """

    name = "MinHash LSH"
    module = "datasketch"
    usual = 0.7  # that of text-dedup, and the one in most tutorials
    told = "J >= .7"

    def likeness(self, words: Words) -> Matrix:
        signatures = self._signatures(words, 3)
        index = _package("datasketch").MinHashLSH(threshold=self.usual, num_perm=PERMUTATIONS)
        for place, signature in enumerate(signatures):
            index.insert(place, signature)
        near = np.zeros((len(words), len(words)), dtype=np.bool_)
        for place, signature in enumerate(signatures):
            near[place, index.query(signature)] = True
        return np.where(near | near.T, self._estimated(signatures), np.float32(0))

    def others(self, words: Words) -> Iterator[Matrix]:
        for size in (3, 1):
            yield self._estimated(self._signatures(words, size))

    def _signatures(self, words: Words, size: int) -> list[Any]:
        make = _package("datasketch").MinHash
        made = []
        for text in words:
            signature = make(num_perm=PERMUTATIONS)
            signature.update_batch(list(shingles(text, size)))
            made.append(signature)
        return made

    def _estimated(self, signatures: Sequence[Any]) -> Matrix:
        values = np.array([signature.hashvalues for signature in signatures])
        found = np.empty((len(values), len(values)), dtype=np.float32)
        for place, row in enumerate(values):
            found[place] = (values == row).mean(axis=1)
        return found


class Simhash64(Rival):
    """simhash as it comes: 64 bits over four characters each.

    One that stands there more than 255 times counts as often as that: the package can't count on.
    """

    name = "SimHash"
    module = "simhash"
    usual = 1 - 3 / 64  # Manku et al., 2007
    told = "3 bits"

    def likeness(self, words: Words) -> Matrix:
        make = _package("simhash").Simhash
        values = np.array([make(_fours("".join(text))).value for text in words], dtype=np.uint64)
        apart = np.bitwise_count(values[:, None] ^ values[None, :])
        found: Matrix = 1 - apart.astype(np.float32) / 64
        return found


def _fours(text: str) -> dict[str, int]:
    every = Counter(text[at : at + 4] for at in range(max(1, len(text) - 3)))
    return {four: min(count, 255) for four, count in every.items()}


class TfIdf(Rival):
    """scikit-learn's TF-IDF of the words (logarithmic counts), cosine.

    Frequencies are the set's own, which no stream knows beforehand.
    """

    name = "TF-IDF"
    module = "sklearn"
    usual = 0.5
    told = "cos >= .5"

    def likeness(self, words: Words) -> Matrix:
        make = _package("sklearn.feature_extraction.text").TfidfVectorizer
        vectors = make(analyzer=list, sublinear_tf=True, dtype=np.float32).fit_transform(words)
        found: Matrix = (vectors @ vectors.T).toarray()
        return found


def _package(name: str) -> Any:
    """None of them says of what types it is, and the syntax of one is out of date."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


def shingles(words: Sequence[str], size: int) -> set[bytes]:
    """Of that many words each; a text of fewer words is one."""
    last = max(1, len(words) - size + 1)
    return {" ".join(words[at : at + size]).encode() for at in range(last)}


RIVALS: Final[tuple[type[Rival], ...]] = (MinHashLsh, Simhash64, TfIdf)


# --------------------------------------------------------------------------- judging


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rival reached on a set, and at which likeness."""

    rival: str
    how: str  # the usual threshold, the best one, the best one within 72 h
    at: float
    score: Score


Judge: TypeAlias = Callable[[Matrix], Callable[[float], Score]]


def on_stories(given: Stories) -> Iterator[Judged]:
    """Every rival on documents with an event each."""
    event = given.event
    ids = [each.id for each in given.documents]

    def judge(matrix: Matrix) -> Callable[[float], Score]:
        tree = _linkage(matrix)
        return lambda at: b_cubed(event, dict(zip(ids, _components(tree, at), strict=True)))

    yield from (judged for judged, _ in _judged(given.documents, judge))


def on_pairs(given: Pairs) -> Iterator[Judged]:
    """Every rival on pairs, each by itself: nothing is linked."""
    place = {each.id: number for number, each in enumerate(given.documents)}

    def judge(matrix: Matrix) -> Callable[[float], Score]:
        like = {(a, b): float(matrix[place[a], place[b]]) for a, b in given.same}
        return lambda at: of_pairs(given.same, {pair: its >= at for pair, its in like.items()})

    yield from (judged for judged, _ in _judged(given.documents, judge))


def on_edits(
    given: Edits, also_at: Mapping[str, float]
) -> Iterator[tuple[Judged, dict[str, float]]]:
    """Every rival on edits, each held against every base; with the share found of each kind.

    Nothing here is hard to tell from a copy, so that the best threshold is one that no other set
    would bear: the rivals are judged at another one besides, `also_at`, by their names.
    """
    first = len(given.bases)
    own = np.array([[given.base[e.id] == base.id for base in given.bases] for e in given.edits])
    kinds = np.array([given.kind[edit.id] for edit in given.edits])

    def found(like: Matrix, at: float) -> npt.NDArray[np.bool_]:
        hits: npt.NDArray[np.bool_] = like[first:, :first] >= at
        return hits

    def judge(like: Matrix) -> Callable[[float], Score]:
        return lambda at: _of_matrix(found(like, at), own)

    def shares(like: Matrix, at: float) -> dict[str, float]:
        right = (found(like, at) & own).any(axis=1)
        return {kind: float(right[kinds == kind].mean()) for kind in sorted(set(kinds))}

    for judged, like in _judged([*given.bases, *given.edits], judge):
        yield judged, shares(like, judged.at)
        at = also_at.get(judged.rival)
        if judged.how == "best" and at is not None:
            again = Judged(judged.rival, "best of real pairs", at, judge(like)(at))
            yield again, shares(like, at)


def _of_matrix(hits: npt.NDArray[np.bool_], own: npt.NDArray[np.bool_]) -> Score:
    right = int((hits & own).sum())
    return Score(precision=right / max(1, int(hits.sum())), recall=right / max(1, int(own.sum())))


def _judged(documents: Sequence[Document], judge: Judge) -> Iterator[tuple[Judged, Matrix]]:
    """What each rival reached, with the likeness that it was judged by."""
    words = words_of(documents)
    near = _within(documents)
    for make in RIVALS:
        if not make.here():
            continue
        rival = make()
        usual = rival.likeness(words)
        yield Judged(rival.name, rival.told, rival.usual, judge(usual)(rival.usual)), usual
        ways = list(rival.others(words))
        yield _best(rival.name, "best", ways, judge)
        if not near.all():
            within = [np.where(near, way, np.float32(0)) for way in ways]
            yield _best(rival.name, "best, 72 h", within, judge)


def _best(name: str, how: str, ways: Sequence[Matrix], judge: Judge) -> tuple[Judged, Matrix]:
    found: tuple[Judged, Matrix] | None = None
    for way in ways:
        score_at = judge(way)
        for at in (step / STEPS for step in range(1, STEPS + 1)):
            score = score_at(at)
            if found is None or score.f1 > found[0].score.f1:
                found = Judged(name, how, at, score), way
    assert found is not None
    return found


def _within(documents: Sequence[Document]) -> npt.NDArray[np.bool_]:
    """Which two may be of one story by their time; who has none may."""
    hours = np.array(
        [np.nan if each.at is None else each.at.timestamp() / 3600 for each in documents]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        apart = np.abs(hours[:, None] - hours[None, :])
    within: npt.NDArray[np.bool_] = ~(apart > WINDOW / timedelta(hours=1))
    return within


def _linkage(matrix: Matrix) -> Any:
    """Single linkage, all thresholds at once."""
    if len(matrix) < 2:
        return None
    upper = np.triu_indices(len(matrix), k=1)
    apart = np.clip(1 - matrix[upper], 0, 1).astype(np.float64)
    return _package("scipy.cluster.hierarchy").linkage(apart, method="single")


def _components(tree: Any, at: float) -> list[int]:
    """The component of each document where all that are at least so alike are linked."""
    if tree is None:
        return [0]
    cut = _package("scipy.cluster.hierarchy").fcluster
    found: list[int] = cut(tree, 1 - at + 1e-6, criterion="distance").tolist()
    return found
