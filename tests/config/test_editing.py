"""A program's edits leave the file as its people wrote it."""

from __future__ import annotations

import difflib
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.editing import (
    changed_feed,
    changed_watch,
    with_feed,
    with_watch,
    without_feed,
    without_watch,
    written,
)
from monitor.errors import Refused

FILE = """\
# What we watch. Ask Mina before you change it.

[[watch]]  # the first
name  = "Floods"   # since May
terms = [
  "flood",  # any
  "बाढ़",
]
variants.flood = ["inondation"]
# channel = "#south"

# Moved here from the old desk.
[[watch]]
name  = "Truce"
query = '''
  ceasefire
    OR truce  # no comment in here
'''

# ---------------------------------------------------- feeds

[[feed]]
name = "BBC"
url  = "https://feeds.example.org/rss.xml"

[slack]
channel = "#desk"
"""


def changed(old: str, new: str) -> list[str]:
    """The lines that went and came."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return [f"{line[0]} {line[1:]}" for line in [*lines][2:] if not line.startswith("@@")]


def test_a_watch_is_added_behind_the_last_one_and_written_like_it() -> None:
    new = with_watch(FILE, {"name": "Dams", "terms": ["dam burst"], "channel": None})
    assert changed(FILE, new) == [
        "+ [[watch]]",
        '+ name  = "Dams"',
        '+ terms = ["dam burst"]',
        "+ ",
    ]
    assert "    OR truce  # no comment in here\n'''\n\n[[watch]]\nname  = \"Dams\"" in new


def test_a_feed_is_added_behind_the_last_one_and_not_below_another_section() -> None:
    new = with_feed(FILE, {"name": "Dawn", "url": "https://example.com/feed", "tags": ["en"]})
    assert new.index("Dawn") < new.index("[slack]")
    assert tomllib.loads(new)["feed"][1] == {
        "name": "Dawn",
        "url": "https://example.com/feed",
        "tags": ["en"],
    }


@pytest.mark.parametrize(
    ("file", "new"),
    [
        ("", '[[watch]]\nname = "a"\nterms = ["b"]\n'),
        ("# empty\n\n\n", '# empty\n\n[[watch]]\nname = "a"\nterms = ["b"]\n\n\n'),
        (
            "[slack]\nchannel='#x'",
            '[slack]\nchannel=\'#x\'\n\n[[watch]]\nname = "a"\nterms = ["b"]\n',
        ),
        (
            "[[feed]]\n  name='x'\n  url='y'\n",
            "[[feed]]\n  name='x'\n  url='y'\n\n[[watch]]\n  name='a'\n  terms=['b']\n",
        ),
        (
            '[[watch]]\nname="x"\n[[watch]]\nname="y"\n[slack]\n',
            '[[watch]]\nname="x"\n[[watch]]\nname="y"\n[[watch]]\nname="a"\nterms=["b"]\n[slack]\n',
        ),
    ],
)
def test_the_style_is_the_file_s_own(file: str, new: str) -> None:
    assert with_watch(file, {"name": "a", "terms": ["b"]}) == new


@pytest.mark.parametrize(
    ("value", "as_written"),
    [
        ("dam", '"dam"'),
        ('"dam burst" OR flood', "'\"dam burst\" OR flood'"),
        ('"dam" OR it\'s', "'''\"dam\" OR it's'''"),
        (r"a\b", r"'a\b'"),
        ("a\n  OR b", "'''\na\n  OR b\n'''"),
        ("a\nOR '''", '"""\na\nOR \'\'\'\n"""'),
        ("both \" and '''", "\"both \\\" and '''\""),
        ("\N{RIGHT-TO-LEFT MARK}باڑھ", '"\N{RIGHT-TO-LEFT MARK}باڑھ"'),
    ],
)
def test_a_text_is_in_the_quotes_that_suit_it(value: str, as_written: str) -> None:
    assert written("watch", {"query": value}) == f"[[watch]]\nquery = {as_written}\n"


def test_other_kinds_of_values() -> None:
    table = {
        "name": "a",
        "min_publishers": 2,
        "escalate": {"publishers": 5},
        "realtime": False,
        "variants": {"dam burst": ["Dammbruch"], "dam": ["बाँध"]},
        "terms": [f"a rather long term, number {number}" for number in range(4)],
    }
    lines = written("watch", table)
    assert lines == (
        '[[watch]]\nname = "a"\nmin_publishers = 2\nescalate = { publishers = 5 }\n'
        'realtime = false\nvariants."dam burst" = ["Dammbruch"]\nvariants.dam = ["बाँध"]\n'
        'terms = [\n  "a rather long term, number 0",\n  "a rather long term, number 1",\n'
        '  "a rather long term, number 2",\n  "a rather long term, number 3",\n]\n'
    )
    assert tomllib.loads(lines)["watch"] == [table]


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("Truce", {"priority": "critical"}, ['+ priority = "critical"']),
        ("Floods", {"name": "Flood"}, ['- name  = "Floods"   # since May',
                                       '+ name  = "Flood"   # since May']),
        ("Floods", {"terms": ["flood", "बाढ़", "سیلاب"]}, ['+   "سیلاب",']),
        ("Floods", {"terms": ["बाढ़"], "channel": "#a"},
         ['-   "flood",  # any', '+ channel = "#a"']),
        ("Floods", {"variants": {"flood": ["Flut"], "बाढ़": ["سیلاب"]}},
         ['- variants.flood = ["inondation"]', '+ variants.flood = ["Flut"]',
          '+ variants."बाढ़" = ["سیلاب"]']),
        ("Floods", {"variants": None}, ['- variants.flood = ["inondation"]']),
        ("Truce", {"query": "truce OR\n    armistice"},
         ["-   ceasefire", "-     OR truce  # no comment in here", "+   truce OR",
          "+     armistice"]),
        ("Truce", {"query": "ceasefire\n    OR truce  # no comment in here"}, []),
        ("Truce", {"query": None, "terms": ["truce"]},
         ["- query = '''", "-   ceasefire", "-     OR truce  # no comment in here", "- '''",
          '+ terms = ["truce"]']),
        ("Floods", {"channel": None}, []),
    ],
)  # fmt: skip
def test_a_change_touches_its_own_lines(
    name: str, changes: dict[str, Any], expected: list[str]
) -> None:
    assert changed(FILE, changed_watch(FILE, name, changes)) == expected


def test_what_goes_takes_what_was_said_of_it_along() -> None:
    assert changed(FILE, without_watch(FILE, "Truce")) == [
        "- # Moved here from the old desk.",
        "- [[watch]]",
        '- name  = "Truce"',
        "- query = '''",
        "-   ceasefire",
        "-     OR truce  # no comment in here",
        "- '''",
        "- ",
    ]
    first = without_watch(FILE, "Floods")
    assert "# What we watch" in first
    assert "#south" not in first
    assert without_feed(first, "https://FEEDS.example.org:443/rss.xml") == without_feed(
        first, "BBC"
    )


def test_windows_line_ends_stay() -> None:
    windows = FILE.replace("\n", "\r\n")
    new = with_watch(windows, {"name": "a", "query": "b OR\nc"})
    new = changed_watch(new, "Truce", {"channel": "#x"})
    assert new.count("\n") == new.count("\r\n")
    assert without_watch(changed_watch(new, "Truce", {"channel": None}), "a") == windows


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            lambda: without_watch(FILE, "Flood"),
            'the file has no watch "Flood"; did you mean "Floods"?',
        ),
        (lambda: changed_feed(FILE, "CNN", {}), 'the file has no feed "CNN"'),
        (
            lambda: without_watch('[[watch]]\nname="a"\n[[watch]]\nname="a"\n', "a"),
            'the file has more than one watch "a"; edit the file by hand',
        ),
        (
            lambda: with_watch("[[watch]\n", {"name": "a"}),
            "the file is not valid TOML at present (`monitor check` says where): mend it first",
        ),
        (
            lambda: with_watch("watch = 3\n", {"name": "a"}),
            "the file's watch is no list of tables; edit the file by hand",
        ),
        (
            lambda: with_watch('watch = [{name="a"}]\n', {"name": "b"}),
            "this file is written in a way of its own; edit the file by hand",
        ),
        (
            lambda: without_watch('watch = [{name="a"}]\n', "a"),
            "the file lists what it has of watch in a way of its own; edit the file by hand",
        ),
        (  # its variants would become those of the new one
            lambda: with_watch(
                '[[watch]]\nname="a"\n[slack]\n[watch.variants]\na=["b"]\n', {"name": "b"}
            ),
            "this file is written in a way of its own; edit the file by hand",
        ),
    ],
)
def test_what_cannot_be_edited_is_said_in_a_sentence(edit: Any, why: str) -> None:
    with pytest.raises(Refused) as refused:
        edit()
    assert str(refused.value) == why


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda name: name == name.strip() != ""
)
TABLES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "query": st.text(st.sampled_from("ab \"'\\\n#[]=ب"), min_size=1).map(str.strip),
        "terms": st.lists(NAMES, min_size=1, max_size=4),
        "variants": st.dictionaries(NAMES, st.lists(NAMES, min_size=1), min_size=1, max_size=2),
        "min_publishers": st.integers(1, 9),
        "realtime": st.booleans(),
    },
)


@settings(max_examples=25)
@given(st.lists(TABLES, max_size=3, unique_by=lambda table: table["name"]), TABLES, st.booleans())
def test_what_is_asked_for_is_what_the_file_says_then(
    tables: list[dict[str, Any]], change: dict[str, Any], windows: bool
) -> None:
    text = FILE.replace("\n", "\r\n") if windows else FILE
    start = text
    known = {"Floods", "Truce"}
    tables = [table for table in tables if table["name"] not in known]
    for table in tables:
        text = with_watch(text, table)
    for table in tables:
        text = changed_watch(text, table["name"], {**change, "name": table["name"]})
        found = next(w for w in tomllib.loads(text)["watch"] if w["name"] == table["name"])
        assert found.keys() == table.keys() | change.keys()
    for table in tables:
        text = without_watch(text, table["name"])
    assert text == start
