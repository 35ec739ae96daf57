"""No secret of an address is told: of each kind, by each way in which an error or a feed is told.

`tests/journeys/test_secrets.py` has a whole service say what it says; here is each kind of secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from time import process_time

import pytest
from rich.console import Console

from alerts.plain import words_of
from monitor import telemetry
from monitor.cli.examine import Finding
from monitor.cli.show import feeds as show_feeds
from monitor.cli.show import summary
from monitor.config import load
from monitor.errors import ConfigError, Mistake
from monitor.model import FeedEvent, FeedEventKind, FeedId, FeedSpec, FeedStatus, Health, Move
from monitor.ports import FeedsSought, FeedTrace, FeedUpdate, IllFeed, Transaction
from monitor.storage import SqlReports, SqlStore
from monitor.storage.feed_reports import SqlFleet
from monitor.telling import ops
from monitor.web import feed_view, view, words
from monitor.web.api import answers
from monitor.web.probes import _trouble
from tests.contracts.material import MINUTE, NOW, polled

SECRET = "S3CR3T"
KINDS = {
    "password": f"https://ann:{SECRET}@news.example/rss",
    "password with an @": f"https://ann:pa@{SECRET}@news.example/rss",
    "password with a slash": f"https://ann:{SECRET}/{SECRET}@news.example/rss",
    "password with all of it": f"https://ann:#{SECRET}?/@{SECRET}@news.example/@desk/rss",
    "password of digits": "https://ann:4730@news.example/rss",
    "token for a user": f"https://{SECRET}@news.example/rss",
    "token for a user, in capitals": f"HTTPS://{SECRET}@news.example/rss",
    "password of a proxy": f"socks5://ann:{SECRET}@proxy.example:1080",
    "password of a database": f"postgresql://ann:{SECRET}@db.example/monitor",
    "password, as libpq says it": f"host=db.example password={SECRET} user=ann",
    "password, as libpq quotes it": f"password='pa {SECRET}\\'{SECRET}' host=db.example",
    "token": f"https://news.example/rss?token={SECRET}",
    "api key": f"https://news.example/rss?page=2&api_key={SECRET}#top",
    "apikey": f"https://news.example/rss?apikey={SECRET}",
    "camels": f"https://news.example/rss?x=1&accessToken={SECRET}",
    "capitals": f"https://news.example/rss?X-Amz-Signature={SECRET}&x=1",
    "token of a feed": f"https://news.example/rss?feed_token={SECRET}",
    "as HTML has it": f"https://news.example/rss?a=1&amp;key={SECRET}",
    "in a fragment": f"https://news.example/rss#access_token={SECRET}",
    "an escaped name": f"https://news.example/rss?x%2Daccess%5Ftoken={SECRET}&100%key={SECRET}",
    "in a URL within a URL": f"https://x.example/?u=https%3A%2F%2Fn.example%3Ftoken%3D{SECRET}",
    "bot's token": f"xoxb-1-{SECRET}",
    "app's token": f"xapp-1-{SECRET}",
    "Slack's webhook": f"https://hooks.slack.com/services/T0/B0/a-{SECRET}",
    "a webhook's": f"whsec_{SECRET}+/a==",
}


@pytest.fixture(params=KINDS, ids=lambda name: name.replace(" ", "-"))
def address(request: pytest.FixtureRequest) -> str:
    """Something with a secret in it."""
    return KINDS[request.param]


def is_told(text: str) -> bool:
    """Whether any of the secrets stands there."""
    return SECRET in text or "4730" in text


@pytest.mark.parametrize("around", ["{}", "at {} again", '{{"url": "{}"}}', "'{}'", "<{}>, ({})"])
def test_a_secret_is_cut_out_of_any_sentence(address: str, around: str) -> None:
    """And something is left that shows it."""
    said = telemetry.redact(around.format(address, address))
    assert not is_told(said)
    assert "***" in said
    assert telemetry.redact(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "https://news.example/rss?page=2&author=ann&monkey=1&keyword=x&compass=n",
        "https://news.example:8443/@desk/rss",
        "https://news.example/@desk/rss",
        "https://news.example/2025/11/23:truce@noon",
        "http://[2001:db8::1]:8080/@desk",
        "see https://news.example:443, or write to ann@news.example",
        "postgresql://monitor@db.example/monitor",
        "The token of peace: what is the key to it? A secret, says the author",
    ],
)
def test_what_is_no_secret_is_told_as_it_is(text: str) -> None:
    """Else nobody finds out which feed it is."""
    assert telemetry.redact(text) == text


def test_a_long_text_is_looked_through_in_a_moment() -> None:
    """A publisher's address may be made of nothing but beginnings."""
    for piece in ("://:", "&token", "http://", "://a:@", "?a.", "&key_", "%26", "%3f", "%"):
        began = process_time()
        telemetry.redact("http://a:" + piece * 20_000 + "=")
        assert process_time() - began < 5, piece  # quadratic, it is minutes


def test_a_log_has_no_secret_in_whatever_shape(address: str) -> None:
    """Texts, lists, sets and mappings, and what else can be shown as text."""
    said = telemetry._tidy(
        None,
        "info",
        {
            "event": "x",
            "a": address,
            "b": [address],
            "c": {address},
            "d": {1: address},
            "e": ValueError(address),
        },
    )
    assert not is_told(repr(said))


# --------------------------------------------------------------------------- feeds


def shown(*parts: object) -> str:
    """As a wide terminal shows it."""
    console = Console(file=StringIO(), width=4000, color_system=None)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


WAYS: Mapping[str, Callable[[FeedTrace], str]] = {
    "page": lambda it: repr(
        [replace(each, row=None) for each in view.feed_lines([it.row])]  # type: ignore[arg-type]
    ),
    "page of feeds": lambda it: repr(feed_view.why(it.row)),
    "a feed's page": lambda it: repr(
        [
            *feed_view.manners(it, NOW, None, None),
            *feed_view.habits(it, NOW),
            *(feed_view.happening(each) for each in it.events),
        ]
    ),
    "sentence": lambda it: words.health(it.row, NOW + timedelta(days=2)),
    "API": lambda it: answers.feed(it.row).model_dump_json(),
    "/status": lambda it: json.dumps(_trouble(view.feed_lines([it.row])[0])),
    "monitor status": lambda it: shown(summary.FeedTable([it.row], NOW + timedelta(days=2))),
}


def in_trouble(address: str) -> FeedUpdate:
    """How a poll leaves a feed: it names the address wherever it can."""
    error = f"could not ask {address} at all"
    return polled(
        NOW + MINUTE,
        status=FeedStatus.FAILING,
        failures=3,
        error_code="protocol",
        error_detail=error,
        health=Health.FAILING,
        health_since=NOW,
        move=Move(url=address, since=NOW, polls=9),
        events=(
            FeedEvent(kind=FeedEventKind.ERROR, at=NOW, detail=f"protocol: {error}"),
            FeedEvent(kind=FeedEventKind.MOVE, at=NOW, detail=address),
        ),
    )


async def test_no_secret_of_a_feed_is_told_by_any_way(store: SqlStore) -> None:
    """Its address, why it could not be asked, where it says it lives, its hub, what happened."""
    specs = [FeedSpec(name=name, url=url, publisher=name) for name, url in KINDS.items()]
    callback = "https://monitor.example/websub/"

    def fall_ill(tx: Transaction) -> list[FeedId]:
        tx.sync_feeds(specs, NOW)
        feeds = [each for bucket in range(64) for each in tx.claim_feeds(bucket, NOW, MINUTE, 99)]
        for each in feeds:
            url = each.spec.url
            tx.save_feeds({each.id: in_trouble(url)})
            at = f"{callback}{each.id}"
            tx.subscribe(each.id, hub=url, topic=url, callback=at, secret="x", now=NOW)
        return [each.id for each in feeds]

    fleet = SqlFleet(store)
    traces = [await fleet.feed(feed, NOW) for feed in await store.write(fall_ill)]
    rows = [trace.row for trace in traces if trace is not None]
    assert len(rows) == len(KINDS)
    told = {
        (name, trace.row.spec.name): way(trace)
        for trace in traces
        if trace is not None
        for name, way in WAYS.items()
    }
    for (name, kind), said in told.items():
        assert not is_told(said), (name, kind)
        assert "***" in said or name not in {"page", "a feed's page", "sentence", "monitor status"}
    counts, found = await SqlReports(store).counts(NOW), await fleet.find(FeedsSought(), NOW)
    _, ill = await store.read(lambda tx: tx.ill_feeds(NOW - MINUTE, 99))
    of_all = {
        "monitor status --json": json.dumps(summary.status_json(counts, rows)),
        "monitor feeds list": shown(*show_feeds.fleet(found, NOW)),
        "monitor feeds list --json": json.dumps(show_feeds.fleet_json(found)),
        "operators": repr([*map(ops.ill, ill), ops.ill_together(1, ill, polled=9, failed=9)]),
    }
    assert len(ill) == len(KINDS)
    assert [name for name, said in of_all.items() if is_told(said)] == []


def test_no_secret_is_told_to_operators(address: str) -> None:
    """A channel has more readers than the configuration."""
    feed = IllFeed(name="F", url=address, health=Health.GONE, since=NOW, error=f"at {address}")
    cards = [
        ops.ill(feed),
        ops.well(feed, NOW),
        ops.ill_together(1, [feed], polled=9, failed=5),
        ops.rejected([Mistake(message=f"what is {address}?\n  url = {address}\n  ^^^")]),
        ops.applied([f"~ webhook {address}"], [f"{address} is odd"]),
        ops.dead_letter(None, 1, "#desk", "Truce", f"refused by {address}"),
        ops.closed("#desk", f"{address} is closed", NOW),
        ops.storage_failed(f"{address}: no room", NOW, NOW),
    ]
    assert [card.title for card in cards if is_told(repr(card))] == []
    assert all("***" in " ".join(words_of(card)) for card in cards if card is not cards[2])


def test_no_secret_is_told_by_the_doctor(address: str) -> None:
    """What it found is passed on when somebody asks for help."""
    found = Finding(subject="feed", said=f"{address}: no answer", is_right=False)
    assert not is_told(shown(summary.finding(found)))


# --------------------------------------------------------------------------- the configuration

MISTAKEN = {
    "scheme": 'feed]]\nname = "F"\nurl = "ftp://ann:{}@news.example/rss"',
    "no scheme": 'feed]]\nname = "F"\nurl = "ann:{}@news.example/rss"',
    "no port": 'feed]]\nname = "F"\nurl = "https://ann:{}/x@news.example/rss"',
    "a space": 'feed]]\nname = "F"\nurl = "https://news.example/r ss?token={}"',
    "twice": 'feed]]\nname = "F"\nurl = "https://n.example/?token={0}"\n[[feed]]\nname = "G"\nurl = "https://n.example/?token={0}"',
    "no end": 'feed]]\nname = "F"\nurl = "https://ann:{}@news.example/rss',
    "a list": 'feed]]\nname = "F"\nurl = ["https://ann:{}@news.example/rss"]',
    "a secret in the file": 'webhook]]\nname = "d"\nurl = "https://x.example/"\nsecret = "whsec_{}"',
    "a webhook": 'webhook]]\nname = "d"\nurl = "https://x.exa mple/?key={}"',
    "a proxy": 'feed]]\n[fetch]\nproxy = "http://ann:{}@proxy.example:99999"',
    "a database": 'feed]]\n[monitor]\ndatabase = "mysql://ann:{}@db.example/x"',
    "a database's port": 'feed]]\n[monitor]\ndatabase = "postgresql://ann:{}/x@db.example:port/x"',
    "a bot's token": 'feed]]\n[slack]\nbot_token = "{}"',
    "a page's token": "feed]]\n[web]\ntoken = {}",
    "an address of Apprise": 'feed]]\n[slack]\nchannel = "apprise:tgram://{}/5"',
}


@pytest.mark.parametrize("lines", MISTAKEN.values(), ids=lambda lines: lines[:12])
def test_a_mistake_in_the_file_tells_no_secret(tmp_path: Path, lines: str) -> None:
    """Not even before it comes to where it is told."""
    path = tmp_path / "feeds.toml"
    path.write_text("[[" + lines.format(SECRET), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert not is_told(str(caught.value))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MONITOR_DATABASE_URL", "mysql://ann:{}@db.example/x"),
        ("MONITOR_DATABASE_URL", "postgresql://ann:{}@db.example:x/y"),
        ("MONITOR_DATABASE_URL", "{}"),
        ("MONITOR_PROXY", "http://ann:{}@proxy.example:99999"),
        ("MONITOR_PROXY", "socks5://ann:{}@proxy.example"),
        ("SLACK_BOT_TOKEN", "{}"),
        ("SLACK_APP_TOKEN", "{}"),
        ("SLACK_API_URL", "ftp://ann:{}@slack.example"),
        ("MONITOR_WEB_TOKEN", "{}"),
    ],
)
def test_a_mistake_in_the_environment_tells_no_secret(
    tmp_path: Path, variable: str, value: str
) -> None:
    """It names the variable."""
    path = tmp_path / "feeds.toml"
    path.write_text('[[feed]]\nname = "F"\nurl = "https://news.example/rss"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=variable) as caught:
        load(path, {variable: value.format(SECRET)})
    assert not is_told(str(caught.value))
