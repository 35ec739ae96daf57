"""The API held against its own document, by schemathesis: what is documented is what is done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from monitor.storage import SqlStore
from monitor.web.api.document import document
from monitor.web.api.operations import write_cursor
from monitor.web.api.resources import Resources
from tests.contracts.material import NOW
from tests.fakes import FakeClock
from tests.web.test_api import WRITES, filled

CURSORS = {
    "articles": write_cursor("articles", "3"),
    "stories": write_cursor("stories", NOW, 2),
    "hits": write_cursor("hits", NOW, 2),
    "watches": write_cursor("watches", "Ceasefire"),
    "feeds": write_cursor("feeds", 1),
    "deliveries": write_cursor("deliveries", NOW, "0" * 32),
    "backtests": write_cursor("backtest", NOW),
}
QUERIES = ["ceasefire", "ceasefire OR truce", '"Line of Control" NEAR/5 Kashmir', "युद्धविराम"]
CONFIG = {
    "generation": {"max-examples": 4, "deterministic": True, "allow-x00": True},
    "checks": {
        # a cursor of another list, and things that exclude each other, are what documents can't say
        "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "403", "404", "409"]},
    },
}


class Hasty(FakeClock):
    """A clock by which nobody who sends wrong tokens has to wait."""

    def now(self) -> datetime:
        self.advance(seconds=10)
        return super().now()


@pytest.fixture(scope="module")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A filled database behind the API, on a loop of its own: schemathesis asks from this one."""
    path = tmp_path_factory.mktemp("api") / "monitor.db"
    path.write_bytes(sqlite_template.read_bytes())
    urls: list[str] = []
    up = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with SqlStore(f"sqlite:///{path}", None) as store:
            newsroom = await filled(store)
            async with newsroom.program(Hasty(NOW)) as program:
                urls.append(program.url.rstrip("/"))
                up.set()
                await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert up.wait(30)
    yield urls[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


for kind, cursor in CURSORS.items():
    schemathesis.openapi.format(f"{kind}-cursor", st.just(cursor))
schemathesis.openapi.format("watch-query", st.sampled_from(QUERIES))
OPERATIONS = Resources(SimpleNamespace(reports=None)).operations
schema = schemathesis.openapi.from_dict(
    document(OPERATIONS, "0"), config=SchemathesisConfig.from_dict(CONFIG)
)


@schema.parametrize()
def test_what_is_documented_is_what_is_done(case: schemathesis.Case, served: str):
    """All checks: statuses, types, headers and shapes; wrong data refused, right data taken."""
    case.call_and_validate(base_url=f"{served}/api/v1", headers=WRITES)
