"""What has to be true in the end, of what the database says and what Slack holds. Pure.

What people should have been told is taken from the plan of the news, not from the database: so what
the service never stored is missed, too.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.newsroom import Plan, Story, channel_of
from tests.chaos.service import REMARKS
from tests.journeys.test_secrets import spellings

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the outbox."""

    id: str
    channel: str
    state: str
    is_due: bool  # it has a time at which it is to be shown, or shown again
    ref: str | None  # the ts under which it is shown
    subject: str | None = None  # of a notice
    story: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """Both tables of the outbox, and how many rows of each table are leased."""

    deliveries: Mapping[str, Row]
    notices: Mapping[str, Row]
    leased: Mapping[str, int]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to show."""
        return not any(map(is_open, (*self.deliveries.values(), *self.notices.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A row of the articles."""

    outlet: int
    story: int
    state: str
    source: str | None  # of its text


def unread(plan: Plan, articles: Sequence[Article]) -> Iterator[str]:
    """What was printed and is not stored, once, with the text of its page; and what was not printed."""
    planned = set(plan.printed())
    stored = Counter((each.outlet, each.story) for each in articles)
    for (outlet, story), times in stored.items():
        where = f"story {story} of outlet {outlet}"
        if (outlet, story) not in planned:
            yield f"{where} is stored, and was never printed"
        elif times > 1:
            yield f"{where} is stored {times} times"
    for outlet, story in sorted(planned - stored.keys()):
        yield f"story {story} of outlet {outlet} is not stored"
    for each in articles:
        if (each.state, each.source) != ("done", "page"):
            yield f"story {each.story} of outlet {each.outlet} is {each.state}, by its {each.source}"


def is_open(row: Row) -> bool:
    """Whether something is still to be done about it."""
    return row.is_due or row.state in {"pending", "sending", "retry"}


def id_of(message: Message) -> str:
    """Which row of the outbox a message shows."""
    return str((message.get("metadata") or {}).get("event_payload", {}).get("delivery_id", ""))


def words_of(message: Message) -> str:
    """All that a message says, as one string."""
    return f"{message.get('text', '')} {json.dumps(message.get('blocks', []), ensure_ascii=False)}"


def doubled(messages: Sequence[Message]) -> Iterator[str]:
    """What is shown more than once: never right, at any time."""
    for row, times in Counter(map(id_of, messages)).items():
        if times > 1 or not row:
            yield f"{row or 'a message of nobody'} is shown {times} times"


def unmet(plan: Plan, slack: Mapping[str, Sequence[Message]]) -> Iterator[str]:
    """What people should have been told, and were not yet, or not all of it."""
    roots = {channel: _roots(messages) for channel, messages in slack.items()}
    for channel, story in plan.wanted():
        shown = [words for words in roots[channel] if story.name in words]
        if not shown:
            yield f"{channel} was never told of {story.name}"
        for words in shown:
            yield from (f"{channel}: {lack}" for lack in _lacks(plan, story, words))


def _roots(messages: Sequence[Message]) -> list[str]:
    return [words_of(message) for message in messages if "thread_ts" not in message]


def _lacks(plan: Plan, story: Story, words: str) -> Iterator[str]:
    """What the message of a story should say in the end and does not."""
    headline = story.title(float("inf"))
    if headline not in words:
        yield f"the message of {story.name} does not say: {headline}"
    for outlet in story.outlets():
        if plan.outlets[outlet] not in words:
            yield f"the message of {story.name} does not name {plan.outlets[outlet]}"


def leaked(text: str, secrets: Sequence[str]) -> Iterator[str]:
    """Which secrets stand in a text, however they are written."""
    yield from (each for each in secrets if any(form in text for form in spellings(each)))


def violations(plan: Plan, slack: Mapping[str, Sequence[Message]], outbox: Outbox) -> Iterator[str]:
    """All that is wrong when everything should be over."""
    everything = [message for messages in slack.values() for message in messages]
    yield from doubled(everything)
    yield from unmet(plan, slack)
    yield from _of_stories(plan, slack)
    by_id = {id_of(message): message for message in everything}
    rows = {**outbox.deliveries, **outbox.notices}
    for row in by_id.keys() - rows.keys():
        yield f"a message is shown of which the outbox knows nothing: {row}"
    for row in rows.values():
        yield from _of_row(row, by_id.get(row.id))
    yield from _of_threads(outbox, by_id)
    for table, leased in outbox.leased.items():
        if leased:
            yield f"{leased} rows of {table} are leased, and nobody is there"


def _of_stories(plan: Plan, slack: Mapping[str, Sequence[Message]]) -> Iterator[str]:
    """A story is told once where it is wanted, and nowhere else."""
    wanted = {(channel, story.name) for channel, story in plan.wanted()}
    for number in range(len(plan.desks)):
        channel = channel_of(number)
        roots = _roots(slack[channel])
        for story in plan.stories:
            times = sum(story.name in words for words in roots)
            if times > 1:
                yield f"{channel} was told {times} times of {story.name}"
            if times and (channel, story.name) not in wanted:
                yield f"{channel} was told of {story.name}, which has none of its words"


def _of_row(row: Row, message: Message | None) -> Iterator[str]:
    name = row.subject or f"the story {row.story}"
    if is_open(row) or row.state != "sent":
        yield f"{row.channel}: {name} is {row.state}{', due' if row.is_due else ''}"
    elif message is None:
        yield f"{row.channel}: {name} is sent, and Slack has nothing of it"
    elif message["ts"] != row.ref:
        yield f"{row.channel}: {name} is shown elsewhere than the outbox says"


def _of_threads(outbox: Outbox, by_id: Mapping[str, Message]) -> Iterator[str]:
    """Replies stand below their story's message, in the order in which they were told."""
    threads: dict[str, list[Row]] = defaultdict(list)
    remarks: Counter[str] = Counter()
    for notice in outbox.notices.values():
        message = by_id.get(notice.id)
        if notice.story is None or message is None:
            continue
        threads[f"{notice.channel} {notice.story}"].append(notice)
        _, _, about = str(notice.subject).rpartition(":")
        remarks[about] += str(notice.subject).startswith("remark:")
    for row in outbox.deliveries.values():
        if remarks[row.id] != REMARKS:
            yield f"{row.channel}: of the story {row.story} were made {remarks[row.id]} remarks"
        told = sorted(threads[f"{row.channel} {row.story}"], key=lambda notice: notice.id)
        times = [float(by_id[notice.id]["ts"]) for notice in told]
        if times != sorted(times):
            yield f"{row.channel}: the replies about the story {row.story} are out of order"
        for notice in told:
            if by_id[notice.id].get("thread_ts") != row.ref:
                yield f"{row.channel}: {notice.subject} does not stand below its story"
