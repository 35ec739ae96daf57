"""Where sentences end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.text import sentence_ends


def test_an_abbreviation_ends_no_sentence() -> None:
    """Full stops of titles, initials and acronyms are passed over."""
    text = "Gen. Munir met J. D. Vance of the U.S. Senate. They spoke. “Yes.” He left"
    ends = sentence_ends(text)
    assert [text[:end].rsplit(maxsplit=1)[-1] for end in ends] == ["Senate.", "spoke.", "“Yes.”"]


@given(st.text(alphabet=st.characters() | st.sampled_from(".!?…।۔؟。 \n\"'”’a A"), max_size=60))
def test_sentence_ends_ascend_within_the_text(text: str) -> None:
    """Ends are in order and inside the text."""
    ends = sentence_ends(text)
    assert ends == sorted(ends)
    assert all(0 < end <= len(text) for end in ends)
