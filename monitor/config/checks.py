"""What no single value can tell: things said twice, things that contradict or miss each other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from urllib.parse import urlsplit

from alerts.signing import key_of
from monitor.config import addresses, queries, values
from monitor.config.document import Document, quoted
from monitor.config.models import Settings, sink_variable
from monitor.config.positions import KeyPath
from monitor.errors import Mistake
from monitor.match import Document as Text
from monitor.match.about import wanted
from monitor.match.acronyms import is_capitals_only
from monitor.match.language.names import ABOUT_FIELDS, TEXT_FIELDS
from monitor.match.query import About, Query
from monitor.model import CONFIRMS_NOTHING
from monitor.text import normal_form


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong, and what is merely odd."""

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)


def check(document: Document, settings: Settings) -> Report:
    """Look at the whole. The document may hold mistakes that were reported already."""
    report = Report()
    _names(document, report)
    _feeds(document, settings, report)
    _terms(document, report)
    _queries(document, settings, report)
    _variants(document, report)
    _channels(document, settings, report)
    _sinks(document, settings, report)
    _backing(document, settings, report)
    _idle(document, report)
    _passwords(document, settings, report)
    _public_url(document, settings, report)
    _doors(document, settings, report)
    for index, entry in enumerate(settings.fetch.allow):
        if entry in {"0.0.0.0/0", "::/0"}:
            report.warnings.append(
                document.mistake(
                    ("fetch", "allow", index),
                    f"{entry} lets any feed reach into your own network; name what it needs",
                )
            )
    if not settings.feeds:
        report.warnings.append(Mistake("no feed is enabled: nothing is polled", document.file))
    if not settings.watches:
        which = "no [[watch]] is enabled" if settings.resting else "no [[watch]]"
        report.warnings.append(Mistake(f"{which}: nothing can be found", document.file))
    return report


def _twice(
    document: Document, kind: str, key: str, same: Callable[[str], str]
) -> Iterator[tuple[int, int]]:
    """Pairs of tables (first, later) that agree in a key."""
    first: dict[str, int] = {}
    for index, table in document.tables(kind):
        value = table.get(key)
        if isinstance(value, str) and (likeness := same(value.strip())):
            earlier = first.setdefault(likeness, index)
            if earlier != index:
                yield earlier, index


def folded(text: str) -> str:
    """A spelling without case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _names(document: Document, report: Report) -> None:
    for kind in ("watch", "feed", "webhook"):
        for first, later in _twice(document, kind, "name", folded):
            line = document.place((kind, first, "name")).line
            report.mistakes.append(
                document.mistake(
                    (kind, later, "name"), f"is also the name of the {kind} on line {line}"
                )
            )


def _feeds(document: Document, settings: Settings, report: Report) -> None:
    same = {
        url.strip(): _comparable(url)
        for _, table in document.tables("feed")
        if isinstance(url := table.get("url"), str)
    }
    for first, later in _twice(document, "feed", "url", same.__getitem__):
        path = ("feed", later, "url")
        line = document.place(("feed", first, "url")).line
        title = document.title("feed", first)
        urls = [document.data["feed"][index]["url"].lower() for index in (first, later)]
        if urls[0].startswith("https:") == urls[1].startswith("https:"):
            message = f"is also the URL of {title} on line {line}"
            report.mistakes.append(document.mistake(path, message))
        else:
            message = f"differs from {title} on line {line} by http and https alone"
            report.warnings.append(document.mistake(path, message))
    for index, table in document.tables("feed"):
        url = table.get("url")
        if isinstance(url, str) and same[url.strip()]:
            _address(document, settings, report, index, url)


def _address(document: Document, settings: Settings, report: Report, index: int, url: str) -> None:
    """What may surprise about where a feed is."""
    parts = urlsplit(url.strip())
    name = addresses.to_ascii(parts.hostname or "") or ""
    if parts.password:
        message = "holds a password, which every reader of this file and of the page can see"
        report.warnings.append(document.mistake(("feed", index, "url"), message))
    if addresses.is_private(name) and not addresses.covers(settings.fetch.allow, name):
        message = f"{name} is a private address and will be refused; add it to [fetch] allow"
        report.warnings.append(document.mistake(("feed", index, "url"), message))


def _comparable(url: str) -> str:
    """`addresses.same_url`, or nothing for what is no URL (that is reported elsewhere)."""
    try:
        return addresses.same_url(addresses.http_url(url))
    except ValueError:
        return ""


def _terms(document: Document, report: Report) -> None:
    for index, table in document.tables("watch"):
        lists: list[tuple[KeyPath, object]] = [(("watch", index, "terms"), table.get("terms"))]
        if isinstance(variants := table.get("variants"), dict):
            lists += [(("watch", index, "variants", key), variants[key]) for key in variants]
        for path, terms in lists:
            if isinstance(terms, list):
                _listed(document, report, path, terms)


def _listed(document: Document, report: Report, path: KeyPath, terms: Sequence[object]) -> None:
    """The terms of a list, or the spellings of one."""
    seen: set[str] = set()
    for place, term in enumerate(terms):
        if not isinstance(term, str) or not term.strip():
            continue
        if folded(term) in seen:
            message: str | None = f"{quoted(term)} is there twice"
        else:
            message = _surprise(term)
        if message:
            report.warnings.append(document.mistake((*path, place), message))
        seen.add(folded(term))


def _surprise(term: str) -> str | None:
    """What may surprise about a term that is right."""
    word = term.strip()
    if is_capitals_only(word):
        return _in_capitals(word)
    if _EXCLUDED.match(word):
        return f'{quoted(word)} finds {quoted(word[1:])}; "-" means something in a query only'
    if operator := _OPERATOR.search(word):
        return (
            f"{quoted(word)} is looked for as these words in a row; {operator[1] or operator[2]}"
            " means something in a query only"
        )
    if _COMMA.search(word):
        return (
            f"{quoted(word)} is looked for as these words in a row; if any one will do, quote each"
            " by itself"
        )
    if _is_short(word):
        return f"{quoted(word)} is so short that it will be found in many articles"
    return None


_OPERATOR = re.compile(
    r"\s(AND|OR|NOT|O?NEAR(?:/\d+)?|\||(?i:(?:o?near|w|pre)/\d+))\s"
    rf"|^((?i:{'|'.join((*TEXT_FIELDS, *ABOUT_FIELDS))}):)(?!//)"
)
_EXCLUDED = re.compile(r'[-–−]["“(]?[^\W\d]')  # not a temperature
_COMMA = re.compile(r"[^\W\d]\s*[,;，、；،؛]\s*[^\W\d]")


def _in_capitals(word: str) -> str:
    return f"{quoted(word)} is found in capitals only, because {quoted(word.lower())} is a word too"


def _queries(document: Document, settings: Settings, report: Report) -> None:
    """What is right in a query and may surprise."""
    known: dict[About, list[str]] = {
        "source": [name for feed in settings.feeds for name in (feed.publisher, feed.name)],
        "tag": [tag for feed in settings.feeds for tag in feed.tags],
        "side": [feed.side for feed in settings.feeds if feed.side],
    }
    surprise = lru_cache(maxsize=None)(partial(_unknown, known))  # many watches, few values
    for index, _ in document.tables("watch"):
        path = ("watch", index, "query")
        query = _query_at(document, index)
        if query is None:
            continue
        found = [(note.start, note.message) for note in query.notes]
        found += [
            (term.start, _in_capitals(term.text))
            for term in queries.terms_of(query.root)
            if not term.exact and is_capitals_only(term.text)
        ]
        if settings.feeds:
            found += [
                (meta.start, message)
                for meta in queries.metas_of(query.root)
                if (message := surprise(meta.about, meta.value))
            ]
        for offset, message in found:
            report.warnings.append(document.mistake(path, message, offset=offset))


def _unknown(known: Mapping[About, Sequence[str]], about: About, value: str) -> str | None:
    """What to say of a source, tag or side that no feed has: no article will have it either."""
    if about not in known or (about == "source" and "." in value):
        return None  # what else there is comes with the articles; a source may be a host
    asked, names = wanted(about, value), known[about]
    of_all = tuple(names)
    if asked.fits(Text(title="", body="", sources=of_all, tags=of_all, sides=of_all)):
        return None
    what = "is called" if about == "source" else f"has the {about}"
    return f"no feed {what} {quoted(value)}{values.did_you_mean(value, names)}"


def _query_at(document: Document, index: int) -> Query | None:
    """The query of a watch; None if it has none, or one that is reported already."""
    try:
        return queries.read_query(document.data["watch"][index].get("query"))
    except values.Invalid:
        return None


def _variants(document: Document, report: Report) -> None:
    """Other spellings must be those of a term that the watch has."""
    for index, table in document.tables("watch"):
        variants = table.get("variants")
        terms = _terms_of(document, index) if isinstance(variants, dict) else None
        if not isinstance(variants, dict) or terms is None:
            continue
        known = {normal_form(term): term for term in reversed(terms)}
        first: dict[str, str] = {}
        for key in variants:
            path, form = ("watch", index, "variants", key), normal_form(key)
            if form not in known:
                hint = values.did_you_mean(key, known.values())
                message = f"{quoted(key)} is no term of this watch{hint}"
            elif first.setdefault(form, key) != key:
                message = f"{quoted(key)} is the same as {quoted(first[form])}; put them together"
            else:
                continue
            report.mistakes.append(document.mistake(path, message, path[:3]))


def _terms_of(document: Document, index: int) -> Sequence[str] | None:
    """The terms of a watch, of its list or in its query; None if that can't be told."""
    terms = document.data["watch"][index].get("terms")
    if isinstance(terms, list):
        return [term for term in terms if isinstance(term, str)]
    query = _query_at(document, index)
    return [term.text for term in queries.terms_of(query.root)] if query else None


def _is_short(term: str) -> bool:
    """Fewer than three letters and digits, none of them of a script where that is a word."""
    chars = [char for char in term if unicodedata.category(char)[0] in "LN"]
    return 0 < len(chars) < 3 and all(
        unicodedata.category(char)[0] == "N" or unicodedata.name(char, "").startswith("LATIN")
        for char in chars
    )


def _channels(document: Document, settings: Settings, report: Report) -> None:
    """Every watch must lead somewhere, once Slack is set up."""
    default = document.data.get("slack")
    has_default = isinstance(default, dict) and "channel" in default
    for index, table in document.tables("watch"):
        if settings.slack_token and not has_default and "channel" not in table:
            message = "has no channel, and there is no channel below [slack] to fall back on"
            report.mistakes.append(document.mistake(("watch", index), message))
        is_slacks = "channel" in table and not values.sink_of(str(table["channel"]))
        if settings.slack_webhook and not settings.slack_token and is_slacks:
            message = "is not used: a webhook posts to the one channel it was made for"
            report.warnings.append(document.mistake(("watch", index, "channel"), message))


def _sinks(document: Document, settings: Settings, report: Report) -> None:
    """What channels beside Slack's lead to must be there, with its secret."""
    places: list[tuple[KeyPath, object]] = [
        (("watch", index, "channel"), table.get("channel"))
        for index, table in document.tables("watch")
    ]
    slack = document.data.get("slack")
    if isinstance(slack, dict):
        places += [(("slack", key), slack.get(key)) for key in ("channel", "ops_channel")]
    right = {hook.name for hook in settings.webhooks}
    named = {
        name
        for _, table in document.tables("webhook")
        if isinstance(name := table.get("name"), str)
    }
    used = set()
    for path, channel in places:
        sink = values.sink_of(channel) if isinstance(channel, str) else None
        if sink is None or not values.is_sink_name(sink[1]):
            continue
        used.add(sink)
        if sink[0] == "webhook":
            if sink[1] not in named:
                hint = values.did_you_mean(sink[1], named)
                message = f"no [[webhook]] is called {quoted(sink[1])}{hint}"
                report.mistakes.append(document.mistake(path, message))
        elif wrong := _apprise(settings, sink[1]):
            report.mistakes.append(document.mistake(path, wrong))
    for index, table in document.tables("webhook"):
        name = table.get("name")
        if isinstance(name, str) and name in right:  # else it is reported already
            _webhook(document, settings, report, index)
            if ("webhook", name) not in used:
                message = f'leads nowhere as yet: no channel is "webhook:{name}"'
                report.warnings.append(document.mistake(("webhook", index), message))


def _apprise(settings: Settings, name: str) -> str | None:
    """What is wrong with the addresses of a list; none of them is shown."""
    variable = sink_variable("apprise", name)
    secret = settings.sink_secrets.get(variable)
    if secret is None:
        return f"set {variable} or {variable}_FILE in the environment: its addresses for Apprise"
    addresses_ = secret.get_secret_value().split()
    wrong = next((n for n, each in enumerate(addresses_, 1) if not _SCHEME.match(each)), None)
    if wrong is not None:
        return f"{variable}: address {wrong} of {len(addresses_)} must begin as mailto:// does"
    return None


_SCHEME = re.compile(r"[a-z][a-z0-9+]*://.", re.IGNORECASE)


def _webhook(document: Document, settings: Settings, report: Report, index: int) -> None:
    """A webhook's secret signs, and its address is https and public, or named in [fetch] allow."""
    table = document.data["webhook"][index]
    variable = sink_variable("webhook", table["name"])
    secret = settings.sink_secrets.get(variable)
    path: KeyPath = ("webhook", index)
    if secret is None:
        message = f"lacks its secret: set {variable} or {variable}_FILE in the environment"
        report.mistakes.append(document.mistake(path, message))
    else:
        for each in secret.get_secret_value().split():
            try:
                key_of(each)
            except ValueError as error:
                message = f"{variable}: {error}, as echo whsec_$(openssl rand -base64 32) makes it"
                report.mistakes.append(document.mistake(path, message))
                break
    parts = urlsplit(str(table["url"]).strip())
    name = addresses.to_ascii(parts.hostname or "") or ""
    if addresses.covers(settings.fetch.allow, name):
        return
    if parts.scheme.lower() != "https":
        message = f"must be https, or {name} must stand in [fetch] allow"
        report.mistakes.append(document.mistake(("webhook", index, "url"), message))
    elif addresses.is_private(name):
        message = f"{name} is a private address and will be refused; add it to [fetch] allow"
        report.warnings.append(document.mistake(("webhook", index, "url"), message))


def _backing(document: Document, settings: Settings, report: Report) -> None:
    """What a watch waits for, its feeds must be able to bring."""
    sides = {feed.side for feed in settings.feeds if feed.side and feed.tier != CONFIRMS_NOTHING}
    publishers = {feed.publisher for feed in settings.feeds if feed.tier != CONFIRMS_NOTHING}
    for index, table in document.tables("watch"):
        escalate = table.get("escalate")
        asked = [
            (("watch", index, "min_sides"), table.get("min_sides"), len(sides), "side"),
            (
                ("watch", index, "min_publishers"),
                table.get("min_publishers"),
                len(publishers),
                "publisher",
            ),
        ]
        if isinstance(escalate, dict):
            path = ("watch", index, "escalate")
            asked.append((path, escalate.get("sides"), len(sides), "side"))
            asked.append((path, escalate.get("publishers"), len(publishers), "publisher"))
        for path, least, there, what in asked:
            if isinstance(least, int) and least > max(there, 1) and settings.feeds:
                counted = f"1 {what} that counts" if there == 1 else f"{there} {what}s that count"
                message = f"can't be met: the feeds have {counted}"
                report.warnings.append(document.mistake(path, message))


def _idle(document: Document, report: Report) -> None:
    """What does nothing beside the rest of its watch."""
    for index, table in document.tables("watch"):
        is_critical = table.get("priority") == "critical"
        if is_critical and "quiet_hours" in table:
            message = 'hold nothing back: priority = "critical" tells at any hour'
            report.warnings.append(document.mistake(("watch", index, "quiet_hours"), message))
        if table.get("notify") and not is_critical and "escalate" not in table:
            message = 'names nobody without escalate or priority = "critical"'
            report.warnings.append(document.mistake(("watch", index, "notify"), message))


def _public_url(document: Document, settings: Settings, report: Report) -> None:
    """Hubs are not in this network, and somebody must answer them."""
    if (url := settings.web.public_url) is None:
        return
    path = ("web", "public_url")
    name = addresses.to_ascii(urlsplit(url).hostname or "") or ""
    if addresses.is_private(name):
        message = f"{name} is a private address: hubs on the internet can't call it"
        report.warnings.append(document.mistake(path, message))
    if not settings.web.enabled:
        message = "is of no use while enabled = false: nobody would answer"
        report.warnings.append(document.mistake(path, message))


def _doors(document: Document, settings: Settings, report: Report) -> None:
    """What is bound where others reach it shows them nothing without a token."""
    web = settings.web
    if not web.enabled or settings.web_token or web.auth_header or addresses.is_loopback(web.host):
        return
    message = (
        f"others can reach {web.host}, and MONITOR_WEB_TOKEN is not set: they are shown how to set"
        " it, and nothing else (polls and alerts go on)"
    )
    report.warnings.append(document.mistake(("web", "host"), message))


def _passwords(document: Document, settings: Settings, report: Report) -> None:
    """A password in the file is readable for all who read the file."""
    for path, url, variable in (
        (("monitor", "database"), settings.monitor.database, "MONITOR_DATABASE_URL"),
        (("fetch", "proxy"), settings.fetch.proxy or "", "MONITOR_PROXY"),
    ):
        if path not in document.origins and urlsplit(url).password:
            message = f"holds a password; {variable} or {variable}_FILE is its place"
            report.warnings.append(document.mistake(path, message))
