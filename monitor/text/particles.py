"""Particles that Korean writes together with the word they follow: 휴전은 is 휴전 + 은.

Only what may stand there by the language's own rule is taken off: 은, 이, 을, 과 behind a syllable
that ends in a consonant, 는, 가, 를, 와 behind one that doesn't. So 국가 (nation) is not 국 + 가,
and 마을 (village) not 마 + 을. Compounds stay whole: 휴전협정 is not 휴전.

Not taken off: 인, which makes Korean out of Korea (한국인), nor 자, 성, 적, 화: those make other words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from monitor.text.folding import exact

_ANY, _CONSONANT, _VOWEL, _VOWEL_OR_L = range(4)  # what the syllable before it ends in
_FIRST, _LAST = "가", "힣"  # Hangul syllables, in rows of 28 by final consonant
_FINALS: Final = 28
_FINAL_L: Final = 8

_PARTICLES: Final = {
    particle: condition
    for condition, particles in (
        (
            _ANY,
            """
            의 에 에는 에도 에만 에의 에서 에서는 에서도 에서만 에서의 에서부터 에게 에게는 에게도
            에게만 에게서 에게서는 께 께서 께서는 께서도 한테 한테는 한테도 한테서 도 만 만은 만이
            만을 만의 만으로 만으로는 만으로도 부터 부터는 부터도 부터의 까지 까지는 까지도 까지만
            까지의 처럼 처럼은 보다 보다는 보다도 마저 마저도 조차 조차도 마다 밖에 밖에는 뿐 뿐만
            뿐이다 대로 들 이다 이며 이고 이지만 이라고 이라는 입니다
            """,
        ),
        (
            _CONSONANT,
            """
            은 이 을 과 과는 과도 과의 으로 으로는 으로도 으로만 으로의 으로써 으로서 으로부터
            으로부터의 이나 이나마 이자 이라 이라도 이라면 이라며 이라서 이란 이었다 이었던 이었고
            이었으며
            """,
        ),
        (
            _VOWEL,
            """
            는 가 를 와 와는 와도 와의 나 나마 며 지만 라도 라고 라는 라면 라며 라서 였다 였던 였고
            였으며
            """,
        ),
        (_VOWEL_OR_L, "로 로는 로도 로만 로의 로써 로서 로부터 로부터의"),
    )
    for particle in particles.split()
}
_LONGEST: Final = max(map(len, _PARTICLES))
_PLURAL: Final = "들"
# Behind one syllable, which is seldom a noun, only what is hardly ever the end of another word:
# 핵을 is 핵 (bomb) + 을, but 정도, 회의, 결과 and 국가 are words.
_AFTER_ONE: Final = frozenset("은는을를에")
_LONGEST_WORD: Final = 64


def stems(word: str) -> tuple[tuple[str, int], ...]:
    """What a word is without a particle, and how many of its characters that are."""
    if len(word) > _LONGEST_WORD:
        return ()
    composed = exact(word)
    found = dict.fromkeys(_stems(composed))
    if composed == word:
        return tuple((stem, len(stem)) for stem in found)
    return tuple((stem, _length(word, stem)) for stem in found)


def _stems(word: str) -> Iterator[str]:
    for size in range(1, min(_LONGEST, len(word) - 1) + 1):
        particle, stem = word[-size:], word[:-size]
        condition = _PARTICLES.get(particle)
        if condition is None or not _fits(stem[-1], condition):
            continue
        if len(stem) > 1 or size > 1 or particle in _AFTER_ONE:
            yield stem
            if stem[-1] == _PLURAL and len(stem) > 2:
                yield stem[:-1]


def _fits(last: str, condition: int) -> bool:
    """Whether a particle may follow this syllable."""
    if not _FIRST <= last <= _LAST:
        return False
    final = (ord(last) - ord(_FIRST)) % _FINALS
    if condition == _CONSONANT:
        return final != 0
    if condition == _VOWEL:
        return final == 0
    return condition == _ANY or final in (0, _FINAL_L)


def _length(word: str, stem: str) -> int:
    """How many characters of a word that is not composed, or holds unseen ones, its stem is."""
    return next(
        length for length in range(len(stem), len(word) + 1) if exact(word[:length]) == stem
    )
