"""Live pages: each update once, under an id that stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.extract.live import MAX_UPDATES
from monitor.model import Update
from tests.extract.pages import PARAGRAPHS, extract, json_ld, page_of

BEGUN = datetime(2025, 5, 10, tzinfo=UTC)
LIVE_URL = "https://valley.example/news/live/2025/may/10/river-truce-ferries"
NEWS = (
    ("b-1", "09:02", "Ferries run again", "The first boat left the eastern bank at nine, full."),
    (
        "b-2",
        "09:40",
        "Flour is cheaper",
        "Traders say that flour costs a third less than on Friday.",
    ),
    ("b-3", "10:15", "", "The commission that watches over the water will meet on Monday at noon."),
    (
        "b-4",
        "11:30",
        "Dam is opened",
        "Two of the five gates of the upper dam were opened just now.",
    ),
)
LONGER = " Nobody was hurt, the mayor said, and everybody went home in the evening as planned."


def stated(*, names: bool = True, news=NEWS) -> dict[str, object]:
    """A page's own list of its updates, as many publishers write it."""
    updates = [
        {
            "@type": "BlogPosting",
            **({"@id": f"{LIVE_URL}#{name}"} if names else {"url": LIVE_URL}),
            "headline": head,
            "datePublished": f"2025-05-10T{at}:00Z",
            "articleBody": text + LONGER,
        }
        for name, at, head, text in news
    ]
    return {
        "@type": "LiveBlogPosting",
        "headline": "River truce: ferries run again – live",
        "liveBlogUpdate": updates,
    }


def blocks(news=NEWS, *, tag: str = "article", kind: str = "block", ids: bool = True) -> str:
    """Updates as markup, the newest first."""
    return "".join(
        f"<{tag} class='{kind}'{f' id={name}' if ids else ''}>"
        f"<time datetime='2025-05-10T{at}:00Z'>{at}</time>"
        f"{f'<h2>{head}</h2>' if head else ''}<p>{text}{LONGER}</p>"
        f"<button>Share</button></{tag}>"
        for name, at, head, text in reversed(news)
    )


def marked(markup: str, *, around: str = "live-blog") -> str:
    """A page with updates in its body."""
    return (
        "<html lang=en><head><title>River truce: ferries run again | The Valley Post</title></head>"
        f"<body><main><h1>River truce: ferries run again</h1>"
        f"<div class='{around}'>{markup}</div></main></body></html>"
    )


def texts(updates: tuple[Update, ...]) -> list[str]:
    return [update.text for update in updates]


EXPECTED = ["\n\n".join(filter(None, (head, text + LONGER))) for _, _, head, text in NEWS]


def test_the_stated_updates_are_the_pages() -> None:
    """JSON-LD lists them with their times; the body holds all their words once."""
    page = extract(page_of(head=json_ld(**stated()), paragraphs=PARAGRAPHS[:1]), url=LIVE_URL)
    assert texts(page.updates) == EXPECTED
    assert page.updates[1].at == datetime(2025, 5, 10, 9, 40, tzinfo=UTC)
    assert all(page.body.count(text) == 1 for _, _, _, text in NEWS)


def test_what_stands_above_the_updates_stays_in_the_body() -> None:
    """A live page has an introduction; it is part of the article and of no update."""
    text = "".join(f"<p>{text}{LONGER}</p>" for _, _, _, text in NEWS)
    head = json_ld(**stated())
    whole = page_of(head=head, paragraphs=PARAGRAPHS[:2]).replace("</article>", f"{text}</article>")
    page = extract(whole, url=LIVE_URL)
    assert page.body == "\n\n".join([*PARAGRAPHS[:2], *EXPECTED])
    assert len(page.updates) == len(NEWS)
    assert not any(PARAGRAPHS[0] in text for text in texts(page.updates))


@pytest.mark.parametrize("tag", ["article", "section", "li", "div"])
@pytest.mark.parametrize(
    ("url", "around"),
    [
        (LIVE_URL, "body"),
        ("https://valley.example/liveticker/flut-a-1.html", "body"),
        ("https://valley.example/politica/truce-en-directo_1.html", "body"),
        ("https://valley.example/a1.html", "c-liveblog__posts"),
    ],
)
def test_updates_are_found_in_markup(tag: str, url: str, around: str) -> None:
    """Dated parts of one kind side by side, where URL or markup says that the page is live."""
    page = extract(marked(blocks(tag=tag), around=around), url=url)
    assert texts(page.updates) == EXPECTED[::-1]
    assert [update.at.hour for update in page.updates if update.at] == [11, 10, 9, 9]


def test_ids_stay_when_the_page_grows_and_an_update_is_edited() -> None:
    """So each is matched once: by the page's own id, and without one by its moment."""
    more = (*NEWS, ("b-5", "12:00", "Bridge opens", "The old bridge will be open to all by noon."))
    edited = tuple((n, at, head + "!", text + " More.") for n, at, head, text in more)
    for options in ({"ids": True}, {"ids": False}):
        first = extract(marked(blocks(NEWS, **options)), url=LIVE_URL).updates
        later = extract(marked(blocks(edited, **options)), url=LIVE_URL).updates
        assert [update.id for update in later[1:]] == [update.id for update in first]
        assert texts(later[1:]) != texts(first)


def test_updates_that_share_a_name_or_a_moment_stay_apart() -> None:
    """Some pages give all updates the page's URL, or say only the day."""
    several = tuple((name, "09:00", head, text) for name, _, head, text in NEWS)
    for news in (NEWS, several):
        head = json_ld(**stated(names=False, news=news))
        page = extract(page_of(head=head, paragraphs=[]), url=LIVE_URL)
        assert len({update.id for update in page.updates}) == len(NEWS)


@pytest.mark.parametrize(
    ("markup", "url", "around"),
    [
        (blocks(), "https://valley.example/2025/05/river-truce/", "entry-content"),
        (blocks(NEWS[:2]), LIVE_URL, "body"),
        (
            "<p>"
            + "</p><p>".join(PARAGRAPHS)
            + "</p>"
            + "".join(
                f"<li><time datetime='2025-05-10T{at}Z'></time><a href=/{n}>{text}</a></li>"
                for n, at, _, text in NEWS
            ),
            LIVE_URL,
            "live-blog",
        ),
    ],
    ids=["nothing says live", "two are too few", "teasers"],
)
def test_other_pages_have_no_updates(markup: str, url: str, around: str) -> None:
    """Times stand beside many things: comments, teasers, episodes."""
    assert extract(marked(markup, around=around), url=url).updates == ()


def test_a_list_of_live_news_beside_an_article_is_not_its_updates() -> None:
    """They have to be most of the page's words."""
    long = [f"{text} {number}" for number in range(8) for text in PARAGRAPHS]
    beside = f"<aside><div class='liveticker'>{blocks(NEWS, tag='div')}</div></aside>"
    page = extract(page_of(paragraphs=long, after=beside))
    assert page.updates == ()
    assert page.body == "\n\n".join(long)


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("newest_first", [True, False])
def test_of_very_many_updates_the_newest_are_read(*, dated: bool, newest_first: bool) -> None:
    """Whichever way the page lists them; without times the newest are taken to stand on top."""
    news = [
        {
            "@type": "BlogPosting",
            "@id": f"#{number}",
            "articleBody": f"Boat number {number} left.{LONGER}",
            **({"datePublished": str(BEGUN + timedelta(minutes=number))} if dated else {}),
        }
        for number in range(MAX_UPDATES + 100)
    ]
    listed = news[::-1] if newest_first or not dated else news
    page = extract(page_of(head=json_ld(**{**stated(), "liveBlogUpdate": listed})), url=LIVE_URL)
    expected = [each["articleBody"] for each in listed if each in news[100:]]
    assert texts(page.updates) == expected


@pytest.mark.parametrize(
    "updates",
    [None, "text", 5, [None, 5, "x", []], [{"articleBody": 5, "headline": ["x"], "@id": {}}] * 3],
)
def test_broken_updates_are_passed_over(updates: object) -> None:
    """JSON-LD is written by anybody."""
    head = json_ld(**{**stated(), "liveBlogUpdate": updates})
    page = extract(page_of(head=head))
    assert page.updates == ()
    assert page.body == "\n\n".join(PARAGRAPHS)
