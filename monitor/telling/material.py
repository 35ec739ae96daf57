"""What is worth a reply under a story that people were told of.

An article that was *changed* says something else: a correction or a retraction, another number of
dead, injured or missing, a headline that turned. An article that *joined* the story brings a side
that had not spoken, a correction, or another number of dead. A page is *gone*.

Everything has a subject: what was said of a story under one subject is never said again, so a
number that ten papers correct is one reply. Values in, values out; nothing is known of messages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from monitor.model import ArticleId
from monitor.ports import Coverage
from monitor.telling.figures import Fate, Figure, figures, sentence_at
from monitor.telling.headlines import Turn, turn
from monitor.text import normal_form

LEAD: Final = 600
"""Characters of a text in which its news stands: figures further down are of other events as often."""

COMPARED: Final = 20
"""Articles of a story that a new one is held against, the newest."""


class Kind(StrEnum):
    """What happened."""

    SIDE = "side"
    FIGURE = "figure"
    DIFFERENCE = "difference"  # an independent report has another figure
    HEADLINE = "headline"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Something to be said under a story."""

    kind: Kind
    subject: str  # what it is about, within its story: the same news has the same
    publisher: str
    headline: str  # of the article that brought it
    url: str | None
    title: str = ""  # the news in a few words of our own: "Killed: 8 → 11"
    was: str = ""  # a whole sentence of before
    now: str = ""  # and what stands there now


def changed(before: tuple[str, str | None], after: Coverage) -> tuple[Update, ...]:
    """What is to be said of an article that was changed; `before`: its title and text until now.

    No text: what it said stands, as a part of what it says now (a page that grows).
    """
    title, body = before
    by = _By(after)
    marked = _marked(after.title, after.body)
    if marked is not None and marked != _marked(title, body or ""):
        kind, sentence = marked
        figure = next(_figures(by, title, body), None)
        was = figure.was if figure else ("" if _same(title, after.title) else title)
        now = figure.now if figure else (sentence if _same(title, after.title) else after.title)
        return (by.update(kind, f"{kind}:{after.article}:{_mark(sentence)}", was=was, now=now),)
    found = _together([*_figures(by, title, body)])
    turned = turn(title, after.title)
    if turned is not None and not any(each.was == title for each in found):
        subject = f"headline:{after.article}:{turned.name.lower()}"
        said = by.update(Kind.HEADLINE, subject, was=title, now=after.title, title=_TURNED[turned])
        found.append(said)
    return tuple(found)


def joined(others: Sequence[Coverage], new: Coverage) -> tuple[Update, ...]:
    """What is to be said of an article that joined a story; `others`: its articles before."""
    by = _By(new)
    sides = {side for each in others for side in each.sides}
    found = [
        by.update(Kind.SIDE, f"side:{side}", title=side, now=new.title)
        for side in new.sides
        if sides and side not in sides
    ]
    marked = _marked(new.title, new.body)
    if marked is None:
        found += _differs(by, others)
    elif not _is_known(new, others):
        kind, sentence = marked
        found.append(by.update(kind, f"{kind}:{new.article}", now=sentence))
    return tuple(found)


def _is_known(new: Coverage, others: Sequence[Coverage]) -> bool:
    """Whether a correction is a copy of one that came before."""
    family = (each for each in others if _root(each) == _root(new))
    return any(_same(each.title, new.title) and _marked(each.title, each.body) for each in family)


def _root(article: Coverage) -> ArticleId:
    return article.copy_of or article.article


def gone(article: Coverage, status: str) -> Update:
    """The page of an article that people were told of is not there any more."""
    return _By(article).update(Kind.GONE, f"gone:{article.article}", title=status)


# --------------------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class _By:
    """Whose news it is."""

    article: Coverage

    def update(
        self, kind: Kind, subject: str, *, title: str = "", was: str = "", now: str = ""
    ) -> Update:
        article = self.article
        return Update(
            kind=kind,
            subject=subject,
            publisher=article.publishers[0] if article.publishers else "",
            headline=article.title,
            url=article.url,
            title=title,
            was=was,
            now=now,
        )


def _figures(by: _By, title: str, body: str | None) -> Iterator[Update]:
    """Numbers that the article gives in place of others, or for the first time.

    Headline is held against headline, and text against text: a number that only moved is none.
    """
    after = by.article
    places = [(title, after.title)]
    if body is not None:
        places.append((body[:LEAD], after.body[:LEAD]))
    said_before = [each for text, _ in places for each in figures(text)]
    for fate in Fate:
        for old_text, new_text in places:
            old, new = _main(old_text, fate), _main(new_text, fate)
            if new is None or (old is not None and old.agrees(new)):
                continue
            if any(each.fate is fate and each.agrees(new) for each in said_before):
                continue
            was = sentence_at(old_text, old.start) if old else ""
            counted = f"{old.number} → {new.number}" if old else f"{new.number}"
            yield by.update(
                Kind.FIGURE,
                f"{fate}:{new.number}",
                title=f"{fate.capitalize()}: {counted}",
                was=was,
                now=sentence_at(new_text, new.start),
            )
            break


def _together(found: Sequence[Update]) -> list[Update]:
    """Several numbers that one article changed are one piece of news, that of the gravest."""
    if len(found) < 2:
        return [*found]
    return [replace(found[0], title="; ".join(each.title for each in found))]


def _differs(by: _By, others: Sequence[Coverage]) -> Iterator[Update]:
    """Another number of dead than all that were reported."""
    new = by.article
    mine = _of_article(new)
    if mine is None:
        return
    text, figure = mine
    latest: tuple[Coverage, str, Figure] | None = None
    for each in others[-COMPARED:]:
        for place in (each.title, each.body[:LEAD]):
            counted = [one for one in figures(place) if one.fate is Fate.KILLED]
            if any(one.agrees(figure) for one in counted):
                return
        told = _of_article(each)
        if told is not None:
            latest = (each, *told)
    if latest is None:
        return
    other, other_text, known = latest
    independent = _root(other) != _root(new)
    who = (other.publishers or ("others",))[0]
    yield by.update(
        Kind.DIFFERENCE if independent else Kind.FIGURE,
        f"{Fate.KILLED}:{figure.number}",
        title=f"Killed: {known.number} ({who}) → {figure.number}",
        was=sentence_at(other_text, known.start),
        now=sentence_at(text, figure.start),
    )


def _of_article(article: Coverage) -> tuple[str, Figure] | None:
    """The number of dead that an article is about, and the text that has it."""
    for text in (article.title, article.body[:LEAD].partition("\n\n")[0]):
        for figure in figures(text):
            if figure.fate is Fate.KILLED and not _is_aside(text, figure):
                return text, figure
    return None


_ASIDE: Final = re.compile(
    r"\b(?:after|since|following|over|avenge|avenging|retaliation|revenge|response|reply|anniversary"
    r"|ago|earlier|last|previous|in\s+(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_ASIDE_BEHIND: Final = re.compile(r"(?:\S+\s+){0,7}?(?:के|کے)\s+(?:बाद|جواب|بعد|जवाब|विरोध|خلاف)")


def _is_aside(text: str, figure: Figure) -> bool:
    """Whether a number is of what went before: "days after gunmen killed 14", 14 की मौत के बाद."""
    sentence = sentence_at(text, figure.start)
    start = text.find(sentence)
    before, behind = text[start : figure.start], text[figure.end : start + len(sentence)]
    return bool(_ASIDE.search(before) or _ASIDE_BEHIND.match(behind.strip()))


def _main(text: str, fate: Fate) -> Figure | None:
    return next((each for each in figures(text) if each.fate is fate), None)


# --------------------------------------------------------------------------- corrections

_TURNED: Final = {
    Turn.DENIED: "Now denied",
    Turn.CONFIRMED: "Now confirmed",
    Turn.BROKEN: "Now broken off",
    Turn.KEPT: "Now going on",
    Turn.REVERSED: "The headline turned",
    Turn.NEGATED: "The headline turned",
}
# In front of a headline, or of a paragraph, with what sets it apart.
_RETRACTED: Final = re.compile(
    r"\W*(?:retracted|retraction|(?:story|report|article)?\s*withdrawn|story\s+kill(?:ed)?"
    r"|ख़?बर\s+वापस|खंडन\s+पत्र|خبر\s+واپس|واپس\s+لی\s+گئی\s+خبر)\s*[:\]）)—–|-]",
    re.IGNORECASE,
)
_CORRECTED: Final = re.compile(
    r"\W*(?:corrections?|corrected|corrects|clarification|erratum"
    r"|(?:भूल[\s-]*)?सुधार|शुद्धि\s*पत्र|स्पष्टीकरण|तस्हीह|تصحیح|درستی|وضاحت)\s*(?:\([^)]{1,30}\)\s*)?[:\]）)—–|-]",
    re.IGNORECASE,
)
# A sentence of a text that speaks of the text.
_THIS: Final = r"(?:this|the|our|an?|earlier|previous)\s+(?:\w+\s+){0,3}?(?:story|report|article|item|version|dispatch)"
_SAYS_RETRACTED: Final = re.compile(
    rf"(?:{_THIS}\s+(?:has|have|is|was)\s+(?:been\s+)?(?:retracted|withdrawn|taken\s+down))"
    rf"|(?:(?:we|has|have|editors?)\s+(?:have\s+)?(?:retract(?:s|ed)|withdr(?:a|e)wn?)\s+(?:{_THIS}|it\b))"
    r"|\b(?:retracts|withdraws)\s+(?:its\s+|the\s+|a\s+)?(?:\w+\s+){0,2}?(?:story|report|article)\b"
    r"|(?:यह|उक्त)\s+(?:ख़?बर|रिपोर्ट)\s+वापस\s+ली|یہ\s+خبر\s+واپس\s+لی",
    re.IGNORECASE,
)
_SAYS_CORRECTED: Final = re.compile(
    rf"(?:{_THIS}\s+(?:has|have|was|is)\s+(?:been\s+)?(?:corrected|amended|updated\s+to\s+correct))"
    r"|an?\s+(?:earlier|previous)\s+version\s+of\s+this\s+\w+"
    r"|\bcorrects\s+(?:to\s+show|paragraph|headline|the\s+\w+\s+(?:in|of))"
    r"|\bwe\s+regret\s+the\s+error|ख़?बर\s+में\s+सुधार\s+किया|خبر\s+میں\s+تصحیح\s+کی|غلطی\s+پر\s+معذرت",
    re.IGNORECASE,
)
_NOTE: Final = 400
"""Characters at either end of a text in which a desk says that it was corrected."""


def _marked(title: str, body: str) -> tuple[Kind, str] | None:
    """Whether an article says that it, or what was published before, was wrong; and the sentence."""
    places = [title, *(part.strip() for part in (body[:_NOTE], body[-_NOTE:]) if part.strip())]
    paragraphs = [title, *(part for text in places[1:] for part in text.split("\n\n") if part)]
    for kind, front, inside in (
        (Kind.RETRACTION, _RETRACTED, _SAYS_RETRACTED),
        (Kind.CORRECTION, _CORRECTED, _SAYS_CORRECTED),
    ):
        for text in paragraphs:
            if front.match(text):
                return kind, sentence_at(text, 0) if text is not title else title
        for text in places:
            if match := inside.search(text):
                return kind, sentence_at(text, match.start())
    return None


def _same(one: str, other: str) -> bool:
    return normal_form(one) == normal_form(other)


def _mark(text: str) -> str:
    return hashlib.blake2b(normal_form(text).encode(), digest_size=4).hexdigest()
