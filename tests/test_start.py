"""A start waits for a PostgreSQL that is not there yet, and for nothing else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from monitor import service
from monitor.errors import StorageError
from monitor.service import _upgraded
from monitor.storage import upgrade
from monitor.storage.address import read_address
from monitor.storage.faults import is_absent


async def test_a_server_that_comes_is_waited_for(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one line, however often it is tried."""
    away = sa.make_url(empty_postgres_url).set(port=1).render_as_string(hide_password=False)
    tried = iter([away, away, empty_postgres_url])
    monkeypatch.setattr(service, "upgrade", lambda _: upgrade(next(tried)))
    monkeypatch.setattr(service, "LOOK", 0)
    with capture_logs() as logs:
        await _upgraded(empty_postgres_url, 60)
    [line] = logs
    assert (line["event"], line["seconds"]) == ("database.awaited", 60)
    assert "can't be reached" in line["error"]


async def test_it_is_not_waited_for_longer(empty_postgres_url: str) -> None:
    away = sa.make_url(empty_postgres_url).set(port=1).render_as_string(hide_password=False)
    with capture_logs() as logs, pytest.raises(StorageError, match="can't be reached"):
        await _upgraded(away, 0)
    assert logs == []


async def test_a_server_that_takes_nobody_more_is_named(empty_postgres_url: str) -> None:
    """It is waited for, too: others may go."""
    url = sa.make_url(empty_postgres_url)
    full = url.set(username="one_too_many").render_as_string(hide_password=False)
    server = sa.create_engine(read_address(empty_postgres_url).url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE one_too_many LOGIN CONNECTION LIMIT 0")
        try:
            with pytest.raises(StorageError, match="no connection left: raise max") as told:
                await _upgraded(full, 0)
        finally:
            connection.exec_driver_sql("DROP ROLE one_too_many")
    server.dispose()
    assert is_absent(told.value)


@pytest.mark.parametrize("change", [{"database": "nowhere"}, {"username": "nobody"}])
async def test_what_does_not_pass_by_itself_is_told_at_once(
    empty_postgres_url: str, change: dict[str, str]
) -> None:
    url = sa.make_url(empty_postgres_url)
    wrong = url.set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type]
    with capture_logs() as logs, pytest.raises(StorageError):
        await _upgraded(wrong, 60)
    assert logs == []
