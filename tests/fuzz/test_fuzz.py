"""A moment of fuzzing for each reader, and everything that a longer one has found."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutated
from tests.fuzz.seeds import OWN
from tests.fuzz.served import SERVED
from tests.fuzz.targets import PURE

TARGETS = {**PURE, **SERVED}
SHORT = 20_000


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_begins_with_is_read(target: str) -> None:
    """Every seed of ours: each promise holds of it."""
    for seed in OWN[target]:
        TARGETS[target](seed.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_others_write_breaks_a_promise(target: str) -> None:
    """Seeds with mistakes in them, always the same."""
    begin = [seed.encode("utf-8", "surrogatepass") for seed in OWN[target]]

    @settings(max_examples=30, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.sampled_from(begin), st.integers(0, 1 << 32))
    def check(seed: bytes, number: int) -> None:
        TARGETS[target](mutated(seed, random.Random(number), begin, SHORT))

    check()


FOUND = {
    "a download of nothing": ("requests", b"GET /search.csv?q=nothingofthekind"),
    "keys in keys in keys": ("edits", b"a" + b".a" * 600 + b" = 1\n\0truce"),
    "half a character in a list": (
        "lists",
        b'<opml><body><outline text="&#xd800;" xmlUrl="https://a.example/"/></body></opml>',
    ),
    "half a character in a sitemap": (
        "listings",
        (
            b'\0<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://'
            b"a.example/1</loc><news:news><news:title>&#xd800;</news:title></news:news></url></urlset>"
        ),
    ),
    "half a character in a namespace": ("listings", b'\0<urlset xmlns="http://a/&#xd800;"/>'),
    "a word without end": ("queries", b"a" * 20_001),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once_is_mended(name: str) -> None:
    """Of each finding the smallest input."""
    target, data = FOUND[name]
    TARGETS[target](data)
