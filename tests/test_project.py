"""The project's own papers: locks, image, compose file and documents say what the code does."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command

import monitor
from monitor import config
from monitor.cli import app
from monitor.config import environment
from monitor.config.models import SECTIONS, TABLES
from monitor.service import GRACE

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("alerts", "migrations", "monitor")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


# --------------------------------------------------------------------------- dependencies


def pins(lock: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize(
    ("declared", "lock"),
    [
        (PYPROJECT["project"]["dependencies"], "requirements.lock"),
        (PYPROJECT["dependency-groups"]["dev"], "requirements-dev.lock"),
    ],
    ids=["runtime", "dev"],
)
def test_every_dependency_is_locked_at_a_version_it_allows(declared: list[str], lock: str) -> None:
    """`make lock` was not forgotten after pyproject.toml changed."""
    locked = pins(lock)
    wrong = [
        text
        for text in declared
        if not (wanted := Requirement(text)).specifier.contains(
            locked.get(canonicalize_name(wanted.name), "none"), prereleases=True
        )
    ]
    assert wrong == []


def test_the_development_lock_holds_the_runtime_lock() -> None:
    """Tests run on the very versions that the service and its image run on."""
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_lock_entry_has_a_hash_and_no_host(lock: str) -> None:
    """A lock file works with any mirror, and whatever the mirror serves is checked."""
    text = (ROOT / lock).read_text()
    blocks = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_one_version_everywhere() -> None:
    """The package, its metadata and the changelog agree on what this is."""
    version = PYPROJECT["project"]["version"]
    assert monitor.__version__ == version
    assert re.search(
        rf"^## \[?{re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """Templates, styles, migrations and the demo's newsroom are there after an installation."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        assert expected - set(archive.namelist()) == set()


# --------------------------------------------------------------------------- make


def make_targets() -> set[str]:
    """What `make help` lists."""
    done = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(re.findall(r"^\s+make (\S+)", done.stdout, re.MULTILINE))


def test_make_alone_is_help_and_knows_every_target_that_a_document_names() -> None:
    """Nobody is sent to a target that is not there."""
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", document.read_text())
    }
    assert {"run", "test"} <= named
    assert named - make_targets() == set()


def test_make_help_lists_every_public_target() -> None:
    """A target without a description would be one that nobody finds."""
    phony = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {name for names in phony for name in names.split()} == make_targets()


@pytest.mark.parametrize("script", ["tools/venv", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    """They are executable, and the shell can read them."""
    assert os.access(ROOT / script, os.X_OK)
    shell = "bash" if "bash" in (ROOT / script).read_text().splitlines()[0] else "sh"
    subprocess.run([shell, "-n", ROOT / script], check=True)


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """No half-made .venv and no traceback: what is needed, and how to name it."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "venv", tmp_path / "tools" / "venv")
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [tmp_path / "tools" / "venv", "requirements.lock"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(old)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_pre_commit_runs_nothing_from_elsewhere() -> None:
    """Its hooks are the project's own tools, at the versions that the lock pins."""
    file = ROOT / ".pre-commit-config.yaml"
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-config", file], check=True)
    repos = yaml.safe_load(file.read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    programs = {hook["entry"].split()[0] for repo in repos for hook in repo["hooks"]}
    own = {Path(program).name for program in programs if program.startswith(".venv/bin/")}
    assert {name for name in own if not (Path(sys.executable).parent / name).exists()} == set()


# --------------------------------------------------------------------------- the container


def docker_env() -> dict[str, str]:
    """The variables that the image sets."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    last_stage = text.rsplit("\nFROM ", 1)[1]
    lines = re.findall(r"^ENV (.+)$", last_stage, re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def test_the_image_has_the_settings_that_its_dockerfile_means() -> None:
    """The shipped feeds.toml under the image's environment: no mistake, no odd variable."""
    settings = config.load(ROOT / "feeds.toml", docker_env() | {"MONITOR_WEB_TOKEN": "x" * 32})
    assert settings.monitor.database == "sqlite:////data/monitor.db"
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", 8080)
    assert settings.warnings == ()


def test_every_variable_that_is_named_is_one_that_is_read() -> None:
    """The image, the compose file and the documents spell the variables as the code does."""
    sources = [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "feeds.toml", *DOCUMENTS]
    named = {
        name
        for source in sources
        for name in re.findall(r"\b(?:MONITOR|SLACK)_[A-Z_]*[A-Z]\b", source.read_text())
    }
    tests_only = {"MONITOR_CORPUS"}
    of_sinks = {name for name in named if environment._OF_SINK.fullmatch(name)}
    assert named - tests_only - of_sinks - set(environment._KNOWN) == set()


def test_the_image_copies_only_what_its_ignore_file_lets_through() -> None:
    """A file that the Dockerfile copies but .dockerignore hides would break only the build."""
    ignore = (ROOT / ".dockerignore").read_text().split()
    assert "*" in ignore
    copied = {
        source
        for arguments in re.findall(r"^COPY (?!--from)(.+)$", dockerfile(), re.MULTILINE)
        for source in arguments.split()[:-1]
    }
    assert {f"!{source}" for source in copied} - set(ignore) == set()


def dockerfile() -> str:
    """The Dockerfile's text."""
    return (ROOT / "Dockerfile").read_text()


def test_the_build_backend_comes_whole_from_the_lock() -> None:
    """Every name that the Dockerfile cuts out of the development lock is in it."""
    match = re.search(r"on = /\^\(([^)]+)\)==/", dockerfile())
    assert match is not None
    assert set(match[1].split("|")) <= pins("requirements-dev.lock").keys()


def test_the_image_is_no_root_and_takes_signals_itself() -> None:
    """A numeric user, and the program itself as the first process: no shell in between."""
    assert re.search(r"^USER 10001:10001$", dockerfile(), re.MULTILINE)
    for instruction in ("ENTRYPOINT", "CMD"):
        assert re.search(rf"^\s*{instruction} \[", dockerfile(), re.MULTILINE)


def test_the_dockerfile_is_clean() -> None:
    """Hadolint finds nothing, where it is installed."""
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.exists():
        pytest.skip("no hadolint in .venv")
    done = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], check=False, capture_output=True, text=True
    )
    assert done.stdout == ""


def compose_service() -> dict[str, Any]:
    """The one service of the compose file."""
    (service,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].values()
    return service


def test_compose_publishes_to_this_machine_only() -> None:
    """The page has no login: nobody opens it to a network by accident."""
    assert [port.split(":")[0] for port in compose_service()["ports"]] == ["127.0.0.1"]


def test_compose_gives_the_container_no_more_than_it_needs() -> None:
    """No writable root, no capabilities, no new privileges, and never the engine's socket."""
    service = compose_service()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "docker.sock" not in str(service)


def test_compose_waits_longer_than_a_stop_takes() -> None:
    """What is in flight may end before the engine kills it."""
    grace = float(compose_service()["stop_grace_period"].removesuffix("s"))
    assert grace >= GRACE + 10


# --------------------------------------------------------------------------- documents


def test_every_relative_link_of_a_document_leads_somewhere() -> None:
    """Files and pictures that a document points to are there."""
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


def headings(document: Path) -> set[str]:
    """Those of a document, as a link calls them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_every_link_to_a_heading_finds_it() -> None:
    """In its own document, or in another; alert rules point to theirs, too."""
    places = [
        (ROOT / "README.md", ROOT / "deploy" / "prometheus" / "rules.yaml", r"runbook: (\S+)")
    ]
    places += [(document, document, r"\]\(([^)\s]*#[^)\s]+)\)") for document in DOCUMENTS]
    broken = [
        f"{source.relative_to(ROOT)}: {target}"
        for base, source, pattern in places
        for target in re.findall(pattern, source.read_text())
        for file, _, heading in [target.partition("#")]
        if "://" not in target and heading not in headings(base.parent / file if file else source)
    ]
    assert broken == []


def test_the_file_that_ships_shows_every_key() -> None:
    """Set, commented out, or in the list above its section."""
    shown = (ROOT / "feeds.toml").read_text()
    keys = {
        (section, field.alias or name)
        for section, model in {**SECTIONS, **TABLES}.items()
        for name, field in model.model_fields.items()
    }
    sections = set(re.findall(r"^(?:# )?\[+(\w+)\]+(?: +# .*)?$", shown, re.MULTILINE))
    assert sections == {section for section, _ in keys}
    missing = {
        (section, key)
        for section, key in keys
        if not re.search(rf"^#? *{key}\b", shown, re.MULTILINE)
    }
    assert missing == set()


def test_the_readme_names_every_command_and_no_other() -> None:
    """`monitor x` in a document is a command that there is, and README's table is complete."""
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = {
        command
        for document in DOCUMENTS
        for command in re.findall(r"(?:`|\$ )monitor ([a-z]+)\b", document.read_text())
    }
    assert named - commands == set()
    table = re.findall(r"^\| `monitor ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(table) == commands


# --------------------------------------------------------------------------- the house rules


def uses(names: set[str]) -> Iterator[str]:
    """Which modules of monitor mention one of these dotted names, or call one."""
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        tree = ast.parse(path.read_text())
        said = (
            ast.unparse(node.func if isinstance(node, ast.Call) else node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute | ast.Call)
        )
        if not names.isdisjoint(said):
            yield path.relative_to(ROOT / "monitor").with_suffix("").as_posix()


def test_only_the_clock_knows_the_time() -> None:
    """Everything else is told the time, so that a test can say what it is.

    The scheduler is driven by APScheduler, which runs on the machine's time; the demo's clock is
    the machine's, sped up, and its Slack has a clock of its own, as Slack has.
    """
    time = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "time.monotonic"}
    assert set(uses(time)) - {"clock", "scheduler", "demo/play", "demo/slack/server"} == set()


def test_the_environment_is_handed_over_in_one_place() -> None:
    """`monitor.config` is given it by the command line; nobody else looks."""
    found = set(uses({"os.environ", "os.getenv"}))
    assert {module for module in found if not module.startswith("cli/")} == {"__main__"}


def test_only_the_service_constructs() -> None:
    """What has connections, files or processes: others are handed it, or ask the service for it."""
    made = {"HttpFetcher", "PoliteFetcher", "ProcessPool", "SqlStore", "SqlReports", "LocalEngine"}
    assert set(uses(made)) == {"service", "opening"}
