"""The tables. What a column means is said here; what may be done to it, in the modules by noun.

Work waits in five tables (feed, subscription, article, delivery, notice) by the same two columns:
`due_at`, when it is to be done (NULL: never, or not any more), and `lease_until`, while it is
somebody's: of the process with the number `lease_by` (NULL: of the only one there is).
"""

from __future__ import annotations

import sqlalchemy as sa

from monitor.storage.types import HintsColumn, Key, Keys, Names, Spans, UtcDateTime, Variants, Words

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts ids up by itself only in a column of exactly this type."""

WAITING = sa.text("due_at IS NOT NULL")
LEASED = sa.text("due_at IS NOT NULL AND lease_until IS NOT NULL")
MATCHED = sa.text("ingested_at IS NOT NULL")

monitor = sa.Table(
    "monitor",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What was fixed when the database was made: `buckets`, `created_by` (a version)."""

feed = sa.Table(
    "feed",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("url", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("publisher", sa.Text, nullable=False),
    sa.Column("side", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("tags", Names, nullable=False),
    sa.Column("declared", sa.Boolean, nullable=False),  # stands in the configuration
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("bucket", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("etag", Words),
    sa.Column("last_modified", Words),
    sa.Column("body_hash", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("error_code", sa.Text),
    sa.Column("error_detail", Words),
    sa.Column("polled_at", UtcDateTime),
    sa.Column("ok_at", UtcDateTime),
    sa.Column("due_at", UtcDateTime),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("lease_by", sa.Integer),
    sa.Column("entries", sa.Integer, nullable=False),  # kept count: nobody counts a million rows
    sa.Column("newest_at", UtcDateTime),  # publication of its newest entry, kept likewise
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("validators_url", Words),  # whose answer etag and last_modified recognise
    sa.Column("move_url", Words),  # where it says it lives now
    sa.Column("move_since", UtcDateTime),
    sa.Column("move_polls", sa.Integer),
    sa.Column("health", sa.Text, nullable=False, server_default="new"),
    sa.Column("health_since", UtcDateTime),
    sa.Column("rhythm", Words),  # how it posts: JSON of monitor.polling.rhythm
    sa.Column("hints", HintsColumn),  # what its document asks of pollers
    sa.Column("gaps", sa.Integer, nullable=False, server_default="0"),  # polls that missed items
    sa.Column("gap_at", UtcDateTime),
    sa.Column("overlap", sa.Text),  # whether polls share items: JSON of monitor.polling.gaps
    sa.Column("blocks", sa.LargeBinary),  # marks of the items it listed last: known by their bytes
    sa.Column("tier", sa.Integer, nullable=False, server_default="2"),
    sa.Column("due_by", sa.Text),  # why it is due when it is: monitor.model.DueBy
    sa.Index(None, "bucket", "due_at", postgresql_where=WAITING, sqlite_where=WAITING),
    sa.Index(None, "bucket", "lease_until", postgresql_where=LEASED, sqlite_where=LEASED),
)

feed_event = sa.Table(
    "feed_event",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("feed_id", Id, sa.ForeignKey("feed.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # monitor.model.FeedEventKind
    sa.Column("at", UtcDateTime, nullable=False),  # first
    sa.Column("until", UtcDateTime, nullable=False, index=True),  # last
    sa.Column("detail", Words, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Index(None, "feed_id", "id"),
)
"""What happened to feeds. What happens again at once extends the last row."""

feed_tally = sa.Table(
    "feed_tally",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # since 1970
    sa.Column("feed_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many new entries a feed listed on a day, by how long after their publication they were seen:
`slot` is one of monitor.polling.delays. Without foreign keys, like `article_key`."""

feed_week = sa.Table(
    "feed_week",
    metadata,
    sa.Column("feed_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),  # from Monday 00:00 UTC
    sa.Column("weight", sa.Double, nullable=False),  # of monitor.polling.week
    sqlite_with_rowid=False,
)
"""In which hours of the week a feed posts, the last weeks more than those before."""

publisher_tally = sa.Table(
    "publisher_tally",
    metadata,
    sa.Column("week", sa.Integer, primary_key=True, autoincrement=False),  # since 1970
    sa.Column("publisher", Key, primary_key=True),
    sa.Column("first", sa.Boolean, primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("stories", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many stories of several publishers each of them reported: as the first, by how long before the
next; or later, by how long after the first. `slot` as in `feed_tally`."""

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("feed_id", Id, sa.ForeignKey("feed.id"), nullable=False, index=True),
    sa.Column("hub", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("bucket", sa.Integer, nullable=False),  # of the hub's host
    sa.Column("callback", sa.Text, nullable=False),
    sa.Column("token", sa.String(43), nullable=False, unique=True),  # what the callback ends in
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # requests since its hub said yes or no
    sa.Column("due_at", UtcDateTime),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("lease_by", sa.Integer),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("asked_at", UtcDateTime),
    sa.Column("verified_at", UtcDateTime),
    sa.Column("expires_at", UtcDateTime),  # of what the hub promised
    sa.Column("pushed_at", UtcDateTime),
    sa.Column("missed_at", UtcDateTime),  # when a poll found what nobody had pushed
    sa.Column("error", Words),
    sa.Index(None, "bucket", "due_at", postgresql_where=WAITING, sqlite_where=WAITING),
)
"""By what feeds' pushes come: of each feed one, and those that are being left."""

FOLLOWS = sa.text("follows IS NOT NULL")
MERGED = sa.text("merged_into IS NOT NULL")

story = sa.Table(
    "story",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("follows", Id, sa.ForeignKey("story.id")),  # the chapter before
    sa.Column("merged_into", Id, sa.ForeignKey("story.id")),  # its articles are all there
    sa.Column("merged_at", UtcDateTime),
    sa.Column("merged_by", Words),
    sa.Column("thread", sa.LargeBinary),  # what its reports are about; NULL: no watch matched any
    sa.Index(None, "follows", postgresql_where=FOLLOWS, sqlite_where=FOLLOWS),
    sa.Index(None, "merged_into", postgresql_where=MERGED, sqlite_where=MERGED),
)

story_term = sa.Table(
    "story_term",
    metadata,
    sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("story_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""The terms that a story's reports are about. Without foreign keys, like `article_key`: what is gone
is not found, and swept out when it is old."""

report_term = sa.Table(
    "report_term",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many reports of a day are about a term: what all speak of tells no event from another."""

article = sa.Table(
    "article",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("url", Words, nullable=False),  # canonical: what it is known by
    sa.Column("link", Words),  # as the first feed gave it: what is fetched
    sa.Column("feed_id", Id, sa.ForeignKey("feed.id"), nullable=False),  # the first to list it
    sa.Column("host", Words, nullable=False),
    sa.Column("bucket", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # times its page was asked for
    sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),  # of who took it apart
    sa.Column("due_at", UtcDateTime),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("lease_by", sa.Integer),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("ingested_at", UtcDateTime),
    sa.Column("published_at", UtcDateTime),
    sa.Column("language", Words),
    sa.Column("source", sa.Text),  # page | feed
    sa.Column("text_hash", sa.Text),
    sa.Column("story_id", Id, sa.ForeignKey("story.id")),
    sa.Column("copy_of", Id, sa.ForeignKey("article.id")),  # the root of its family
    sa.Column("novelty", sa.Float),  # of a copy: the share of its text that is new
    sa.Column("agency", Words),  # whose report it prints, by byline or dateline
    sa.Column("error_code", sa.Text),
    sa.Column("error_detail", Words),
    sa.Column("authors", Names),
    sa.Column("title", Words),
    sa.Column("body", Words),  # last: SQLite reads the columns before it without its pages
    sa.Column("furniture", Names),  # paragraphs that are its site's, and not in the body
    sa.Index(None, "bucket", "due_at", postgresql_where=WAITING, sqlite_where=WAITING),
    sa.Index(None, "bucket", "lease_until", postgresql_where=LEASED, sqlite_where=LEASED),
    sa.Index(None, "text_hash", "first_seen_at"),
    sa.Index(None, "story_id", "first_seen_at"),
    sa.Index(None, "state"),
    sa.Index(
        None,
        "copy_of",
        postgresql_where=sa.text("copy_of IS NOT NULL"),
        sqlite_where=sa.text("copy_of IS NOT NULL"),
    ),
    # the archive, newest first: what was matched, and so can be matched again
    sa.Index(None, "first_seen_at", "id", postgresql_where=MATCHED, sqlite_where=MATCHED),
    sqlite_autoincrement=True,  # an id that was merged away must never mean another article
)

article_key = sa.Table(
    "article_key",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # since 1970, of its time
    sa.Column("key", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("article_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""What copies are looked up by on SQLite. The day comes first: a look-up asks for the few days of
its window, what is new touches the pages of today, and what is old is one range. Without foreign
keys: checking thirty a row costs more than writing them.

On PostgreSQL it is empty. There each row would take 24 bytes for its head, and be written twice, in
the table and in its index: 2.9 KB an article, against 1.2 for `fingerprint.keys`."""

fingerprint = sa.Table(
    "fingerprint",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("packed", sa.LargeBinary, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),  # since 1970, of the article's time
    sa.Column("keys", Keys),  # what copies are looked up by on PostgreSQL; on SQLite NULL
    sa.Index(
        "ix_fingerprint_keys",
        "keys",
        postgresql_using="gin",
        # what is new in its place at once: else each look-up reads all that waits for it
        postgresql_with={"fastupdate": "off"},
    ).ddl_if(dialect="postgresql"),
)
"""What a candidate is judged by, of the articles of the last two weeks."""

bygone = sa.Table(
    "bygone",
    metadata,
    sa.Column("mark", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Integer, nullable=False),  # since 1970: when it was met last
    sqlite_with_rowid=False,
)
"""Of entries and URLs that were deleted, a hash each: who lists them again brings nothing new."""

article_mark = sa.Table(
    "article_mark",
    metadata,
    sa.Column("article_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("marks", Keys, nullable=False),
    sa.Index("ix_article_mark_marks", "marks", postgresql_using="gin").ddl_if(dialect="postgresql"),
)
"""What articles are looked up by on PostgreSQL (`monitor.storage.indexing`): full text without the
text. On SQLite it is empty: there it is FTS5, a table for each of `index_volume`."""

index_volume = sa.Table(
    "index_volume",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("articles", sa.Integer, nullable=False),  # that were indexed in it
    sa.Column("gone", sa.Integer, nullable=False),  # articles of its ids that were deleted
)

host_turn = sa.Table(
    "host_turn",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("holder", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Which of many processes asked a host last, and when it took it; of the last hour."""

sink_trouble = sa.Table(
    "sink_trouble",
    metadata,
    sa.Column("sink", sa.String(64), primary_key=True),  # its name
    sa.Column("problem", Words, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
)
"""Why the main sink refuses us altogether, while it does: one row at most (`monitor.storage.sinks`)."""

row_tally = sa.Table(
    "row_tally",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # of a table
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # of a window of ids
    sa.Column("state", sa.Text, primary_key=True),  # "": whatever
    sa.Column("amount", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many rows there are (`monitor.storage.tallies`)."""

unindexed = sa.Table(
    "unindexed",
    metadata,
    sa.Column("article_id", Id, primary_key=True, autoincrement=False),
    sa.Column("wanted", sa.Integer, nullable=False),  # how often, since it was indexed last
)
"""Articles that are to be indexed. Without a foreign key: what is gone is passed over."""

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("story_id", Id, sa.ForeignKey("story.id"), primary_key=True, index=True),
    sa.Column("belongs", sa.Boolean, nullable=False),
    sa.Column("decided_at", UtcDateTime, nullable=False),
    sa.Column("by", Words, nullable=False),
)
"""What people decided about an article and a story: grouping obeys it for ever."""

site_paragraph = sa.Table(
    "site_paragraph",
    metadata,
    sa.Column("hash", sa.BigInteger, primary_key=True, autoincrement=False),  # host, then words
    sa.Column("article_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Integer, nullable=False),  # since 1970
    sa.Column("fed", sa.Boolean, nullable=False),  # the article's feed says it, too
    sqlite_with_rowid=False,
)
"""Which articles of a host a paragraph stood in: of each the newest few. Without foreign keys, like
`article_key`."""

revision = sa.Table(
    "revision",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("replaced_at", UtcDateTime, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("body", Words),  # NULL: it stands, as a part of what there is now
)
"""What an article said before."""

article_update = sa.Table(
    "article_update",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("key", Key, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),  # its own time, else when it was seen first
    sqlite_with_rowid=False,
)
"""The updates of a rolling page that were read, each once."""

article_url = sa.Table(
    "article_url",
    metadata,
    sa.Column("url", Key, primary_key=True),
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), nullable=False, index=True),
)
"""Every canonical URL that is known to lead to an article."""

entry = sa.Table(
    "entry",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("feed_id", Id, sa.ForeignKey("feed.id"), nullable=False),
    sa.Column("guid", Key, nullable=False),
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), nullable=False, index=True),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("backlog", sa.Boolean, nullable=False),  # listed already by the feed's first poll
    sa.Column("link", Words),
    sa.Column("published_at", UtcDateTime),
    sa.Column("language", Words),
    sa.Column("authors", Names, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("changed_at", UtcDateTime),  # when its feed gave it other words
    sa.UniqueConstraint("feed_id", "guid"),
    sa.Index(None, "feed_id", "id"),  # the newest of a feed
)

watch = sa.Table(
    "watch",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("terms", Names, nullable=False),
    sa.Column("query", sa.Text),  # in place of terms
    sa.Column("variants", Variants),
    sa.Column("channel", sa.Text),
    sa.Column("declared", sa.Boolean, nullable=False),  # stands in the configuration
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("definition", sa.String(32)),  # a mark of the whole; NULL: not known yet
    sa.Column("changed_at", UtcDateTime),  # when it was edited last, since that is known
)

hit = sa.Table(
    "hit",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("article_id", Id, sa.ForeignKey("article.id"), nullable=False),
    sa.Column("watch_id", Id, sa.ForeignKey("watch.id"), nullable=False),
    sa.Column("spans", Spans, nullable=False),
    sa.Column("matched_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("article_id", "watch_id"),
    sa.Index(None, "watch_id", "matched_at"),  # how many a watch had lately
    sa.Index(None, "matched_at", "id"),  # what was found, the newest first
)

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("story_id", Id, sa.ForeignKey("story.id"), primary_key=True),
    sa.Column("watch_id", Id, sa.ForeignKey("watch.id"), primary_key=True),
    sa.Column("lacks", Words, nullable=False),  # "1 of 2 publishers"
    sa.Column("since", UtcDateTime, nullable=False),
)
"""Stories that are not told for a watch yet: too few report them."""

UNSHOWN = sa.text("sent_at IS NULL")
TOGETHER = sa.text("told_in IS NOT NULL")

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("story_id", Id, sa.ForeignKey("story.id"), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),  # calls begun since it was last shown
    sa.Column("wanted", sa.Integer, nullable=False),  # how often the story was to be shown anew
    sa.Column("shown", sa.Integer, nullable=False),  # `wanted` as the last call found it
    sa.Column("claimed_at", UtcDateTime),  # since when it is `sending`
    sa.Column("due_at", UtcDateTime),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("lease_by", sa.Integer),
    sa.Column("sent_channel", sa.Text),
    sa.Column("sent_ref", sa.Text),
    sa.Column("error", Words),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),  # when it was shown first
    sa.Column("held_until", UtcDateTime),  # of what is held; NULL: for a digest, whenever it is due
    sa.Column("told_in", sa.Text),  # subject of the notice that told it together with others
    sa.UniqueConstraint("story_id", "channel"),
    sa.Index(None, "channel", "told_in", postgresql_where=TOGETHER, sqlite_where=TOGETHER),
    sa.Index(None, "channel", "due_at", "story_id", postgresql_where=WAITING, sqlite_where=WAITING),
    sa.Index(None, "state", "created_at"),
    sa.Index(None, "channel", "state", "created_at"),
    sa.Index(None, "created_at", postgresql_where=UNSHOWN, sqlite_where=UNSHOWN),
)
"""The outbox: one row per story and channel, for ever."""

digest = sa.Table(
    "digest",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("schedule", sa.Text, primary_key=True),  # "Mon 07:00 Asia/Kolkata"
    sa.Column("since", UtcDateTime, nullable=False),  # what came after it is in the next one
    sa.Column("due_at", UtcDateTime, nullable=False),
)
"""The digests that watches want: when each channel's next one is due."""

backfill = sa.Table(
    "backfill",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("watches", Names, nullable=False),
    sa.Column("wanted_at", UtcDateTime, nullable=False),  # the articles of before are looked at
    sa.Column("since", UtcDateTime, nullable=False),  # as far back as this
    sa.Column("next_at", UtcDateTime, nullable=False),  # where it goes on, newest first:
    sa.Column("next_article", sa.BigInteger, nullable=False),  # before this one, of that moment
    sa.Column("articles", sa.Integer, nullable=False),  # looked at so far
    sa.Column("due_at", UtcDateTime, nullable=False),
)
"""Watches that came or changed, and are still being run over what was stored before."""


def _of_delivery() -> sa.ForeignKey:
    """Goes with its delivery."""
    return sa.ForeignKey("delivery.id", ondelete="CASCADE")


hand = sa.Table(
    "hand",
    metadata,
    sa.Column("delivery_id", sa.String(32), _of_delivery(), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # monitor.model.Deed
    sa.Column("by", Words, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""What people did about a message, as it holds now."""

judgement = sa.Table(
    "judgement",
    metadata,
    sa.Column("delivery_id", sa.String(32), _of_delivery(), primary_key=True),
    sa.Column("watch", sa.Text, primary_key=True),
    sa.Column("terms", Names, nullable=False),  # of the watch, that were found when it was judged
    sa.Column("relevant", sa.Boolean, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""Whether what a watch found was worth telling."""

snooze = sa.Table(
    "snooze",
    metadata,
    sa.Column("watch", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("by", Words, nullable=False),
)
"""Watches that are not to begin new messages in a channel for a while."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("mark", Key, nullable=False, unique=True),  # of a deed: however often it is told
    sa.Column("user", Words, nullable=False),  # Slack's id
    sa.Column("name", Words, nullable=False),
    sa.Column("action", Words, nullable=False),
    sa.Column("subject", Words, nullable=False),  # a delivery's id, or the words of a command
    sa.Column("channel", Words, nullable=False),  # Slack's id
)
"""Who did what, when, on what."""

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # sorts by the time it was told
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("subject", Key, nullable=False),  # what it is about
    sa.Column("story_id", Id, sa.ForeignKey("story.id"), index=True),  # in whose thread it stands
    sa.Column("broadcast", sa.Boolean, nullable=False),  # a reply that the channel shows, too
    sa.Column("card", Words, nullable=False),  # what is said: JSON of alerts.Card
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("shown", sa.Integer, nullable=False),
    sa.Column("claimed_at", UtcDateTime),
    sa.Column("due_at", UtcDateTime),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("lease_by", sa.Integer),
    sa.Column("sent_channel", sa.Text),
    sa.Column("sent_ref", sa.Text),
    sa.Column("error", Words),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("sent_at", UtcDateTime),
    sa.UniqueConstraint("channel", "subject"),
    sa.Index(None, "channel", "due_at", "id", postgresql_where=WAITING, sqlite_where=WAITING),
    sa.Index(None, "state", "created_at"),
    sa.Index(None, "channel", "state", "created_at"),
)
"""The outbox's other half: all that is said beside the messages of stories. One row per channel and
subject, until nothing can tell it again (`monitor.storage.forgetting`); the columns of the same name
mean what they mean in `delivery`."""

outcome = sa.Table(
    "outcome",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("message", sa.String(32), nullable=False),  # id of a delivery or a notice
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("what", sa.Text, nullable=False),  # sent, updated, deferred, held, …
    sa.Column("error", Words),
    sa.Index(None, "message", "id"),
    sqlite_autoincrement=True,  # who follows what changes asks for what is newer than an id
)
"""What became of a message, each time: how a call ended, or why none was made."""

mention_hour = sa.Table(
    "mention_hour",
    metadata,
    sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),  # hours since 1970
    sa.Column("watch_id", sa.BigInteger, primary_key=True, autoincrement=False),  # 0: of any
    sa.Column("feed_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("language", Words, primary_key=True),  # "": not known
    sa.Column("articles", sa.Integer, nullable=False),
    sa.Column("stories", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""In how many articles of an hour a watch found something, and how many stories began with them
(`monitor.storage.mentions`). Without foreign keys: it outlives the articles, and watches."""

mention_day = sa.Table(
    "mention_day",
    metadata,
    sa.Column("watch_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),  # days since 1970
    sa.Column("feed_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("language", Words, primary_key=True),
    sa.Column("articles", sa.Integer, nullable=False),
    sa.Column("stories", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The same by days; and of each watch those of one span lie together."""

mention_total = sa.Table(
    "mention_total",
    metadata,
    sa.Column("grain", sa.Integer, primary_key=True, autoincrement=False),  # hours: 1 or 24
    sa.Column("watch_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),  # so many since 1970
    sa.Column("articles", sa.Integer, nullable=False),
    sa.Column("stories", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The same of all feeds and languages."""

mention_due = sa.Table(
    "mention_due",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("article_id", sa.BigInteger),
    sa.Column("story_id", sa.BigInteger),  # all of it
    sa.Column("at", sa.Integer),  # an hour
)
"""What changed since mentions were counted: only ever added to by those who change it."""
