"""What one value may be: each function takes what TOML gave and returns the value, or raises
`Invalid` with a sentence that completes "port: …". No sentence repeats a value that could be a
secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from monitor.model import WEEKDAYS, DigestTime, QuietHours


class Invalid(ValueError):
    """A value that can't stand where it stands. pydantic collects it as any ValueError.

    `offset`: which character of the text it is about, where that can be told.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


# ------------------------------------------------------------------------------ text


def text(value: object) -> str:
    """One line of text that is not blank, without the spaces around it."""
    if not isinstance(value, str):
        raise Invalid(f'must be text in "quotes", not {kind(value)}')
    line = value.strip()
    if not line:
        raise Invalid("must not be empty")
    if _CONTROL.search(line):
        raise Invalid("must be one line, without control characters")
    return no_token(line)


def no_token(value: str) -> str:
    """The text, if it holds nothing that only Slack may know."""
    if _TOKEN.search(value):
        raise Invalid("holds a Slack token; its place is SLACK_BOT_TOKEN in the environment")
    return value


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TOKEN = re.compile(r"\b(xox[a-z]|xapp)-[\w-]+", re.IGNORECASE)
_WEBHOOK = re.compile(r"\bhooks\.slack\.com/\S+", re.IGNORECASE)


def without_secrets(message: str) -> str:
    """The message without what somebody pasted into the wrong place."""
    return _WEBHOOK.sub("(hidden)", _TOKEN.sub("(hidden)", message))


def name(value: object) -> str:
    """A name that fits a headline."""
    line = text(value)
    if len(line) > 100:
        raise Invalid(f"must be at most 100 characters, not {len(line)}")
    return line


def choice(*allowed: str) -> Callable[[object], str]:
    """One of a few words."""

    def parse(value: object) -> str:
        word = text(value)
        if word in allowed:
            return word
        raise Invalid(f"must be {_one_of(allowed)}{did_you_mean(word.lower(), allowed)}")

    return parse


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` or nothing."""
    named = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(word.casefold(), list(named), n=1, cutoff=0.6)
    return f'; did you mean "{named[close[0]]}"?' if close else ""


def inline(
    value: Mapping[str, object], known: Mapping[str, Callable[[object], Any]]
) -> dict[str, Any]:
    """An inline table, each value as its key asks for. Raises `Invalid`, which names the key."""
    found = {}
    for key, each in value.items():
        if key not in known:
            others = f"; known are {_one_of(tuple(known), 'and')}"
            raise Invalid(f'unknown key "{key}"{did_you_mean(key, known) or others}')
        try:
            found[key] = known[key](each)
        except Invalid as error:
            raise Invalid(f"{key}: {error}") from None
    return found


def _one_of(words: tuple[str, ...], link: str = "or") -> str:
    *rest, last = [f'"{word}"' for word in words]
    return f"{', '.join(rest)} {link} {last}"


# ISO 639-1. A language that has such a code has no other in tags (RFC 5646, section 2.2.1).
_ISO_639_1 = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia
    id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo
    lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl
    ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti
    tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_CODES = frozenset(_ISO_639_1.split())

# Names, codes of three letters, countries and codes of former times that are written for them.
_MEANT = {
    wrong: code
    for code, words in {
        "ar": "arabic ara",
        "bn": "bengali bangla ben",
        "cs": "czech cz ces",
        "da": "danish dk dan",
        "de": "german deu ger",
        "el": "greek gr ell",
        "en": "english eng us gb",
        "es": "spanish spa",
        "fa": "persian farsi fas per ir",
        "fr": "french fra fre",
        "he": "hebrew heb iw il",
        "hi": "hindi hin",
        "id": "indonesian ind in",
        "it": "italian ita",
        "ja": "japanese jpn jp",
        "ko": "korean kor",
        "nl": "dutch nld",
        "pa": "punjabi pan",
        "pl": "polish pol",
        "ps": "pashto pus",
        "pt": "portuguese por",
        "ru": "russian rus",
        "sv": "swedish swe",
        "ta": "tamil tam",
        "tr": "turkish tur",
        "uk": "ukrainian ukr ua",
        "ur": "urdu urd pk",
        "vi": "vietnamese vie vn",
        "zh": "chinese zho chi cn",
    }.items()
    for wrong in words.split()
}

_NO_LANGUAGE = re.compile(r"und|mul|zxx|mis|q[a-t][a-z]")  # of three letters: special, or private
_TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
)
"""Language, script, region and variants of BCP 47; nobody asks `lang:` for more."""


def language(value: object) -> str:
    """A language tag such as `hi` or `pt-BR`, in lower case."""
    tag = text(value).lower()
    base, _, rest = tag.partition("-")
    if code := _MEANT.get(tag) or _MEANT.get(base):
        right = f"{code}-{rest}" if rest and base in _MEANT else code
        raise Invalid(f'must be a language code; did you mean "{right}"?')
    match = _TAG.fullmatch(tag)
    if not match or (base not in _CODES if len(base) == 2 else _NO_LANGUAGE.fullmatch(base)):
        raise Invalid('must be a language code such as "en", "hi" or "pt-BR"')
    return tag


def side(value: object) -> str:
    """Which party of a conflict a publisher belongs to, in lower case."""
    return name(value).lower()


_ELSEWHERE = re.compile(r"(webhook|apprise):(.*)")
_SINK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def is_sink_name(word: str) -> bool:
    """Whether a webhook, or a list of addresses, may be called so."""
    return _SINK_NAME.fullmatch(word) is not None


def sink_name(value: object) -> str:
    """What a webhook, or a list of addresses, is called: in names of channels and variables."""
    line = text(value)
    if is_sink_name(line):
        return line
    raise Invalid("must be up to 40 of a-z, 0-9, - and _")


def sink_of(channel_name: str) -> tuple[str, str] | None:
    """What a channel beside Slack's leads to: the kind and the name; None for one of Slack."""
    found = _ELSEWHERE.fullmatch(channel_name)
    return (found[1], found[2]) if found else None


def channel(value: object) -> str:
    """A Slack channel (`#name`, or an id of a channel, group or direct message), or another sink's."""
    line = text(value)
    if re.fullmatch(r"[CGD][A-Z0-9]{8,}", line):
        return line
    if elsewhere := sink_of(line):
        try:
            sink_name(elsewhere[1])
        except Invalid as error:
            raise Invalid(f"the name after {elsewhere[0]}: {error}") from None
        return line
    lowered = "#" + line.lstrip("#").strip().lower().replace(" ", "-")
    possible = re.fullmatch(r"#[\w-]{1,80}", lowered)
    if line == lowered and possible:
        return line
    hint = f"; did you mean {lowered}?" if possible and line != lowered else ""
    if ":" in line:
        hint = '; elsewhere lead "webhook:NAME" and "apprise:NAME"'
    raise Invalid(f"must be #name in lower case, or an id such as C0123456789{hint}")


def header(value: object) -> str:
    """The name of a header of HTTP (RFC 9110, section 5.6.2)."""
    line = text(value)
    if re.fullmatch(r"[A-Za-z0-9-]{1,60}", line):
        return line
    raise Invalid('must be the name of a header, such as "X-Remote-User"')


def person(value: object) -> str:
    """Who can be notified: Slack's id of a member (U…, W…) or of a user group (S…)."""
    line = text(value)
    if re.fullmatch(r"[UWS][A-Z0-9]{2,30}", line):
        return line
    raise Invalid(
        "must be the id of a member or a user group, such as U0123456789 or S0123456789:"
        " in Slack it is below “Copy member ID”"
    )


# ------------------------------------------------------------------------------ times of day


_TIME = r"(\d{1,2}):(\d{2})"
_QUIET = re.compile(rf"{_TIME}\s*[-–]\s*{_TIME}\s+(\S+)")
_DIGEST = re.compile(rf"(?:([A-Za-z]+)\s+)?{_TIME}\s+(\S+)")


def quiet_hours(value: object) -> QuietHours:
    """A span of the day and whose clock shows it: `23:00-07:00 Asia/Kolkata`."""
    found = _QUIET.fullmatch(text(value))
    if found is None:
        raise Invalid('must be hours and a time zone, such as "23:00-07:00 Asia/Kolkata"')
    start, end = _time_of_day(found[1], found[2]), _time_of_day(found[3], found[4])
    if start == end:
        raise Invalid("must begin and end at different times")
    return QuietHours(start=start, end=end, zone=_zone(found[5]))


def digest_time(value: object) -> DigestTime:
    """When a digest is due: `07:00 Asia/Kolkata`, or `Mon 07:00 Asia/Kolkata` for each week."""
    found = _DIGEST.fullmatch(text(value))
    if found is None:
        raise Invalid(
            'must be a time and a time zone, such as "07:00 Asia/Kolkata", for each week'
            ' "Mon 07:00 Asia/Kolkata"'
        )
    weekday = None
    if found[1] is not None:
        days = [day for day in range(7) if _is_day(found[1], day)]
        if not days:
            raise Invalid(f"must begin with {_one_of(WEEKDAYS)}, or without a day")
        [weekday] = days
    at = _time_of_day(found[2], found[3])
    return DigestTime(at=at, zone=_zone(found[4]), weekday=weekday)


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _is_day(word: str, day: int) -> bool:
    return len(word) >= 3 and _DAYS[day].startswith(word.lower())


def _time_of_day(hour: str, minute: str) -> time:
    if int(hour) > 23 or int(minute) > 59:
        raise Invalid(f"must be a time from 00:00 to 23:59, not {hour}:{minute}")
    return time(int(hour), int(minute))


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        near = [zone for zone in sorted(known) if zone.lower().endswith(f"/{name.lower()}")]
        # of three letters every other three are near, and IST is in three countries
        places = (zone for zone in known if "/" in zone)
        hint = f'; did you mean "{near[0]}"?' if near else did_you_mean(name, places)
        raise Invalid(f'"{name}" is no time zone such as "Asia/Kolkata" or "UTC"{hint}') from None


# ------------------------------------------------------------------------------ numbers


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise Invalid("must be true or false, without quotes")


def number(lowest: int, highest: int) -> Callable[[object], int]:
    """A whole number within bounds."""

    def parse(value: object) -> int:
        if isinstance(value, str) and value.strip().isdecimal():
            raise Invalid(f"must be a number: write {value.strip()} without quotes")
        if isinstance(value, bool) or not isinstance(value, int):
            shown = value if isinstance(value, float) else kind(value)
            raise Invalid(f"must be a whole number, not {shown}")
        if not lowest <= value <= highest:
            raise Invalid(f"must be from {lowest} to {highest}, not {value}")
        return value

    return parse


def quantity(lowest: float, highest: float) -> Callable[[object], float]:
    """A number within bounds, whole or not."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Invalid(f"must be a number, not {kind(value)}")
        if not lowest <= value <= highest:
            raise Invalid(f"must be from {lowest:.9g} to {highest:.9g}, not {value:.9g}")
        return float(value)

    return parse


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_OFF = {"off", "none", "never"}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def duration(
    lowest: timedelta, highest: timedelta, *, example: str = "5m", or_off: bool = False
) -> Callable[[object], timedelta | None]:
    """A length of time such as `90s`, `5m` or `1h30m`; `off` is None where that makes sense.

    A timedelta, which only code can give, is taken as it is: the bounds are for people.
    """

    def parse(value: object) -> timedelta | None:
        if isinstance(value, timedelta) or (value is None and or_off):
            return value
        if or_off and (value is False or (isinstance(value, str) and value in _OFF)):
            return None
        length = _duration(value, example, or_off=or_off)
        if length < lowest:
            raise Invalid(f"must be at least {show_duration(lowest)}")
        if length > highest:
            raise Invalid(f"must be at most {show_duration(highest)}")
        return length

    return parse


def _duration(value: object, example: str, *, or_off: bool) -> timedelta:
    off = ', or "off"' if or_off else ""
    if value == 0 and not isinstance(value, bool):
        return timedelta(0)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Invalid(f'lacks its unit: write "{value}s" for seconds, "{value}m" for minutes')
    if not isinstance(value, str):
        raise Invalid(f'must be a time such as "{example}"{off}, not {kind(value)}')
    compact = re.sub(r"\s+", "", value).lower()
    if compact == "0":
        return timedelta(0)
    if not _DURATION.fullmatch(compact):
        raise Invalid(f'must be a time such as "{example}"{off}; units are s, m, h, d and w')
    seconds = sum(float(count) * _UNITS[unit] for count, unit in _DURATION_PART.findall(compact))
    if seconds > timedelta(days=36500).total_seconds():
        raise Invalid("must be less than a hundred years")
    return timedelta(seconds=seconds)


def show_duration(length: timedelta) -> str:
    """The way an operator would write it: `90s`, `5m`, `1h30m`."""
    seconds = length.total_seconds()
    if seconds < 60 or seconds % 1:
        return f"{seconds:g}s"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:g}{unit}")
    return "".join(parts)


_BYTES = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tb": 10**12,
    "tib": 2**40,
}


def size(lowest: int, highest: int) -> Callable[[object], int]:
    """A number of bytes: `2097152`, `"2MB"`, `"2 MiB"`."""

    def parse(value: object) -> int:
        if isinstance(value, str):
            match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)", value.strip().lower())
            if not match or match[2] not in _BYTES:
                raise Invalid('must be a size such as "15MB", "2 MiB" or a number of bytes')
            value = int(float(match[1]) * _BYTES[match[2]])
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid(f'must be a size such as "15MB" or a number of bytes, not {kind(value)}')
        if not lowest <= value <= highest:
            raise Invalid(f"must be from {show_size(lowest)} to {show_size(highest)}")
        return value

    return parse


def show_size(count: int) -> str:
    """Bytes as people say them."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if count >= _BYTES[unit.lower()]:
            amount = count / _BYTES[unit.lower()]
            return f"{amount:.3g} {unit}" if amount < 1000 else f"{amount:.0f} {unit}"
    return f"{count} bytes"


# ------------------------------------------------------------------------------ words


def kind(value: object) -> str:
    """What sort of TOML value this is, for a sentence."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case datetime() | date() | time():
            return "a date or time"
        case _:
            return "this"
