"""What people decide about stories: two are one, or an article is none of it.

Both are kept as facts that grouping obeys for ever after.
"""

from __future__ import annotations

from datetime import datetime

from monitor.compose import Rules, hits_for
from monitor.errors import Refused
from monitor.model import ArticleId, Job, Kind, StoryId
from monitor.pipeline.group import open_thread, time_of
from monitor.pipeline.merge import merge
from monitor.pipeline.updates import review
from monitor.ports import Coverage, Transaction
from monitor.stories import events


def merge_by_hand(
    tx: Transaction,
    one: StoryId,
    other: StoryId,
    *,
    by: str,
    now: datetime,
    rules: Rules | None = None,
) -> StoryId:
    """Make two stories one; returns which of them goes on.

    Everything that is later found to belong to the other belongs to this one. By the rules, if they
    are given, it is told where either waited to be confirmed and both together are. Raises `Refused`
    if either is not there, or both are one already.
    """
    tx.lock_stories()
    stories = []
    for story in (one, other):
        view = tx.story_view(story)
        if not view.articles:
            raise Refused(f"there is no story {story}: see `monitor stories list`")
        stories.append(view.story)
    if stories[0] == stories[1]:
        raise Refused(f"stories {one} and {other} are one already")
    story = merge(tx, *stories, now=now, by=by)
    if rules is not None and tx.holds(story):
        review(tx, tx.story_view(story, most=0), rules, now, is_news=True)
    return story


def split_by_hand(
    tx: Transaction, article: ArticleId, *, by: str, now: datetime, rules: Rules
) -> StoryId:
    """Give an article a story of its own, which is told where its hits lead; returns the story.

    What is a copy of it goes with it, and so does the message where nothing else of the old story
    was found. Raises `Refused` if nothing would be left of the old one.
    """
    tx.lock_stories()
    story = tx.story_of(article)
    if story is None:
        raise Refused("this article is in no story yet: it waits for its text")
    articles = tx.story_view(story).articles
    leaving = [each for each in articles if article in {each.article, each.copy_of}]
    if len(leaving) == len(articles):
        also = " but its copies" if len(articles) > 1 else ""
        raise Refused(f"nothing{also} is in story {story} beside this article")
    own = tx.new_story(now)
    for each in leaving:
        tx.put_in_story(
            each.article,
            own,
            copy_of=None if each.article == article else article,
            novelty=None if each.article == article else each.novelty,
        )
        tx.rule(each.article, story, belongs=False, by=by, now=now)
        tx.rule(each.article, own, belongs=True, by=by, now=now)
        if each.hits:
            open_thread(tx, own, _report(each, rules))
    staying = [each for each in articles if each not in leaving]
    places = {rules.channel_of(hit.watch) for each in leaving for hit in each.hits}
    for channel in sorted(place for place in places if place):
        if not any(hits_for(each, channel, rules) for each in staying):
            tx.move_delivery(story, channel, own)
        tx.want_delivery(own, channel, now)
        tx.submit(Job(Kind.DELIVER, channel))
    for channel in tx.refresh_deliveries(story, now):
        tx.submit(Job(Kind.DELIVER, channel))
    return own


def _report(article: Coverage, rules: Rules) -> events.Report:
    at = time_of(article.published_at, article.first_seen_at)
    return events.report(
        article.title,
        article.body,
        at=at,
        language=article.language,
        frequencies=rules.frequencies,
    )
