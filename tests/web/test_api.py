"""The API over a real database: what it gives, changes and refuses."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from monitor.compose import Rules
from monitor.errors import StorageError
from monitor.match import compile_watches
from monitor.model import Hit, Span, StoryId
from monitor.storage import SqlReports, SqlStore
from monitor.web import Decisions, Doors, WebServer, create_app
from monitor.web.api.shapes import Excerpt
from tests.contracts.material import CEASEFIRE, KASHMIR, NOW, spec
from tests.fakes import FakeClock
from tests.pipeline.desk import CHANNEL, FREQUENCIES, HIT, HOUR, Desk, News, text
from tests.web.browser import browsing
from tests.web.samples import FixedHealth

TOKEN, READ_TOKEN = "a-token-to-write-with", "a-token-to-read-with"
DOORS = Doors(token=SecretStr(TOKEN), read_token=SecretStr(READ_TOKEN))
WRITES, READS = {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": f"Bearer {READ_TOKEN}"}
MINUTE = timedelta(minutes=1)

LIVELY = "The ceasefire holds in Kashmir, says the truce committee. " + text(1, 120)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The sentence of an error, which is told as errors are."""
        assert self.headers["Content-Type"] == "application/problem+json"
        told = self.json
        assert told["status"] == self.status
        assert set(told) == {"type", "title", "status", "detail", "errors"}
        return told["detail"]


@dataclass
class Program:
    """A client of the API."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        return await self._ask(method, path, READS | headers)

    async def post(self, path: str, body: object = None, **headers: str) -> Answer:
        sent = {} if body is None else {"Content_Type": "application/json"}
        data = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        return await self._ask("POST", path, WRITES | sent | headers, data)

    async def all(self, path: str, key: str = "id") -> list[Any]:
        """Every item of a list, page by page."""
        found, following = [], path
        while following:
            answer = await self.get(following)
            assert answer.status == 200, answer.body
            found += [item[key] for item in answer.json["items"]]
            link = answer.headers.get("Link")
            assert (link is None) is (answer.json["next"] is None)
            following = re.fullmatch(r'<(/api/v1.*)>; rel="next"', link)[1] if link else ""
            following = following.removeprefix("/api/v1")
        return found

    async def _ask(self, method: str, path: str, headers: dict[str, str], data=None) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        async with self.session.request(
            method, f"{self.url}api/v1{path}", headers=named, data=data, allow_redirects=False
        ) as response:
            return Answer(response.status, response.headers, await response.read())


@dataclass
class Newsroom:
    """A database with articles, stories, hits and messages."""

    desk: Desk
    rules: Rules
    stories: list[StoryId]

    @property
    def store(self) -> SqlStore:
        return self.desk.store

    @contextlib.asynccontextmanager
    async def program(self, clock: FakeClock | None = None, **options) -> AsyncIterator[Program]:
        clock = clock or FakeClock(NOW + HOUR)
        options = {
            "doors": DOORS,
            "decisions": Decisions(self.store, clock, lambda: self.rules),
        } | (options)
        app = create_app(
            SqlReports(self.store),
            FixedHealth(),
            clock,
            registry=CollectorRegistry(),
            **options,
        )
        async with (
            WebServer(app, "127.0.0.1", 0) as server,
            aiohttp.ClientSession() as session,
        ):
            yield Program(session, server.url)


async def filled(store: SqlStore) -> Newsroom:
    """Five articles: a copy of one, a second story of two, one in which nothing was found."""
    await store.write(lambda tx: tx.sync_watches([CEASEFIRE, KASHMIR], NOW))
    rules = Rules(
        watches=(CEASEFIRE, KASHMIR),
        matcher=compile_watches((CEASEFIRE, KASHMIR)),
        default_channel=CHANNEL,
        interval=timedelta(minutes=5),
        frequencies=FREQUENCIES,
    )
    desk = Desk(store)
    in_kashmir = Hit(
        watch="Kashmir",
        spans=(Span(field="body", start=23, end=30, term="Kashmir"),),
    )
    title = "Ceasefire holds"
    placed = await desk.bring(
        News("first", LIVELY, title=title, hits=(HIT, in_kashmir)),
        News("copy", LIVELY, title=title, hits=(HIT,), at=NOW + MINUTE),
        News("second", text(2), title="Ceasefire begins", hits=(HIT,), at=NOW + 2 * MINUTE),
        News("plain", text(3), at=NOW + 3 * MINUTE),
        News("third", text(4), title="Ceasefire ends", hits=(HIT,), at=NOW + 4 * MINUTE),
    )
    return Newsroom(desk, rules, [each.story for each in placed])


@pytest.fixture
async def newsroom(store: SqlStore) -> Newsroom:
    """On each kind of database."""
    return await filled(store)


@pytest.fixture
async def small_newsroom(sqlite_store: SqlStore) -> Newsroom:
    """On SQLite alone, where nothing of the database matters."""
    return await filled(sqlite_store)


# --------------------------------------------------------------------------- lists


async def test_lists_go_on_to_their_end(newsroom: Newsroom):
    """Each thing once, in its order, whatever the size of a page."""
    ids = newsroom.desk.ids
    first, _, second, _, third = newsroom.stories
    async with newsroom.program() as program:
        for limit in (1, 2, 50):
            paged = f"limit={limit}"
            assert await program.all(f"/articles?{paged}") == [
                ids[name] for name in ("third", "plain", "second", "copy", "first")
            ]
            assert await program.all(f"/stories?{paged}") == [third, second, first]
            hits = await program.all(f"/hits?{paged}", "found_at")
            assert len(hits) == 5
            assert hits == sorted(hits, reverse=True)
            assert len(set(await program.all(f"/hits?{paged}"))) == 5
            assert len(await program.all(f"/hits?{paged}&watch=Kashmir")) == 1
            assert await program.all(f"/watches?{paged}", "name") == ["Ceasefire", "Kashmir"]
            feeds = await program.all(f"/feeds?{paged}")
            assert feeds == sorted(set(feeds))
            messages = await program.all(f"/deliveries?{paged}")
            assert len(set(messages)) == len(messages) == 3


SOUGHT = [
    ("q=ceasefire", ["third", "second", "copy", "first"]),
    ("q=ceasefire+AND+Kashmir", ["copy", "first"]),
    ("q=Kashmir+NOT+truce", []),
    ("since=2025-05-10T12:02:00Z", ["third", "plain", "second"]),
    ("since=2025-05-10T17:32:00%2B05:30&until=2025-05-10T12:03:00Z", ["second"]),
    ("since=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-14:00&q=Kashmir", None),
    ("watch=Kashmir", ["first"]),
    ("publisher=nobody", []),
    ("language=en&side=india&q=truce", ["copy", "first"]),
]


async def test_articles_are_sought_as_watches_seek_them(small_newsroom: Newsroom):
    """By query, time, watch and who listed them."""
    ids = small_newsroom.desk.ids
    async with small_newsroom.program() as program:
        for asked, names in SOUGHT:
            found = await program.all(f"/articles?{asked}")
            assert found == [ids[name] for name in (["copy", "first"] if names is None else names)]


async def test_stories_are_sought_by_what_became_of_them(newsroom: Newsroom):
    """As on the front page."""
    first, _, second, _, third = newsroom.stories
    async with newsroom.program() as program:
        assert await program.all("/stories?watch=Kashmir") == [first]
        assert await program.all("/stories?q=begins") == [second]
        assert await program.all("/stories?standing=alerted") == []
        assert await program.all("/stories?since=2025-05-10T12:04:00Z") == [third]
        await newsroom.desk.show()
        assert await program.all("/stories?standing=alerted") == [third, second, first]
        assert len(await program.all("/deliveries?state=sent&limit=2")) == 3
        assert await program.all("/deliveries?state=dead") == []
        assert len(await program.all("/deliveries?channel=%23news")) == 3


# --------------------------------------------------------------------------- one of each


async def test_one_of_each_tells_all(newsroom: Newsroom):
    """With text, offsets of what was found in it, and what became of it."""
    story = newsroom.stories[0]
    article = newsroom.desk.ids["first"]
    async with newsroom.program() as program:
        whole = (await program.get(f"/articles/{article}")).json
        assert whole["text"] == LIVELY
        assert whole["url"] == "https://news.example/first"
        assert whole["story"] == story
        assert [hit["watch"] for hit in whole["hits"]] == ["Ceasefire", "Kashmir"]
        [find] = whole["hits"][1]["finds"]
        assert LIVELY[find["start"] : find["end"]] == "Kashmir"
        assert whole["first_seen_at"] == "2025-05-10T12:00:00Z"

        told = (await program.get(f"/stories/{story}")).json
        assert (told["id"], told["headline"]) == (story, "Ceasefire holds")
        assert [each["copy_of"] for each in told["articles"]] == [None, article]
        [message] = told["deliveries"]
        assert (message["channel"], message["state"]) == (CHANNEL, "pending")

        assert (await program.get(f"/deliveries/{message['id']}")).json == message | {
            "outcomes": []
        }
        [hit] = (await program.get("/hits?watch=Kashmir")).json["items"]
        passage = hit["article"]["passage"]
        assert [passage["text"][start:end] for start, end in passage["marks"]] == ["Kashmir"]
        watch = (await program.get("/watches/Ceasefire")).json
        assert (watch["query"], watch["hits_in_a_week"]) == ("ceasefire OR truce", 4)
        [feed, *_] = (await program.get("/feeds")).json["items"]
        assert (await program.get(f"/feeds/{feed['id']}")).json == feed
        status = (await program.get("/status")).json
        assert (status["ready"]["ok"], status["messages"]["waiting"]) == (True, 3)


MISSING = [
    "/articles/999999", "/articles/0", "/articles/x", f"/articles/{1 << 63}", "/stories/999999",
    "/feeds/999999", "/deliveries/" + "0" * 32, "/deliveries/abcd", "/watches/Nothing",
    "/watches/%00", "/watches/a%2Fb", "/nothing", "/", "/articles/", "/stories/1/merge/2",
]  # fmt: skip


async def test_what_is_not_there_is_told(small_newsroom: Newsroom):
    """404, as a problem."""
    async with small_newsroom.program() as program:
        for path in MISSING:
            answer = await program.get(path)
            assert answer.status == 404
            assert answer.problem.startswith("There is no")
        # a line's end in a path leads past every route
        assert (await program.get("/stories/1%0A/x")).problem == "There is nothing here."


async def test_secrets_of_feeds_stay_here(sqlite_store: SqlStore):
    """A feed's URL may hold a password, and who may read need not know it."""
    newsroom = await filled(sqlite_store)

    specs = [
        replace(spec(n), url=u)
        for n, u in enumerate(("https://u:p@a.example/", "https://a.example/?api_key=hush"))
    ]
    await sqlite_store.write(lambda tx: tx.sync_feeds(specs, NOW))
    async with newsroom.program() as program:
        feeds = (await program.get("/feeds")).json["items"]
    assert [each["url"] for each in feeds] == [None, None]


# --------------------------------------------------------------------------- what is refused


WRONG = [
    ("/articles?limit=0", "limit: Input should be greater than or equal to 1"),
    ("/articles?limit=201", "limit: Input should be less than or equal to 200"),
    ("/articles?limit=ten", "limit: must be a whole number"),
    ("/articles?limit=1&limit=2", "limit: is given twice"),
    ("/articles?page=2", "page: is not known; known are limit, cursor, q, since"),
    ("/articles?since=yesterday", "since: must be a time as in RFC 3339"),
    ("/articles?since=2025-05-10", "since: must be a time as in RFC 3339"),
    ("/articles?since=2025-02-30T00:00:00Z", "since: is no time that there is"),
    ("/articles?q=", "q: String should have at least 1 character"),
    ("/articles?publisher=a%00b", "publisher: String should match pattern"),
    ("/stories?standing=asleep", "standing: Input should be 'alerted', 'held'"),
    ("/hits?cursor=nonsense", "cursor: is none of this list"),
    ("/hits?cursor=W10", "cursor: is none of this list"),
    ("/hits?cursor=WyJoaXRzIiwxLDJd", "cursor: is none of this list"),
    ("/articles?cursor=WyJhcnRpY2xlcyIsIngiXQ", "cursor: "),
    ("/watches/Ceasefire?x=1", "x: is not known"),
    ("/deliveries?state=lost", "state: Input should be 'pending'"),
]


async def test_what_is_asked_wrongly_is_named(small_newsroom: Newsroom):
    """422, with the parameter's name, which a program can read, too."""
    async with small_newsroom.program() as program:
        for path, said in WRONG:
            answer = await program.get(path)
            assert answer.status == 422, answer.body
            assert answer.problem.startswith(said)
            [fault] = answer.json["errors"]
            assert (fault["in"], said.startswith(f"{fault['name']}: ")) == ("query", True)


async def test_a_query_that_cant_be_read_is_told_with_its_place(small_newsroom: Newsroom):
    """As on the page: what, where, what to do."""
    async with small_newsroom.program() as program:
        for answer, name in (
            (await program.get("/articles?q=ceasefire+AND"), "q"),
            (await program.post("/queries", {"query": "ceasefire AND"}), "query"),
            (await program.post("/backtests", {"query": "ceasefire AND"}), "query"),
        ):
            assert answer.status == 422
            assert answer.problem.startswith("The query can't be read: ")
            [fault] = answer.json["errors"]
            assert (fault["name"], fault["start"], fault["end"]) == (name, 10, 13)
        read = (await program.post("/queries", {"query": "x y or z"})).json
        assert (read["query"], read["notes"]) == (
            "(x AND y) OR z",
            [
                "AND was read before OR: (x AND y) OR z",
                '"or" was read as OR; in quotes it is a word',
            ],
        )


BODIES = [
    ("{", {}, 422, "Invalid JSON"),
    ("[]", {}, 422, "Input should be an object"),
    ("{}", {}, 422, "query: is missing"),
    ('{"query": "a", "x": 1}', {}, 422, "x: is not known"),
    ('{"query": 1}', {}, 422, "query: Input should be a valid string"),
    ('{"query": "a"}', {"Content_Type": "text/plain"}, 415, "Send application/json"),
    ('{"query": "a"}', {"Content_Type": ""}, 415, "Send application/json"),
    (b'{"query": "\xff"}', {}, 422, "Invalid JSON"),
    (json.dumps({"query": "a" * 70_000}), {}, 413, "This is too large"),
    (json.dumps({"query": "a " * 5_001}), {}, 422, "query: String should have at most"),
]


async def test_bodies_are_read_strictly(small_newsroom: Newsroom):
    """What is sent is what is documented, or refused."""
    async with small_newsroom.program() as program:
        for body, headers, status, said in BODIES:
            answer = await program.post("/queries", body, **headers)
            assert (answer.status, said in answer.problem) == (status, True), answer.body


async def test_who_may_not_ask_is_told_as_a_program(small_newsroom: Newsroom):
    """401, 403, 405, 429: problems, too."""
    async with small_newsroom.program() as program:
        none = await program.get("/hits", Authorization="")
        assert (none.status, none.headers["WWW-Authenticate"]) == (401, 'Bearer realm="monitor"')
        assert "Bearer" in none.problem
        wrong = await program.get("/hits", Authorization="Bearer nope")
        assert (wrong.status, 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]) == (
            401,
            True,
        )
        story = newsroom_path(small_newsroom)
        for path in (f"{story}/merge", f"{story}/split", "/deliveries/" + "0" * 32 + "/retry"):
            read_only = await program.post(path, {"with": 2}, **READS)
            assert (read_only.status, "change nothing" in read_only.problem) == (403, True)
        put = await program.get("/hits", method="PUT")
        assert (put.status, set(put.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})
        assert put.problem
        assert (await program.post("/queries", {"query": "a"}, **READS)).status == 200
        for _ in range(12):
            last = await program.get("/hits", Authorization="Bearer nope")
        assert (last.status, int(last.headers["Retry-After"]) > 0) == (429, True)
        assert last.problem
    async with small_newsroom.program(doors=Doors(header="X-User", proxies=("10.0.0.1",))) as far:
        closed = await far.get("/hits")
        assert (closed.status, closed.headers["Content-Type"]) == (
            403,
            "application/problem+json",
        )


def newsroom_path(newsroom: Newsroom) -> str:
    return f"/stories/{newsroom.stories[0]}"


async def test_a_browser_changes_things_only_from_our_own_page(small_newsroom: Newsroom):
    """Without a token on this machine, and with a session: what another page sends is refused."""
    path = f"{newsroom_path(small_newsroom)}/merge"
    body = {"with": small_newsroom.stories[2]}
    none = {"Authorization": ""}
    async with small_newsroom.program(doors=None) as program:
        own = program.url.rstrip("/")
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": own, "Sec_Fetch_Site": "cross-site"},
        ):
            refused = await program.post(path, body, **none, **headers)
            assert (refused.status, "another page" in refused.problem) == (403, True)
        plain = await program.post(path, body, **none, Content_Type="text/plain")
        assert plain.status == 415  # what a form of another page can send
        assert (await program.post(path, body, **none, Origin=own)).status == 200
        again = await program.post(path, body, **none)  # a program on this machine
        assert (again.status, "one already" in again.problem) == (409, True)


# --------------------------------------------------------------------------- what is changed


async def test_stories_are_merged_and_split(newsroom: Newsroom):
    """As by hand; kept by the name of who did it."""
    first, _, second, *_ = newsroom.stories
    ids = newsroom.desk.ids
    async with newsroom.program() as program:
        merged = await program.post(f"/stories/{second}/merge", {"with": first})
        assert (merged.status, merged.json["id"]) == (200, first)
        assert [(each["id"], each["by"]) for each in merged.json["merged"]] == [(second, "api")]
        assert (await program.get(f"/stories/{second}")).json["id"] == first
        stale = {"article": ids["second"], "mark": "0" * 32}
        refused = await program.post(f"/stories/{first}/split", stale)
        assert (refused.status, "has changed" in refused.problem) == (409, True)
        split = await program.post(f"/stories/{first}/split", stale | {"mark": merged.json["mark"]})
        assert split.status == 200
        assert [each["id"] for each in split.json["articles"]] == [ids["second"]]
        not_there = await program.post(f"/stories/{first}/split", {"article": ids["third"]})
        assert (not_there.status, "is not in story" in not_there.problem) == (409, True)
        nobody = await program.post(f"/stories/{first}/merge", {"with": 999_999})
        assert (nobody.status, nobody.problem) == (409, "There is no story 999999 to merge with.")
        assert (await program.post("/stories/999999/merge", {"with": first})).status == 404


async def test_messages_are_dropped_and_sent_again(newsroom: Newsroom):
    """One that is not shown can be given up, and taken back; the audit knows who did."""
    async with newsroom.program() as program:
        [message, *_] = (await program.get("/deliveries")).json["items"]
        path = f"/deliveries/{message['id']}"
        dropped = await program.post(f"{path}/drop")
        assert (dropped.status, dropped.json["state"]) == (200, "dropped")
        assert [each["what"] for each in dropped.json["outcomes"]] == ["dropped"]
        again = await program.post(f"{path}/retry")
        assert (again.status, again.json["state"]) == (200, "pending")
        await newsroom.desk.show()
        shown = await program.post(f"{path}/drop")
        assert (shown.status, "nothing to drop" in shown.problem) == (409, True)
        assert (await program.post("/deliveries/" + "0" * 32 + "/drop")).status == 404
    audit = await SqlReports(newsroom.store).audit(10)
    assert [(each.name, each.action) for each in audit] == [("api", "retry"), ("api", "drop")]


async def test_a_feed_is_polled_when_somebody_wants_it(newsroom: Newsroom):
    """Unless it was a moment ago, or there is none."""
    async with newsroom.program() as program:
        [feed, *_] = (await program.get("/feeds")).json["items"]
        answer = await program.post(f"/feeds/{feed['id']}/poll")
        assert (answer.status, answer.json["feed"]["id"]) == (200, feed["id"])
        assert answer.json["left_alone"] is None
        assert (await program.post("/feeds/999999/poll")).status == 404


async def test_without_decisions_nothing_is_changed(small_newsroom: Newsroom):
    """And no story has a mark."""
    async with small_newsroom.program(decisions=None) as program:
        path = newsroom_path(small_newsroom)
        assert (await program.get(path)).json["mark"] is None
        refused = await program.post(f"{path}/merge", {"with": 2})
        assert (refused.status, refused.problem) == (403, "Nothing can be changed here.")


async def test_a_backtest_goes_on_in_steps(newsroom: Newsroom):
    """Articles are read once each, all of them; the sum is that of one long step."""
    async with newsroom.program() as program:
        asked = {"query": "ceasefire OR truce"}
        whole = (await program.post("/backtests", asked)).json
        assert (whole["articles"], whole["hits"], whole["next"]) == (5, 4, None)
        assert whole["query"] == "ceasefire OR truce"
        steps = []
        cursor = {}
        while True:
            step = (await program.post("/backtests", asked | {"limit": 2} | cursor)).json
            steps.append((step["articles"], step["hits"]))
            if step["next"] is None:
                break
            cursor = {"cursor": step["next"]}
        assert steps == [(2, 1), (2, 2), (1, 1)], steps
        late = await program.post("/backtests", asked | {"since": "2025-05-10T12:03:00Z"})
        assert late.json["articles"] == 2
        empty = (await program.post("/backtests", asked | {"since": "2026-01-01T00:00:00Z"})).json
        assert (empty["articles"], empty["read_back_to"], empty["days"]) == (0, None, [])
        strange = await program.post("/backtests", asked | {"cursor": "x"})
        assert strange.status == 422


# --------------------------------------------------------------------------- validators, trouble


async def test_what_has_not_changed_is_not_sent_again(small_newsroom: Newsroom):
    """304 by a weak tag, which changes with what is answered; HEAD has the same headers."""
    async with small_newsroom.program() as program:
        for path in ("/hits?limit=1", newsroom_path(small_newsroom), "/openapi.json"):
            whole = await program.get(path)
            tag = whole.headers["ETag"]
            assert tag.startswith('W/"')
            assert whole.headers["Cache-Control"] == "private, no-cache"
            for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
                same = await program.get(path, If_None_Match=known)
                assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag)
                assert same.headers.get("Link") == whole.headers.get("Link")
            assert (await program.get(path, If_None_Match='"x"')).status == 200
            head = await program.get(path, method="HEAD")
            assert (head.status, head.body, head.headers["ETag"]) == (200, b"", tag)
        before = (await program.get("/stories")).headers["ETag"]
        await small_newsroom.desk.show()
        assert (await program.get("/stories", If_None_Match=before)).status == 200


async def test_a_database_that_is_away_is_a_problem(small_newsroom: Newsroom):
    """503, with when to come again; a bug is 500 and says no more."""

    class Away:
        async def hits(self, *_, **__):
            raise StorageError("database: it is locked")

        async def url_of(self, *_):
            raise RuntimeError("hush")

    reports = SqlReports(small_newsroom.store)
    reports.catalogue = Away()
    app = create_app(reports, FixedHealth(), FakeClock(NOW), registry=CollectorRegistry())
    async with WebServer(app, "127.0.0.1", 0) as server, aiohttp.ClientSession() as session:
        program = Program(session, server.url)
        away = await program.get("/hits")
        assert (away.status, away.problem) == (503, "database: it is locked")
        assert away.headers["Retry-After"] == "30"
        bug = await program.get("/articles/1")
        assert (bug.status, "hush" in bug.problem) == (500, False)


def test_half_a_character_of_a_feed_is_shown_as_what_it_is():
    """JSON has no lone surrogates: a question mark stands for one."""
    assert Excerpt(text="a\ud83d", marks=[]).model_dump_json() == '{"text":"a?","marks":[]}'


# --------------------------------------------------------------------------- the document


async def test_the_document_tells_of_every_route_and_the_page_of_all_of_it(
    small_newsroom: Newsroom,
):
    """It is made of what is answered: nothing is left out, and no shape is missing."""
    async with small_newsroom.program() as program:
        told = (await program.get("/openapi.json")).json
    assert told["openapi"] == "3.1.0"
    refs = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(told)))
    assert refs <= told["components"]["schemas"].keys()
    async with browsing(SqlReports(small_newsroom.store)) as browser:
        page = (await browser.get("/api")).page
    shown = {" ".join(each.text_content().split()) for each in page.xpath("//h3")}
    assert shown == {
        f"{method.upper()} /api/v1{path}"
        for path, methods in told["paths"].items()
        for method in methods
    }
