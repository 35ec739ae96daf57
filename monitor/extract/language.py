"""The language of a text, with what page and feed declare as witnesses."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pycld2  # type: ignore[import-untyped]  # pycld2's gap

SAMPLE = 2_000
"""Characters that are looked at: more changes no answer."""

FEWEST = 20
"""Latin letters on which a guess is founded; fewer leave it to the declarations."""

FEW = 6
"""Letters of another script on which a guess is founded: it is half of the answer."""

ENOUGH = 120
"""Letters of a text that is believed against what is declared."""

MOST = 80
"""Percent of a text in one language that make it that language's."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_UNDETERMINED = frozenset({"un", "und", "mul", "zxx", "mis", "xx"})
_OLD_CODES = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr", "tl": "fil"}
_HINTS = frozenset(code for _, code in pycld2.LANGUAGES)

# Languages that a detector takes for each other, in the same letters: a declaration tells better.
_KIN = tuple(
    frozenset(group.split())
    for group in (
        "no nb nn da",
        "id ms jv su",
        "hr bs sr cnr",
        "zh yue wuu",
        "fa prs",
        "gl pt",
        "bg mk",
        "az tr",
        "fil ceb",
    )
)

# The scripts of news other than Latin: their letters, and the languages that are written in them.
_SCRIPTS = tuple(
    (re.compile(f"[{letters}]"), frozenset(languages.split()))
    for letters, languages in (
        ("ء-ۿݐ-ݿ", "ar fa ur ps sd ug ckb ku ks pnb prs az"),
        ("Ѐ-ӿ", "ru uk be bg sr mk kk ky tg mn uz tt ba ce bs cnr az"),
        ("ऀ-ॿ", "hi mr ne sa mai bho kok doi brx sd ks new"),
        ("ঀ-৿", "bn as mni"),
        ("֐-׿", "he yi"),
        ("ሀ-፿", "am ti"),
        ("က-႟", "my"),
        ("ぁ-ヿ", "ja"),
        ("가-힣", "ko"),
        ("一-鿿", "zh yue wuu ja ko"),
        ("Ͱ-Ͽἀ-῿", "el"),
        ("԰-֏", "hy"),
        ("Ⴀ-ჿ", "ka"),
        ("฀-๿", "th"),
        ("຀-໿", "lo"),
        ("ក-៿", "km"),
        ("ༀ-࿿", "bo dz"),
        ("඀-෿", "si"),
        ("஀-௿", "ta"),
        ("ఀ-౿", "te"),
        ("ಀ-೿", "kn"),
        ("ഀ-ൿ", "ml"),
        ("઀-૿", "gu"),
        ("਀-੿", "pa"),
        ("଀-୿", "or"),
        ("ހ-޿", "dv"),
    )
)
_ALSO_LATIN = frozenset(["sr", "az", "uz", "kk", "bs", "cnr", "tg", "mn", "ku", "tt"])
_NEVER_LATIN = frozenset().union(*(languages for _, languages in _SCRIPTS)) - _ALSO_LATIN
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # by CLD2
_URDU = re.compile("[ٹڈڑںےھہ]")  # letters that neither Arabic nor Persian has
_PERSIAN = re.compile("[پچژگ]")  # letters that Arabic has not, and Urdu has too


def language_of(text: str, declared: Iterable[str | None] = ()) -> str | None:
    """The language of a text as a BCP 47 tag; None when neither words nor declarations tell.

    `declared` are the tags that page and feed give, the nearest to the text first; what is no tag
    is passed over. They decide for texts of a few letters and between languages that
    are hard to tell apart, and name the variety (en-IN). Against a longer text that is clearly in
    another language they are mistaken, as they are where they can't be written in the text's
    letters: templates declare English around Urdu. The detector is CLD2, whose tables are in its
    wheel; it takes 0.02 ms.
    """
    tags = [tag for each in declared if each and (tag := tag_of(each))]
    sample = text[:SAMPLE]
    letters = sum(map(str.isalpha, sample))
    if not letters:
        return tags[0] if tags else None
    written = _languages_in_script(sample, letters)
    tags = [tag for tag in tags if _can_be(base_of(tag), written)]
    if len(written) == 1:
        return next(iter((*tags, *written)))
    if letters < (FEW if written else FEWEST):
        return tags[0] if tags else _by_letters(sample, written)
    hint = base_of(tags[0]) if tags and letters < ENOUGH else None
    found, percent, sure = _detected(sample, hint)
    if found is None or not _can_be(found, written):
        return tags[0] if tags else _by_letters(sample, written)
    near = frozenset({found}).union(*(group for group in _KIN if found in group))
    if same := next((tag for tag in tags if base_of(tag) in near), None):
        return same
    clear = sure and percent >= MOST and letters >= ENOUGH
    return found if clear or not tags else tags[0]


def tag_of(text: str) -> str | None:
    """A declaration as a BCP 47 tag: `en_IN` is en-IN; None for what names no language."""
    tag = text.strip().replace("_", "-")
    usable = len(tag) <= 35 and _TAG.fullmatch(tag) and base_of(tag) not in _UNDETERMINED
    return tag if usable else None


def base_of(tag: str) -> str:
    """The language of a tag, without region and script."""
    base = tag.partition("-")[0].lower()
    return _OLD_CODES.get(base, base)


def _languages_in_script(sample: str, letters: int) -> frozenset[str]:
    """The languages that are written in most of a text's letters; none stands for Latin.

    Kana and Hangul tell among Chinese characters, of which Japanese has more than of its own; and
    a Chinese character is a word where a Latin letter is a fifth of one.
    """
    if sample.isascii():
        return frozenset()
    for script, languages in _SCRIPTS:
        few = 0.1 if languages <= {"ja", "ko"} else 0.3 if "zh" in languages else 0.5
        if len(script.findall(sample)) > few * letters:
            return languages
    return frozenset()


def _can_be(language: str, written: frozenset[str]) -> bool:
    return language in written if written else language not in _NEVER_LATIN


def _by_letters(sample: str, written: frozenset[str]) -> str | None:
    """The language of a few words: Chinese, or in Arabic letters by those that others lack."""
    if "ur" not in written:
        return "zh" if "zh" in written else None
    if _URDU.search(sample):
        return "ur"
    return "fa" if _PERSIAN.search(sample) else "ar"


def _detected(sample: str, hint: str | None) -> tuple[str | None, int, bool]:
    """What CLD2 says: a language, the percent of the text that is in it, whether it is sure."""
    clean = _UNREADABLE.sub(" ", sample)
    hint = hint if hint in _HINTS else None
    try:
        sure, _, guesses = pycld2.detect(
            clean, isPlainText=True, bestEffort=True, **({"hintLanguage": hint} if hint else {})
        )
    except (pycld2.error, ValueError):
        return None, 0, False
    _, code, percent, _ = guesses[0]
    base = base_of(code)
    return (None if base in _UNDETERMINED else base), percent, sure
