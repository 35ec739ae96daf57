"""What an address tells PostgreSQL is kept beside what the engine tells it."""

from __future__ import annotations

from monitor.engine.members import with_options


def test_what_an_address_says_itself_is_kept() -> None:
    address = "postgresql://monitor@db/monitor?options=-csearch_path%3Dnews"
    assert with_options(address, "-c a=b") == "-csearch_path=news -c a=b"


def test_an_address_may_say_nothing() -> None:
    assert with_options("postgresql://monitor@db/monitor", "-c a=b") == "-c a=b"
