"""The pages of stories over a real database: what they tell, and what people change on them."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from monitor.compose import Rules
from monitor.match import compile_watches
from monitor.model import DeliveryState, Hit, Sent, Span, StoryId
from monitor.pipeline.by_hand import merge_by_hand, split_by_hand
from monitor.storage import SqlReports, SqlStore
from monitor.web import Decisions, Doors
from tests.contracts.material import CEASEFIRE, LEASE, NOW
from tests.fakes import FakeClock
from tests.pipeline.desk import CHANNEL, FREQUENCIES, HIT, HOUR, LATER, Desk, News, text
from tests.web.browser import Browser, browsing, fields_of, words_of
from tests.web.test_page import HOSTILE

MINUTE = timedelta(minutes=1)

LONG = text(1, 400)
CUT = LONG[: len(LONG) * 2 // 5]
GROWN = f"{text(2, 250)} {LONG}"
TITLE = "Ceasefire holds in the valley"


def again(words: str, seed: int) -> str:
    """The same words in an order of their own: the same event, and no copy."""
    return " ".join(random.Random(seed).sample(words.split(), len(words.split())))


@dataclass
class Newsroom:
    """A database that articles are brought to, and the rules by which it is told of them."""

    desk: Desk
    rules: Rules

    @property
    def store(self) -> SqlStore:
        return self.desk.store

    async def bring(self, name: str, body: str, **values) -> StoryId:
        """An article; in which something was found, unless told otherwise."""
        title = TITLE if LONG[:50] in body else f"Ceasefire {body.split(maxsplit=1)[0]}"
        values = {"title": title, "hits": (HIT,)} | values
        [placed] = await self.desk.bring(News(name, body, **values))
        return placed.story

    @contextlib.asynccontextmanager
    async def browsing(self, **options) -> AsyncIterator[Browser]:
        clock = FakeClock(NOW + HOUR)
        decisions = Decisions(self.store, clock, lambda: self.rules)
        options = {"decisions": decisions} | options
        async with browsing(SqlReports(self.store), clock=clock, **options) as browser:
            yield browser

    def split(self, story: StoryId, name: str) -> str:
        """The path at which an article is taken out."""
        return f"/stories/{story}/split/{self.desk.ids[name]}"

    async def by_hand(self, story: StoryId, name: str, by: str = "cli") -> StoryId:
        """Take an article out without the page."""
        article = self.desk.ids[name]
        assert await self.store.read(lambda tx: tx.story_of(article)) == story
        return await self.store.write(
            lambda tx: split_by_hand(tx, article, by=by, now=NOW + HOUR, rules=self.rules)
        )


@pytest.fixture
async def newsroom(sqlite_store: SqlStore) -> Newsroom:
    await sqlite_store.write(lambda tx: tx.sync_watches([CEASEFIRE], NOW))
    rules = Rules(
        watches=(CEASEFIRE,),
        matcher=compile_watches((CEASEFIRE,)),
        default_channel=CHANNEL,
        interval=timedelta(minutes=5),
        frequencies=FREQUENCIES,
    )
    return Newsroom(Desk(sqlite_store), rules)


async def covered(newsroom: Newsroom) -> StoryId:
    """A story of a report, two copies of it, an update, and another report of the same event."""
    story = await newsroom.bring("first", LONG, agency="PTI")
    await newsroom.bring("same", LONG, at=NOW + MINUTE, title="Guns fall silent", hits=())
    await newsroom.bring("cut", CUT, at=NOW + 2 * MINUTE, agency="PTI")
    await newsroom.bring("grown", GROWN, at=NOW + 3 * MINUTE)
    await newsroom.bring("other", again(LONG, 7), at=NOW + 4 * MINUTE)
    assert len((await newsroom.desk.view(story)).articles) == 5
    return story


async def copied(newsroom: Newsroom) -> StoryId:
    """A story of a report and a copy of it."""
    story = await newsroom.bring("first", LONG)
    assert await newsroom.bring("copy", LONG, at=NOW + MINUTE) == story
    return story


# --------------------------------------------------------------------------- what they tell


async def test_a_story_tells_who_reported_and_who_copied(newsroom: Newsroom):
    """Reports and updates stand in the timeline by time, copies under what they copy."""
    story = await covered(newsroom)
    async with newsroom.browsing() as browser:
        answer = await browser.get(f"/stories/{story}")
    page = answer.page
    assert answer.status == 200
    assert words_of(page.find(".//h1")) == TITLE
    head, timeline = (words_of(each) for each in page.xpath("//main/section")[:2])
    assert "since 1 h ago 5 articles 5 publishers 2 copies 1 update 2 independent reports" in head
    pieces = page.xpath("//section[@id='timeline']/ol/li")
    kinds = [words_of(each.xpath(".//span[contains(@class, 'chip')]")[0]) for each in pieces]
    assert kinds == ["report", "update", "report"]
    first, update, other = (words_of(each) for each in pieces)
    assert "It opened the story." in first
    assert "Publisher 1 en report credits PTI" in first
    assert "2 copies: Publisher 2, Publisher 3" in first
    assert "Its text stands in that of Publisher 1." in first
    assert re.search(r"\d\d% of its text is new, the rest stands in that of Publisher 1\.", update)
    assert re.search(r"The same event: likeness \d\.\d\d, where 1 is enough\. In common: \w", other)
    copies = pieces[0].xpath(".//details//li")
    assert [words_of(each.find("./p")) for each in copies] == ["Guns fall silent", TITLE]
    assert not page.xpath("//details//blockquote")
    assert "Ceasefire" in timeline
    assert {mark.text for mark in page.iter("mark")} == {"Ceasefire"}


async def test_the_headline_is_that_of_the_first_article_in_which_something_was_found(
    newsroom: Newsroom,
):
    """As on the message: what nobody looks for leads nothing."""
    story = await newsroom.bring("quiet", LONG, title="Quiet", hits=())
    await newsroom.bring("found", CUT, at=NOW + MINUTE)
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{story}")).page
    assert words_of(page.find(".//h1")) == TITLE
    assert page.find(".//title").text == f"{TITLE} · monitor"


async def test_the_front_page_lists_stories(newsroom: Newsroom):
    """So the path of all of them leads there."""
    async with newsroom.browsing() as browser:
        answer = await browser.get("/stories")
    assert (answer.status, answer.headers["Location"]) == (301, "/")


async def test_chapters_lead_to_each_other(newsroom: Newsroom):
    """The chapter before and the one after, by their headlines."""
    first = await newsroom.bring("first", LONG)
    second = await newsroom.bring("second", text(5), title="Talks go on")
    third = await newsroom.store.write(lambda tx: tx.new_story(NOW, follows=first))
    article = newsroom.desk.ids["second"]
    await newsroom.store.write(lambda tx: tx.put_in_story(article, third, copy_of=None))
    async with newsroom.browsing() as browser:
        before, after = [(await browser.get(f"/stories/{each}")).page for each in (first, third)]
    assert second != third
    [to_after], [to_before] = (page.find_class("chapter") for page in (before, after))
    assert words_of(to_after) == "Followed by Talks go on"
    assert words_of(to_before) == f"Follows {TITLE}"
    assert to_before.find(".//a").get("href") == f"/stories/{first}"
    assert "It opened this chapter." in words_of(after)


async def test_a_story_shows_what_was_changed(newsroom: Newsroom):
    """What went and what came, as words: markup in them is none."""
    story = await newsroom.bring("first", f"{LONG} Eight died.")
    article = newsroom.desk.ids["first"]
    former = f"{LONG} <script>Fourteen</script> died."
    await newsroom.store.write(
        lambda tx: tx.keep_revision(article, TITLE, former, NOW - timedelta(minutes=5))
    )
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{story}")).page
    [revision] = page.find_class("revision")
    assert revision.xpath(".//summary")[0].text_content() == "Revised 1 h 5 min ago"
    assert [each.text_content().strip() for each in revision.xpath(".//del | .//ins")] == [
        "<script>Fourteen</script>",
        "Eight",
    ]


async def test_a_story_shows_its_messages(newsroom: Newsroom):
    """Each channel with its state; or that there is none."""
    told = await newsroom.bring("told", LONG)
    untold = await newsroom.bring("untold", text(4), hits=())
    async with newsroom.browsing() as browser:
        waits = (await browser.get(f"/stories/{told}")).page.get_element_by_id("deliveries")
        await newsroom.desk.show()
        sent = (await browser.get(f"/stories/{told}")).page.get_element_by_id("deliveries")
        none = (await browser.get(f"/stories/{untold}")).page.get_element_by_id("deliveries")
    [row] = waits.xpath(".//tbody/tr")
    assert words_of(row) == f"waiting The story's message Drop: {TITLE} {CHANNEL} 0 1 h ago now"
    [row] = sent.xpath(".//tbody/tr")
    assert words_of(row).startswith(f"sent The story's message {CHANNEL} 1 1 h ago")
    assert words_of(none) == "Deliveries No message belongs to this story: why?"


async def test_a_message_is_acknowledged_and_muted_on_the_page(newsroom: Newsroom):
    """As by the buttons in Slack: by whom is kept, and shown here, in the stream and there."""
    story = await newsroom.bring("told", LONG)
    await newsroom.desk.show()
    async with newsroom.browsing() as browser:
        for deed in ("see", "mute"):
            page = (await browser.get(f"/stories/{story}")).page
            [form] = page.find_class("deeds")
            fields = {each.get("name"): each.get("value") for each in form.iter("input")}
            answer = await browser.post(
                form.get("action"), fields | {"act": deed}, Origin=browser.url.rstrip("/")
            )
            assert (answer.status, answer.headers["Location"]) == (303, f"/stories/{story}")
        page = (await browser.get(f"/stories/{story}")).page.find(".//main")
        stream = (await browser.get("/")).page.get_element_by_id("stream")
        muted = (await browser.get("/?state=muted")).page.get_element_by_id("stream")
        held = (await browser.get("/?state=held")).page.get_element_by_id("stream")
        strange = await browser.post(
            form.get("action"), fields | {"act": "eat"}, Origin=browser.url.rstrip("/")
        )
    assert f"{CHANNEL}: acknowledged by page muted by page" in words_of(page)
    assert "Unmute" in words_of(page)
    assert "acknowledged by page muted by page" in words_of(stream)
    assert (len(muted), len(held)) == (1, 0)
    assert strange.status == 400


async def test_whole_texts_and_what_copies_say_otherwise(newsroom: Newsroom):
    """What each watch found is marked in all of the text; a copy's own words stand out."""
    body = f"{LONG}\nThe ceasefire holds."
    at = body.index("ceasefire")
    hit = Hit(
        watch=CEASEFIRE.name, spans=(Span(field="body", start=at, end=at + 9, term="ceasefire"),)
    )
    story = await newsroom.bring("first", body, hits=(hit,))
    await newsroom.bring("copy", f"{LONG}\nThe truce holds.", at=NOW + MINUTE, hits=())
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{story}")).page
    [first, copy] = page.xpath("//details[@class='text']")
    assert words_of(first.find("summary")) == "Whole text, 403 words"
    assert [mark.get("title") for mark in first.iter("mark")] == ["Ceasefire: ceasefire"]
    assert not [*copy.iter("mark")]
    [differs] = page.xpath("//li//li//details[@class='revision']")
    assert [each.text.strip() for each in differs.iter("del", "ins")] == ["ceasefire", "truce"]


async def test_why_an_article_did_or_did_not_alert(newsroom: Newsroom):
    """For any article of a story and any watch, also one that found nothing."""
    dry = replace(CEASEFIRE, name="Floods", terms=("flood",))
    newsroom.rules = replace(newsroom.rules, watches=(dry, CEASEFIRE))
    story = await newsroom.bring("first", LONG)
    other = await newsroom.bring("far", text(40))
    await newsroom.desk.show()
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{story}")).page
        [link] = page.xpath("//p[@class='acts-of']/a/@href")
        told = (await browser.get(link)).page
        untold = (await browser.get(f"{link}&watch=Floods")).page
        strange = (await browser.get(f"/stories/{story}/why?article=999&watch=Rain")).page
        missing = await browser.get("/stories/999/why")
        await newsroom.store.write(
            lambda tx: merge_by_hand(tx, story, other, by="cli", now=NOW + HOUR)
        )
        merged = await browser.get(f"/stories/{other}/why?watch=Floods")
    assert words_of(told.find_class("verdict")[0]).startswith(f"It is told in {CHANNEL}, since ")
    assert words_of(told.find_class("whole")[0]) == LONG
    assert words_of(untold.find_class("verdict")[0]) == "It did not alert: flood is not there."
    names = [words_of(each) for each in untold.xpath("//ol[@class='stages']//h3")]
    assert names == [
        "Fetched", "Extracted", "Grouped", "Matched", "News", "Confirmed", "Paced", "Delivered",
    ]  # fmt: skip
    assert "There is no watch Rain." in words_of(strange.find_class("trouble")[0])
    assert missing.status == 404
    assert (merged.status, merged.headers["Location"]) == (
        302,
        f"/stories/{story}/why?watch=Floods",
    )


async def test_a_story_that_waits_says_for_what(newsroom: Newsroom):
    """On its page and in the list; merged with another that confirms it, it is told."""
    newsroom.rules = replace(newsroom.rules, watches=(replace(CEASEFIRE, min_publishers=2),))
    one = await newsroom.bring("one", LONG)
    other = await newsroom.bring("other", text(5), title="Guns fall silent", at=NOW + MINUTE)
    await newsroom.store.write(lambda tx: tx.hold(one, "Ceasefire", "1 of 2 publishers", NOW))
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{one}")).page.get_element_by_id("deliveries")
        rows = (await browser.get("/")).page
        assert "Held for Ceasefire, since 1 h ago: 1 of 2 publishers." in words_of(page)
        assert words_of(rows).count("held: 1 of 2 publishers") == 1
        await browser.submit(f"/stories/{one}/merge/{other}")
    assert await newsroom.store.read(lambda tx: tx.held_stories()) == []


async def test_a_merged_story_leads_to_the_one_that_goes_on(newsroom: Newsroom):
    """An old link still leads to the articles; and it is told who merged."""
    one = await newsroom.bring("one", LONG)
    other = await newsroom.bring("other", text(5))
    await newsroom.store.write(lambda tx: merge_by_hand(tx, one, other, by="cli", now=NOW))
    async with newsroom.browsing() as browser:
        moved = await browser.get(f"/stories/{other}")
        page = (await browser.get(f"/stories/{one}")).page
    assert (moved.status, moved.headers["Location"]) == (302, f"/stories/{one}")
    said = words_of(page.find(".//main"))
    assert f"Story {other} was merged into this one by cli, 1 h ago." in said
    assert re.search(r"It came with a story that was merged into this one\. Likeness 0", said)


UNKNOWN = [
    ("/stories/77", "There is no story 77."),
    ("/stories/0", "There is no story 0."),
    ("/stories/77/merge", "There is no story 77."),
    ("/stories/77/split/1", "There is no story 77."),
    ("/stories/1/merge/77", "There is no story 77."),
    ("/stories/1/split/77", "Article 77 is not in story 1."),
    ("/stories/x", "There is no such page here."),
    ("/stories/-1", "There is no such page here."),
    ("/stories/٣", "There is no such page here."),
    ("/stories/9223372036854775808", "There is no such page here."),
    (f"/stories/{'9' * 5000}", "There is no such page here."),
    (f"/stories/1/split/{'9' * 30}", "There is no such page here."),
    ("/stories/1/2", "There is no such page here."),
]


async def test_what_there_is_not_is_said(newsroom: Newsroom):
    """An unknown story or article is one clear sentence."""
    await newsroom.bring("a", LONG)
    async with newsroom.browsing() as browser:
        for path, sentence in UNKNOWN:
            answer = await browser.get(path)
            assert answer.status == 404, path[:50]
            assert sentence in words_of(answer.page.find(".//main")), path[:50]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_words_are_shown_as_words(newsroom: Newsroom, hostile: str):
    """Headlines, agencies and names are text on every page of a story."""
    hit = Hit(watch="Ceasefire", spans=(Span(field="title", start=0, end=4, term=hostile),))
    story = await newsroom.bring(
        "a", f"{hostile} {LONG}", title=hostile, agency=hostile, hits=(hit,)
    )
    await newsroom.bring("b", LONG, title=hostile, at=NOW + MINUTE)
    await newsroom.bring("c", LONG, title=hostile, at=NOW + 2 * MINUTE)
    near = await newsroom.by_hand(story, "c", by=hostile)
    paths = [
        "/", f"/stories/{story}", newsroom.split(story, "b"), f"/stories/{story}/merge",
        f"/stories/{story}/merge/{near}",
    ]  # fmt: skip
    async with newsroom.browsing() as browser:
        pages = [(await browser.get(path)).page for path in paths]
    for page in pages:
        assert not [*page.iter("svg", "style", "b", "iframe")]
        assert all(each.get("src", "").startswith("/static/") for each in page.iter("script"))
        assert all(image.get("src").startswith("/static/") for image in page.iter("img"))
        assert not [name for each in page.iter() for name in each.attrib if name.startswith("on")]
        assert " ".join(hostile.split()) in words_of(page.find(".//main"))


# --------------------------------------------------------------------------- taking out


async def test_an_article_is_taken_out_with_its_copies(newsroom: Newsroom):
    """The page says what will happen, and that is what does."""
    story = await covered(newsroom)
    await newsroom.desk.show()
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{story}")).page
        path = newsroom.split(story, "other")
        assert path in page.xpath("//a[@class='act']/@href")
        said = words_of((await browser.get(path)).page.find(".//main"))
        answer = await browser.submit(path)
        own = (await browser.get(answer.headers["Location"])).page
        left = (await browser.get(f"/stories/{story}")).page
    assert "4 articles stay in the story" in said
    assert f"{CHANNEL} The message of this story will be edited to tell of the others only." in said
    assert f"{CHANNEL} A message of its own will be posted about it." in said
    assert answer.status == 303
    assert len(own.xpath("//section[@id='timeline']/ol/li")) == 1
    assert f"By hand: it was taken out of story {story} (page, now)." in words_of(own)
    assert "An article" not in words_of(left.find(".//main"))
    assert "https://news.example/other was taken out by page, now." in words_of(left)
    edited, posted = sorted(await newsroom.desk.show(), key=lambda delivery: delivery.sent is None)
    assert (edited.story, edited.sent is not None) == (story, True)
    assert (f"/stories/{posted.story}", posted.sent) == (answer.headers["Location"], None)


async def test_an_original_takes_its_copies_along(newsroom: Newsroom):
    """What is the same text is the same event."""
    story = await covered(newsroom)
    async with newsroom.browsing() as browser:
        said = words_of((await browser.get(newsroom.split(story, "first"))).page.find(".//main"))
        await browser.submit(newsroom.split(story, "first"))
    assert "3 copies go with it: Guns fall silent Publisher 2" in said
    assert re.search(r"1 article stays in the story: 1 .* since 56 min ago, 1 article What", said)
    assert await newsroom.desk.together() == {
        frozenset({"first", "same", "cut", "grown"}),
        frozenset({"other"}),
    }


async def test_the_only_article_can_not_be_taken_out(newsroom: Newsroom):
    """Neither with its copies: nothing would be left."""
    story = await newsroom.bring("first", LONG)
    async with newsroom.browsing() as browser:
        alone = (await browser.get(f"/stories/{story}")).page
        refused = await browser.get(newsroom.split(story, "first"))
        await newsroom.bring("copy", LONG, at=NOW + MINUTE)
        with_copy = await browser.get(newsroom.split(story, "first"))
    assert alone.xpath("//a[@class='act']") == []
    assert (refused.status, with_copy.status) == (409, 409)
    assert f"Nothing is in story {story} beside this article." in words_of(refused.page)
    assert f"Nothing but its copies is in story {story}" in words_of(with_copy.page)


async def test_a_form_sent_twice_says_that_it_was_done(newsroom: Newsroom):
    """A double click takes out once."""
    story = await covered(newsroom)
    path = newsroom.split(story, "other")
    async with newsroom.browsing() as browser:
        fields = fields_of((await browser.get(path)).page)
        first, second = [await browser.post(path, fields) for _ in range(2)]
    assert (first.status, second.status) == (303, 409)
    article = newsroom.desk.ids["other"]
    assert f"Article {article} is not in story {story} any more." in words_of(second.page)


@pytest.mark.parametrize("action", ["split", "merge"])
async def test_who_saw_a_story_as_it_was_looks_again(newsroom: Newsroom, action: str):
    """A form that an article overtook changes nothing; the new one does."""
    story = await covered(newsroom)
    far = await newsroom.bring("far", text(40), at=NOW + 5 * MINUTE)
    path = newsroom.split(story, "other") if action == "split" else f"/stories/{story}/merge/{far}"
    async with newsroom.browsing() as browser:
        fields = fields_of((await browser.get(path)).page)
        await newsroom.bring("late", LONG, at=NOW + 10 * MINUTE)
        before = await newsroom.desk.together()
        stale = await browser.post(path, fields)
        assert await newsroom.desk.together() == before
        fresh = await browser.post(path, fields_of(stale.page))
    assert stale.status == 409
    [trouble] = stale.page.find_class("trouble")
    assert words_of(trouble) == "The story has changed since you opened this page. Look again."
    assert fresh.status == 303
    assert await newsroom.desk.together() != before


async def test_what_was_shown_meanwhile_is_a_change(newsroom: Newsroom):
    """Which of two stories goes on depends on which was told: so it must not have changed."""
    one, other = await newsroom.bring("one", LONG), await newsroom.bring("other", text(5))
    path = f"/stories/{one}/merge/{other}"
    async with newsroom.browsing() as browser:
        fields = fields_of((await browser.get(path)).page)
        await newsroom.desk.show()
        stale = await browser.post(path, fields)
    assert stale.status == 409


# --------------------------------------------------------------------------- merging


async def test_two_stories_are_made_one(newsroom: Newsroom):
    """Chosen among those near in time, looked at, agreed to: and messages as was said."""
    one = await newsroom.bring("one", LONG)
    other = await newsroom.bring("other", text(5), title="Guns fall silent", at=NOW + MINUTE)
    await newsroom.bring("quiet", text(6), hits=(), at=NOW + 2 * MINUTE)
    await newsroom.desk.show()
    async with newsroom.browsing() as browser:
        start = (await browser.get(f"/stories/{other}")).page
        [choose] = start.xpath("//a[@class='button']/@href")
        options = (await browser.get(choose)).page
        assert options.xpath("//input[@type='radio']/@value") == [str(one)]
        chosen = await browser.get(f"{choose}?with={one}&number=")
        path = chosen.headers["Location"]
        said = words_of((await browser.get(path)).page.find(".//main"))
        answer = await browser.submit(path)
        page = (await browser.get(answer.headers["Location"])).page
    assert (chosen.status, path) == (303, f"/stories/{other}/merge/{one}")
    assert re.search(f"This story goes on: {one} {TITLE}.*This one becomes.*: {other} Guns", said)
    assert (
        f"{CHANNEL} Both stories are shown: one message will be edited to tell of both, and that "
        f"of story {other} to say only where it is told now." in said
    )
    assert (answer.status, answer.headers["Location"]) == (303, f"/stories/{one}")
    assert f"Story {other} was merged into this one by page, now." in words_of(page)
    assert {delivery.story for delivery in await newsroom.desk.show()} == {one, other}


NO_CHOICE = [
    ("with={story}", "Story {story} is this one: choose another."),
    ("number=%23{story}", "Story #{story} is this one: choose another."),
    ("number=77", "There is no story 77."),
    ("number=x&with={other}", "There is no story x."),
    (f"number={'0' * 5000}", "There is no story 00000000000000000000."),
    ("number=&with=", "Choose a story, or give its number."),
    ("number=", "Choose a story, or give its number."),
]


async def test_a_choice_that_makes_no_sense_is_asked_again(newsroom: Newsroom):
    """With one sentence above the same page."""
    ids = {"story": await newsroom.bring("a", LONG), "other": await newsroom.bring("b", text(5))}
    async with newsroom.browsing() as browser:
        for query, sentence in NO_CHOICE:
            answer = await browser.get(f"/stories/{ids['story']}/merge?{query.format(**ids)}")
            assert answer.status == 400
            assert words_of(answer.page.find_class("trouble")[0]) == sentence.format(**ids)
            assert len(answer.page.xpath("//input[@type='radio']")) == 1


async def test_a_number_that_was_typed_is_taken(newsroom: Newsroom):
    """Before what was ticked; and a merged story's number means the one that goes on."""
    one, two, three = [await newsroom.bring(name, text(n)) for n, name in enumerate("abc", 1)]
    await newsroom.store.write(lambda tx: merge_by_hand(tx, two, three, by="cli", now=NOW))
    async with newsroom.browsing() as browser:
        answer = await browser.get(f"/stories/{one}/merge?with={one}&number=%23{three}")
    assert answer.headers["Location"] == f"/stories/{one}/merge/{two}"


async def test_ten_stories_nearest_in_time_are_offered(newsroom: Newsroom):
    """Before and after, newest first, each once, without itself; the furthest are left out."""
    stories = [await newsroom.bring(f"s{n}", text(n), at=NOW + n * MINUTE) for n in range(14)]
    await newsroom.bring("copy", text(6), at=NOW + 20 * MINUTE)
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{stories[5]}/merge")).page
    offered = [int(value) for value in page.xpath("//input[@type='radio']/@value")]
    assert offered == [stories[n] for n in (10, 9, 8, 7, 6, 4, 3, 2, 1, 0)]


async def test_one_story_is_not_merged_with_itself(newsroom: Newsroom):
    """Nor with what it has become a part of."""
    story = await newsroom.bring("a", LONG)
    async with newsroom.browsing() as browser:
        answer = await browser.get(f"/stories/{story}/merge/{story}")
    assert answer.status == 409
    assert f"Stories {story} and {story} are one already." in words_of(answer.page)


# --------------------------------------------------------------------------- who may


async def test_only_pages_with_a_form_let_one_be_sent_and_set_a_cookie(newsroom: Newsroom):
    """All else is guarded as ever; no page may be framed, scripted or kept."""
    story = await covered(newsroom)
    far = await newsroom.bring("far", text(40))
    forms = [newsroom.split(story, "other"), f"/stories/{story}/merge/{far}"]
    async with newsroom.browsing() as browser:
        answers = {
            path: await browser.get(path)
            for path in ("/", "/follow", f"/stories/{story}", f"/stories/{story}/merge", *forms)
        }
    for path, answer in answers.items():
        policy = answer.headers["Content-Security-Policy"].split("; ")
        has_form = bool(answer.page.xpath("//form"))
        assert has_form == (path != "/follow")
        assert f"form-action '{'self' if has_form else 'none'}'" in policy
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= {*policy}
        assert answer.headers["Referrer-Policy"] == ("same-origin" if has_form else "no-referrer")
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Set-Cookie" in answer.headers) == (path in {*forms, f"/stories/{story}"})
    assert re.fullmatch(
        r"monitor-forms=[0-9a-f]{32}; HttpOnly; Path=/; SameSite=strict",
        answers[forms[0]].headers["Set-Cookie"],
    )


FOREIGN = "This form was not sent from this page: nothing was changed."
TOO_OLD = "This form is no longer good"


FORGED = [
    ({"Origin": "http://evil.example"}, 403, FOREIGN),
    ({"Origin": "null"}, 403, FOREIGN),
    ({"Origin": ""}, 403, FOREIGN),
    ({"Origin": "http://127.0.0.1:1"}, 403, FOREIGN),
    ({"Sec_Fetch_Site": "cross-site"}, 403, FOREIGN),
    ({"Sec_Fetch_Site": "same-site"}, 403, FOREIGN),
    ({"Sec_Fetch_Site": "none"}, 403, FOREIGN),
    ({"Content_Type": "text/plain"}, 415, "This is not a form as browsers send it."),
    ({"Content_Type": "multipart/form-data; boundary=x"}, 415, "This is not a form"),
    ({"Cookie": "monitor-forms=" + "0" * 32}, 403, TOO_OLD),
    ({"Cookie": "monitor-forms=x"}, 403, TOO_OLD),
]
EMPTY = [
    ({}, 403, TOO_OLD),
    ({"token": ""}, 403, TOO_OLD),
    ({"token": "0" * 64}, 403, TOO_OLD),
    ({"token": "é"}, 403, TOO_OLD),
    (b"token=\xff", 400, "This form can't be read."),
    (b"a=1&" * 30, 400, "This form can't be read."),
    (b"a" * 5000, 413, "This form is too large."),
]


async def test_a_form_of_another_site_is_refused(newsroom: Newsroom):
    """Whatever it knows: where it comes from, or what it lacks, gives it away."""
    story = await copied(newsroom)
    path = newsroom.split(story, "copy")
    async with newsroom.browsing() as browser:
        for headers, status, sentence in FORGED:
            fields = fields_of((await browser.get(path)).page)
            if "Cookie" in headers:
                browser.forget()
            answer = await browser.post(path, fields, **headers)
            assert answer.status == status, headers
            assert sentence in words_of(answer.page.find(".//main")), headers
    assert await newsroom.desk.together() == {frozenset({"first", "copy"})}


async def test_a_form_without_its_token_is_refused(newsroom: Newsroom):
    """And one that is none is not read further than it must."""
    story = await copied(newsroom)
    path = newsroom.split(story, "copy")
    kind = "application/x-www-form-urlencoded"
    async with newsroom.browsing() as browser:
        await browser.get(path)
        for body, status, sentence in EMPTY:
            answer = await browser.post(path, body, Content_Type=kind)
            assert answer.status == status, body
            assert sentence in words_of(answer.page.find(".//main")), body
    assert await newsroom.desk.together() == {frozenset({"first", "copy"})}


async def test_a_token_is_good_for_its_own_form_and_process(newsroom: Newsroom):
    """Neither another article's form nor one of before a restart will do."""
    story = await covered(newsroom)
    path = newsroom.split(story, "other")
    async with newsroom.browsing() as browser:
        elsewhere = fields_of((await browser.get(newsroom.split(story, "cut"))).page)
        other_form = await browser.post(path, elsewhere)
        form = await browser.get(path)
        cookie = form.headers["Set-Cookie"].partition(";")[0]
    async with newsroom.browsing() as browser:
        restarted = await browser.post(path, fields_of(form.page), Cookie=cookie)
        two_tabs = [fields_of((await browser.get(path)).page) for _ in range(2)]
        first_tab = await browser.post(path, two_tabs[0])
    assert (other_form.status, restarted.status, first_tab.status) == (403, 403, 303)
    assert TOO_OLD in words_of(restarted.page)


async def test_who_has_the_token_to_read_changes_nothing(newsroom: Newsroom):
    """A wall in the newsroom shows stories, and has no buttons."""
    story = await covered(newsroom)
    path = newsroom.split(story, "other")
    doors = Doors(token=SecretStr("to-write-" * 2), read_token=SecretStr("to-read-" * 2))
    reads, writes = (
        {"Authorization": f"Bearer {token.get_secret_value()}"}
        for token in (doors.read_token, doors.token)
    )
    async with newsroom.browsing(doors=doors) as browser:
        page = (await browser.get(f"/stories/{story}", **reads)).page
        asked = [await browser.get(each, **reads) for each in (path, f"/stories/{story}/merge")]
        fields = fields_of((await browser.get(path, **writes)).page)
        sent = await browser.post(path, fields, **reads)
    assert page.xpath("//a[@class='act' or @class='button']") == []
    assert [each.status for each in (*asked, sent)] == [403] * 3
    assert all("log out, and in again" in words_of(each.page) for each in asked)


async def test_without_decisions_stories_are_read_only(newsroom: Newsroom):
    """A page that was given nothing to change with has no way to."""
    story = await covered(newsroom)
    path = newsroom.split(story, "other")
    async with newsroom.browsing(decisions=None) as browser:
        page = (await browser.get(f"/stories/{story}")).page
        statuses = [(await browser.get(each)).status for each in (path, f"/stories/{story}/merge")]
        posted = await browser.post(f"/stories/{story}", {})
    assert page.xpath("//a[@class='act' or @class='button']") == []
    assert statuses == [404, 404]
    assert posted.status == 405


# --------------------------------------------------------------------------- messages


async def test_a_channel_that_no_watch_leads_to_any_more_keeps_its_message(newsroom: Newsroom):
    """What is left behind was found by nobody: its message stays; one that waits is dropped."""
    story = await newsroom.bring("quiet", LONG, hits=())
    copy = await newsroom.bring("found", CUT, at=NOW + MINUTE)
    assert story == copy
    path = newsroom.split(story, "found")
    async with newsroom.browsing() as browser:
        waits = words_of((await browser.get(path)).page)
        await newsroom.desk.show()
        shown = words_of((await browser.get(path)).page)
    assert "The message that waited to be posted is dropped: no watch found the others." in waits
    assert "The message of this story stays as it stands: no watch found the others." in shown


async def test_where_nothing_is_told_nothing_will_be(newsroom: Newsroom):
    """The pages say so."""
    story = await newsroom.bring("a", LONG, hits=())
    await newsroom.bring("b", LONG, hits=(), at=NOW + MINUTE)
    other = await newsroom.bring("c", text(5), hits=())
    async with newsroom.browsing() as browser:
        out = words_of((await browser.get(newsroom.split(story, "b"))).page)
        one = words_of((await browser.get(f"/stories/{story}/merge/{other}")).page)
    assert "None belongs to the story, and none will be posted." in out
    assert "None belongs to either, and none will be posted." in one


async def test_messages_that_can_not_be_edited_stay(newsroom: Newsroom):
    """A webhook posts and never edits: that is said, too."""
    story, far = await covered(newsroom), await newsroom.bring("far", text(40))
    await newsroom.desk.show()
    webhook = Decisions(newsroom.store, FakeClock(), lambda: newsroom.rules, can_edit=False)
    async with newsroom.browsing(decisions=webhook) as browser:
        out = words_of((await browser.get(newsroom.split(story, "other"))).page)
        one = words_of((await browser.get(f"/stories/{story}/merge/{far}")).page)
    assert "The message of this story stays as it stands: messages can't be edited there." in out
    assert "What is shown stays as it stands: messages can't be edited there." in one


async def test_of_two_stories_the_one_that_is_shown_goes_on(newsroom: Newsroom):
    """However much younger it is; a message that waits is not posted for a part of another one."""
    old = await newsroom.bring("old", LONG, hits=())
    young = await newsroom.bring("young", text(5), at=NOW + MINUTE)
    [delivery] = [await newsroom.store.write(lambda tx: tx.claim_due(CHANNEL, LATER, LEASE))]
    await newsroom.store.write(
        lambda tx: tx.finish_delivery(
            delivery.id, DeliveryState.SENT, NOW, sent=Sent(channel="C1", ref="1")
        )
    )
    async with newsroom.browsing() as browser:
        said = words_of((await browser.get(f"/stories/{old}/merge/{young}")).page)
        answer = await browser.submit(f"/stories/{old}/merge/{young}")
    assert f"This story goes on: {young}" in said
    assert "The message that is shown will be edited to tell of both." in said
    assert answer.headers["Location"] == f"/stories/{young}"


async def test_a_verdict_of_others_is_told(newsroom: Newsroom):
    """Who decided, on the command line too; and a rule that has changed leaves the page whole."""
    story = await covered(newsroom)
    own = await newsroom.by_hand(story, "other", by="cli (ann)")
    newsroom.rules = replace(newsroom.rules, watches=())
    async with newsroom.browsing() as browser:
        page = (await browser.get(f"/stories/{own}")).page
    assert "(cli (ann), now)" in words_of(page)
