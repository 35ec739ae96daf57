"""Certificates that are trusted, and those that are not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trustme

from monitor.errors import Code, Transient
from monitor.fetch import HttpFetcher
from monitor.ports import Page
from tests.fakes import FakeClock
from tests.fetch.names import Names

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who is trusted here."""
    return trustme.CA()


@asynccontextmanager
async def serving(certificate: trustme.LeafCert) -> AsyncIterator[int]:
    """The port of a server with this certificate, which says hello to whoever gets through."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline() not in {b"\r\n", b""}:
            pass
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def trusting(clock: FakeClock, authority: trustme.CA) -> AsyncIterator[HttpFetcher]:
    """A fetcher that trusts one authority, and knows where good.example is."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    names = Names({"good.example": ["127.0.0.1"]})
    async with HttpFetcher(
        clock=clock, user_agent="t", allow=["good.example"], resolver=names, tls=context
    ) as fetcher:
        yield fetcher


async def test_a_certificate_of_the_host_is_trusted(
    clock: FakeClock, authority: trustme.CA
) -> None:
    """The right name by the right authority, in its time."""
    async with (
        serving(authority.issue_cert("good.example")) as port,
        trusting(clock, authority) as fetcher,
    ):
        answer = await fetcher.get(f"https://good.example:{port}/", accept="*/*", max_bytes=100)
    assert isinstance(answer, Page)
    assert answer.body == b"hello"


@pytest.mark.parametrize("fault", ["self-signed", "expired", "not yet", "wrong host"])
async def test_a_bad_certificate_is_a_tls_error(
    clock: FakeClock, authority: trustme.CA, fault: str
) -> None:
    """Nothing is read behind it; the reason is told, and it may be mended."""
    certificate = {
        "self-signed": lambda: trustme.CA().issue_cert("good.example"),
        "expired": lambda: authority.issue_cert(
            "good.example", not_after=datetime(2020, 1, 1, tzinfo=UTC)
        ),
        "not yet": lambda: authority.issue_cert(
            "good.example", not_before=datetime(2999, 1, 1, tzinfo=UTC)
        ),
        "wrong host": lambda: authority.issue_cert("other.example"),
    }[fault]()
    async with serving(certificate) as port, trusting(clock, authority) as fetcher:
        with pytest.raises(Transient) as caught:
            await fetcher.get(f"https://good.example:{port}/", accept="*/*", max_bytes=100)
    assert caught.value.code is Code.TLS
    assert "certificate is not valid" in caught.value.detail


@pytest.mark.parametrize("wire", [b"", b"\x15\x03\x01\x00\x02\x02\x28", b"SSH-2.0-x\r\n"])
async def test_a_broken_handshake_is_classified(fetcher: HttpFetcher, wire: bytes) -> None:
    """Whoever hangs up, sends an alert, or speaks something else is in trouble of his own."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(wire)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Transient) as caught:
            await fetcher.get(f"https://127.0.0.1:{port}/", accept="*/*", max_bytes=100)
    assert caught.value.code in {Code.TLS, Code.CONNECT, Code.PROTOCOL}
