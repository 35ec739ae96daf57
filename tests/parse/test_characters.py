"""Whatever bytes a feed comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.parse.characters import is_clean, utf8_of

XML = "<?xml version='1.0' encoding='{}'?><t>{}</t>"


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        ("utf-8", "Fähre"),
        ("iso-8859-1", "Fähre"),
        ("windows-1252", "“Fähre” – €"),
        ("windows-1251", "Паром"),
        ("koi8-r", "Паром"),
        ("gb2312", "渡船"),
        ("big5", "渡船"),
        ("shift_jis", "渡し船"),
        ("euc-kr", "나룻배"),
        ("iso-2022-jp", "渡し船"),
        ("utf-16", "渡し船"),
    ],
)
def test_declared_encodings_are_read(encoding: str, word: str) -> None:
    """In the document; or in the header, which is believed first."""
    text = XML.format(encoding, word)
    assert word.encode() in utf8_of(text.encode(encoding), "")
    plain = f"<t>{word}</t>".encode(encoding)
    assert word.encode() in utf8_of(plain, f"text/xml; charset={encoding}")
    assert word.encode() in utf8_of(plain, f'application/xml; x=y; charset="{encoding}"')


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", b""),
        (b"\xef\xbb\xbf \r\n<a/>", b"<a/>"),
        ("<a>é</a>".encode("utf-16-le"), "<a>é</a>".encode()),
        ("<a>é</a>".encode("utf-16-be"), "<a>é</a>".encode()),
        ("<a>é</a>".encode("utf-32"), "<a>é</a>".encode()),
        (b"<a>\x00\x01\x1f\x7f\t\n</a>", b"<a>\t\n</a>"),
        (b"<?xml encoding='utf-16'?><a/>", b"<?xml encoding='utf-16'?><a/>"),
        (b"<?xml encoding='latin-1'?>\xc3\xa9", b"<?xml encoding='latin-1'?>\xc3\xa9"),
        ("<a>मरियम".encode() + b"\xe0\xa4</a>", "<a>मरियम\ufffd</a>".encode()),
        (b"<a>Caf\xe9 \x93x\x94</a>", "<a>Café “x”</a>".encode()),
        (b"<?xml encoding='punycode'?>\xe9", "<?xml encoding='punycode'?>é".encode()),
        (b"<?xml encoding='zlib'?>\xe9", "<?xml encoding='zlib'?>é".encode()),
        (b"<?xml encoding='no-such'?>\xe9", "<?xml encoding='no-such'?>é".encode()),
        (b"<?xml encoding='utf-16'?>\xe9", "<?xml encoding='utf-16'?>é".encode()),
    ],
)
def test_what_is_declared_wrong_is_guessed(body: bytes, text: bytes) -> None:
    """Valid UTF-8 is UTF-8; what is nearly so has one broken character, the rest is Western."""
    assert utf8_of(body, "") == text


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_become_clean_text(body: bytes, header: str) -> None:
    """And clean text stays what it is."""
    for given_body in (body, b"<?xml encoding='" + body, b"<\0" + body, b"\xff\xfe" + body):
        text = utf8_of(given_body, header)
        assert is_clean(text)
        assert utf8_of(text, "").decode() == text.decode().lstrip("\ufeff")
