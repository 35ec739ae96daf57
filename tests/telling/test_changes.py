"""What a revision changed, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ports import Revision
from monitor.telling.changes import LONGEST, PASSAGES, Changes, Passage, changes, revised

NOW = datetime(2025, 5, 10, 12, tzinfo=UTC)
MARKS = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]"}
FAR = " ".join(f"word{number}" for number in range(40))


def written(passage: Passage) -> str:
    return " ".join(MARKS[edit.kind].format(edit.text.rstrip()) for edit in passage)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("At least 14 died.", "At least 8 died.", ["At least [-14-] [+8+] died."]),
        ("Truce holds", "Truce broken", ["Truce [-holds-] [+broken+]"]),
        ("One.\n\nTwo.", "One.\n\nTwo.\n\nThree.", ["One. Two. [+Three.+]"]),
        ("One.\n\nTwo.", "Two.", ["[-One.-] Two."]),
        ("", "Came.", ["[+Came.+]"]),
        ("Went.", "", ["[-Went.-]"]),
        ("one two three", "quite another thing said", ["[-one two three-] [+quite another thing said+]"]),
        ("袭击造成14人死亡", "袭击造成8人死亡", ["袭击造成 [-14-] [+8+] 人死亡"]),
        ("ความสัมพันธ์ไทย", "ความขัดแย้งไทย", ["ความ [-สัมพันธ์-] [+ขัดแย้ง+] ไทย"]),
        ("กิน", "กัน", ["[-กิ-] [+กั+] น"]),
        ("جنگ بندی آج سے", "جنگ بندی کل سے", ["جنگ بندی [-آج-] [+کل+] سے"]),
        ("युद्धविराम आज से", "युद्धविराम कल से", ["युद्धविराम [-आज-] [+कल+] से"]),
        ("a  b\n\nc", "a b\nc ", []),
        ("same", "same", []),
        ('"It\'s quiet," he said.', "“It’s quiet,” he said.", []),
        ("“It’s” over", "\"It's\" on", ["\"It's\" [-over-] [+on+]"]),
    ],
)  # fmt: skip
def test_what_went_and_what_came(before: str, after: str, said: list[str]) -> None:
    """Word by word, letter by letter without spaces; white space and the form of quotes don't count."""
    found = changes(before, after)
    assert [written(passage) for passage in found.passages] == said
    assert found.more == 0


def test_a_change_stands_among_a_few_words() -> None:
    """Those that are far apart are apart."""
    before, after = f"first {FAR} last", f"1st {FAR} final"
    assert [written(passage) for passage in changes(before, after).passages] == [
        "[-first-] [+1st+] word0 word1 word2 word3 word4 word5 word6 …",
        "… word34 word35 word36 word37 word38 word39 [-last-] [+final+]",
    ]


def test_of_many_changes_the_first_are_told() -> None:
    """And how many there are more."""
    places = PASSAGES + 3
    before = "\n".join(f"{FAR} old{number}" for number in range(places))
    found = changes(before, before.replace("old", "new"))
    assert (len(found.passages), found.more) == (PASSAGES, 3)


@pytest.mark.parametrize("space", [" ", "\n"])
def test_what_is_endless_is_cut(space: str) -> None:
    """A text that nobody could compare word by word is gone, and another one is there."""
    before, after = (space.join(f"{side}{number}" for number in range(9000)) for side in "ab")
    [[gone, new]] = changes(before, after).passages
    assert (gone.kind, new.kind) == ("gone", "new")
    assert gone.text.startswith("a0 a1 ")
    assert {len(gone.text), len(new.text)} <= {*range(LONGEST - 10, LONGEST + 3)}


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "\x9b31m", "\u202egnp.exe", "\ud800", "\x00"])
def test_what_would_act_on_a_terminal_is_not_said(hostile: str) -> None:
    """Nor what turns the direction of all that follows; what joins letters stays."""
    said = "".join(edit.text for edit in changes("a", f"{hostile} می\u200cرود").passages[0])
    assert not set(said) & set("\x1b\x9b\u202e\ud800\x00")
    assert "می\u200cرود" in said


WORDS = st.lists(st.sampled_from(["a", "b", "c", "的", "ก็", "d\n"]), max_size=9).map(" ".join)


@given(WORDS, WORDS)
def test_both_texts_can_be_read_out_of_their_changes(before: str, after: str) -> None:
    """As long as all is context: nothing is lost, nothing invented."""
    found = changes(before, after)
    if not found.passages:
        assert before.split() == after.split()
        return
    [passage] = found.passages
    for left_out, text in (("new", before), ("gone", after)):
        said = " ".join(edit.text for edit in passage if edit.kind != left_out)
        assert said.split() == text.split()


@given(st.text(), st.text())
def test_any_two_texts_have_changes(before: str, after: str) -> None:
    """Or none; the same text has none."""
    changes(before, after)
    assert changes(before, before) == Changes()


def test_each_revision_tells_what_replaced_it() -> None:
    """Headline and text; what still stands, as a part of what is said now, only its headline."""
    revisions = [
        Revision(title="A", body="Old.", replaced_at=NOW),
        Revision(title="Truce holds", body="It is quiet at the line.", replaced_at=NOW),
        Revision(title="Truce shaken", body=None, replaced_at=NOW),
    ]
    told = revised(revisions, "Truce over", "It was quiet at the line.", most=2)
    assert [each.revision for each in told] == revisions[1:]
    assert [[written(passage) for passage in each.passages] for each in told] == [
        ["Truce [-holds-] [+shaken+]", "It [-is-] [+was+] quiet at the line."],
        ["Truce [-shaken-] [+over+]"],
    ]
