"""The operator's file and the environment become settings, or a list of everything wrong."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from base64 import b64encode
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor import __version__
from monitor.config import (
    Fetch,
    Polling,
    Settings,
    addresses,
    config_path_from,
    differences,
    load,
    load_what_is_right,
    values,
)
from monitor.errors import ConfigError
from monitor.model import Cadence, DigestTime, Escalation, FeedSpec, QuietHours, SpikeRule, Watch
from tests.conftest import PROJECT

DATA = Path(__file__).parent / "data" / "config"
SHIPPED = PROJECT / "feeds.toml"
TOKEN = "xoxb-12345-never-print-me"
APP_TOKEN = "xapp-1-A0-never-print-me"
WEBHOOK = "https://hooks.slack.com/services/T0/B0/never-print-me"


def lines_of(path: Path, error: ConfigError) -> list[str]:
    """The mistakes as printed, with the file's name alone."""
    return str(error).replace(f"{path.parent}/", "").splitlines()


def mistakes(path: Path, env: dict[str, str]) -> list[str]:
    """What loading says is wrong."""
    with pytest.raises(ConfigError) as caught:
        load(path, env)
    return lines_of(path, caught.value)


def attempt(path: Path, env: dict[str, str]) -> str:
    """What loading says is wrong; empty when nothing is. Anything but a ConfigError is a bug."""
    try:
        load(path, env)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.fixture
def write(tmp_path: Path):
    """Make a feeds.toml of these lines."""

    def write(*lines: str) -> Path:
        path = tmp_path / "feeds.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


@pytest.fixture
def minimal(write) -> Path:
    """The least that gives no warning."""
    return write(
        "[[watch]]",
        'name = "Ceasefire"',
        'terms = ["ceasefire"]',
        "[[feed]]",
        'name = "BBC"',
        'url = "https://feeds.bbci.co.uk/news/rss.xml"',
    )


# ------------------------------------------------------------------------------ what is right


SINKS = {
    "MONITOR_WEBHOOK_DESK_2_SECRET": f"whsec_{'A' * 32} whsec_{'B' * 32}",
    "MONITOR_APPRISE_MAIL": "mailto://robot:hush@example.org\n  tgram://token/chat",
}


def test_every_key_arrives_where_it_should():
    """A file with every key in it becomes the settings that it means."""
    settings = load(DATA / "good" / "full.toml", SINKS)
    assert settings.monitor.database == "postgresql://db.lan/monitor"
    assert settings.monitor.user_agent == f"monitor/{__version__} (+mailto:newsdesk@example.org)"
    assert (settings.monitor.log, settings.monitor.workers) == ("json", 4)
    assert settings.fetch == Fetch(
        timeout=timedelta(seconds=7.5),
        spacing=timedelta(0),
        max_feed=1_000_000,
        max_page=4096,
        allow=("wiki.lan", "10.20.0.0/16", "::1", "xn--mller-kva.example"),
        proxy="http://proxy.example:3128",
        page_attempts=3,
        robots=False,
    )
    assert settings.alerts.max_age is None
    assert settings.alerts.repeat_critical == timedelta(minutes=20)
    assert (settings.alerts.backfill, settings.alerts.flood) == (timedelta(days=2), 25)
    kept = settings.retention
    assert (kept.articles, kept.matched, kept.size) == (timedelta(days=45), None, 20 << 30)
    assert (settings.slack.channel, settings.slack.ops_channel) == ("#newsdesk", "C0123456789")
    assert not settings.slack.buttons
    assert str(settings.slack.heartbeat) == "Mon 09:00 Asia/Kolkata"
    assert (settings.web.enabled, settings.web.host, settings.web.port) == (False, "::1", 9090)
    assert settings.web.hosts == ("monitor", "monitor.lan")
    assert settings.web.public_url == "https://desk.example.org"
    assert settings.web.trusted_proxies == ("10.0.0.5", "fd00::/8")
    assert settings.web.auth_header == "X-Remote-User"
    assert settings.web.editable
    assert settings.watches == (
        Watch(
            name="युद्धविराम",
            terms=("युद्धविराम", "جنگ بندی", "Operation Sindoor"),
            channel="#south-asia",
            min_publishers=2,
            min_sides=1,
            escalate=Escalation(publishers=2, sides=1),
            notify=("U0123456789", "S456"),
            spike=SpikeRule(sensitivity="high", stories=3, cooldown=timedelta(minutes=90)),
        ),
        Watch(
            name="Ceasefire",
            terms=("ceasefire", "Operation Sindoor"),
            variants=(
                ("operation sindoor", ("ऑपरेशन सिंदूर", "آپریشن سندور")),
                ("ceasefire", ("truce",)),
            ),
            spike=SpikeRule(),
            priority="critical",
            quiet_hours=QuietHours(start=time(23), end=time(7, 30), zone="Asia/Kolkata"),
            digest=DigestTime(at=time(7), zone="Asia/Kolkata"),
        ),
        Watch(
            name="Water",
            query="# the treaty of 1960\n  Indus NEAR/5 (treaty OR संधि)\n  NOT title:cricket",
            variants=(("treaty", ("معاہدہ",)),),
            digest=DigestTime(at=time(6), zone="UTC", weekday=0),
            realtime=False,
        ),
        Watch(name="Elsewhere", terms=("truce",), channel="webhook:desk-2"),
        Watch(name="By mail", terms=("truce",), channel="apprise:mail"),
    )
    assert settings.resting == (Watch(name="Not now", terms=("treaty",)),)
    assert settings.feeds == (
        FeedSpec(
            url="https://www.dawn.com/feeds/home",
            name="Dawn",
            publisher="Dawn Media Group",
            side="pakistan",
            tier=1,
            language="en-pk",
            tags=("newspaper", "pakistan"),
        ),
        FeedSpec(
            url="https://feeds.bbci.co.uk/news/world/asia/rss.xml", name="BBC", publisher="BBC"
        ),
    )
    assert settings.polling == Polling(
        interval=timedelta(hours=1, minutes=30),
        budget=7.5,
        fastest=timedelta(seconds=45),
        slowest=timedelta(days=1),
        hint_cap=timedelta(minutes=20),
    )
    assert settings.cadence_of("https://www.dawn.com/feeds/home") == Cadence(
        interval=timedelta(seconds=90), fastest=timedelta(seconds=45), slowest=timedelta(days=1)
    )
    assert settings.cadence_of(settings.feeds[1].url) == Cadence(
        weight=3.0, fastest=timedelta(seconds=30), slowest=timedelta(hours=2)
    )
    said = [each.message.partition(": ")[2] for each in settings.warnings]
    assert [each.partition(" ")[0] for each in said] == ["public_url:", "quiet_hours:"]


def test_a_webhook_and_a_list_of_addresses_have_their_secrets_in_the_environment():
    """By the name after the colon; no secret is shown when the settings are."""
    settings = load(DATA / "good" / "full.toml", SINKS)
    [hook] = settings.webhooks
    assert (hook.name, hook.url) == ("desk-2", "https://hooks.example.org/monitor")
    assert {name: each.get_secret_value() for name, each in settings.sink_secrets.items()} == SINKS
    shown = repr(settings)
    assert "hush" not in shown
    assert "whsec_" not in shown
    assert "hooks.example.org" not in shown


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (['articles = "2d"'], "retention: articles: must be at least 30d"),
        (['articles = "off"'], ""),
        (['articles = "off"', 'matched = "off"'], ""),
        (['articles = "off"', 'matched = "90d"'], "retention: matched: what watches found"),
        (['articles = "900d"'], "retention: articles: what watches found"),
        (['matched = "60d"'], "retention: matched: what watches found"),
        (["size = 5"], "retention: size: must be from 64 MiB to"),
    ],
)
def test_what_watches_found_is_kept_as_long_as_all_else(write, lines, wrong):
    """And nothing goes so early that it would be told again."""
    said = attempt(write("[retention]", *lines), {})
    assert wrong in said if wrong else "retention" not in said


@pytest.mark.parametrize(
    ("env", "wrong"),
    [
        (
            {"MONITOR_WEBHOOK_DESK_2_SECRET": ""},
            (
                'webhook "desk-2": lacks its secret: set MONITOR_WEBHOOK_DESK_2_SECRET or '
                "MONITOR_WEBHOOK_DESK_2_SECRET_FILE in the environment"
            ),
        ),
        (
            {"MONITOR_WEBHOOK_DESK_2_SECRET": "hush"},
            (
                'webhook "desk-2": MONITOR_WEBHOOK_DESK_2_SECRET: must begin with whsec_, as '
                "echo whsec_$(openssl rand -base64 32) makes it"
            ),
        ),
        (
            {"MONITOR_WEBHOOK_DESK_2_SECRET": f"whsec_{'A' * 32} whsec_short"},
            (
                'webhook "desk-2": MONITOR_WEBHOOK_DESK_2_SECRET: must be whsec_ and 24 to 64 bytes '
                "in base64, as echo whsec_$(openssl rand -base64 32) makes it"
            ),
        ),
        (
            {"MONITOR_APPRISE_MAIL": ""},
            (
                'watch "By mail": channel: set MONITOR_APPRISE_MAIL or MONITOR_APPRISE_MAIL_FILE in '
                "the environment: its addresses for Apprise"
            ),
        ),
        (
            {"MONITOR_APPRISE_MAIL": "mailto://a:hush@b.example desk@example.org"},
            (
                'watch "By mail": channel: MONITOR_APPRISE_MAIL: address 2 of 2 must begin as '
                "mailto:// does"
            ),
        ),
    ],
)
def test_what_sinks_beside_slack_lack(env, wrong):
    """One sentence each, without what is secret."""
    with pytest.raises(ConfigError) as caught:
        load(DATA / "good" / "full.toml", SINKS | env)
    assert [mistake.message for mistake in caught.value.mistakes] == [wrong]
    assert "hush" not in str(caught.value)


def test_lists_that_nothing_leads_to_are_left_alone():
    """Kubernetes makes variables of the same form for a service that is called monitor-apprise."""
    env = {"MONITOR_APPRISE_PORT": "tcp", "MONITOR_APPRISE_SERVICE_HOST": "10.0.0.1"}
    assert load(DATA / "good" / "full.toml", SINKS | env).watches


def test_the_golden_file_names_every_key():
    """No key is added without a place in the golden file (and so in the test above)."""
    written = tomllib.loads((DATA / "good" / "full.toml").read_text(encoding="utf-8"))
    from monitor.config.models import SECTIONS, TABLES

    for name, model in SECTIONS.items():
        assert set(written[name]) == set(model.model_fields)
    for name, model in TABLES.items():
        assert {key for table in written[name] for key in table} == set(model.model_fields)


def test_settings_without_a_file_are_the_defaults(minimal):
    """`Settings()` is what a file that says nothing means."""
    settings = load(minimal, {})
    bare = Settings(
        watches=settings.watches, feeds=settings.feeds, watch_places=settings.watch_places
    )
    assert settings == bare
    assert bare.monitor.database == "sqlite:///data/monitor.db"
    assert bare.polling.interval == timedelta(minutes=5)
    assert bare.alerts.max_age == timedelta(hours=24)
    assert (bare.fetch.max_feed, bare.fetch.max_page) == (15 * 2**20, 2 * 2**20)
    assert bare.monitor.user_agent == f"monitor/{__version__}"


def test_code_may_set_times_that_an_operator_may_not():
    """A demonstration in fast time needs an interval below the floor."""
    assert Polling(interval=timedelta(seconds=1)).interval == timedelta(seconds=1)


def test_settings_do_not_change(minimal):
    """What was checked stays as it was."""
    settings = load(minimal, {})
    with pytest.raises(ValidationError):
        settings.web.port = 1


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path):
    """Some editors write them, and positions are those that an editor shows."""
    path = tmp_path / "feeds.toml"
    path.write_bytes(b"\xef\xbb\xbf[web]\r\nport = 80\r\nprot = 1\r\n")
    assert mistakes(path, {}) == [
        'feeds.toml:3:1: web: unknown key "prot"; did you mean "port"?',
    ]


# ------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize("path", sorted((DATA / "bad").glob("*.toml")), ids=lambda path: path.stem)
def test_every_mistake_is_told_at_once(path):
    """A folder of bad files, each beside the lines that it should give."""
    expected = path.with_suffix(".errors").read_text(encoding="utf-8").splitlines()
    assert mistakes(path, {}) == expected


@pytest.mark.parametrize("path", sorted((DATA / "odd").glob("*.toml")), ids=lambda path: path.stem)
def test_what_is_merely_odd_is_a_warning(path):
    """A folder of odd files, each beside its warnings."""
    expected = path.with_suffix(".warnings").read_text(encoding="utf-8").splitlines()
    found = load(path, {}).warnings
    assert [str(warning).replace(f"{path.parent}/", "") for warning in found] == expected


@pytest.mark.parametrize("given", ["https://desk.example.org", "https://desk.example.org/m/"])
def test_a_public_url_is_what_callbacks_begin_with(write, given):
    """A final slash is of no matter; a part of a site will do."""
    path = write("[web]", f'public_url = "{given}"')
    assert load(path, {}).web.public_url == given.rstrip("/")
    assert load(write("[web]"), {}).web.public_url is None


def test_no_message_speaks_of_python_or_pydantic():
    """The golden lines are for people who know neither."""
    for path in (DATA / "bad").glob("*.errors"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"pydantic|Input should|Value error|valid (string|integer)|None", text)
        assert "never-print-me" not in text


def test_a_mistake_in_a_query_is_found_where_it_stands(write):
    """In a text of several lines, in one with escapes, and with Windows line ends."""
    lines = ["[[watch]]", 'name = "W"', "query = '''", "ceasefire", "  AND title:", "'''"]
    assert mistakes(write(*lines), {})[0].startswith("feeds.toml:5:7: ")
    assert mistakes(write("\r\n".join(lines)), {})[0].startswith("feeds.toml:5:7: ")
    lines[2:] = [r'query = "\"a\tb\" \u0041ND (c"']
    assert mistakes(write(*lines), {})[0].startswith("feeds.toml:3:28: ")


@pytest.mark.parametrize(
    "line", ["query = 'truce OR \u0640\u0640?'", "terms = ['truce', ' \u0640?\u0640']"]
)
def test_what_could_never_be_found_is_a_mistake_before_anything_runs(write, line):
    """A wildcard on nothing but a stretched line: `check` says what a start would say."""
    [message, *_] = mistakes(write("[[watch]]", 'name = "W"', line), {})
    assert "has no word to look for" in message
    assert message.startswith("feeds.toml:3:19: " if "query" in line else "feeds.toml:3:21: ")


@given(query=st.text(alphabet='aé戦 \n()"*~/:-\\#=|ANDORTE5{}', max_size=30))
def test_a_query_is_read_alike_however_it_is_quoted(tmp_path_factory, query):
    """As an escaped text on one line or as it is between three quotes: the same or no query."""
    path = tmp_path_factory.getbasetemp() / "query.toml"
    head = '[[watch]]\nname = "W"\nquery = '
    path.write_text(head + toml_text(query), encoding="utf-8")
    escaped = attempt(path, {})
    path.write_text(f"{head}'''\n{query}'''\n", encoding="utf-8")
    plain = attempt(path, {})
    assert escaped.partition(": ")[2] == plain.partition(": ")[2]
    assert bool(escaped) == bool(plain)


def toml_text(text: str) -> str:
    """A text in quotes, every character escaped."""
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"\n'


def test_what_is_said_of_a_watch_has_its_place(write):
    """Of one that came from a file; any other has none."""
    settings = load(
        write("[[watch]]", 'name = "A"', 'terms = ["a b c"]', "  [[watch]]", "name = '  B '",
              "query = 'x y z'"), {}
    )  # fmt: skip
    assert str(settings.remark("B", "is odd")).endswith('feeds.toml:4:3: watch "B": is odd')
    assert str(Settings().remark("B", "is odd")) == 'watch "B": is odd'


def test_what_is_right_leaves_out_a_watch_with_a_mistake(write):
    """Those who look at a service get watches that can be compiled."""
    path = write(
        "[[watch]]", 'name = "A"', "query = '('",
        "[[watch]]", 'name = "B"', "query = 'b'", 'terms = ["b"]',
        "[[watch]]", 'name = "C"',
        "[[watch]]", 'name = "D"', "query = 'd'",
    )  # fmt: skip
    settings = load_what_is_right(path, {}).settings
    assert settings.watches == (Watch(name="D", query="d"),)


@pytest.mark.parametrize(
    "broken",
    [
        "name = BBC",
        'name = "BBC',
        'tags = ["a",',
        "[web]",
        "[monitor",
        "[monitor]\ndatabase = sqlite:///other.db",
    ],
)
def test_of_what_is_no_toml_the_rest_is_told(write, broken):
    """The sections beside it, and the lines beside it in its own."""
    path = write(
        "[web]", "port = 8123", "[monitor]", 'database = "sqlite:///mine.db"',
        "[[watch]]", 'name = "A"', "query = 'a'", "[[feed]]", 'url = "https://a.example/rss"',
        *broken.splitlines(), "[alerts]", 'max_age = "2h"',
    )  # fmt: skip
    assert mistakes(path, {})
    rest = load_what_is_right(path, {})
    assert (rest.is_whole, rest.is_database_known) == (False, True)
    settings = rest.settings
    assert (settings.web.port, settings.monitor.database) == (8123, "sqlite:///mine.db")
    assert settings.alerts.max_age == timedelta(hours=2)
    assert [watch.name for watch in settings.watches] == ["A"]


@pytest.mark.parametrize(
    ("lines", "env", "is_known"),
    [
        (["[monitor]", "database = sqlite:///mine.db"], {}, False),
        (["[monitor", 'database = "sqlite:///mine.db"'], {}, False),
        (["[monitor]", "databas"], {}, True),
        (
            ["[monitor]", "database = sqlite:///mine.db"],
            {"MONITOR_DATABASE_URL": "sqlite:///of-env.db"},
            True,
        ),
    ],
)
def test_a_database_that_cant_be_read_is_known_to_be_named(write, lines, env, is_known):
    """So that nobody takes the default one for it."""
    assert load_what_is_right(write(*lines), env).is_database_known == is_known


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[" * 5000, b"a = " + b"[" * 5000])
def test_what_holds_nothing_gives_defaults(tmp_path, content):
    """And no error."""
    path = tmp_path / "feeds.toml"
    path.write_bytes(content)
    rest = load_what_is_right(path, {})
    assert (rest.is_whole, rest.settings.web.port) == (False, 8080)


def test_a_missing_file_says_what_to_do(tmp_path):
    """Nobody needs a traceback for that."""
    assert mistakes(tmp_path / "feeds.toml", {}) == [
        "feeds.toml: there is no such file; create it, or say where it is: --config, or MONITOR_CONFIG"
    ]


def test_a_folder_in_the_place_of_the_file_says_so(tmp_path):
    """Docker makes one when it is told to mount a file that is not there."""
    folder = tmp_path / "feeds.toml"
    folder.mkdir()
    assert mistakes(folder, {}) == [
        "feeds.toml: is a folder, not a file; name the file itself: --config, or MONITOR_CONFIG"
    ]


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    """A link that leads to itself stands for all that the system may say (root may read all)."""
    loop = tmp_path / "feeds.toml"
    loop.symlink_to(loop)
    [line] = mistakes(loop, {})
    assert line.startswith("feeds.toml: the file can't be read: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("terms = " + "[" * 5000 + "]" * 5000, "lists or tables are nested too deeply"),
        ("port = " + "9" * 5000, "is not valid TOML: a number has too many digits"),
    ],
    ids=["deep", "long"],
)
def test_what_breaks_the_parser_is_a_mistake_too(write, text, message):
    """Not a RecursionError."""
    assert mistakes(write(text), {}) == [f"feeds.toml: {message}"]


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_settings_or_a_config_error(tmp_path_factory, content):
    """Nothing else ever comes out of `load`."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    attempt(path, {})


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(data=st.data())
def test_any_value_of_any_key_is_a_setting_or_a_config_error(tmp_path_factory, data):
    """Whatever stands behind a known key, the answer is a sentence."""
    from monitor.config.models import SECTIONS, TABLES

    section = data.draw(st.sampled_from([*SECTIONS, *TABLES]))
    model = {**SECTIONS, **TABLES}[section]
    key = data.draw(st.sampled_from(sorted(model.model_fields)))
    brackets = f"[[{section}]]" if section in TABLES else f"[{section}]"
    path = tmp_path_factory.getbasetemp() / "value.toml"
    path.write_text(f"{brackets}\n{key} = {toml(data.draw(json_like))}\n", encoding="utf-8")
    assert "Input should" not in attempt(path, {})


def toml(value: Any) -> str:
    """A value in TOML."""
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(char):08x}" for char in value if char.isascii()) + '"'
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            pairs = {toml(key): toml(item) for key, item in value.items()}
            return "{" + ", ".join(f"{key} = {item}" for key, item in pairs.items()) + "}"
        case _:
            return str(value)


# ------------------------------------------------------------------------------ the environment


def test_the_environment_wins_over_the_file(write):
    """Machines differ where the file is the same."""
    path = write("[web]", "port = 1", "[monitor]", 'log = "text"', 'database = "sqlite:///a.db"')
    settings = load(
        path,
        {
            "MONITOR_DATABASE_URL": "postgresql://user:secret@db/monitor",
            "MONITOR_LOG": "json",
            "MONITOR_WEB_HOST": "0.0.0.0",
            "MONITOR_WEB_PORT": "9000",
            "SLACK_API_URL": "http://127.0.0.1:9/api/",
            "SLACK_BOT_TOKEN": "",  # as compose leaves it
        },
    )
    assert settings.monitor.database == "postgresql://user:secret@db/monitor"
    assert settings.monitor.log == "json"
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 9000)
    assert settings.slack_api_url == "http://127.0.0.1:9/api/"
    assert settings.slack_token is None


def test_mistakes_of_the_environment_come_with_those_of_the_file(write):
    """All at once means all, and they name the variable."""
    path = write("[web]", "port = 1", 'prot = "x"')
    env = {
        "MONITOR_LOG": "jsno",
        "MONITOR_WEB_PORT": "http",
        "MONITOR_DATABASE_URL": "mysql://user:never-print-me@db/x",
        "SLACK_BOT_TOKEN": "xoxp-never-print-me",
        "SLACK_APP_TOKEN": "xoxb-never-print-me",
        "SLACK_WEBHOOK_URL": "hooks.slack.com/never-print-me",
        "SLACK_API_URL": "localhost",
    }
    assert mistakes(path, env) == [
        (
            "SLACK_BOT_TOKEN: is a user token; a bot token starts with xoxb- and is under"
            " OAuth & Permissions on your app's page"
        ),
        (
            "SLACK_APP_TOKEN: is a bot token, meant for SLACK_BOT_TOKEN; one starts with xapp- and"
            " is made under Basic Information on your app's page, with the scope connections:write"
        ),
        "SLACK_WEBHOOK_URL: must start with http:// or https://",
        "SLACK_API_URL: must start with http:// or https://",
        (
            "MONITOR_DATABASE_URL: must be sqlite:/// and a file,"
            " or postgresql://user:password@host/name"
        ),
        'MONITOR_LOG: must be "auto", "json" or "text"; did you mean "json"?',
        "MONITOR_WEB_PORT: must be a whole number, not text",
        'feeds.toml:3:1: web: unknown key "prot"; did you mean "port"?',
    ]


def test_a_broken_file_does_not_hide_the_environments_mistakes(tmp_path):
    """Also when there is no file at all."""
    found = mistakes(tmp_path / "feeds.toml", {"SLACK_API_URL": "x"})
    assert [line.split(":")[0] for line in found] == ["SLACK_API_URL", "feeds.toml"]


def test_secrets_may_come_from_files(minimal, tmp_path):
    """As Docker and Kubernetes mount them: with a newline at the end."""
    env = {}
    for name, secret in (
        ("SLACK_BOT_TOKEN", TOKEN),
        ("SLACK_APP_TOKEN", APP_TOKEN),
        ("MONITOR_DATABASE_URL", "postgresql://u:p@db/m"),
    ):
        file = tmp_path / name
        file.write_text(f"{secret}\n", encoding="utf-8")
        env[f"{name}_FILE"] = str(file)
    minimal.write_text(
        minimal.read_text(encoding="utf-8") + '\n[slack]\nchannel = "#x"\n', encoding="utf-8"
    )
    settings = load(minimal, env)
    assert settings.slack_token is not None
    assert settings.slack_token.get_secret_value() == TOKEN
    assert settings.slack_app_token is not None
    assert settings.slack_app_token.get_secret_value() == APP_TOKEN
    assert settings.monitor.database == "postgresql://u:p@db/m"


def test_secret_files_that_give_nothing_are_mistakes(minimal, tmp_path):
    """Unset is a choice; set and unreadable is not."""
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    env = {
        "SLACK_BOT_TOKEN_FILE": f"{tmp_path}/missing",
        "SLACK_WEBHOOK_URL_FILE": f"{tmp_path}/empty",
        "MONITOR_DATABASE_URL_FILE": f"{tmp_path}/binary",
    }
    assert mistakes(minimal, env) == [
        "MONITOR_DATABASE_URL_FILE: binary does not hold text",
        "SLACK_BOT_TOKEN_FILE: missing can't be read: No such file or directory",
        "SLACK_WEBHOOK_URL_FILE: empty is empty",
    ]


def test_an_app_token_alone_is_of_no_use(minimal):
    """Without a bot there is nobody whose buttons could be pressed."""
    settings = load(minimal, {"SLACK_APP_TOKEN": APP_TOKEN})
    assert [str(warning) for warning in settings.warnings] == [
        "SLACK_APP_TOKEN: is not used, because there is no SLACK_BOT_TOKEN"
    ]


def test_a_secret_said_twice_is_a_mistake(minimal):
    """Which one counts would be a guess."""
    env = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_BOT_TOKEN_FILE": "/run/secrets/token"}
    assert mistakes(minimal, env) == [
        "SLACK_BOT_TOKEN: is set, and SLACK_BOT_TOKEN_FILE too; unset one"
    ]


def test_secrets_are_in_no_text_that_settings_give(minimal, caplog):
    """Not in their repr, not in a reload's lines, not in a log."""
    env = {
        "SLACK_WEBHOOK_URL": WEBHOOK,
        "MONITOR_DATABASE_URL": "postgresql://u:never-print-me@db/m",
    }
    settings = load(minimal, env)
    other = load(minimal, {"SLACK_WEBHOOK_URL": WEBHOOK + "2"})
    shown = [repr(settings), str(settings), *differences(settings, other), caplog.text]
    assert "never-print-me" not in " ".join(shown)
    assert settings.slack_webhook is not None
    assert settings.slack_webhook.get_secret_value() == WEBHOOK


@given(token=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=12))
def test_no_bad_token_is_ever_repeated(tmp_path_factory, token):
    """Whatever was put in the variable, the message does not hold it."""
    path = tmp_path_factory.getbasetemp() / "token.toml"
    path.write_text("[web]\n", encoding="utf-8")
    for variable in (
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_WEBHOOK_URL",
        "MONITOR_DATABASE_URL",
        "MONITOR_PROXY",
    ):
        assert "never-" not in attempt(path, {variable: f"never-{token}-print"})


def test_a_proxy_is_a_host_and_port_and_its_password_no_part_of_the_file(minimal):
    """From the file or from a secret; what is wrong is told without the value."""
    plain, secret = "http://proxy.example:3128", "http://ann:never-print-me@proxy.example:3128"
    assert load(minimal, {}).fetch.proxy is None
    proxied = minimal.with_name("proxied.toml")
    text = minimal.read_text(encoding="utf-8")
    proxied.write_text(f'{text}\n[fetch]\nproxy = "{plain}"\n', encoding="utf-8")
    settings = load(proxied, {})
    assert (settings.fetch.proxy, settings.warnings) == (plain, ())
    hidden = load(minimal, {"MONITOR_PROXY": secret})
    assert (hidden.fetch.proxy, hidden.warnings) == (secret, ())
    shown = [repr(hidden), *differences(settings, hidden), *differences(hidden, settings)]
    assert "never-print-me" not in " ".join(shown)
    assert "~ fetch.proxy" in shown
    proxied.write_text(f'{text}\n[fetch]\nproxy = "{secret}"\n', encoding="utf-8")
    [warning] = load(proxied, {}).warnings
    assert str(warning).endswith("MONITOR_PROXY or MONITOR_PROXY_FILE is its place")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("proxy.example:3128", "must start with http:// or https://"),
        ("socks5://proxy.example", "must start with http:// or https://"),
        ("http://proxy.example/pac", "must be a host and port alone"),
        ("http://a:p@ss@proxy.example", "write / @ : in a password as %2F %40 %3A"),
    ],
)
def test_what_is_no_proxy_is_a_mistake(minimal, value, message):
    """One sentence, without the value: it may hold a password."""
    [mistake] = mistakes(minimal, {"MONITOR_PROXY": value})
    assert mistake.startswith("MONITOR_PROXY: ")
    assert message in mistake
    assert value not in mistake


def test_a_watch_without_a_channel_needs_a_default_once_slack_is_set_up(minimal):
    """Otherwise its alerts would go nowhere, and nobody would know."""
    assert mistakes(minimal, {"SLACK_BOT_TOKEN": TOKEN}) == [
        (
            'feeds.toml:1:1: watch "Ceasefire": has no channel,'
            " and there is no channel below [slack] to fall back on"
        )
    ]
    assert load(minimal, {"SLACK_WEBHOOK_URL": WEBHOOK}).warnings == ()


def test_nobody_waits_for_more_than_the_feeds_can_bring(write):
    """A story would be held for ever, or never escalate; who confirms nothing does not count."""
    path = write(
        "[[watch]]",
        'name = "Ceasefire"',
        'terms = ["ceasefire"]',
        "min_publishers = 2",
        "min_sides = 2",
        "escalate = { publishers = 3, sides = 2 }",
        *(
            line
            for name, side, tier in (("A", "india", 1), ("B", "india", 2), ("C", "pakistan", 3))
            for line in (
                "[[feed]]",
                f'name = "{name}"',
                f'url = "https://{name}.example/"',
                f'side = "{side}"',
                f"tier = {tier}",
            )
        ),
    )
    assert [(each.line, each.message) for each in load(path, {}).warnings] == [
        (
            5,
            'watch "Ceasefire": min_sides: can\'t be met: the feeds have 1 side that counts',
        ),
        (6, 'watch "Ceasefire": escalate: can\'t be met: the feeds have 1 side that counts'),
        (
            6,
            'watch "Ceasefire": escalate: can\'t be met: the feeds have 2 publishers that count',
        ),
    ]


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        (
            ('quiet_hours = "23:00-07:00 UTC"', 'priority = "critical"'),
            'quiet_hours: hold nothing back: priority = "critical" tells at any hour',
        ),
        (
            ('notify = ["U0123456789"]', 'priority = "normal"'),
            'notify: names nobody without escalate or priority = "critical"',
        ),
        (('notify = ["U0123456789"]', "escalate = { publishers = 1 }"), None),
        (('notify = ["U0123456789"]', 'priority = "critical"'), None),
        (('quiet_hours = "23:00-07:00 UTC"', 'priority = "normal"'), None),
    ],
)
def test_a_key_that_does_nothing_is_told(write, keys, warning):
    """Whoever wrote it expects something of it."""
    feed = ("[[feed]]", 'name = "A"', 'url = "https://a.example/"')
    path = write("[[watch]]", 'name = "Truce"', 'terms = ["ceasefire"]', *keys, *feed)
    expected = [f'watch "Truce": {warning}'] if warning else []
    assert [each.message for each in load(path, {}).warnings] == expected


def test_a_webhook_has_one_channel_only(write):
    """A channel that can't be honoured is told; so is a webhook beside a token."""
    path = write(
        "[[watch]]",
        'name = "Ceasefire"',
        'terms = ["ceasefire"]',
        'channel = "#x"',
        "[[feed]]",
        'name = "BBC"',
        'url = "https://feeds.bbci.co.uk/news/rss.xml"',
    )
    [warning] = load(path, {"SLACK_WEBHOOK_URL": WEBHOOK}).warnings
    assert (warning.line, "one channel" in warning.message) == (4, True)
    [warning] = load(path, {"SLACK_WEBHOOK_URL": WEBHOOK, "SLACK_BOT_TOKEN": TOKEN}).warnings
    assert "SLACK_WEBHOOK_URL: is not used" in str(warning)


def test_a_misspelt_variable_is_told_but_not_those_of_kubernetes(minimal):
    """Kubernetes gives every pod MONITOR_PORT and the like for a service of that name."""
    env = {
        "MONITOR_DATABSE_URL": "x",
        "MONITOR_PORT": "tcp://10.0.0.1:8080",
        "MONITOR_SERVICE_HOST": "10.0.0.1",
        "MONITOR_CONFIG": "feeds.toml",
    }
    assert [str(warning) for warning in load(minimal, env).warnings] == [
        "MONITOR_DATABSE_URL: is not read; did you mean MONITOR_DATABASE_URL?"
    ]


def test_the_path_comes_from_the_environment_or_is_here():
    """MONITOR_CONFIG, else ./feeds.toml."""
    assert config_path_from({}) == Path("feeds.toml")
    assert config_path_from({"MONITOR_CONFIG": "/etc/monitor/a.toml"}) == Path(
        "/etc/monitor/a.toml"
    )
    assert config_path_from({"MONITOR_CONFIG": " "}) == Path("feeds.toml")


# ------------------------------------------------------------------------------ what changed


def test_a_reload_is_told_in_lines_for_people(write):
    """One line for each thing that came, went or changed; and what has to wait for a restart."""
    old = load(
        write(
            "[polling]",
            'interval = "5m"',
            "[fetch]",
            'allow = ["wiki.lan"]',
            "[[watch]]",
            'name = "Ceasefire"',
            'terms = ["ceasefire"]',
            "[[watch]]",
            'name = "Gone"',
            'terms = ["gone"]',
            *feed("A"),
            *feed("B"),
            *feed("W"),
            *feed("C"),
            *feed("D"),
            *feed("Same"),
            *feed("E"),
        ),
        {},
    )
    new = load(
        write(
            "[polling]",
            'interval = "10m"',
            "[alerts]",
            'max_age = "off"',
            "[fetch]",
            'max_page = "1MiB"',
            "[web]",
            "port = 9090",
            "[monitor]",
            'database = "sqlite:///new.db"',
            "[slack]",
            'channel = "#new"',
            "[[watch]]",
            'name = "Ceasefire"',
            'terms = ["ceasefire", "truce"]',
            "[[watch]]",
            'name = "New"',
            'terms = ["new"]',
            *feed("A", 'tags = ["x"]', 'side = "india"'),
            *feed("B", 'interval = "1h"'),
            *feed("W", "weight = 2"),
            *feed("Renamed", url="c", publisher="C"),
            *feed("D", url="moved"),
            *feed("Same"),
            *feed("F"),
        ),
        {"SLACK_API_URL": "http://127.0.0.1/"},
    )
    assert differences(old, new) == (
        "~ monitor.database (takes effect after a restart)",
        "~ polling.interval: 5m → 10m",
        "~ fetch.max_page: 2 MiB → 1 MiB",
        "~ fetch.allow: wiki.lan → none",
        "~ alerts.max_age: 1d → off",
        "~ slack.channel: none → #new",
        "~ web.port: 8080 → 9090 (takes effect after a restart)",
        "~ SLACK_API_URL (takes effect after a restart)",
        '- watch "Gone"',
        '~ watch "Ceasefire": terms + "truce"',
        '+ watch "New"',
        '- feed "E"',
        '~ feed "A": side, tags',
        '~ feed "B": interval',
        '~ feed "W": weight',
        '~ feed "Renamed": name (was "C")',
        '~ feed "D": url',
        '+ feed "F"',
    )
    assert differences(new, new) == ()


WATER = Watch(name="Water", query="Indus NEAR treaty", variants=(("treaty", ("pact",)),))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"query": "Indus AND treaty"}, "query"),
        ({"query": None, "terms": ("Indus",)}, "terms instead of a query"),
        ({"variants": ()}, 'variants of "treaty"'),
        ({"variants": (("treaty", ("pact", "संधि")), ("Indus", ("सिंधु",)))},
         'variants of "treaty", "Indus"'),
        ({"channel": "#water"}, "channel: default → #water"),
        ({"query": "Indus", "variants": ()}, 'query, variants of "treaty"'),
        ({"min_sides": 2, "notify": ("U123",)}, "min_sides, notify"),
    ],
)  # fmt: skip
def test_an_edit_of_a_watch_is_told(edit, said):
    """What of it is different now, in the words of the file."""
    before, after = (
        Settings(watches=(watch,)) for watch in (WATER, dataclasses.replace(WATER, **edit))
    )
    assert differences(before, after) == (f'~ watch "Water": {said}',)
    assert differences(before, before) == ()


def test_that_a_watch_rests_and_looks_again_is_told():
    """It is neither gone nor new."""
    looks, rests = Settings(watches=(WATER,)), Settings(resting=(WATER,))
    assert differences(looks, rests) == ('~ watch "Water": rests',)
    assert differences(rests, looks) == ('~ watch "Water": looks again',)
    assert differences(rests, Settings()) == ()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("a b", "a b c", 'terms + "c"'),
        ("a b", "b", 'terms - "a"'),
        ("a b", "b a", "terms in another order"),
        ("a", "b c d e f g", 'terms + "b", + "c", + "d", + "e", + "f" and 2 more'),
    ],
)
def test_the_terms_that_came_and_went_are_named(before, after, said):
    """A few of them."""
    old, new = (
        Settings(watches=(Watch(name="W", terms=tuple(terms.split())),))
        for terms in (before, after)
    )
    assert differences(old, new) == (f'~ watch "W": {said}',)


def test_a_query_in_the_place_of_terms_is_told():
    """Not as two fields of a program."""
    old, new = (
        Settings(watches=(Watch(name="Water", terms=("Indus",)),)),
        Settings(watches=(WATER,)),
    )
    assert differences(old, new) == (
        '~ watch "Water": a query instead of terms, variants of "treaty"',
    )


def feed(name: str, *more: str, url: str = "", publisher: str = "") -> list[str]:
    """A [[feed]]."""
    return [
        "[[feed]]",
        f'name = "{name}"',
        f'url = "https://example.org/{url or name.lower()}"',
        f'publisher = "{publisher or name}"',
        *more,
    ]


# ------------------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("hi", "hi"),
        ("pt-BR", "pt-br"),
        ("zh-Hant-TW", "zh-hant-tw"),
        ("es-419", "es-419"),
        ("sl-rozaj", "sl-rozaj"),
        ("de-1996", "de-1996"),
        ("fil", "fil"),
        ("ckb-IQ", "ckb-iq"),
    ],
)
def test_a_language_is_named_by_its_tag(written: str, tag: str) -> None:
    """With script, region and variants, as queries ask for it."""
    assert values.language(written) == tag


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("xx-yy-zz", "such as"),
        ("en-us-gb", "such as"),
        ("xx", "such as"),
        ("und", "such as"),
        ("qaa", "such as"),
        ("english-GB", 'mean "en-gb"'),
        ("e", "such as"),
        ("en-", "such as"),
        ("en_IN", "such as"),
        ("urdu", 'mean "ur"'),
        ("eng", 'mean "en"'),
        ("eng-GB", 'mean "en-gb"'),
        ("jp", 'mean "ja"'),
        ("in", 'mean "id"'),
    ],
)
def test_what_is_no_language_is_refused(written: str, said: str) -> None:
    """Nothing would ever be found by it."""
    with pytest.raises(values.Invalid, match="must be a language code") as caught:
        values.language(written)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https:// e.example", "has a space in its host: leave it out"),
        ("https://e.example /a", "has a space in its host: leave it out"),
        ("https://e .example?a=b", "has a space in its host: leave it out"),
        ("https://e.example/a b", "must not contain spaces; write them as %20"),
        ("https://e.example?a= b", "must not contain spaces; write them as %20"),
    ],
)
def test_a_space_in_a_url_is_left_out_or_escaped(written: str, said: str) -> None:
    """By where it stands: no host is found by %20."""
    with pytest.raises(values.Invalid) as caught:
        addresses.http_url(written)
    assert str(caught.value) == said


@given(seconds=st.integers(0, 10 * 7 * 86400))
def test_a_time_as_shown_reads_back(seconds):
    """`show_duration` writes what `duration` reads."""
    length = timedelta(seconds=seconds)
    read = values.duration(timedelta(0), timedelta(days=100))
    assert read(values.show_duration(length)) == length


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90s", 90), ("5m", 300), ("1h 30m", 5400), ("2D", 172800), ("1.5h", 5400), ("0", 0), (0, 0)],
)
def test_times_are_read_as_people_write_them(written, seconds):
    """With a unit, several units, spaces, any case; nought needs none."""
    read = values.duration(timedelta(0), timedelta(days=100))
    assert read(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "count"),
    [("15MB", 15_000_000), ("2 MiB", 2 * 2**20), ("1.5kib", 1536), (4096, 4096), ("4096", 4096)],
)
def test_sizes_are_read_as_people_write_them(written, count):
    """Decimal and binary units, or plain bytes."""
    assert values.size(0, 2**30)(written) == count


# ------------------------------------------------------------------------------ as shipped


def test_the_shipped_file_is_right():
    """No mistakes, no warnings, and what the README promises."""
    settings = load(SHIPPED, {})
    assert settings.warnings == ()
    terms, query = settings.watches
    assert terms.terms == ("ceasefire", "Kashmir", "Operation Sindoor")
    assert [term for term, _ in terms.variants] == list(terms.terms)
    assert query.query is not None
    assert len(settings.feeds) >= 25
    assert {spec.language for spec in settings.feeds} == {"en", "hi", "ur"}
    assert {spec.side for spec in settings.feeds} == {"india", "pakistan", None}
    assert all(spec.tags and spec.url.startswith("https://") for spec in settings.feeds)


def uncommented(*, examples: bool) -> str:
    """The shipped file with its defaults, or all that it shows, switched on."""
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    return "\n".join(
        line[2:]
        if re.match(r"# (\w+ += [\[\"\d]|\w+ += (true|false)|\[\[(watch|webhook)\]\])", line)
        and (examples or "for example" not in line)
        else line
        for line in lines
    )


def test_what_the_shipped_file_calls_a_default_is_one(tmp_path):
    """Taking away the # in front of a default changes nothing."""
    text = uncommented(examples=False)
    path = tmp_path / "feeds.toml"
    path.write_text(re.sub(r"\[\[watch\]\]\n.*?\n\n", "", text, flags=re.DOTALL), encoding="utf-8")
    shown = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(shown) >= {"monitor", "polling", "fetch", "alerts", "web"}
    settings = load(path, {})
    assert settings.model_copy(
        update={"watches": (), "watch_places": {}, "warnings": ()}
    ) == Settings(feeds=load(SHIPPED, {}).feeds)


def test_what_the_shipped_file_shows_as_an_example_works(tmp_path):
    """All of it at once: other scripts, channels, the contact."""
    path = tmp_path / "feeds.toml"
    path.write_text(uncommented(examples=True), encoding="utf-8")
    secrets = {
        "SLACK_BOT_TOKEN": TOKEN,
        "MONITOR_WEBHOOK_DESK_SECRET": f"whsec_{b64encode(bytes(32)).decode()}",
    }
    settings = load(path, secrets)
    [warned] = settings.warnings  # the examples are of one thing each
    assert warned.message.startswith('webhook "desk": leads nowhere as yet')
    assert len(settings.watches) == 4
    assert settings.slack.ops_channel == "#newsdesk-ops"
    assert settings.monitor.contact == "newsdesk@example.org"


def test_a_database_password_with_a_bare_at_sign_is_refused_and_not_shown():
    """What stands behind it would pass for the host, and hosts are shown in messages."""
    with pytest.raises(values.Invalid) as caught:
        addresses.database("postgresql://u:never@print-me@db/m")
    assert "%40" in str(caught.value)
    assert "print-me" not in str(caught.value)
    assert addresses.database("postgresql://u:a%40b@db/m") == "postgresql://u:a%40b@db/m"


# ------------------------------------------------------------------------------ who may read the page


LONG_ENOUGH = "0123456789abcdef"


def test_tokens_of_the_page_come_from_the_environment(minimal, tmp_path):
    """Or from files, as other secrets; none is shown when the settings are."""
    file = tmp_path / "token"
    file.write_text(f"{LONG_ENOUGH}\n", encoding="utf-8")
    settings = load(
        minimal, {"MONITOR_WEB_TOKEN_FILE": str(file), "MONITOR_WEB_READ_TOKEN": "r" * 16}
    )
    assert settings.web_token is not None
    assert settings.web_read_token is not None
    assert settings.web_token.get_secret_value() == LONG_ENOUGH
    assert settings.web_read_token.get_secret_value() == "r" * 16
    assert LONG_ENOUGH not in repr(settings)
    assert differences(load(minimal, {}), settings) == (
        "~ MONITOR_WEB_TOKEN (takes effect after a restart)",
        "~ MONITOR_WEB_READ_TOKEN (takes effect after a restart)",
    )


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            {"MONITOR_WEB_TOKEN": "too-short"},
            (
                "MONITOR_WEB_TOKEN: must have 16 characters or more, not 9: `openssl rand -hex 16` makes"
                " a good one"
            ),
        ),
        (
            {"MONITOR_WEB_TOKEN": "सोलह अक्षरों का टोकन"},
            "MONITOR_WEB_TOKEN: must be of letters, digits and signs of ASCII, without spaces",
        ),
        (
            {"MONITOR_WEB_READ_TOKEN": LONG_ENOUGH},
            "MONITOR_WEB_READ_TOKEN: opens the page to read; set MONITOR_WEB_TOKEN beside it",
        ),
        (
            {"MONITOR_WEB_TOKEN": LONG_ENOUGH, "MONITOR_WEB_READ_TOKEN": LONG_ENOUGH},
            (
                "MONITOR_WEB_READ_TOKEN: is the same as MONITOR_WEB_TOKEN, and so would change things,"
                " too"
            ),
        ),
    ],
)
def test_a_token_that_protects_nothing_is_a_mistake(minimal, env, said):
    """In one sentence that does not repeat it."""
    with pytest.raises(ConfigError) as caught:
        load(minimal, env)
    assert [str(each) for each in caught.value.mistakes] == [said]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['auth_header = "X-Remote-User"'], "needs trusted_proxies"),
        (['auth_header = "X Remote"', 'trusted_proxies = ["10.0.0.5"]'], "the name of a header"),
        (['trusted_proxies = ["proxy.lan"]'], "an address or a network"),
        (['trusted_proxies = ["10.0.0.5/8"]'], 'did you mean "10.0.0.0/8"'),
        (['trusted_proxies = "10.0.0.5"'], 'must be a list of strings, e.g. ["10.0.0.5"]'),
        (["trusted_proxies = [7]"], "must be text"),
        (['token = "0123456789abcdef"'], "is a secret and does not belong in this file"),
    ],
)
def test_proxies_are_trusted_by_their_addresses(write, lines, said):
    """Anybody can send a header, and names of the network can be forged."""
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(write("[web]", *lines), {})


@pytest.mark.parametrize(
    ("lines", "env", "warned"),
    [
        ([], {}, False),
        (['host = "localhost"'], {}, False),
        (['host = "::1"'], {}, False),
        (['host = "0.0.0.0"'], {}, True),
        (['host = "desk.lan"'], {}, True),
        ([], {"MONITOR_WEB_HOST": "0.0.0.0"}, True),
        (['host = "0.0.0.0"', "enabled = false"], {}, False),
        (['host = "0.0.0.0"'], {"MONITOR_WEB_TOKEN": LONG_ENOUGH}, False),
        (
            ['host = "0.0.0.0"', 'auth_header = "X-User"', 'trusted_proxies = ["10.0.0.5"]'],
            {},
            False,
        ),
    ],
)
def test_what_others_reach_wants_a_token(write, lines, env, warned):
    """Alerts matter more than the page: it is a warning, and the page stays closed."""
    warnings = [str(each) for each in load(write("[web]", *lines), env).warnings]
    assert any("MONITOR_WEB_TOKEN is not set" in each for each in warnings) is warned
