"""What documents and compose files say is to be typed for Docker fits those files."""

from __future__ import annotations

import functools
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
import yaml

from monitor import config
from monitor.cli import main
from monitor.config.environment import read_environment
from monitor.storage.address import read_address
from tests.test_project import DOCUMENTS, ROOT, docker_env

ALONE, SCALE = ROOT / "compose.yaml", ROOT / "compose.scale.yaml"
TAKES_VALUE = {"--env", "--file", "--tail", "--volume"}
FLAGS = {
    "build": set(),
    "down": set(),
    "logs": {"--tail"},
    "ps": {"--all"},
    "run": {"--env", "--rm", "--volume"},
    "stop": set(),
    "up": {"--build", "--detach", "--no-deps", "--wait"},
}
"""Those of docker compose that we use, as its manual has them."""


class Command(NamedTuple):
    place: str
    file: str | None  # by --file
    name: str
    flags: list[tuple[str, str]]
    rest: list[str]  # services, or one and what it is to run


def joined(text: str) -> str:
    """Without what breaks a command into lines."""
    return re.sub(r"\\\n\s*", "", text)


def setting_up(path: Path) -> list[str]:
    """The commands that a compose file begins with."""
    head = path.read_text("utf-8").partition("\nname:")[0]
    block = "\n".join(re.findall(r"^#     (.*)$", head, re.MULTILINE))
    return joined(block).splitlines()


def read(place: str, line: str) -> Command:
    """A line of a shell with `docker compose` in it."""
    words = shlex.split(line, comments=True)
    words = words[words.index("docker") + 2 :]
    flags: list[tuple[str, str]] = []
    file, name = None, ""
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            value = words.pop(0) if word in TAKES_VALUE else ""
            if word == "--file":
                file = value
            else:
                flags.append((word, value))
        elif not name:
            name = word
        else:
            return Command(place, file, name, flags, [word, *words])
    return Command(place, file, name, flags, [])


def commands() -> list[Command]:
    """All of them, with the place."""
    found = [
        read(path.name, line)
        for path in (ALONE, SCALE)
        for line in setting_up(path)
        if "docker compose" in line
    ]
    for path in DOCUMENTS:
        if path.name == "CHANGELOG.md":
            continue
        text = joined(path.read_text("utf-8"))
        shown = re.findall(r"`(docker compose [^`\n]+)`", text)
        shown += re.findall(r"^\s*(?:\$ )?((?:\w+=\S.*)?docker compose .*)$", text, re.MULTILINE)
        found += [read(path.name, line) for line in shown]
    return found


@functools.cache
def services(path: Path) -> dict[str, Any]:
    """Those of a compose file."""
    found = yaml.safe_load(path.read_text("utf-8"))["services"]
    assert isinstance(found, dict)
    return found


def test_there_are_commands() -> None:
    """The documents are read rightly."""
    names = {(each.place, each.name) for each in commands()}
    assert names >= {
        ("compose.scale.yaml", "up"),
        ("compose.yaml", "up"),
        ("production.md", "logs"),
        ("scaling.md", "run"),
        ("scaling.md", "up"),
        ("README.md", "up"),
    }


@pytest.mark.parametrize("command", commands(), ids=lambda each: f"{each.place}-{each.name}")
def test_a_command_names_what_there_is(command: Command) -> None:
    """Flags of compose, a file of ours, and a service in each file that may be meant."""
    assert command.name in FLAGS
    assert {name for name, _ in command.flags} <= FLAGS[command.name]
    if command.file is not None:
        assert (ROOT / command.file).exists()
    meant = {"scaling.md": [SCALE], "compose.scale.yaml": [SCALE]}.get(
        command.place, [ALONE, SCALE]
    )
    named = command.rest[:1] if command.name == "run" else command.rest
    for path in [ROOT / command.file] if command.file else meant:
        assert set(named) <= services(path).keys(), path.name


def test_an_upgrade_meets_every_service_of_ours() -> None:
    """One after the other, and PostgreSQL keeps running."""
    exchanged = [
        each.rest
        for each in commands()
        if each.place == "scaling.md" and ("--no-deps", "") in each.flags
    ]
    ours = [name for name, each in services(SCALE).items() if each["image"] == "monitor:latest"]
    assert exchanged == [[name] for name in ours]


@pytest.mark.parametrize("path", [ALONE, SCALE], ids=lambda each: each.name)
def test_what_a_file_begins_with_sets_it_up(path: Path, tmp_path: Path) -> None:
    """All but the start is typed: secrets are their owner's alone, and what is mounted is there."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    shutil.copyfile(ROOT / "feeds.toml", tmp_path / "feeds.toml")
    script = [line for line in setting_up(path) if not line.startswith("docker")]
    subprocess.run(
        ["bash", "-e", "-c", "umask 022\n" + "\n".join(script)],
        cwd=tmp_path,
        check=True,
        stdin=subprocess.DEVNULL,
    )

    def mode(name: str) -> int:
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    assert mode(".env") == 0o600
    said = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    content = yaml.safe_load(path.read_text("utf-8"))
    assert said.keys() <= {"COMPOSE_FILE"} | set(
        re.findall(r"\$\{(\w+):-", path.read_text("utf-8"))
    )
    assert said.get("COMPOSE_FILE", "compose.yaml") == path.name
    for each in content.get("secrets", {}).values():
        assert (tmp_path / each["file"]).stat().st_size > 30
    env = docker_env() | {"MONITOR_WEB_TOKEN": said["MONITOR_WEB_TOKEN"]}
    if path == SCALE:
        assert mode("secrets") == 0o700
        assert mode("secrets/postgres_password") == 0o600, "root reads it, in its container"
        assert mode("secrets/database_url") == 0o644, (
            "a mounted file keeps its mode: 10001 reads it"
        )
        password = (tmp_path / "secrets/postgres_password").read_text().strip()
        env |= {"MONITOR_DATABASE_URL": ""}
        env |= {"MONITOR_DATABASE_URL_FILE": str(tmp_path / "secrets/database_url")}
        url = config.load(tmp_path / "config/feeds.toml", env).monitor.database
        assert url == f"postgresql://monitor:{password}@postgres/monitor"
    else:
        assert config.load(tmp_path / "config/feeds.toml", env).warnings == ()


@pytest.mark.parametrize("path", [ALONE, SCALE], ids=lambda each: each.name)
def test_slack_s_token_has_its_place(path: Path, tmp_path: Path) -> None:
    """What is to be uncommented is a whole: variable, secret of every service, and its file."""
    text = path.read_text("utf-8")
    wanted = (
        r"^( *)# ( *(?:SLACK_BOT_TOKEN_FILE|secrets|- slack_bot_token|slack_bot_token|file):?.*)$"
    )
    content = yaml.safe_load(re.sub(wanted, r"\1\2", text, flags=re.MULTILINE))
    assert content["secrets"]["slack_bot_token"] == {"file": "./secrets/slack_bot_token"}
    token = tmp_path / "slack_bot_token"
    token.write_text("xoxb-1-abc\n", encoding="utf-8")
    for each in content["services"].values():
        if each["image"] != "monitor:latest":
            continue
        assert "slack_bot_token" in each["secrets"]
        named = each["environment"]["SLACK_BOT_TOKEN_FILE"]
        assert named == "/run/secrets/slack_bot_token"
    found = read_environment({"SLACK_BOT_TOKEN_FILE": str(token)})
    assert (found.slack_token is not None, found.mistakes) == (True, [])


def test_the_volume_s_database_is_copied_as_it_is_typed(
    sqlite_url: str,
    empty_postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the command that the documents type, with a database of ours in the place of each of its own."""
    [command] = [each for each in commands() if each.name == "run"]
    given = [value for name, value in command.flags if name == "--env"]
    alone = yaml.safe_load(ALONE.read_text("utf-8"))
    mounts = [value.split(":") for name, value in command.flags if name == "--volume"]
    assert mounts == [[f"{alone['name']}_data", "/from"]]
    assert "data" in alone["volumes"]
    assert "PGPASSWORD" in given, "by its name only: what is typed is seen by all"
    where = docker_env()["MONITOR_DATABASE_URL"].replace("/data/", "/from/")
    assert f"MONITOR_DATABASE_URL={where}" in given
    [_, *words] = command.rest
    url = read_address(words[words.index("--to") + 1]).url
    secret = sa.make_url("postgresql://monitor:hush@postgres/monitor")
    assert (url.username, url.host, url.database) == (secret.username, secret.host, secret.database)
    words[words.index("--to") + 1] = empty_postgres_url
    for name, value in services(SCALE)["worker"]["environment"].items():
        if name.startswith("MONITOR_DATABASE"):
            monkeypatch.setenv(name, value)
    for each in given:
        name, _, value = each.partition("=")
        monkeypatch.setenv(name, value or "hush" * (name == "PGPASSWORD"))
    monkeypatch.setenv("MONITOR_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("MONITOR_CONFIG", str(ROOT / "feeds.toml"))
    monkeypatch.setattr(sys, "argv", ["monitor", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code in {0, None}, said.err
    assert "copied and compared" in said.out
