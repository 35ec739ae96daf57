"""What the environment says: the secrets, and a few settings that depend on the machine.

A secret NAME may instead stand in a file that NAME_FILE names, as Docker and Kubernetes mount
them. No message from here repeats a value.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from monitor.config import addresses
from monitor.config.positions import KeyPath
from monitor.errors import Mistake, is_exhaustion

CONFIG = "MONITOR_CONFIG"

_OVERRIDES: Mapping[str, KeyPath] = {
    "MONITOR_LOG": ("monitor", "log"),
    "MONITOR_WEB_HOST": ("web", "host"),
    "MONITOR_WEB_PORT": ("web", "port"),
}
_SECRET_OVERRIDES: Mapping[str, KeyPath] = {  # may hold a password
    "MONITOR_DATABASE_URL": ("monitor", "database"),
    "MONITOR_PROXY": ("fetch", "proxy"),
}
_WEB_TOKENS = ("MONITOR_WEB_TOKEN", "MONITOR_WEB_READ_TOKEN")
_SECRETS = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_WEBHOOK_URL",
    *_WEB_TOKENS,
    *_SECRET_OVERRIDES,
)
_OF_SINK = re.compile(r"MONITOR_(WEBHOOK_[A-Z0-9_]+_SECRET|APPRISE_[A-Z0-9_]+)(_FILE)?")
"""Secrets of sinks beside Slack; the middle is the sink's name."""
_KNOWN = (
    CONFIG,
    "SLACK_API_URL",
    *_OVERRIDES,
    *_SECRETS,
    *(f"{name}_FILE" for name in _SECRETS),
)


def config_path_from(env: Mapping[str, str]) -> Path:
    """The configuration's path: MONITOR_CONFIG, else `feeds.toml` here."""
    return Path(env.get(CONFIG, "").strip() or "feeds.toml")


@dataclass(slots=True)
class Environment:
    """The environment, read; what is wrong with it is in `mistakes`."""

    slack_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_webhook: SecretStr | None = None
    slack_api_url: str | None = None
    web_token: SecretStr | None = None
    web_read_token: SecretStr | None = None
    sink_secrets: dict[str, SecretStr] = field(default_factory=dict)
    """Of sinks beside Slack, by variable, whether anything leads to them or not."""
    overrides: dict[KeyPath, tuple[str, object]] = field(default_factory=dict)
    """Values that win over the file's, each with the variable it came from."""
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)


def read_environment(env: Mapping[str, str]) -> Environment:
    """Everything that the variables say. Empty ones count as not set, as compose sets them."""
    found = Environment()
    for variable, path in _OVERRIDES.items():
        if value := env.get(variable, "").strip():
            number = value.isdecimal() and path == ("web", "port")
            found.overrides[path] = (variable, int(value) if number else value)
    for name, path in _SECRET_OVERRIDES.items():
        variable, url = _secret(env, name, found)
        if url:
            found.overrides[path] = (variable, url)
    found.slack_token = _token(*_secret(env, "SLACK_BOT_TOKEN", found), found)
    found.slack_app_token = _app_token(*_secret(env, "SLACK_APP_TOKEN", found), found)
    found.slack_webhook = _webhook(*_secret(env, "SLACK_WEBHOOK_URL", found), found)
    found.slack_api_url = _api_url(env.get("SLACK_API_URL", "").strip(), found)
    found.web_token, found.web_read_token = _web_tokens(env, found)
    for name in sorted({each.removesuffix("_FILE") for each in env if _OF_SINK.fullmatch(each)}):
        if secret := _secret(env, name, found)[1]:
            found.sink_secrets[name] = SecretStr(secret)
    if found.slack_token and found.slack_webhook:
        found.warnings.append(
            Mistake("SLACK_WEBHOOK_URL: is not used, because SLACK_BOT_TOKEN is set too")
        )
    if found.slack_app_token and not found.slack_token:
        found.warnings.append(
            Mistake("SLACK_APP_TOKEN: is not used, because there is no SLACK_BOT_TOKEN")
        )
    found.warnings.extend(_misspelt(env))
    return found


def _secret(env: Mapping[str, str], name: str, found: Environment) -> tuple[str, str | None]:
    """A secret with the variable it came from; None if there is none or it can't be read."""
    file_variable = f"{name}_FILE"
    value, file = env.get(name, "").strip(), env.get(file_variable, "").strip()
    if value and file:
        found.mistakes.append(Mistake(f"{name}: is set, and {file_variable} too; unset one"))
        return name, None
    if not file:
        return name, value or None
    try:
        content = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        if is_exhaustion(error):
            raise  # no mistake of whoever wrote it
        reason = error.strerror or type(error).__name__
        found.mistakes.append(Mistake(f"{file_variable}: {file} can't be read: {reason}"))
        return file_variable, None
    except ValueError:  # not UTF-8 (the error would show the bytes), or no path at all
        found.mistakes.append(Mistake(f"{file_variable}: {file} does not hold text"))
        return file_variable, None
    if not content:
        found.mistakes.append(Mistake(f"{file_variable}: {file} is empty"))
        return file_variable, None
    return file_variable, content


_OTHER_TOKENS = {
    "xapp-": "an app-level token, meant for SLACK_APP_TOKEN",
    "xoxp-": "a user token",
    "xoxe": "a configuration or rotating token",
    "https://": "a URL, perhaps meant for SLACK_WEBHOOK_URL",
}


def _token(variable: str, value: str | None, found: Environment) -> SecretStr | None:
    if value is None:
        return None
    if re.fullmatch(r"xoxb-[A-Za-z0-9-]+", value):
        return SecretStr(value)
    seen = next((what for start, what in _OTHER_TOKENS.items() if value.startswith(start)), None)
    found.mistakes.append(
        Mistake(
            f"{variable}: is {seen or 'not a bot token'}; a bot token starts with xoxb- and is"
            " under OAuth & Permissions on your app's page"
        )
    )
    return None


def _app_token(variable: str, value: str | None, found: Environment) -> SecretStr | None:
    if value is None:
        return None
    if re.fullmatch(r"xapp-[A-Za-z0-9-]+", value):
        return SecretStr(value)
    seen = "a bot token, meant for SLACK_BOT_TOKEN" if value.startswith("xoxb-") else None
    found.mistakes.append(
        Mistake(
            f"{variable}: is {seen or 'not an app-level token'}; one starts with xapp- and is made"
            " under Basic Information on your app's page, with the scope connections:write"
        )
    )
    return None


_SHORTEST_TOKEN = 16
"""Characters of what opens the page: of letters and digits by chance, 95 bits."""


def _web_tokens(
    env: Mapping[str, str], found: Environment
) -> tuple[SecretStr | None, SecretStr | None]:
    """What opens the page: to change things, and to read alone."""
    given = [_secret(env, name, found) for name in _WEB_TOKENS]
    for variable, value in given:
        if value is not None and not re.fullmatch(r"[!-~]+", value):
            found.mistakes.append(
                Mistake(
                    f"{variable}: must be of letters, digits and signs of ASCII, without spaces"
                )
            )
        elif value is not None and len(value) < _SHORTEST_TOKEN:
            found.mistakes.append(
                Mistake(
                    f"{variable}: must have {_SHORTEST_TOKEN} characters or more, not {len(value)}:"
                    " `openssl rand -hex 16` makes a good one"
                )
            )
    (variable, token), (read_variable, read_token) = given
    if read_token is not None and token is None:
        found.mistakes.append(
            Mistake(f"{read_variable}: opens the page to read; set {_WEB_TOKENS[0]} beside it")
        )
    elif read_token is not None and read_token == token:
        found.mistakes.append(
            Mistake(f"{read_variable}: is the same as {variable}, and so would change things, too")
        )
    return SecretStr(token) if token else None, SecretStr(read_token) if read_token else None


def _webhook(variable: str, value: str | None, found: Environment) -> SecretStr | None:
    if value is None:
        return None
    try:
        return SecretStr(addresses.http_url(value))
    except ValueError as error:
        found.mistakes.append(Mistake(f"{variable}: {error}"))
        return None


def _api_url(value: str, found: Environment) -> str | None:
    if not value:
        return None
    try:
        return addresses.http_url(value)
    except ValueError as error:
        found.mistakes.append(Mistake(f"SLACK_API_URL: {error}"))
        return None


def _misspelt(env: Mapping[str, str]) -> list[Mistake]:
    """Variables that are nearly ours. Only nearly: Kubernetes makes MONITOR_… names of its own."""
    warnings = []
    for variable in sorted(env):
        if variable in _KNOWN or not variable.startswith(("MONITOR_", "SLACK_")):
            continue
        if _OF_SINK.fullmatch(variable):
            continue
        if close := difflib.get_close_matches(variable, _KNOWN, n=1, cutoff=0.9):
            warnings.append(Mistake(f"{variable}: is not read; did you mean {close[0]}?"))
    return warnings
