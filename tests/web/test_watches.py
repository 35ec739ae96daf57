"""Watches on the page over a real database: what they bring, and how one is tried and saved."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from monitor import config
from monitor.compose import Rules
from monitor.config import Settings
from monitor.match import compile_watches
from monitor.model import Hit, Span, Watch
from monitor.pipeline.mentions import count_mentions
from monitor.ports import Judged, Precision
from monitor.storage import SqlReports, SqlStore
from monitor.web import Decisions
from monitor.web.drafts import Draft, draft
from monitor.web.editor import Editor
from monitor.web.watch_view import advice, path
from monitor.web.watches import Watches
from tests.contracts.material import NOW
from tests.fakes import FakeClock
from tests.pipeline.desk import CHANNEL, FREQUENCIES, HOUR, Desk, News, text
from tests.web.browser import Answer, Browser, browsing, fields_of, words_of

MINUTE = timedelta(minutes=1)
HEAD = """\
# Ask Mina before you change this.
[web]
editable = true

[[feed]]
name = "Wire"
url  = "https://feeds.example.org/rss.xml"
"""
FILE = f"""\
{HEAD}
[[watch]]
name  = "Truce"   # since May
terms = ["truce", "जंग बंदी"]

# the river
[[watch]]
name  = "Rain / flood?"
query = '''
  flood AND NOT "flood of"
'''
priority = "critical"
"""
HITS = (Hit(watch="Truce", spans=(Span(field="title", start=0, end=5, term="truce"),)),)
ARTICLES = (
    ("Truce holds in the valley", "A truce that nobody signed. " + text(1, 120), HITS),
    ("Truce broken near the dam", "Guns at the dam. " + text(2, 120), HITS),
    ("Dam bursts after rain", "The dam gave way. " + text(3, 120), ()),
    ("سد ٹوٹ گیا", "بند ٹوٹنے سے سیلاب۔ " + text(4, 20), ()),
    ("Cricket <b>tonight</b>", text(5, 120), ()),
)


@dataclass
class Office:
    """A service that takes over its file as soon as it is saved."""

    store: SqlStore
    path: Path
    settings: Settings
    desk: Desk

    @property
    def rules(self) -> Rules:
        return Rules(
            watches=self.settings.watches,
            matcher=compile_watches(self.settings.watches),
            default_channel=CHANNEL,
            interval=timedelta(minutes=5),
            frequencies=FREQUENCIES,
        )

    @contextlib.asynccontextmanager
    async def browsing(self, *, from_file: bool = True, **options) -> AsyncIterator[Browser]:
        clock = FakeClock(NOW + HOUR)
        options.setdefault("decisions", Decisions(self.store, clock, lambda: self.rules))
        if from_file:
            options["editor"] = Editor(self.path, {}, lambda: self.settings)
        following = asyncio.create_task(self._follow())
        async with browsing(SqlReports(self.store), clock=clock, **options) as browser:
            yield browser
        following.cancel()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.settings = config.load(self.path, {})

    def write(self, toml: str) -> None:
        self.path.write_text(toml, encoding="utf-8")
        self.settings = config.load(self.path, {})


@pytest.fixture
async def office(sqlite_store: SqlStore, tmp_path: Path) -> Office:
    path = tmp_path / "feeds.toml"
    path.write_text(FILE, encoding="utf-8")
    office = Office(sqlite_store, path, config.load(path, {}), Desk(sqlite_store))
    await sqlite_store.write(lambda tx: tx.sync_watches(office.settings.watches, NOW - 9 * HOUR))
    return office


@pytest.fixture
async def newsroom(office: Office) -> Office:
    """An office that has articles."""
    news = [
        News(f"n{number}", body, title=title, hits=hits, at=NOW + number * MINUTE)
        for number, (title, body, hits) in enumerate(ARTICLES)
    ]
    await office.desk.bring(*news)
    await count_mentions(office.store, NOW + HOUR)
    return office


def asked(**typed: str) -> str:
    """Where a trial of what was typed is."""
    return f"/watches/try?{urlencode(typed)}"


def said(answer: Answer) -> str:
    """All words of the page."""
    return words_of(answer.page.find(".//main"))


def marked(answer: Answer) -> set[str]:
    """What is highlighted."""
    return {mark.text for mark in answer.page.iter("mark")}


# --------------------------------------------------------------------------- reading


async def test_the_list_tells_what_each_looks_for_and_brings(newsroom: Office) -> None:
    async with newsroom.browsing() as browser:
        answer = await browser.get("/watches")
    rows = [words_of(each) for each in answer.page.xpath("//ol[@class='watches']/li")]
    assert answer.status == 200
    assert rows[0].startswith(f'Truce → {CHANNEL} truce OR "जंग बंदी"')
    assert "2 articles, 2 new stories, 2 messages came 10 h ago" in rows[0]
    assert rows[1].startswith(f'Rain / flood? critical → {CHANNEL} flood AND NOT "flood of"')
    assert "0 articles, 0 new stories, 0 messages" in rows[1]
    assert answer.page.xpath("//ol[@class='watches']//*[local-name()='svg']/@role") == ["img"] * 2


async def test_one_watch_is_told_whole(newsroom: Office) -> None:
    """Its terms with what each is found as, and what it found last, highlighted."""
    async with newsroom.browsing() as browser:
        answer = await browser.get("/watches/Truce")
        other = await browser.get(path("Rain / flood?"))
        unknown = await browser.get("/watches/Nobody")
    told = said(answer)
    assert "Last editnone since it came, 10 h ago" in told
    assert "Measured precisionnobody has judged what it found" in told
    terms = [words_of(each) for each in answer.page.xpath("//table[@class='terms']/tbody/tr")]
    assert terms[0] == "truce truce"
    assert terms[1].startswith("जंग बंदी जंग बंदी, ")
    assert marked(answer) == {"Truce"}
    assert answer.page.xpath("//table[@class='numbers']//tr")
    assert "It has not found anything yet." in said(other)
    assert unknown.status == 404
    assert "There is no watch “Nobody”." in said(unknown)


async def test_a_page_without_watches_says_what_to_do(office: Office) -> None:
    office.write(HEAD)
    async with office.browsing() as browser:
        answer = await browser.get("/watches")
    assert "Nothing is looked for yet." in said(answer)
    assert answer.page.xpath("//a[@href='/watches/try']")


async def test_many_watches_are_paged_and_can_be_sought(office: Office) -> None:
    more = "".join(f'\n[[watch]]\nname = "W{n}"\nterms = ["word{n}"]\n' for n in range(60))
    office.write(FILE + more)
    async with office.browsing() as browser:
        first, last = await browser.get("/watches"), await browser.get("/watches?page=2")
        found = await browser.get("/watches?q=WORD33")
        nothing = await browser.get("/watches?q=nowhere")
    titles = [[words_of(each) for each in a.page.xpath("//article//h2")] for a in (first, last)]
    assert (len(titles[0]), len(titles[1])) == (50, 12)
    assert "It has not run yet." in said(last)
    assert [words_of(each) for each in found.page.xpath("//article//h2")] == ["W33"]
    assert "No watch has that in its name or words." in said(nothing)


@pytest.mark.parametrize("name", ["try", "check", "..", "a/b", "a?b#c", "100 %", "बाढ़", "<b>"])
async def test_a_watch_of_any_name_can_be_opened(office: Office, name: str) -> None:
    office.write(f"{HEAD}\n[[watch]]\nname = '{name}'\nterms = ['x y']\n")
    async with office.browsing() as browser:
        [href] = (await browser.get("/watches")).page.xpath("//article//h2/a/@href")
        answer = await browser.get(href)
    assert words_of(answer.page.find(".//h1")) == name


# --------------------------------------------------------------------------- trying


async def test_a_mistake_is_shown_as_in_the_terminal_and_nothing_typed_is_lost(
    office: Office,
) -> None:
    async with office.browsing() as browser:
        answer = await browser.get(
            asked(text="dam AND (rain", name="Dams", channel="a b", min_publishers="two")
        )
    page = answer.page
    assert answer.status == 422
    assert page.find(".//pre[@class='picture']").text == (
        "  dam AND (rain\n          ^\nhint: put ) where the group ends"
    )
    errors = {each.get("id"): words_of(each) for each in page.xpath("//span[@class='error']")}
    assert errors["text-error"] == "column 9: this bracket is never closed"
    assert set(errors) == {"text-error", "channel-error", "min_publishers-error"}
    assert page.find(".//textarea").text == "\ndam AND (rain"  # browsers skip the first line end
    typed = {each.get("name"): each.get("value") for each in page.xpath("//input[@type='text']")}
    assert typed == {"name": "Dams", "channel": "a b", "min_publishers": "two"}
    assert page.find(".//textarea").get("aria-describedby") == "text-error"
    assert not page.xpath("//*[@id='result']")


@pytest.mark.parametrize(
    ("typed", "said_then"),
    [
        ({"text": "dam AND ("}, "column 9: this bracket is never closed"),
        ({"text": "dam rain"}, "Read as dam AND rain"),
        ({"text": "truce\npeace", "kind": "terms"}, "Read as truce OR peace"),
        ({"text": " "}, ""),
    ],
)
async def test_while_a_query_is_typed_it_is_said_how_it_is_read(
    office: Office, typed: dict[str, str], said_then: str
) -> None:
    """For the script; a piece of a page, with nothing else in it."""
    async with office.browsing() as browser:
        answer = await browser.get(f"/watches/check?{urlencode({'kind': 'query', **typed})}")
        page = await browser.get("/watches/try")
    assert " ".join(re.sub(r"<[^>]+>", " ", answer.text).split()).startswith(said_then)
    assert "<html" not in answer.text
    assert page.page.xpath("//script[@type='module']/@src")


async def test_a_good_query_is_run_over_what_is_stored(newsroom: Office) -> None:
    async with newsroom.browsing() as browser:
        answer = await browser.get(asked(text="dam and (rain OR guns)"))
        urdu = await browser.get(asked(text="سیلاب"))
    told = said(answer)
    assert "dam AND (rain OR guns)" in told
    assert "column 5: " in told  # that a small "and" was read as AND
    assert "It would have matched 2 of the last 5 articles" in told
    assert "Looked through 5 articles, back to 1 h ago: all there are." in told
    assert marked(answer) == {"Dam", "dam", "rain", "Guns"}
    assert "Give it a name above" in told
    assert "سیلاب" in marked(urdu)
    assert "<b>tonight" not in answer.text


async def test_an_edit_is_held_against_the_watch_as_it_is(newsroom: Office) -> None:
    async with newsroom.browsing() as browser:
        answer = await browser.get(asked(of="Truce", kind="query", text="dam AND NOT rain"))
        same = await browser.get(asked(of="Truce", kind="terms", text="truce\r\nजंग बंदी"))
    told = said(answer)
    assert "Found by both1 article Gained0 articles Lost1 article" in told
    assert "Lost 1 h ago Truce holds in the valley" in told
    assert "Nothing differs from the watch as it is." in said(same)


async def test_what_is_too_broad_is_told_before_it_is_saved(
    newsroom: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.match.backtest.ENOUGH", len(ARTICLES))
    async with newsroom.browsing() as browser:
        answer = await browser.get(asked(text="truce"))
        narrow = await browser.get(asked(text="rain"))
    assert "That is too broad: nobody reads so much." in said(answer)
    assert "too broad" not in said(narrow)


async def test_a_trial_ends_in_time_and_can_be_had_to_look_further(
    newsroom: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.web.watches._FAR", {2_000: 0.0, 10_000: 10.0})
    monkeypatch.setattr("monitor.volume._AT_ONCE", 2)
    async with newsroom.browsing() as browser:
        answer = await browser.get(asked(text="dam", name="Dams"))
        [further] = answer.page.xpath("//section[@id='result']//a[contains(@href, 'articles=')]")
        more = await browser.get(further.get("href").partition("#")[0])
    assert "Looked through 2 articles, back to" in said(answer)
    assert words_of(further) == "Look further, up to 10,000"
    assert "Looked through 5 articles" in said(more)
    assert more.page.xpath("//input[@id='name']/@value") == ["Dams"]


async def test_who_tries_too_much_at_once_is_told_to_wait(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.web.watches._QUEUE", 0.0)

    def busy(self: Watches, desk: object, made=Watches.__init__) -> None:
        made(self, desk)  # type: ignore[arg-type]
        self._one_at_a_time = asyncio.Semaphore(0)

    monkeypatch.setattr(Watches, "__init__", busy)
    async with office.browsing() as browser:
        answer = await browser.get(asked(text="dam"))
    assert answer.status == 503
    assert "Others are trying watches just now" in said(answer)


# --------------------------------------------------------------------------- saving


async def test_a_new_watch_is_saved_and_taken_over(office: Office) -> None:
    """The diff is shown first; comments stay; the page comes back when it is in use."""
    async with office.browsing() as browser:
        trial = await browser.get(
            asked(text="dam NEAR/5 rain", name="Dams", channel="#water", min_publishers="2")
        )
        plus = [words_of(each) for each in trial.page.xpath("//div[@class='diff']//ins")]
        answer = await browser.post("/watches/try", _saving(trial))
        shown = await browser.get(answer.headers["Location"])
    assert plus == [
        "added:",
        "added: [[watch]]",
        'added: name = "Dams"',
        'added: query = "dam NEAR/5 rain"',
        'added: channel = "#water"',
        "added: min_publishers = 2",
    ]
    assert (answer.status, answer.headers["Location"]) == (303, "/watches/Dams?saved=used")
    assert "Saved, and in use." in said(shown)
    assert office.settings.watches[-1] == Watch(
        name="Dams", query="dam NEAR/5 rain", channel="#water", min_publishers=2
    )
    assert office.path.read_text(encoding="utf-8").startswith(FILE)


async def test_an_edit_changes_its_own_lines(office: Office) -> None:
    async with office.browsing() as browser:
        trial = await browser.get(
            asked(of="Rain / flood?", kind="query", text="flood\n  OR dam", priority="normal")
        )
        answer = await browser.post("/watches/try", _saving(trial))
    assert answer.headers["Location"] == "/watches/Rain%20%2F%20flood%3F?saved=used"
    assert office.path.read_text(encoding="utf-8") == FILE.replace(
        'flood AND NOT "flood of"', "flood\n  OR dam"
    ).replace('priority = "critical"\n', "")


async def test_an_edit_of_somebody_else_is_not_written_over(office: Office) -> None:
    """What was typed is still there, and can be saved after a look."""
    async with office.browsing() as browser:
        trial = await browser.get(asked(text="dam", name="Dams"))
        office.write(FILE + '\n[[watch]]\nname = "Mine"\nterms = ["own words"]\n')
        answer = await browser.post("/watches/try", _saving(trial))
        again = await browser.post("/watches/try", _saving(answer))
    assert answer.status == 422
    assert "was edited by somebody else meanwhile: nothing was written" in said(answer)
    assert again.status == 303
    assert [watch.name for watch in office.settings.watches[2:]] == ["Mine", "Dams"]


async def test_what_the_whole_file_does_not_bear_is_told(office: Office) -> None:
    """A variant of a term that is gone, say; and a name that is another's."""
    office.write(FILE.replace('बंदी"]\n', 'बंदी"]\nvariants.truce = ["Waffenruhe"]\n'))
    async with office.browsing() as browser:
        taken = await browser.get(asked(text="dam", name="truce"))
        channel = await browser.get(asked(text="dam", name="Dams", channel="webhook:nowhere"))
    assert "is another watch's name already" in said(taken)
    assert channel.page.xpath("//ul[@class='trouble']/li")
    assert 'watch "Dams": channel' in said(channel)
    assert not channel.page.xpath("//button[@value='save']")


@pytest.mark.parametrize(
    ("what", "gone", "button"),
    [
        ("remove", ["Rain / flood?"], "Remove it"),
        ("rest", ["Rain / flood?"], "Let it rest"),
    ],
)
async def test_a_watch_is_removed_or_rests_after_a_question(
    office: Office, what: str, gone: list[str], button: str
) -> None:
    async with office.browsing() as browser:
        asks = await browser.get(f"/watches/change?of=Truce&do={what}")
        assert words_of(asks.page.find(".//form/button")) == button
        assert len(office.settings.watches) == 2
        await browser.post("/watches/change", fields_of(asks.page))
        assert [watch.name for watch in office.settings.watches] == gone
        if what == "remove":
            assert "Truce" not in office.path.read_text(encoding="utf-8")
            return
        assert "It rests: it looks for nothing." in said(await browser.get("/watches/Truce"))
        woken = await browser.get("/watches/change?of=Truce&do=wake")
        await browser.post("/watches/change", fields_of(woken.page))
    assert office.path.read_text(encoding="utf-8") == FILE
    assert len(office.settings.watches) == 2


async def test_where_the_page_may_not_write_it_shows_the_lines_to_paste(office: Office) -> None:
    office.write(FILE.replace("editable = true", "editable = false"))
    async with office.browsing() as browser:
        trial = await browser.get(asked(text='"dam burst" OR rain', name="Dams"))
        page = trial.page
        fields = {"do": "save", "name": "Dams", "text": "dam"}
        fields["token"] = (await _token(browser)) or ""
        refused = await browser.post("/watches/try", fields)
    assert page.find(".//pre[@class='paste']/code").text == (
        '[[watch]]\nname = "Dams"\nquery = \'"dam burst" OR rain\'\n'
    )
    assert not page.xpath("//button[@value='save']")
    assert "[web] editable is not true" in said(trial)
    assert refused.status == 403
    assert "Dams" not in office.path.read_text(encoding="utf-8")


async def test_without_a_file_or_rules_the_page_only_shows(office: Office) -> None:
    async with office.browsing(from_file=False, decisions=None) as browser:
        listed = await browser.get("/watches")
        trial = await browser.get(asked(text="dam", name="Dams"))
    assert [words_of(each) for each in listed.page.xpath("//article//h2")] == [
        "Rain / flood?",
        "Truce",
    ]
    assert trial.page.find(".//pre[@class='paste']/code").text.startswith("[[watch]]")


async def test_what_did_not_come_from_a_form_of_this_page_changes_nothing(office: Office) -> None:
    async with office.browsing() as browser:
        trial = await browser.get(asked(text="dam", name="Dams"))
        fields = _saving(trial)
        elsewhere = await browser.post(
            "/watches/try", fields, Origin="https://evil.example", Sec_Fetch_Site="cross-site"
        )
        forged = await browser.post("/watches/try", fields | {"token": "0" * 64})
        link = await browser.get(asked(**fields))
    assert (elsewhere.status, forged.status) == (403, 403)
    assert link.status == 200
    assert office.path.read_text(encoding="utf-8") == FILE


async def test_a_long_query_is_sent_by_post(newsroom: Office) -> None:
    long = " OR ".join(f"wortnummer{number}" for number in range(150))
    async with newsroom.browsing() as browser:
        await browser.get("/watches/try")
        first = await browser.get(asked(text=long, name="Long"))
        [form] = first.page.xpath("//form[@class='draft']")
        fields = {each.get("name"): each.get("value") for each in form.iter("input")}
        del fields["kind"]
        second = await browser.post("/watches/try", fields | {"text": f"{long} OR dam"})
    assert form.get("method") == "post"
    assert second.status == 200
    assert "It would have matched 2 of the last 5 articles" in said(second)


def _saving(trial: Answer) -> dict[str, str]:
    """What the form below a trial sends."""
    [form] = trial.page.xpath("//form[@class='confirm']")
    fields = {each.get("name"): each.get("value") for each in form.iter("input")}
    return fields | {"do": "save"}


async def _token(browser: Browser) -> str | None:
    page = (await browser.get("/watches/try?text=" + "x" * 1600)).page
    return next(iter(page.xpath("//input[@name='token']/@value")), None)


# --------------------------------------------------------------------------- what was typed


KNOWN = Watch(name="Truce", terms=("truce",), variants=(("truce", ("armistice",)),), notify=("U1",))


@pytest.mark.parametrize(
    ("typed", "known", "mistakes"),
    [
        ({"text": "dam"}, None, {"name": "is needed to save it"}),
        ({"name": " TRUCE ", "text": "dam"}, None,
         {"name": "is another watch's name already: choose one of its own"}),
        ({"name": "a", "text": "  \n"}, None, {"text": "is empty: say what to look for"}),
        ({"name": "a", "text": "NOT dam"}, None, {"text"}),
        ({"name": "a", "kind": "terms", "text": "dam\n\n---"}, None, {"text"}),
        ({"name": "a", "text": "dam\x07"}, None, {"text": "must not hold control characters"}),
        ({"name": "a", "text": "dam", "priority": "high"}, None, {"priority"}),
        ({"name": "a", "text": "dam", "min_publishers": "0"}, None, {"min_publishers"}),
        ({"name": "a" * 101, "text": "dam"}, None,
         {"name": "must be at most 100 characters, not 101"}),
        ({"name": "a", "text": "x" * 20_001}, None, {"text": "must be at most 20,000 characters"}),
        ({"text": "dam"}, KNOWN, {}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_of_its_field(
    typed: dict[str, str], known: Watch | None, mistakes: dict[str, str] | set[str]
) -> None:
    found = draft(typed, known, ["Truce"], to_save=True)
    if isinstance(mistakes, set):
        assert set(found.mistakes) == mistakes
        assert all(found.mistakes.values())
    else:
        assert found.mistakes == mistakes
    assert found.is_ready is not bool(mistakes)


def test_an_edit_keeps_what_the_form_does_not_show() -> None:
    found = draft({"kind": "terms", "text": "truce\npeace", "channel": "#a"}, KNOWN, ["Truce"])
    assert found.watch == replace(KNOWN, terms=("truce", "peace"))
    assert found.changes(KNOWN) == {"terms": ["truce", "peace"], "channel": "#a"}
    other = draft({"kind": "query", "text": "truce"}, KNOWN, ["Truce"])
    assert other.changes(KNOWN) == {"query": "truce", "terms": None}
    assert Draft(fields=other.fields).is_ready is False


def test_poor_terms_and_long_waits_are_pointed_out() -> None:
    poor = Precision(
        judged=20,
        relevant=12,
        terms={"war": Judged(judged=10, relevant=2), "truce": Judged(judged=10, relevant=10)},
    )
    [first, second] = advice(poor, held=7)
    assert first.startswith("What “war” finds was worth telling 2 of 10 times")
    assert "7 stories wait" in second
    assert advice(None, held=1) == []
