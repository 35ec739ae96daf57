"""The configuration of the demo, and the facts to check a run against."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor import config
from monitor.demo.config import WATCHES, demo_config
from monitor.demo.expected import expected
from monitor.demo.script import load


def test_the_demo_is_configured_without_a_mistake(tmp_path: Path):
    """The real loader takes it, warns of nothing, and knows every feed and watch."""
    path = tmp_path / "feeds.toml"
    path.write_text(demo_config("http://127.0.0.1:8808"), encoding="utf-8")
    settings = config.load(path, {})
    assert settings.warnings == ()
    assert {watch.name: watch.terms for watch in settings.watches} == dict(WATCHES)
    facts = expected()
    assert [feed.name for feed in settings.feeds] == [feed.name for feed in facts.feeds]
    assert [feed.url for feed in settings.feeds] == [
        f"http://127.0.0.1:8808{feed.path}" for feed in facts.feeds
    ]
    assert {feed.side for feed in settings.feeds} == {"india", "pakistan", None}
    assert {feed.language for feed in settings.feeds} == {"en", "hi", "ur"}
    assert settings.fetch.allow == ("127.0.0.1",)
    assert settings.fetch.spacing == timedelta(0)
    assert settings.polling.interval == timedelta(minutes=1)


def test_two_feeds_of_one_publisher_say_so():
    """So that they count once."""
    text = demo_config("http://127.0.0.1:1")
    assert text.count('publisher = "The Delhi Ledger"') == 2


def test_expected_articles_are_the_script_each_once():
    """An article that two feeds list is one, with both of them named."""
    facts = expected()
    assert [article.id for article in facts.articles] == list(load().items)
    assert facts.entries == sum(len(article.feeds) for article in facts.articles)
    (linkless,) = [article for article in facts.articles if article.path is None]
    assert linkless.id == "gulf-meridian/text-of-omani-statement"
    paths = [article.path for article in facts.articles if article.path]
    assert len(paths) == len(set(paths))


def test_expected_twins_are_copies_that_kept_every_word():
    """Quotes and headlines may differ; a cut, a dateline or a spelling makes a copy no twin."""
    facts = {article.id: article for article in expected().articles}
    twins = {article.id: article.twin_of for article in facts.values() if article.twin_of}
    assert all(facts[name].copy_of == twin for name, twin in twins.items())
    assert twins["delhi-ledger/ceasefire-agreed-oman"] == (
        "continental/india-pakistan-agree-ceasefire"
    )
    assert "nbn/india-pakistan-ceasefire" not in twins
    assert "sarhad-news/ceasefire-pak-india" not in twins
    assert len(twins) >= 8


def test_only_the_archive_is_too_old_to_alert():
    """Backlog is marked as such; it is of the same day."""
    facts = expected().articles
    assert [article.id for article in facts if not article.alertable] == [
        "harbour-post/archive-the-bus-to-muzaffarabad"
    ]
    assert all(article.backlog == (article.minute < 0) for article in facts)
    assert 10 <= sum(article.backlog for article in facts) <= 20
