"""Whether a headline that was changed says something else, not the same in other words.

Desks change headlines all day: a comma, "LIVE:", another word for the same. What readers want to be
told is that it *turned*: announced and now denied, holds and now violated, injured and now dead, to
attend and not to attend. Verbs by themselves don't tell ("hits" and "strikes" are the same, "opens"
and "shuts" are not), and no dictionary of antonyms is known to us that would tell them apart in
English, Hindi and Urdu alike. So there is a list of *turns*, each with the words of its two ends, and
three rules:

* a word of an end must be new, and the headline must not have had one of that end before;
* it does not count where the headline asks, fears, or says what might be (`_HEDGES`);
* the other end must have stood in the old headline, or either must speak of what can be broken off
  (a ceasefire, talks, a treaty); a denial needs neither.

Beside that, a headline that is nearly the same turned if a "not" came or went.

Words are compared as whole words in the normal form (`monitor.text`).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

from monitor.text import fold, tokens


class Turn(StrEnum):
    """What became of what a headline said."""

    DENIED = "denied"
    CONFIRMED = "confirmed"
    BROKEN = "broken off"
    KEPT = "going on"
    REVERSED = "reversed"
    NEGATED = "negated"


def turn(before: str, after: str) -> Turn | None:
    """How the headline `after` turns what `before` said; None if it doesn't, or can't be told."""
    old, new = _words(before), _words(after)
    if old == new or "?" in after or "؟" in after:
        return None
    fresh = _said(new, {*old})
    was = {*old}
    if fresh & _DENIES and not was & _DENIES:
        return Turn.DENIED
    if fresh & _CONFIRMS and was & (_DENIES | _UNSURE) and not was & _CONFIRMS:
        return Turn.CONFIRMED
    if (was | {*new}) & _PACTS:
        breaks = _BREAKS | _ENDS if was & _KEEPS else _BREAKS
        if fresh & breaks and not was & breaks and not {*new} & _DENIES:
            return Turn.BROKEN
        if fresh & _KEEPS and was & _BREAKS and not {*new} & _BREAKS:
            return Turn.KEPT
    if was & _HARMED and fresh & _DEAD and not was & _DEAD:
        return Turn.REVERSED
    for one, other in _OPPOSITES:
        for start, end in ((one, other), (other, one)):
            if was & start and not was & end and fresh & end and not {*new} & start:
                return Turn.REVERSED
    if _negates(old) != _negates(new) and _alike(old, new):
        return Turn.NEGATED
    return None


# --------------------------------------------------------------------------- words


def _folded(words: str, *phrases: str) -> frozenset[str]:
    alone = (fold(word) for word in words.split())
    return frozenset((*alone, *(" ".join(map(fold, phrase.split())) for phrase in phrases)))


_DENIES: Final = _folded(
    "deny denies denied denial denials refute refutes refuted reject rejects rejected rejecting"
    " rubbishes rubbished debunk debunks debunked disown disowns disavows dismisses contradicts disputes"
    " इनकार इन्कार इंकार खंडन नकारा नकार खारिज ठुकराया ठुकराई ठुकराए बेबुनियाद"
    " تردید انکار مسترد بنیاد"
)
_CONFIRMS: Final = _folded(
    "confirm confirms confirmed admit admits admitted acknowledges acknowledged concedes"
    " पुष्टि स्वीकारा कबूला تصدیق اعتراف"
)
_UNSURE: Final = _folded(
    "reportedly reported unconfirmed alleged allegedly alleges claim claims claimed feared suspected"
    " rumours rumors likely दावा आशंका कथित दावे دعویٰ مبینہ خدشہ"
)
_PACTS: Final = _folded(
    "ceasefire ceasefires truce armistice deal accord agreement agreements pact treaty talks dialogue"
    " negotiations meeting summit visit tour match series election elections vote polls strike bandh"
    " ban curfew hotline understanding flights trade"
    " युद्धविराम संघर्षविराम विराम सीजफायर सीज़फायर समझौता समझौते संधि वार्ता बातचीत बैठक दौरा दौरे चुनाव मैच कर्फ्यू"
    " بندی معاہدہ معاہدے مذاکرات چیت اجلاس ملاقات دورہ انتخابات میچ کرفیو"
)
_BREAKS: Final = _folded(
    "collapse collapses collapsed collapsing fails failed violate violates violated violation"
    " violations violating breach breaches breached broken unravels unravelled unraveled"
    " shattered crumbles scrap scraps scrapped cancel cancels cancelled canceled cancellation suspend"
    " suspends suspended postpone postpones postponed deferred terminated terminates revoked withdrawn"
    " stalled deadlocked boycotts void stalls"
    " उल्लंघन टूटा टूटी टूट तोड़ा तोड़ी रद्द स्थगित टला टली टल विफल नाकाम ठप बेनतीजा"
    " ورزی ٹوٹ توڑ منسوخ معطل ملتوی ناکام تعطل",
    "called off",
    "calls off",
    "call off",
    "breaks down",
    "broke down",
    "breaks off",
    "falls apart",
    "fell apart",
    "put off",
)
_PHRASES: Final = frozenset(word for word in _BREAKS if " " in word)
_KEEPS: Final = _folded(
    "holds holding resume resumes resumed restored restores revived revives reinstated extended extends"
    " agreed agree agrees signed बहाल जारी सहमत सहमति बरकरार कायम بحال جاری برقرار متفق اتفاق"
)
_ENDS: Final = _folded("ends ended over expires expired lapses lapsed खत्म ख़त्म समाप्त ختم")
_HARMED: Final = _folded(
    "injured wounded hurt critical hospitalised hospitalized ill missing alive survives"
    " घायल ज़ख़्मी जख्मी लापता بیمار زخمی لاپتہ"
)
_DEAD: Final = _folded("dies died dead succumbs killed मौत निधन मृत मारे جاں ہلاک انتقال شہید")
# The words of either end, apart by "|".
_ENDS_OF: Final = """
    open opens opened reopen reopens reopened खुला खुली खुले खोला खोली खोले खुलेगा کھول کھلا
        کھلی کھلے | shut shuts close closes closed closing बंद بند;
    begin begins began start starts started launch launches launched शुरू आरंभ شروع آغاز |
        बंद بند halt halts halted stop stops stopped pause pauses paused suspend suspends
        suspended ends ended scrapped cancelled postponed रोका रोकी रोक स्थगित समाप्त खत्म ख़त्म
        रद्द روک معطل ملتوی ختم منسوخ;
    impose imposes imposed ban bans banned block blocks blocked प्रतिबंध पाबंदी پابندی |
        lift lifts lifted ease eases eased unblock unblocks restores restored हटाया हटाई हटा
        اٹھا ہٹا;
    arrest arrests arrested detain detains detained held jailed गिरफ्तार हिरासत गिरफ़्तार
        گرفتار حراست | free frees freed release releases released acquit acquits acquitted bail
        रिहा बरी رہا بری;
    missing trapped लापता لاپتہ لاپتا | found rescued मिला मिली मिले सुरक्षित مل ملا برآمد;
    rise rises rose up gain gains gained surge surges surged jump jumps soar soars higher
        climbs rally rallies बढ़ा बढ़ी बढ़े उछाल तेजी बढ़त اضافہ تیزی | fall falls fell down
        drop drops dropped plunge plunges plunged slump slumps slide slides lower tumble tumbles
        sink sinks गिरा गिरी गिरे गिरावट घटा घटी کمی مندی گر;
    win wins won beat beats defeats leads जीता जीती जीत हराया جیت ہرا فتح | lose loses lost
        loss trail trails हारा हारी हार ہار شکست;
    approve approves approved pass passes passed clear clears cleared adopt adopts adopted
        accept accepts accepted agree agrees agreed backs मंजूर मंजूरी सहमत स्वीकार منظور متفق
        قبول | reject rejects rejected veto vetoes vetoed blocks defeated refuse refuses refused
        opposes withdraws नामंजूर खारिज इनकार मना नामंज़ूर مسترد انکار نامنظور;
    advance advances advanced deploy deploys deployed enters तैनात تعینات | retreat retreats
        retreated withdraw withdraws withdrew pullback leaves वापस واپس;
    joins join remains stays stay continue continues | quits quit leaves resigns resigned
        steps sacked ousted removed;
    guilty convicted convicts दोषी مجرم | acquitted innocent cleared overturned बरी निर्दोष
        بری;
    allow allows allowed permit permits permitted अनुमति इजाजत اجازت | ban bans banned bar
        bars barred prohibits prohibited प्रतिबंध पाबंदी پابندی
"""
_OPPOSITES: Final = tuple(
    tuple(map(_folded, " ".join(row.split()).split("|"))) for row in _ENDS_OF.split(";")
)
_NEGATIONS: Final = _folded(
    "not no never without cannot can't won't didn't doesn't isn't don't नहीं नही न نہیں نہ neither nor"
)
_HEDGES: Final = _folded(
    "could may might would fear fears feared if whether risk risks threatens threat threatened warns"
    " warning warn despite avoid prevent unless should can urges asked calls amid over no not never"
    " explainer explained why how what who नहीं अगर यदि आशंका चेतावनी क्यों कैसे क्या اگر خدشہ کیوں نہیں کیا"
)
_REACH: Final = 2  # tokens before a word in which a hedge counts

_SMALL: Final = (
    _folded(
        "a an the to of in on at by for from with and or as is are was were be been has have had will it its"
        " live updates update breaking exclusive watch news video photos full text report says say said"
        " की के का को में से पर ने और है हैं कि लाइव کی کے کا کو میں سے پر نے اور ہے ہیں"
    )
    | _NEGATIONS
)
_ALIKE: Final = 0.6


def _words(headline: str) -> Sequence[str]:
    words = [token.norm for token in tokens(headline) if token.norm]
    return [*words, *(f"{one} {two}" for one, two in pairwise(words) if f"{one} {two}" in _PHRASES)]


def _said(words: Sequence[str], before: set[str]) -> set[str]:
    """Words that are new, and stand for what is said to be so."""
    return {
        word
        for at, word in enumerate(words)
        if word not in before and not {*words[max(0, at - _REACH) : at]} & _HEDGES
    }


def _negates(words: Sequence[str]) -> bool:
    return bool({*words} & _NEGATIONS)


def _alike(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether two headlines are the same but for a few words, so that a "not" is all there is."""
    one, other = {*old} - _SMALL, {*new} - _SMALL
    return bool(one and other) and len(one & other) >= _ALIKE * max(len(one), len(other))
