"""What people decide on the page, done as they saw it: or refused, if it is different by now."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from functools import partial

from monitor.compose import Rules
from monitor.errors import Refused
from monitor.model import ArticleId, DeliveryId, FeedId, StoryId
from monitor.pipeline.by_hand import (
    drop_by_hand,
    merge_by_hand,
    poll_by_hand,
    retry_by_hand,
    split_by_hand,
)
from monitor.pipeline.hands import act
from monitor.ports import Clock, Store, Transaction, Waits
from monitor.telling.hands import Action
from monitor.web.access import PAGE


class Changed(Refused):
    """Things are not as they were when they were looked at; looking again may help."""


class Decisions:
    """Merges and splits stories, sends messages again or drops them, does what Slack's buttons do.

    What somebody agrees to is what the page told them. So each form carries a *mark* of what the
    stories were when it was made, and in the transaction that would change them they must still
    have it.
    """

    def __init__(
        self, store: Store, clock: Clock, rules: Callable[[], Rules], *, can_edit: bool = True
    ) -> None:
        """`rules`: those in force; `can_edit`: messages that are shown can be edited."""
        self._store = store
        self._clock = clock
        self.rules = rules
        self.can_edit = can_edit

    async def mark(self, *stories: StoryId) -> str:
        """What these stories are now."""
        return await self._store.read(partial(_mark, stories=stories))

    async def split(
        self, article: ArticleId, story: StoryId, mark: str | None, *, by: str = PAGE
    ) -> StoryId:
        """Take an article, with its copies, out of a story; returns the story that it has now.

        Without a mark, whatever the story is by now. Raises `Refused`, with a sentence for who decided.
        """
        now, rules = self._clock.now(), self.rules()

        def work(tx: Transaction) -> StoryId:
            tx.lock_stories()
            if tx.story_of(article) != story:
                raise Refused(f"article {article} is not in story {story} any more")
            _check(tx, (story,), mark)
            return split_by_hand(tx, article, by=by, now=now, rules=rules)

        return await self._store.write(work)

    async def merge(
        self, one: StoryId, other: StoryId, mark: str | None, *, by: str = PAGE
    ) -> StoryId:
        """Make two stories one; returns which of them goes on.

        Without a mark, whatever they are by now. Raises `Refused`, with a sentence for who decided.
        """
        now, rules = self._clock.now(), self.rules()

        def work(tx: Transaction) -> StoryId:
            tx.lock_stories()
            _check(tx, (one, other), mark)
            return merge_by_hand(tx, one, other, by=by, now=now, rules=rules)

        return await self._store.write(work)

    async def retry(self, message: str, *, by: str = PAGE) -> Waits:
        """Have a message sent again, now. Raises `Refused`."""
        now = self._clock.now()
        return await self._store.write(lambda tx: retry_by_hand(tx, message, by=by, now=now))

    async def do(self, action: Action, message: DeliveryId, *, by: str = PAGE) -> bool:
        """What a button of a message in Slack does; False if there is no such message."""
        work = partial(
            act,
            action=action,
            delivery=message,
            mark=f"page:{uuid.uuid4().hex}",
            user="",
            name=by,
            channel="",
            rules=self.rules(),
            now=self._clock.now(),
        )
        return await self._store.write(work)

    async def drop(self, message: str, *, by: str = PAGE) -> Waits:
        """Give up a message that is not shown. Raises `Refused`."""
        now = self._clock.now()
        return await self._store.write(lambda tx: drop_by_hand(tx, message, by=by, now=now))

    async def poll(self, feed: FeedId) -> str | None:
        """Have a feed polled now; returns why it is left alone, if it is. Raises `Refused`."""
        now = self._clock.now()
        done = await self._store.write(lambda tx: poll_by_hand(tx, now=now, feed=feed))
        return next(iter(done.left.values()), None)


def _check(tx: Transaction, stories: tuple[StoryId, ...], mark: str | None) -> None:
    if mark is not None and _mark(tx, stories) != mark:
        raise Changed("the story has changed since you opened this page")


def _mark(tx: Transaction, stories: tuple[StoryId, ...]) -> str:
    seen = []
    for story in stories:
        view = tx.story_view(story)
        articles = [(each.article, each.copy_of, len(each.hits)) for each in view.articles]
        seen.append((view.story, tx.is_shown(view.story), articles))
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]
