"""The server inside the service's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

import aiohttp
import pytest

from monitor.errors import MonitorError
from monitor.web import WebError, WebServer


async def hello(scope, receive, send) -> None:
    """Answers at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


class Stuck:
    """Begins to answer, and never ends."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.cancelled = False

    async def __call__(self, scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        self.entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def body(url: str) -> bytes:
    """What one fresh client reads there."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()


async def test_port_0_takes_a_free_port_and_tells_which():
    """The real port is known as soon as the server is up, and answers."""
    async with WebServer(hello, "127.0.0.1", 0) as server:
        assert server.port > 0
        assert server.url == f"http://127.0.0.1:{server.port}/"
        assert await body(server.url) == b"hello"


async def test_a_stopped_server_answers_no_more_and_its_port_is_free():
    """After stop, nobody listens, and the same port can be taken again at once."""
    async with WebServer(hello, "127.0.0.1", 0) as server:
        assert await body(server.url) == b"hello"
    with pytest.raises(aiohttp.ClientConnectionError):
        await body(server.url)
    async with WebServer(hello, "127.0.0.1", server.port) as again:
        assert await body(again.url) == b"hello"


async def test_a_taken_port_is_an_error_that_says_what_to_do():
    """The second server on a port is refused in one sentence; the process lives, the first too."""
    async with WebServer(hello, "127.0.0.1", 0) as first:
        second = WebServer(hello, "127.0.0.1", first.port)
        with pytest.raises(WebError) as caught:
            await second.start()
        assert str(caught.value) == (
            f"can't serve the page on 127.0.0.1:{first.port}: another program has that port: "
            "stop it, or set another `port` under [web] (MONITOR_WEB_PORT; of the demo, --port)"
        )
        assert isinstance(caught.value, MonitorError)
        assert await body(first.url) == b"hello"
        await second.stop()  # harmless


async def test_an_address_of_another_machine_is_refused():
    """An address that this machine does not have is named as the mistake."""
    with pytest.raises(WebError, match=r"192\.0\.2\.1:0: this machine has no such address"):
        await WebServer(hello, "192.0.2.1", 0).start()


async def test_a_host_that_is_no_name_is_refused():
    """A host that can't even be looked up is told as such."""
    with pytest.raises(WebError, match="no address or known name"):
        await WebServer(hello, "x" * 64, 0).start()


async def test_localhost_is_served_on_all_its_addresses():
    """A name with several addresses is bound on each that exists, under one port."""
    async with WebServer(hello, "localhost", 0) as server:
        assert await body(f"http://127.0.0.1:{server.port}/") == b"hello"
        assert server.url == f"http://localhost:{server.port}/"


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:80/"), ("::", "http://[::1]:80/"), ("::1", "http://[::1]:80/")],
)
def test_the_url_can_be_opened_on_this_machine(host: str, url: str):
    """An address that means "all" is shown as one that a browser can open."""
    assert WebServer(hello, host, 80).url == url


async def test_signals_stay_with_the_service():
    """Serving changes no signal handler: stopping the process is the service's matter."""
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    async with WebServer(hello, "127.0.0.1", 0) as server:
        assert await body(server.url) == b"hello"
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


async def test_stop_does_not_wait_for_idle_or_silent_clients():
    """A kept-alive connection and one that sent half a request are closed by stop."""
    server = WebServer(hello, "127.0.0.1", 0)
    await server.start()
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url) as response:
            await response.read()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HT")
        await writer.drain()
        async with asyncio.timeout(30):
            await server.stop()
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


async def test_stop_ends_an_answer_that_never_ends():
    """An endpoint that hangs is cancelled after the grace, and its client cut."""
    stuck = Stuck()
    server = WebServer(stuck, "127.0.0.1", 0)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await stuck.entered.wait()
    async with asyncio.timeout(30):
        await server.stop()
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
    writer.close()
    assert stuck.cancelled


async def test_stop_cuts_a_client_that_does_not_read():
    """An answer that nobody fetches is not kept for a client that may come back."""
    size = 32 << 20  # more than the sockets of both ends hold
    begun = asyncio.Event()

    async def much(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await send({"type": "http.response.body", "body": bytes(size)})

    server = WebServer(much, "127.0.0.1", 0)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await begun.wait()
    received = 0
    async with asyncio.timeout(30):
        await server.stop()
        with contextlib.suppress(ConnectionResetError):
            while chunk := await reader.read(1 << 20):
                received += len(chunk)
    writer.close()
    assert received < size


async def test_wait_returns_when_the_server_has_stopped():
    """Whoever watches over the server learns of its end."""
    server = WebServer(hello, "127.0.0.1", 0)
    await server.start()
    watcher = asyncio.create_task(server.wait())
    await server.stop()
    await watcher


async def test_a_listening_socket_of_somebody_else_is_not_shared():
    """A port that another process listens on is never taken over."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(WebError):
        await WebServer(hello, "127.0.0.1", other.getsockname()[1]).start()
