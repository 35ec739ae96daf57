"""What nothing asks for any more goes, a little at a time; the archive stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from alerts import Card
from monitor.model import DeliveryState, Health, Sent, StoryId
from monitor.ports import Transaction
from monitor.storage import SqlStore, forgetting
from monitor.storage import tables as t
from tests.contracts.material import LEASE, NOW, given_articles, in_new_story

DAY = timedelta(days=1)


async def given_days(store: SqlStore, *ages: int) -> list[StoryId]:
    """An article of so many days ago, the oldest first, each with keys, a fingerprint and terms."""
    stories = []
    for number, age in enumerate(ages):
        at = NOW - age * DAY
        [article] = await given_articles(store, f"n{number}", number=number + 1)
        await store.write(
            lambda tx, a=article.id, s=at: tx.connection.execute(  # type: ignore[attr-defined]
                sa.update(t.article).where(t.article.c.id == a).values(first_seen_at=s)
            )
        )
        story = await store.write(in_new_story(article.id, article.url))
        stories.append(story)
        await store.write(
            lambda tx, a=article.id, s=at, story=story: (
                tx.keep_fingerprint(a, s, [1, 2, -(2**31)], b"packed"),
                tx.set_thread(story, b"thread", [0, 7, 2**32 - 1]),
            )
        )
    return stories


async def kept(store: SqlStore) -> tuple[int, int, int]:
    """Rows of keys, fingerprints and terms."""
    is_sqlite = store.address.path is not None
    keys = "count(*) FROM article_key" if is_sqlite else "sum(cardinality(keys)) FROM fingerprint"
    one, two, three = [
        await store.query(lambda c, s=sa.text(f"SELECT {count}"): c.execute(s).scalar_one())
        for count in (keys, "count(*) FROM fingerprint", "count(*) FROM story_term")
    ]
    return one, two, three


@pytest.fixture(autouse=True)
def _short_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of 24 minutes."""
    monkeypatch.setattr(forgetting, "SLICES", 24)


async def a_day(store: SqlStore, before: datetime) -> int:
    """Every minute of a day."""

    def work(tx: Transaction) -> int:
        return sum(tx.forget(before, NOW + minute * timedelta(minutes=1)) for minute in range(24))

    return await store.write(work)


async def test_what_is_older_goes_within_a_day(store: SqlStore) -> None:
    """Keys, fingerprints and terms of two articles; articles, stories and threads stay."""
    stories = await given_days(store, 20, 15, 3, 0)
    assert await kept(store) == (12, 4, 12)
    rows = 14 if store.address.path is not None else 8  # keys are no rows of their own
    assert await a_day(store, NOW - 14 * DAY) == rows
    assert await kept(store) == (6, 2, 6)
    assert await a_day(store, NOW - 14 * DAY) == 0
    assert len(await store.read(lambda tx: tx.threads(stories))) == 4
    terms = {0: 0.5, 7: 0.4, 2**32 - 1: 0.3}
    about = await store.read(lambda tx: tx.stories_about(terms, each=10, limit=10))
    assert {story for story, _ in about} == set(stories[2:])


async def test_it_goes_in_small_steps(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a day of keys to be deleted."""
    await given_days(store, 20, 19, 18, 0)
    monkeypatch.setattr(forgetting, "STEP", 4)
    monkeypatch.setattr(forgetting, "FINGERPRINTS", 2)
    left = [await kept(store)]
    while await store.write(lambda tx: tx.forget(NOW - 14 * DAY, NOW)):
        left.append(await kept(store))
    is_sqlite = store.address.path is not None
    assert [keys for keys, _, _ in left] == ([12, 8, 4, 3] if is_sqlite else [12, 6, 3])
    assert [fingerprints for _, fingerprints, _ in left] == (
        [4, 2, 1, 1] if is_sqlite else [4, 2, 1]
    )


async def test_a_merged_article_does_not_take_the_present_along(store: SqlStore) -> None:
    """Its time is of long ago, its id is not: what came before it is kept."""
    await given_days(store, 14, *range(13, 3, -1))
    [late] = await given_articles(store, "late", number=50)
    await store.write(in_new_story(late.id, late.url))
    await store.write(
        lambda tx: tx.connection.execute(  # type: ignore[attr-defined]
            sa.update(t.article)
            .where(t.article.c.id == late.id)
            .values(first_seen_at=NOW - 14 * DAY)
        )
    )
    await a_day(store, NOW - 14 * DAY)
    assert (await kept(store))[1] == 11


async def test_an_empty_database_has_nothing_to_forget(store: SqlStore) -> None:
    """A service that was just installed."""
    assert await store.write(lambda tx: tx.forget(NOW, NOW)) == 0


# --------------------------------------------------------------------------- what was said

LONG_AGO = NOW - forgetting.TOLD - DAY
OPS = "#ops"


async def given_told(
    store: SqlStore,
    subject: str,
    at: datetime = LONG_AGO,
    *,
    story: StoryId | None = None,
    state: DeliveryState = DeliveryState.SENT,
) -> None:
    """Something that was said then."""

    def work(tx: Transaction) -> None:
        tx.tell(OPS, subject, Card(title=subject), at, story=story)
        notice = tx.claim_due(OPS, at + 30 * DAY, LEASE)
        assert notice is not None
        assert notice.subject == subject
        sent = Sent(channel="C1", ref="1") if state is DeliveryState.SENT else None
        due_at = at if state is DeliveryState.RETRY else None
        tx.finish_notice(notice.id, state, at, sent=sent, due_at=due_at)

    await store.write(work)


async def subjects(store: SqlStore) -> list[str]:
    """What is still known to have been said."""
    statement = sa.select(t.notice.c.subject).order_by(t.notice.c.id)
    return [*await store.query(lambda c: c.execute(statement).scalars().all())]


@pytest.mark.parametrize(
    ("subject", "age", "state", "goes"),
    [
        ("digest:07:00 UTC:2025-01-01", forgetting.TOLD + DAY, DeliveryState.SENT, True),
        ("digest:07:00 UTC:2025-01-01", forgetting.TOLD - DAY, DeliveryState.SENT, False),
        ("flood:#news:1", forgetting.TOLD + DAY, DeliveryState.DEAD, True),
        ("flood:#news:1", forgetting.TOLD + DAY, DeliveryState.RETRY, False),
        ("flood:#news:1", forgetting.TOLD + DAY, DeliveryState.SENDING, False),
        ("feed:https://gone.example/:1", forgetting.TOLD + DAY, DeliveryState.SENT, True),
        ("spike:Ceasefire:1", timedelta(days=31), DeliveryState.SENT, False),
    ],
)
async def test_what_was_said_goes_when_it_is_over(
    store: SqlStore, subject: str, age: timedelta, state: DeliveryState, goes: bool
) -> None:
    """After ninety days, once it was shown or given up."""
    await given_told(store, subject, NOW - age, state=state)
    assert await store.write(lambda tx: tx.forget_told(NOW)) == goes
    assert await subjects(store) == ([] if goes else [subject])


@pytest.mark.parametrize("subject", ["feeds", "config", "slack", "watches"])
async def test_the_last_word_on_what_goes_on_stays(store: SqlStore, subject: str) -> None:
    """It may be edited still: of each the last one in its channel."""
    await given_told(store, f"{subject}:1", LONG_AGO - DAY)
    await given_told(store, f"{subject}:2")
    assert await store.write(lambda tx: tx.forget_told(NOW)) == 1
    assert await subjects(store) == [f"{subject}:2"]


async def test_a_feed_that_is_ill_keeps_its_message(store: SqlStore) -> None:
    """However long, and for the day on which it is just well again; by its own URL."""
    await given_articles(store, "a")
    urls = ["https://news.example/feed/1", "https://news.example/feed/1" + "x" * 400, "https://b"]

    async def set_feed(url: str, health: Health) -> None:
        values = {"url": url, "health": health}
        await store.write(
            lambda tx: tx.connection.execute(sa.update(t.feed).values(values))  # type: ignore[attr-defined]
        )

    for url in urls[:2]:
        subject = f"feed:{url[:300]}{'…0011' * (len(url) > 300)}:2025"
        await given_told(store, subject)
        for health in (Health.FAILING, Health.RECOVERED):
            await set_feed(url, health)
            assert await store.write(lambda tx: tx.forget_told(NOW)) == 0, health
        await set_feed(urls[2], Health.FAILING)
        assert await store.write(lambda tx: tx.forget_told(NOW)) == 1
        await given_told(store, subject)
        await set_feed(url, Health.LIVE)
        assert await store.write(lambda tx: tx.forget_told(NOW)) == 1


async def test_a_reply_stays_as_long_as_its_story_may_grow(store: SqlStore) -> None:
    """Articles of lately may bring others; one that is to be read again may change."""
    [story, quiet, watched] = await given_days(store, 120, 110, 100)
    await given_told(store, f"reply:{quiet}:escalate:Ceasefire", story=quiet)
    await given_told(store, f"reply:{watched}:figures:1", story=watched)
    await given_told(store, f"reply:{story}:figures:1", story=story)

    async def set_article(of: StoryId, **values: object) -> None:
        statement = sa.update(t.article).where(t.article.c.story_id == of).values(values)
        await store.write(lambda tx: tx.connection.execute(statement))  # type: ignore[attr-defined]

    await set_article(watched, due_at=NOW)
    await set_article(story, first_seen_at=NOW - forgetting.TOLD + DAY)
    assert await store.write(lambda tx: tx.forget_told(NOW)) == 1
    assert await subjects(store) == [f"reply:{watched}:figures:1", f"reply:{story}:figures:1"]
    await set_article(watched, due_at=None)
    assert await store.write(lambda tx: tx.forget_told(NOW + 2 * DAY)) == 2


async def test_what_was_said_goes_in_small_steps_too(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first."""
    monkeypatch.setattr(forgetting, "NOTICES", 2)
    for number in range(3):
        await given_told(store, f"flood:#news:{number}", LONG_AGO + number * timedelta(hours=1))
    assert await store.write(lambda tx: tx.forget_told(NOW)) == 2
    assert await subjects(store) == ["flood:#news:2"]


async def test_deeds_are_kept_a_year_and_snoozes_until_they_end(store: SqlStore) -> None:
    """Who did what; and what is over."""
    for mark, at in (("old", NOW - forgetting.DEEDS - DAY), ("new", NOW - forgetting.DEEDS + DAY)):
        await store.write(
            lambda tx, m=mark, at=at: tx.note_deed(
                m, user="U1", name="Ada", action="see", subject="1", channel="C1", now=at
            )
        )
    await store.write(lambda tx: tx.snooze("Ceasefire", "#news", NOW - DAY, "Ada"))
    await store.write(lambda tx: tx.snooze("Kashmir", "#news", NOW + DAY, "Ada"))
    assert await store.write(lambda tx: tx.forget_told(NOW)) == 2
    marks = sa.select(t.audit.c.mark)
    assert await store.query(lambda c: c.execute(marks).scalars().all()) == ["new"]
    assert [*await store.read(lambda tx: tx.snoozes("#news", NOW))] == ["Kashmir"]


async def test_what_is_about_to_be_edited_stays(store: SqlStore) -> None:
    """It was shown long ago, and is due again."""
    await given_told(store, "flood:#news:1")
    again = Card(title="One more")
    assert await store.write(lambda tx: tx.tell(OPS, "flood:#news:1", again, NOW, again=True))
    assert await store.write(lambda tx: tx.forget_told(NOW)) == 0
