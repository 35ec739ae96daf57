"""One event is one thread; another event of the same kind is another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.events import (
    INDEXED,
    KEPT,
    Report,
    Thread,
    choose,
    grown,
    merged,
    opened,
    packed,
    report,
    terms_to_index,
    terms_to_look_up,
    unpacked,
)
from monitor.stories.frequencies import shipped
from monitor.stories.terms import cosine, unit

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def read(title: str, body: str = "", *, hours: float = 0, language: str | None = "en") -> Report:
    at = NOW + timedelta(hours=hours)
    return report(title, body, at=at, language=language, frequencies=shipped())


QUAKE = read(
    "Strong earthquake hits Sulawesi, dozens feared trapped",
    "A magnitude 6.8 earthquake struck the Indonesian island of Sulawesi before dawn on Sunday, "
    "toppling buildings in Mamuju and leaving dozens trapped, the disaster agency said.",
)
OTHER_OUTLET = read(
    "Rescuers search rubble in Mamuju after Indonesia quake",
    "Rescue workers dug with their hands through collapsed homes in Mamuju, on Indonesia's "
    "Sulawesi island, hours after a powerful earthquake. The agency counted 34 dead.",
    hours=5,
)
OTHER_QUAKE = read(
    "Earthquake shakes southern Iran, two hurt",
    "A magnitude 5.1 earthquake shook Hormozgan province in southern Iran, injuring two people "
    "near Bandar Abbas, state television reported.",
    hours=5,
)
BANK = read(
    "Central bank keeps rates unchanged",
    "Policymakers in Ottawa left the benchmark interest rate where it was, citing inflation.",
)
BODY = (
    "Airlines cancelled all flights to the north of Luzon on Monday as heavy rain flooded runways "
    "and the roads to them; ferries stayed in port, and thousands of passengers slept in the halls."
)


def test_reports_of_one_event_belong_together_and_look_alikes_do_not() -> None:
    threads = [opened(BANK), opened(QUAKE)]
    assert choose(OTHER_OUTLET, threads).thread == 1
    assert choose(OTHER_QUAKE, threads).thread is None


@pytest.mark.parametrize(
    ("language", "one", "same", "other"),
    [
        (
            "de",
            "Bahnstreik: Lokführer legen ab Mittwoch die Arbeit nieder",
            "Lokführer kündigen Bahnstreik ab Mittwoch an",
            "Piloten der Lufthansa stimmen über Tarifvertrag ab",
        ),
        (
            "zh",
            "外交部长王毅访问巴基斯坦讨论边境停火",
            "王毅抵达巴基斯坦访问,呼吁停火",
            "国家统计局公布四月工业增长数据",
        ),
        (
            "ja",
            "岸田首相がキーウを電撃訪問、ゼレンスキー大統領と会談",
            "岸田首相、キーウでゼレンスキー大統領と会談",
            "大谷翔平が今季10号本塁打",
        ),
        (
            "hi",
            "भारत और पाकिस्तान के बीच युद्धविराम पर सहमति",
            "युद्धविराम पर भारत-पाकिस्तान में सहमति बनी",
            "मुंबई में भारी बारिश से लोकल ट्रेनें रुकीं",
        ),
        (
            "ur",
            "پاکستان اور بھارت کے درمیان جنگ بندی پر اتفاق",
            "جنگ بندی پر پاکستان اور بھارت کا اتفاق",
            "کراچی میں شدید بارش سے بجلی معطل",
        ),
        (
            "ko",
            "삼성전자 노조가 총파업을 선언했다",
            "삼성전자 노조, 총파업 돌입",
            "서울에 폭우가 쏟아졌다",
        ),
        (
            None,
            "Präsident Macron besucht Kiew",
            "Macron trifft in Kiew ein",
            "Scholz eröffnet Messe in Hannover",
        ),
    ],
)
def test_headlines_alone_are_enough_in_any_language(
    language: str | None, one: str, same: str, other: str
) -> None:
    threads = [opened(read(one, language=language))]
    assert choose(read(same, language=language), threads).thread == 0
    assert choose(read(other, language=language), threads).thread is None


def test_a_story_that_fell_silent_is_found_no_more() -> None:
    threads = [opened(QUAKE)]
    scores = [
        choose(read("Quake in Mamuju, Sulawesi", hours=hours), threads).score
        for hours in (0, 16, 36, 72, 24 * 8)
    ]
    assert scores[0] == scores[1] > scores[2] > scores[3] > scores[4] == 0


def test_late_and_early_articles_are_treated_alike() -> None:
    late = read("Quake in Mamuju, Sulawesi", hours=40)
    early = read("Quake in Mamuju, Sulawesi", hours=-40)
    assert choose(late, [opened(QUAKE)]) == choose(early, [opened(QUAKE)])


def test_a_report_of_two_threads_says_that_they_are_one() -> None:
    headlines = (
        "Typhoon Marlo nears Luzon, thousands flee",
        "Thousands flee Luzon as typhoon Marlo nears",
    )
    first, second = (opened(read(headline)) for headline in headlines)
    choice = choose(read("Typhoon Marlo: thousands flee as it nears Luzon"), [first, second])
    assert {choice.thread, choice.also} == {0, 1}
    assert choose(read(headlines[0]), [first, opened(BANK)]).also is None
    assert merged(first, second).articles == 2


def test_what_says_nothing_belongs_nowhere() -> None:
    empty = read("", "The and of it")
    assert not empty.vector
    assert choose(empty, [opened(QUAKE), opened(empty)]).thread is None
    assert choose(QUAKE, []).thread is None
    assert choose(QUAKE, [opened(empty)]).thread is None


def test_an_article_is_found_under_its_heaviest_terms() -> None:
    assert set(terms_to_look_up(OTHER_OUTLET)) & set(terms_to_index(QUAKE))
    assert len(terms_to_look_up(QUAKE)) == INDEXED
    weights = list(QUAKE.vector.values())
    assert weights == sorted(weights, reverse=True)


texts = st.lists(
    st.sampled_from(["Kiew", "Paris", "quake", "rain", "Macron", "停火", "巴基", "बारिश", "42"]),
    max_size=30,
).map(" ".join)
reports = st.builds(
    read, texts, texts, hours=st.integers(-200, 200), language=st.sampled_from(["en", "xx", None])
)


@given(st.lists(reports, min_size=1, max_size=8))
def test_a_packed_thread_is_the_same_thread(several: list[Report]) -> None:
    thread = opened(several[0])
    for one in several[1:]:
        thread = grown(thread, one)
    data = packed(thread)
    again = unpacked(data)
    assert packed(again) == data
    assert len(data) <= 1024
    assert again.articles == len(several)
    assert (again.first_at, again.last_at) == (
        min(one.at for one in several),
        max(one.at for one in several),
    )
    assert choose(several[0], [again]).thread == choose(several[0], [thread]).thread


@given(st.text(max_size=300), st.text(max_size=3000))
def test_any_text_is_read_and_bounded(title: str, body: str) -> None:
    one = read(title, body, language=None)
    thread = grown(opened(one), one)
    assert len(thread.centroid) <= KEPT
    assert unpacked(packed(thread)).articles == 2
    assert sum(weight * weight for weight in one.vector.values()) == pytest.approx(
        1 if one.vector else 0
    )


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x02" * 40, packed(opened(QUAKE))[:-1]])
def test_what_is_no_thread_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a thread"):
        unpacked(data)


def test_the_order_of_merging_does_not_matter() -> None:
    one, other = opened(QUAKE), grown(opened(OTHER_OUTLET), BANK)
    assert packed(merged(one, other)) == packed(merged(other, one))


def test_the_more_alike_the_reports_of_a_story_the_more_is_asked_of_the_next() -> None:
    """The next match of the same boxer is another event; a new side of a quarrel is not."""
    alike = ("Marlo nears Luzon", "Typhoon Marlo nears Luzon", "Marlo, a typhoon, nears Luzon")
    unlike = ("Marlo nears Luzon", "Typhoon Marlo: ferries cancelled", "Luzon schools shut, winds")
    next_one = read("Airlines cancel flights to Luzon", BODY)
    needed = []  # the cosine that is just enough
    for headlines in (alike, unlike):
        thread = opened(read(headlines[0]))
        for headline in headlines[1:]:
            thread = grown(thread, read(headline))
        likeness = cosine(next_one.vector, unit(thread.centroid))
        needed.append(likeness / choose(next_one, [thread]).score)
    assert needed[0] > 1.2 * needed[1]


def test_a_story_may_be_of_any_size() -> None:
    """The same mean of more articles asks for no more."""
    few = opened(QUAKE)
    many = Thread(
        first_at=few.first_at, last_at=few.last_at, articles=10_000, centroid=few.centroid
    )
    assert choose(QUAKE, [many]).thread == 0
    varied = merged(merged(few, opened(OTHER_OUTLET)), opened(BANK))
    twice = merged(varied, varied)
    assert choose(OTHER_OUTLET, [twice]).thread == choose(OTHER_OUTLET, [varied]).thread == 0
