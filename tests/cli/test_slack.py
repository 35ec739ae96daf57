"""`monitor slack manifest` and `monitor doctor` as they are typed, at the double's Slack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from alerts.blocks import to_blocks
from alerts.slack import INTERACTIVE_SCOPES, SCOPES
from monitor.cli import main
from monitor.cli.examine import clock_against, sample, spread
from monitor.demo.slack import SlackDouble, message_error
from monitor.model import FeedSpec
from tests.webserver import Reply, WebServer, running

NOW = datetime(2025, 5, 10, 12, tzinfo=UTC)
RSS = '<rss version="2.0"><channel><title>The Post</title></channel></rss>'
CONFIG = """
[monitor]
database = "sqlite:///monitor.db"
[fetch]
allow = ["127.0.0.0/8"]
[slack]
channel = "#newsdesk"
ops_channel = "#ops"
[[watch]]
name = "Truce"
terms = ["ceasefire"]
[[feed]]
name = "The Post"
url = "{}"
"""


class Desk:
    """A folder with a configuration, a server of feeds, and a Slack."""

    def __init__(
        self,
        folder: Path,
        server: WebServer,
        slack: SlackDouble,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.folder, self.server, self.slack = folder, server, slack
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.configure(CONFIG.format(server.url("/rss.xml")))
        self.environ(SLACK_BOT_TOKEN=slack.token, SLACK_API_URL=slack.url)
        monkeypatch.chdir(folder)

    def configure(self, text: str) -> None:
        (self.folder / "feeds.toml").write_text(text, encoding="utf-8")

    def environ(self, **values: str) -> None:
        for name, value in values.items():
            self._monkeypatch.setenv(name, value)

    def monitor(self, *args: str) -> tuple[int, str, str]:
        """The exit code, and what is printed on both streams."""
        self._monkeypatch.setattr("sys.argv", ["monitor", *args])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *self._capsys.readouterr()

    def doctor(self) -> tuple[int, dict[str, str]]:
        """The exit code, and what it says of each thing, with its sign."""
        code, out, _ = self.monitor("doctor")
        rows = (line.partition(": ") for line in out.splitlines())
        return code, {row[0][2:]: f"{row[0][0]} {row[2]}" for row in rows}


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """At work, and all is well but that there is no app token."""
    slack = SlackDouble(scopes=(*SCOPES, *INTERACTIVE_SCOPES))
    slack.add_channel("newsdesk")
    slack.add_channel("ops")
    for name in ("SLACK_APP_TOKEN", "SLACK_WEBHOOK_URL", "MONITOR_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with running(WebServer()) as server, running(slack):
        server.route("/rss.xml", Reply(RSS, headers={"Content-Type": "application/rss+xml"}))
        yield Desk(tmp_path, server, slack, monkeypatch, capsys)


def test_the_manifest_is_printed_to_be_piped(desk: Desk) -> None:
    """YAML alone on standard output; the link beside it."""
    code, out, beside = desk.monitor("slack", "manifest", "--interactive")
    assert code == 0
    app = yaml.safe_load(out)
    assert app["oauth_config"]["scopes"]["bot"] == [*SCOPES, *INTERACTIVE_SCOPES]
    link = next(line for line in beside.splitlines() if line.startswith("https://"))
    assert json.loads(unquote(link.partition("manifest_json=")[2])) == app
    _, plain, _ = desk.monitor("slack", "manifest")
    assert "socket_mode_enabled: false" in plain


def test_all_is_well(desk: Desk) -> None:
    """A line each; what is not in use is neither right nor wrong."""
    desk.monitor("db", "upgrade")
    code, found = desk.doctor()
    assert code == 0
    assert {subject: said[0] for subject, said in found.items()} == {
        "configuration": "✓",
        "database": "✓",
        "token": "✓",
        "scopes": "✓",
        "#newsdesk": "✓",
        "#ops": "✓",
        "clock": "✓",
        "blocks": "✓",
        "app token": "–",
        "The Post": "✓",
    }
    code, out, _ = desk.monitor("doctor", "--json")
    signs = {True: "✓", False: "✗", None: "–"}
    told = {
        each["subject"]: f"{signs[each['is_right']]} {each['said']}" for each in json.loads(out)
    }
    assert (code, told.keys()) == (0, found.keys())
    assert told["token"] == found["token"]


def test_everything_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    """With what to do about it."""
    desk.slack.scopes = ("chat:write", "channels:read", "groups:read")
    desk.slack.change_channel("newsdesk", member=False)
    desk.slack.change_channel("ops", private=True, member=False)
    desk.environ(SLACK_APP_TOKEN="xapp-1-wrong")
    desk.server.route("/rss.xml", Reply("", status=404))
    code, found = desk.doctor()
    assert code == 1
    assert found["database"] == "– is not there yet: `monitor run` makes it"
    assert found["scopes"].startswith("✗ lacks chat:write.public, channels:history")
    assert "users:read" in found["scopes"]
    assert found["#newsdesk"].startswith("✗ can be posted to, but not read")
    assert found["#ops"].startswith("✗ misspelt")
    assert found["app token"].startswith("✗ invalid_auth")
    assert found["The Post"].startswith("✗ http://127.0.0.1")


def test_of_channels_nothing_is_said_where_they_can_not_be_looked_at(desk: Desk) -> None:
    """The scopes for it are missing: that is what is wrong, not the token."""
    desk.slack.scopes = tuple(each for each in SCOPES if each != "groups:read")
    code, found = desk.doctor()
    assert code == 1
    assert found["scopes"].startswith("✗ lacks groups:read: bring the app")
    assert found["token"].startswith("✓")
    assert not [subject for subject in found if subject.startswith("#")]


def test_only_channels_that_something_leads_to_are_looked_at(desk: Desk) -> None:
    """Where every watch has a channel of its own there is no default one."""
    text = (desk.folder / "feeds.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[[watch]]")
    channels = [line for line in head.splitlines() if line.startswith(("channel", "ops_channel"))]
    for line in channels:
        head = head.replace(f"{line}\n", "")
    desk.configure(f'{head}[[watch]]\nchannel = "#newsdesk"{rest}')
    code, found = desk.doctor()
    assert code == 0, found
    assert "terminal" not in found


def test_a_token_that_slack_does_not_know_is_said_once(desk: Desk) -> None:
    """Nothing else can be asked then; the app token can."""
    desk.environ(SLACK_BOT_TOKEN="xoxb-1-other", SLACK_APP_TOKEN=desk.slack.app_token)
    code, found = desk.doctor()
    assert code == 1
    assert found["token"].startswith("✗ invalid_auth: Slack does not know this token")
    assert "scopes" not in found
    assert found["app token"] == "✓ buttons and /monitor are heard"


def test_without_slack_there_is_nothing_to_check(desk: Desk) -> None:
    """Alerts are printed."""
    desk.environ(SLACK_BOT_TOKEN="")
    code, found = desk.doctor()
    assert code == 0
    assert found["console"].startswith("– no SLACK_BOT_TOKEN is set")


def test_of_a_webhook_it_is_said_what_it_can_not_do(desk: Desk) -> None:
    """Nothing can be asked of it, and it is no bot."""
    desk.environ(SLACK_BOT_TOKEN="", SLACK_WEBHOOK_URL="https://hooks.slack.com/services/T/B/x")
    code, found = desk.doctor()
    assert code == 0
    for word in ("posting", "edit", "threads", "look what arrived"):
        assert word in found["webhook"]
    assert "can't edit them" in desk.monitor("check")[1]


def test_mistakes_of_the_configuration_are_lines_too(desk: Desk) -> None:
    """What is right in it is still checked."""
    desk.configure(CONFIG.format(desk.server.url("/rss.xml")) + "[web]\nprot = 1\n")
    code, out, _ = desk.monitor("doctor")
    assert code == 2
    assert "✗ configuration: feeds.toml:" in out
    assert "✓ The Post" in out


@pytest.mark.parametrize("fault", ["error:unknown_method", "500", "drop_before"])
def test_blocks_validate_may_be_out_of_reach(desk: Desk, fault: str) -> None:
    """Then nothing is said about blocks."""
    desk.slack.script("blocks.validate", fault)
    code, found = desk.doctor()
    assert (code, found["blocks"][0]) == (0, "–")


def test_slack_says_what_is_wrong_with_blocks(desk: Desk) -> None:
    """A rule of theirs that changed."""
    desk.slack.script("blocks.validate", "error:invalid_blocks")
    assert desk.doctor()[1]["blocks"] == "✗ Slack would refuse an alert: invalid_blocks"


# ------------------------------------------------------------------------------ pure


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "agrees with Slack's"),
        (-30, "agrees with Slack's"),
        (95, "95 s ahead of Slack's: set it (NTP)"),
        (-3600, "3600 s behind Slack's: set it (NTP)"),
    ],
)
def test_a_clock_that_is_wrong_is_found_out(seconds: int, said: str) -> None:
    """More than half a minute."""
    finding = clock_against(NOW, NOW + timedelta(seconds=seconds))
    assert (finding.said, finding.is_right) == (said, "NTP" not in said)


def test_a_few_feeds_are_spread_over_all() -> None:
    """The first of each fifth."""
    feeds = [FeedSpec(url=f"https://x/{n}", name=str(n), publisher="") for n in range(44)]
    assert [feed.name for feed in spread(feeds, 5)] == ["0", "8", "17", "26", "35"]
    assert spread(feeds[:3], 5) == feeds[:3]


def test_the_sample_has_all_that_an_alert_can_have() -> None:
    """Buttons too, and the double takes it."""
    rendered = to_blocks(sample(NOW))
    assert {block["type"] for block in rendered.blocks} == {"rich_text", "context", "actions"}
    assert message_error({"text": rendered.text, "blocks": rendered.blocks}) is None


def test_a_channel_is_tried_step_by_step(desk: Desk) -> None:
    """A message, an answer below it, found by its id, and edited: it says that it was a test."""
    code, out, _ = desk.monitor("slack", "test")
    assert (code, [line[0] for line in out.splitlines()]) == (0, ["✓"] * 4)
    shown = json.dumps([dict(each) for each in desk.slack.messages("newsdesk")], default=str)
    assert "A test of monitor" in shown
    assert "The test is over." in shown
    code, out, _ = desk.monitor("slack", "test", "#ops", "--json")
    assert [each["subject"] for each in json.loads(out)] == ["post", "answer", "find", "edit"]


def test_what_a_channel_lacks_is_said(desk: Desk) -> None:
    """The scope by its name, or that it is not there; nothing more is tried then."""
    code, out, _ = desk.monitor("slack", "test", "#nowhere")
    assert code == 1
    assert out.startswith("✗ post: channel_not_found")
    assert len(out.splitlines()) == 1
    desk.slack.scopes = tuple(each for each in SCOPES if "history" not in each)
    code, out, _ = desk.monitor("slack", "test")
    assert code == 1
    [line] = [each for each in out.splitlines() if each.startswith("✗")]
    assert "find: missing_scope" in line
    assert "channels:history" in line
    assert "`monitor slack manifest`" in line


def test_without_slack_it_is_said_where_alerts_go(desk: Desk) -> None:
    """Nothing is wrong with that."""
    desk.environ(SLACK_BOT_TOKEN="")
    code, out, _ = desk.monitor("slack", "test")
    assert (code, out.splitlines()) == (
        0,
        ["– post: alerts are printed where monitor runs: set SLACK_BOT_TOKEN for Slack"],
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_ask(desk: Desk, shell: str) -> None:
    """Its script is printed whole, and asks this program."""
    code, out, _ = desk.monitor("completion", shell)
    assert code == 0
    assert "_MONITOR_COMPLETE" in out
    code, _, wrong = desk.monitor("completion", "tcsh")
    assert code == 2
    assert "tcsh" in wrong


def test_the_shell_is_answered(desk: Desk) -> None:
    """What could stand at the end of what was typed."""
    desk.environ(_MONITOR_COMPLETE="complete_bash", COMP_WORDS="monitor db ", COMP_CWORD="2")
    _, out, _ = desk.monitor()
    assert set(out.split()) >= {"upgrade", "backup", "prune"}
