"""The shape of the configuration: one frozen model per section, and `Settings` over them.

The models are also usable from code: ``Settings()`` is what an empty file would mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, SecretStr

from monitor import __version__
from monitor.config import addresses, queries, values
from monitor.config.document import quoted
from monitor.errors import Mistake
from monitor.model import (
    Cadence,
    DigestTime,
    Escalation,
    FeedSpec,
    Priority,
    QuietHours,
    SpikeRule,
    Watch,
)

Text: TypeAlias = Annotated[str, PlainValidator(values.text)]
Name: TypeAlias = Annotated[str, PlainValidator(values.name)]
Term: TypeAlias = Annotated[str, PlainValidator(queries.term)]
Query: TypeAlias = Annotated[str, PlainValidator(queries.query)]
Side: TypeAlias = Annotated[str, PlainValidator(values.side)]
LanguageTag: TypeAlias = Annotated[str, PlainValidator(values.language)]
Url: TypeAlias = Annotated[str, PlainValidator(addresses.http_url)]
Channel: TypeAlias = Annotated[str, PlainValidator(values.channel)]
Flag: TypeAlias = Annotated[bool, PlainValidator(values.flag)]

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)

_INTERVAL = values.duration(30 * _SECOND, 30 * _DAY)
Interval: TypeAlias = Annotated[timedelta, PlainValidator(_INTERVAL)]


class Section(BaseModel):
    """A table of the file: nothing in it changes, nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """What is wrong with a table as a whole: the key to say it of, if it is one's, and what."""
        del table
        return None


class Monitor(Section):
    """`[monitor]`: the service itself."""

    database: Annotated[str, PlainValidator(addresses.database)] = Field(
        default="sqlite:///data/monitor.db",
        repr=False,  # may hold a password
    )
    contact: Annotated[str, PlainValidator(addresses.contact)] | None = None
    log: Annotated[
        Literal["auto", "json", "text"], PlainValidator(values.choice("auto", "json", "text"))
    ] = "auto"
    workers: Annotated[int, PlainValidator(values.number(1, 64))] = 2  # of the process pool

    @property
    def user_agent(self) -> str:
        """Who asks, and whom a publisher may write to."""
        if self.contact is None:
            return f"monitor/{__version__}"
        scheme = "" if "://" in self.contact else "mailto:"
        return f"monitor/{__version__} (+{scheme}{self.contact})"


def _fastest_is_faster(table: Mapping[str, Any]) -> tuple[str | None, str] | None:
    """What is wrong with a table that has both bounds of an interval."""
    try:
        fastest, slowest = (_INTERVAL(table[key]) for key in ("fastest", "slowest"))
    except (KeyError, values.Invalid):
        return None
    if fastest is None or slowest is None or fastest <= slowest:
        return None
    return "fastest", "must not be longer than slowest"


class Polling(Section):
    """`[polling]`: how often feeds are asked."""

    interval: Interval = timedelta(minutes=5)  # on the average of all feeds, unless there is a
    budget: Annotated[float, PlainValidator(values.quantity(0.01, 1e6))] | None = None
    """Polls a minute, of all feeds whose interval is not fixed."""
    fastest: Interval = timedelta(minutes=2)
    slowest: Interval = timedelta(hours=6)
    hint_cap: Annotated[  # how far a feed's and its server's own wishes are followed
        timedelta, PlainValidator(values.duration(timedelta(0), _DAY, example="60m"))
    ] = timedelta(hours=1)

    @property
    def cadence(self) -> Cadence:
        """How often feeds are to be asked that say nothing else."""
        return Cadence(
            fastest=min(self.fastest, self.interval), slowest=max(self.slowest, self.interval)
        )

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """See `_fastest_is_faster`."""
        return _fastest_is_faster(table)


class Fetch(Section):
    """`[fetch]`: manners and limits towards other people's servers."""

    timeout: Annotated[
        timedelta,
        PlainValidator(values.duration(_SECOND, 600 * _SECOND, example="20s")),
    ] = timedelta(seconds=20)
    spacing: Annotated[  # between two requests to one host
        timedelta,
        PlainValidator(values.duration(timedelta(0), 600 * _SECOND, example="1s")),
    ] = timedelta(seconds=1)
    max_feed: Annotated[int, PlainValidator(values.size(2**10, 2**28))] = 15 * 2**20  # bytes
    max_page: Annotated[int, PlainValidator(values.size(2**10, 2**26))] = 2 * 2**20  # bytes
    allow: tuple[Annotated[str, PlainValidator(addresses.allowed)], ...] = ()
    proxy: Annotated[str, PlainValidator(addresses.proxy)] | None = Field(
        default=None,
        repr=False,  # may hold a password
    )
    page_attempts: Annotated[int, PlainValidator(values.number(1, 100))] = 5
    robots: Flag = True  # whether pages are read only as their sites' robots.txt allows


class Alerts(Section):
    """`[alerts]`: what is worth a message."""

    backfill: Annotated[  # how far back a new or changed watch is run; None: not at all
        timedelta | None,
        PlainValidator(
            values.duration(60 * _SECOND, 3650 * _DAY, example="24h", or_off=True),
        ),
    ] = timedelta(hours=24)
    flood: Annotated[int, PlainValidator(values.number(1, 1000))] = 10
    """New stories a minute in one channel above which they share a message."""

    max_age: Annotated[  # None: no limit
        timedelta | None,
        PlainValidator(
            values.duration(60 * _SECOND, 3650 * _DAY, example="24h", or_off=True),
        ),
    ] = timedelta(hours=24)
    repeat_critical: Annotated[  # after so long without an acknowledgement; None: never
        timedelta | None,
        PlainValidator(values.duration(60 * _SECOND, _DAY, example="10m", or_off=True)),
    ] = timedelta(minutes=10)


class Retention(Section):
    """`[retention]`: how long what was read is kept."""

    articles: Annotated[  # None: for ever
        timedelta | None,
        PlainValidator(values.duration(30 * _DAY, 3650 * _DAY, example="90d", or_off=True)),
    ] = timedelta(days=90)
    matched: Annotated[  # of stories in which a watch found something; None: for ever
        timedelta | None,
        PlainValidator(values.duration(30 * _DAY, 36500 * _DAY, example="730d", or_off=True)),
    ] = timedelta(days=730)
    size: Annotated[int, PlainValidator(values.size(2**26, 2**50))] | None = None
    """Bytes of the database above which the oldest goes sooner."""

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """What watches found is kept no shorter than what they did not."""
        try:
            kept = cls.model_validate({k: table[k] for k in ("articles", "matched") if k in table})
        except ValueError:  # said of the key itself
            return None
        if kept.matched is None or (kept.articles is None and "matched" not in table):
            return None
        if kept.articles is not None and kept.articles <= kept.matched:
            return None
        return "matched" if "matched" in table else "articles", (
            "what watches found (matched) must be kept at least as long as all else (articles)"
        )


class Slack(Section):
    """`[slack]`: where messages go. The token comes from the environment."""

    channel: Channel | None = None
    ops_channel: Channel | None = None
    buttons: Flag = True  # below alerts, where Socket Mode is on
    heartbeat: Annotated[DigestTime, PlainValidator(values.digest_time)] | None = None
    """When the operators' channel is told that the service runs."""

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """A heartbeat goes to the operators' channel."""
        if "heartbeat" in table and "ops_channel" not in table:
            return "heartbeat", "needs an ops_channel to be heard in"
        return None


class Web(Section):
    """`[web]`: the page."""

    enabled: Flag = True
    host: Annotated[str, PlainValidator(addresses.host)] = "127.0.0.1"
    port: Annotated[int, PlainValidator(values.number(1, 65535))] = 8080
    hosts: tuple[
        Annotated[str, PlainValidator(addresses.host)], ...
    ] = ()  # names it may be called by
    public_url: Annotated[str, PlainValidator(addresses.public_url)] | None = None
    """Where hubs reach us from outside; None: feeds are only polled."""
    editable: Flag = False  # whether the page may change the file
    trusted_proxies: tuple[Annotated[str, PlainValidator(addresses.network)], ...] = ()
    """Whose word on who asks, and from where, is taken: addresses and networks."""
    auth_header: Annotated[str, PlainValidator(values.header)] | None = None
    """In which these say who has logged in there; such a visitor may do everything."""

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """Anybody can send a header."""
        if "auth_header" in table and not table.get("trusted_proxies"):
            return "auth_header", 'needs trusted_proxies = ["10.0.0.5"]: whose word is taken'
        return None


def _some(terms: tuple[str, ...]) -> tuple[str, ...]:
    if not terms:
        raise values.Invalid("must hold at least one term")
    return terms


def _some_spellings(spellings: tuple[str, ...]) -> tuple[str, ...]:
    if not spellings:
        raise values.Invalid("must hold at least one spelling")
    return spellings


_PUBLISHERS = values.number(1, 1000)
_SIDES = values.number(0, 100)


def _escalation(value: object) -> Escalation:
    """What `escalate` says: `{ publishers = 5 }`, `{ sides = 2 }`, or both, which both must be met."""
    if isinstance(value, Escalation):
        return value
    if not isinstance(value, dict) or not value:
        raise values.Invalid("must say from when on: { publishers = 5 }, { sides = 2 } or both")
    asked = values.inline(value, {"publishers": _PUBLISHERS, "sides": _SIDES})
    return Escalation(publishers=asked.get("publishers", 1), sides=asked.get("sides", 0))


_SPIKE: Mapping[str, Any] = MappingProxyType(
    {
        "sensitivity": values.choice("low", "normal", "high"),
        "stories": values.number(2, 1000),
        "cooldown": values.duration(timedelta(minutes=15), 30 * _DAY, example="6h"),
    }
)


def _spike(value: object) -> SpikeRule | None:
    """What `spike` says: true, or how it is to be judged."""
    if value is None or isinstance(value, SpikeRule):
        return value
    if isinstance(value, bool):
        return SpikeRule() if value else None
    if not isinstance(value, dict) or not value:
        raise values.Invalid(
            'must be true, or say how: { sensitivity = "high", stories = 4, cooldown = "6h" }'
        )
    return SpikeRule(**values.inline(value, _SPIKE))


class WatchTable(Section):
    """`[[watch]]`."""

    name: Name
    terms: Annotated[tuple[Term, ...], AfterValidator(_some)] = ()
    query: Query | None = None
    variants: Mapping[str, Annotated[tuple[Term, ...], AfterValidator(_some_spellings)]] = Field(
        default_factory=dict
    )
    channel: Channel | None = None
    min_publishers: Annotated[int, PlainValidator(_PUBLISHERS)] = 1
    min_sides: Annotated[int, PlainValidator(_SIDES)] = 0
    escalate: Annotated[Escalation, PlainValidator(_escalation)] | None = None
    notify: tuple[Annotated[str, PlainValidator(values.person)], ...] = ()
    spike: Annotated[SpikeRule | None, PlainValidator(_spike)] = None
    priority: Annotated[Priority, PlainValidator(values.choice("normal", "critical"))] = "normal"
    quiet_hours: Annotated[QuietHours, PlainValidator(values.quiet_hours)] | None = None
    digest: Annotated[DigestTime, PlainValidator(values.digest_time)] | None = None
    realtime: Flag = True
    enabled: Flag = True

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """It has either terms or a query."""
        if "terms" in table and "query" in table:
            return "query", "can't stand beside terms: write the terms into it, joined by OR"
        if table.get("realtime") is False and "digest" not in table:
            return "realtime", 'is false, so it needs a digest = "07:00 Asia/Kolkata"'
        if table.keys() & {"terms", "query"}:
            return None
        return None, "lacks what to look for: terms = [\"…\"] (any one), or query = '''…'''"

    def watch(self) -> Watch:
        """The watch that it declares."""
        return Watch(
            name=self.name,
            terms=self.terms,
            query=self.query,
            variants=tuple(self.variants.items()),
            channel=self.channel,
            min_publishers=self.min_publishers,
            min_sides=self.min_sides,
            escalate=self.escalate,
            notify=self.notify,
            spike=self.spike,
            priority=self.priority,
            quiet_hours=self.quiet_hours,
            digest=self.digest,
            realtime=self.realtime,
        )


class FeedTable(Section):
    """`[[feed]]`."""

    name: Name
    url: Url
    publisher: Name | None = None
    side: Side | None = None
    tier: Annotated[int, PlainValidator(values.number(1, 3))] = 2
    language: LanguageTag | None = None
    tags: tuple[Name, ...] = ()
    interval: Interval | None = None
    weight: Annotated[float, PlainValidator(values.quantity(0.01, 100))] = 1.0
    fastest: Interval | None = None
    slowest: Interval | None = None
    enabled: Flag = True

    @classmethod
    def contradiction(cls, table: Mapping[str, Any]) -> tuple[str | None, str] | None:
        """An interval is fixed, or it is learned within bounds."""
        for key in ("weight", "fastest", "slowest"):
            if "interval" in table and key in table:
                return key, "means nothing beside interval, which is fixed: leave one of them out"
        return _fastest_is_faster(table)

    def cadence(self, usual: Cadence) -> Cadence:
        """How often it wants this feed to be asked."""
        fastest = self.fastest or min(usual.fastest, self.slowest or usual.slowest)
        return Cadence(
            interval=self.interval,
            weight=self.weight,
            fastest=fastest,
            slowest=self.slowest or max(usual.slowest, fastest),
        )

    def spec(self) -> FeedSpec:
        """The feed that it declares."""
        return FeedSpec(
            url=self.url,
            name=self.name,
            publisher=self.publisher or self.name,
            side=self.side,
            tier=self.tier,
            language=self.language,
            tags=self.tags,
        )


class WebhookTable(Section):
    """`[[webhook]]`: where events go. Its secret comes from the environment."""

    name: Annotated[str, PlainValidator(values.sink_name)]
    url: Url = Field(repr=False)  # may hold a secret


SECTIONS: Mapping[str, type[Section]] = MappingProxyType(
    {
        "monitor": Monitor,
        "polling": Polling,
        "fetch": Fetch,
        "alerts": Alerts,
        "retention": Retention,
        "slack": Slack,
        "web": Web,
    }
)
TABLES: Mapping[str, type[Section]] = MappingProxyType(
    {"watch": WatchTable, "feed": FeedTable, "webhook": WebhookTable}
)


def sink_variable(kind: str, name: str) -> str:
    """The variable that holds the secret of a sink beside Slack."""
    word = name.upper().replace("-", "_")
    return f"MONITOR_WEBHOOK_{word}_SECRET" if kind == "webhook" else f"MONITOR_APPRISE_{word}"


class Place(NamedTuple):
    """Where something stands: in which file, from 1."""

    file: str
    line: int
    column: int


class Settings(Section):
    """Everything that the service is told, checked."""

    monitor: Monitor = Monitor()
    polling: Polling = Polling()
    fetch: Fetch = Fetch()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    slack: Slack = Slack()
    web: Web = Web()
    watches: tuple[Watch, ...] = ()  # the enabled ones
    resting: tuple[Watch, ...] = ()  # the others
    feeds: tuple[FeedSpec, ...] = ()  # the enabled ones
    cadences: Mapping[str, Cadence] = Field(default_factory=dict)  # by URL, where it is its own
    slack_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None  # with it, people can press and type in Slack
    slack_webhook: SecretStr | None = None
    slack_api_url: str | None = None
    web_token: SecretStr | None = None  # opens the page, and the API
    web_read_token: SecretStr | None = None  # the same, to read alone
    webhooks: tuple[WebhookTable, ...] = ()
    sink_secrets: Mapping[str, SecretStr] = Field(default_factory=dict)
    """What signs events, and addresses for Apprise: by `sink_variable`."""
    lists: tuple[str, ...] = ()  # of addresses for Apprise, that channels name
    warnings: tuple[Mistake, ...] = ()
    watch_places: Mapping[str, Place] = Field(default_factory=dict)  # of its header, by name

    def remark(self, watch: str, message: str) -> Mistake:
        """Something to say of a watch, with its place if it came from a file."""
        return Mistake(f"watch {quoted(watch)}: {message}", *self.watch_places.get(watch, ()))

    def secrets_of(self, kind: str, name: str) -> tuple[str, ...]:
        """What signs for a webhook, or the addresses of a list; nothing if there is nothing."""
        secret = self.sink_secrets.get(sink_variable(kind, name))
        return () if secret is None else tuple(secret.get_secret_value().split())

    def cadence_of(self, url: str) -> Cadence:
        """How often the feed at this URL is to be asked."""
        return self.cadences.get(url, self.polling.cadence)
