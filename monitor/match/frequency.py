"""How common words are: which part of a query is worth waiting for.

Only speed depends on it. Of "ceasefire AND said" the engine waits for "ceasefire" and looks at the
rest of the query only where that was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from monitor.text import tokens

UNSEEN: Final = 0.0005
"""The share of articles for a word that no table has."""

_EVERYWHERE: Final = """
    the of and to in a is for on that with as was at by it from are be has have an this he his not
    they which will their been were had after who its also more but one would when there we new
    last than all two up about over first said out or other into she her him you so what no can if
"""
_FREQUENT: Final = """
    government people country president minister state police year years day world time week month
    india pakistan china russia us uk war military officials official according told news report
    international security national court party former group city including against between some
    could most during before while since under through where many only just now back just made
    de la le les des et en du un une el los las que y del se por con para der die und das den von
    zu mit im auf ist dem für di il che e per non в и на с по что не के में की है को का से और ने पर
    کے میں کی ہے کو کا سے اور نے پر في من على ان الى التي و به از که در این را
"""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """The share of articles that hold a word, by its normal form."""

    shares: Mapping[str, float] = field(default_factory=dict)

    def share(self, norm: str) -> float:
        """From 0 to 1; small for what was never seen, larger the shorter it is."""
        known = self.shares.get(norm)
        if known is not None:
            return known
        return 0.3 if len(norm) == 1 else UNSEEN


SHIPPED: Final = Frequencies(
    MappingProxyType(
        dict.fromkeys(_FREQUENT.split(), 0.2) | dict.fromkeys(_EVERYWHERE.split(), 0.8)
    )
)
"""What holds for news anywhere, judged by hand: enough to never wait for "the"."""


def measured(texts: Iterable[str]) -> Frequencies:
    """The shares in these texts, each the whole of one article; some hundred are enough."""
    seen: Counter[str] = Counter()
    count = 0
    for text in texts:
        count += 1
        seen.update({token.norm for token in tokens(text)})
    if count < 50:  # noise: a word of one article would count as common
        return SHIPPED
    return Frequencies({norm: number / count for norm, number in seen.items()})
