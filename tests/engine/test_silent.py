"""A connection to PostgreSQL notices a network that drops what is sent and says nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from monitor.engine import members
from monitor.engine.members import Member
from monitor.errors import StorageError
from monitor.storage.address import SILENT, read_address
from monitor.storage.engines import postgres_engine


def test_the_engines_connections_notice() -> None:
    told = conninfo_to_dict(read_address("postgresql://monitor@db/monitor").conninfo)
    assert {name: str(told[name]) for name in SILENT} == SILENT


def test_what_an_address_says_wins() -> None:
    address = read_address("postgresql://monitor@db/monitor?tcp_user_timeout=1000&sslmode=require")
    told = conninfo_to_dict(address.conninfo)
    assert (told["tcp_user_timeout"], told["sslmode"]) == ("1000", "require")
    assert str(told["keepalives_idle"]) == "10"


def test_those_of_the_store_notice_too(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).update_query_dict({"tcp_user_timeout": "1000"})
    engine = postgres_engine(read_address(url.render_as_string(hide_password=False)), size=1)
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            told = raw.info.get_parameters()
    finally:
        engine.dispose()
    assert {name: told[name] for name in SILENT} == {**SILENT, "tcp_user_timeout": "1000"}


async def test_a_sign_of_life_that_nobody_answers_is_given_anew(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a new connection: whoever swallows what is sent on the old one says nothing of it."""
    monkeypatch.setattr(members, "HANGS", 1.0)  # what PostgreSQL takes is whole seconds
    monkeypatch.setattr(members, "PRESENT", 0.7)
    async with swallowing(postgres_url) as (conninfo, swallow), Member(conninfo) as member:
        await until(lambda: member.is_leader)
        before = member._connection
        swallow()
        await until(lambda: not member.is_present)
        assert not member.is_leader
        await until(lambda: member.is_leader)
        assert member._connection is not before


async def test_nobody_waits_long_for_who_says_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the clockwork that asks who is there, nor a stop."""
    monkeypatch.setattr(members, "BEAT", 60.0)
    monkeypatch.setattr(members, "HANGS", 0.2)
    monkeypatch.setattr(members, "PRESENT", 0.2)
    async with swallowing(postgres_url) as (conninfo, swallow):
        monkeypatch.setattr(members, "with_options", lambda *_: "")
        async with Member(conninfo) as member:
            await until(lambda: member._is_leader)
            swallow()
            async with asyncio.timeout(4):
                with pytest.raises(StorageError, match=r"no answer for 0\.2 seconds"):
                    await member.present()
                await member.resign()


@asynccontextmanager
async def swallowing(url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A network before PostgreSQL. Told so, it drops what is sent on the connections there are."""
    to = sa.make_url(url)
    opened: list[asyncio.Event] = []
    writers: list[asyncio.StreamWriter] = []
    meetings: set[asyncio.Task[None]] = set()

    async def carry(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dropped: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if not dropped.is_set():
                writer.write(data)
        if not dropped.is_set():
            writer.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        meetings.add(task)
        writers.append(writer)
        far_reader, far_writer = await asyncio.open_connection(to.host, to.port)
        writers.append(far_writer)
        opened.append(dropped := asyncio.Event())
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(
                carry(reader, far_writer, dropped), carry(far_reader, writer, dropped)
            )
        for each in (writer, far_writer):
            each.close()
            with contextlib.suppress(ConnectionError):
                await each.wait_closed()

    def swallow() -> None:
        for each in opened:
            each.set()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield to.set(port=port).render_as_string(hide_password=False), swallow
    finally:
        server.close()
        for each in writers:
            each.transport.abort()
        await asyncio.gather(*meetings)


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(4):
        while not is_so():  # noqa: ASYNC110 it is PostgreSQL's to tell
            await asyncio.sleep(0.02)
