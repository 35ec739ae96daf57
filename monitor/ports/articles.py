"""What reading and grouping ask of the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from monitor.model import (
    Article,
    ArticleId,
    ArticleState,
    Entry,
    Hit,
    PendingArticle,
    Seen,
    StoryId,
)
from monitor.ports.facts import Candidates, Known, Place, Stored, StoryView


class Articles(Protocol):
    """The part of `Transaction` about articles, and the stories that they are put in."""

    # -- reading

    def claim_articles(
        self,
        bucket: int,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        idle_hosts: bool = False,
    ) -> Sequence[PendingArticle]:
        """Take due articles of a bucket for the length of a lease.

        `idle_hosts`: only of hosts of which none is anybody's at the moment; among many
        processes, neither feed nor article.
        """

    def release_articles(self, articles: Sequence[ArticleId]) -> None:
        """End leases of what was not begun; what another process has claimed meanwhile stays its."""

    def suspect_article(self, article: ArticleId, deaths: int) -> None:
        """Note that a claimed article is taken apart: its `deaths`-th death if the process dies now.

        Saving or leaving it clears it. What was only claimed beside it is innocent.
        """

    def set_article_aside(self, article: ArticleId, until: datetime) -> None:
        """End the lease of an article that is not to be ingested before: by a bug, or suspected."""

    def save_article(
        self,
        article: ArticleId,
        content: Article,
        *,
        state: ArticleState,
        now: datetime,
        due_at: datetime | None,
        attempts: int = 0,
        error_code: str | None = None,
        error_detail: str | None = None,
        is_claimed: bool = True,
    ) -> None:
        """Write an article's text and end the lease; `content.url` leads to it from now on.

        `attempts` counts how often its page was asked for, of which the next claim is one more.
        Raises `Superseded` if the article was merged into another since it was claimed, or claimed
        by another process: what that reads counts. One that was not claimed gets the text, and
        stays with whom it is leased to.
        """

    def leave_article(
        self, article: ArticleId, *, now: datetime, due_at: datetime | None, attempts: int = 0
    ) -> None:
        """It was read again and says the same: end the lease; `attempts` that count for the next.

        Raises `Superseded` as `save_article` does.
        """

    def merge_article(self, article: ArticleId, into: ArticleId) -> None:
        """`article` turned out to be `into` under another URL: move its entries and URLs there.

        Raises `Superseded` if it was merged away already, or claimed by another process meanwhile.
        """

    def ask_again(self, article: ArticleId, due_at: datetime) -> None:
        """Have a finished article read again, from its first attempt; sooner if it waits for that."""

    def is_said_otherwise(self, article: ArticleId, entry: Entry) -> bool:
        """Whether the words with which an article would be claimed are not those of `entry` now."""

    def stored_article(self, article: ArticleId) -> Stored | None:
        """An article as it was read last; None if it was not yet, or was merged away."""

    def keep_revision(
        self, article: ArticleId, title: str, body: str | None, replaced_at: datetime
    ) -> None:
        """What the article said until now. Of many, the newest are kept."""

    def keep_updates(self, article: ArticleId, updates: Mapping[str, datetime]) -> None:
        """These updates of a rolling page, by their keys, were read."""

    # -- what sites repeat

    def seen_paragraphs(
        self, hashes: Collection[int], *, but: ArticleId, since: datetime
    ) -> Mapping[int, Seen]:
        """In which other articles than `but` each paragraph stood since then, if in any."""

    def note_paragraphs(
        self, article: ArticleId, paragraphs: Mapping[int, bool], now: datetime
    ) -> None:
        """These paragraphs stand in the article; True where its feed says them, too.

        A copy does not count: the same text under a second URL is not repeated, but republished.
        """

    def forget_paragraphs(self, now: datetime) -> int:
        """Delete some of what sites repeated long ago, or too much of; returns how many rows.

        A small step, another one each minute: all are taken in turns.
        """

    # -- what is known of one

    def article_at(self, url: str) -> Known | None:
        """The article that this canonical URL leads to."""

    def twin_of(self, text_hash: str, since: datetime, other_than: ArticleId) -> Known | None:
        """The oldest article first seen after `since` with exactly this text."""

    def told_apart(self, one: ArticleId, other: ArticleId) -> bool:
        """Whether a feed lists both under different headlines: to its publisher they are two."""

    def url_of(self, article: ArticleId) -> str:
        """The canonical URL that an article is known by."""

    def story_of(self, article: ArticleId) -> StoryId | None:
        """The story an article belongs to, if it was decided."""

    def place_of(self, article: ArticleId) -> Place:
        """Where an article stands, and what people decided about it."""

    # -- grouping

    def lock_stories(self) -> None:
        """From here to the commit, nobody else decides what is the same story."""

    def copy_candidates(
        self,
        keys: Collection[int],
        first: datetime,
        last: datetime,
        *,
        other_than: ArticleId,
        hottest: int,
        limit: int,
    ) -> Candidates:
        """Up to `limit` articles that share keys, of the days from `first` to `last`.

        Keys that more than `hottest` articles share are passed over.
        """

    def keep_fingerprint(
        self, article: ArticleId, at: datetime, keys: Collection[int], packed: bytes
    ) -> None:
        """Have an article of this time found by these keys, and judged by this fingerprint."""

    def join_families(self, root: ArticleId, into: ArticleId) -> None:
        """`root` and its copies are copies of `into`."""

    def stories_about(
        self, terms: Mapping[int, float], *, each: int, limit: int
    ) -> Sequence[tuple[StoryId, bytes]]:
        """The stories that share the heaviest of these terms, with what they are about.

        Of each term the `each` newest are looked at; what a term weighs, it adds to all of them.
        """

    def threads(self, stories: Collection[StoryId]) -> Mapping[StoryId, bytes]:
        """What stories are about, as it was set; without those that have no thread."""

    def set_thread(self, story: StoryId, packed: bytes, terms: Collection[int]) -> None:
        """Have a story found by these terms, too, and judged by this thread from now on."""

    def add_report(self, at: datetime, terms: Collection[int]) -> None:
        """Count a report of this time that is about these terms, each once."""

    def reports_with(
        self, terms: Collection[int], first: datetime, last: datetime
    ) -> Mapping[int, int]:
        """How many reports of the days from `first` to `last` are about each of these terms."""

    def new_story(self, now: datetime, *, follows: StoryId | None = None) -> StoryId:
        """Open a story; the next chapter of another one, if that is given."""

    def put_in_story(
        self,
        article: ArticleId,
        story: StoryId,
        *,
        copy_of: ArticleId | None,
        novelty: float | None = None,
    ) -> None:
        """Write the decision which story an article belongs to, and whose copy it is."""

    def set_hits(self, article: ArticleId, hits: Sequence[Hit], now: datetime) -> None:
        """Make these the article's hits."""

    def chapter_after(self, story: StoryId) -> StoryId | None:
        """The story that follows this one."""

    def merge_stories(
        self, gone: StoryId, into: StoryId, *, now: datetime, by: str | None = None
    ) -> Collection[str]:
        """Everything of `gone` belongs to `into`, its messages too; returns the channels of both.

        Where both are shown in a channel, the message of `gone` is due to become a pointer. `by`:
        who decided; None if nobody did.
        """

    def ruled_apart(self, one: StoryId, other: StoryId) -> bool:
        """Whether people took an article of the one out of the other."""

    def rule(
        self, article: ArticleId, story: StoryId, *, belongs: bool, by: str, now: datetime
    ) -> None:
        """Keep what people decided about an article and a story."""

    def story_view(self, story: StoryId, *, most: int | None = None) -> StoryView:
        """The story as it stands; of each body at most so many characters."""
