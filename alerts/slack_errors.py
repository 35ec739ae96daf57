"""What Slack's answers ask for: its error codes classed by what the caller should do. Pure."""

from __future__ import annotations

from typing import Any

from alerts.errors import AlertError, Ambiguous, Closed, Deferred, Rejected, Stopped
from alerts.transport import retry_after

# What Slack's error codes ask for (the method's own error table and the SDK's issue tracker).
_STOP = frozenset(
    {
        "access_denied",
        "accesslimited",
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
_BACK_OFF = frozenset(
    {
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_CLOSED = {
    "channel_not_found": "no such channel, or a private one that the bot is not in: /invite it",
    "is_archived": "the channel is archived",
    "messages_tab_disabled": "the app takes no direct messages: name a channel",
    "not_in_channel": "the bot is not in the channel: /invite it",
    "restricted_action": "the workspace does not let the bot post here",
    "restricted_action_read_only_channel": "the channel is read-only",
    "restricted_action_thread_only_channel": "the channel takes replies only",
}
_TRY_AGAIN = 60.0  # seconds; somebody may have mended the channel by then
_WORDS = {
    "invalid_auth": "Slack does not know this token: copy the Bot User OAuth Token again",
    "not_authed": "Slack got no token",
    "token_revoked": "the token was revoked: install the app again",
    "token_expired": "the token has expired: install the app again",
    "account_inactive": "the bot was removed from the workspace: install the app again",
}
_PERHAPS = frozenset({"fatal_error", "internal_error"})  # "some aspect may have succeeded"
MOST_OF_A_CODE = 100  # characters; Slack's longest has about 50
BAD_BLOCKS = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
    }
)
BAD_METADATA = frozenset(
    {
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
    }
)


def refusal(status: int, data: Any, retry_after_header: str | None) -> AlertError:
    """The class of a Web API answer that is not ok. `data` is its JSON, if it had any.

    A code that is not known here is a definite refusal: Rejected.
    """
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or code in _BACK_OFF:
        return Deferred(code or "ratelimited", retry_after=retry_after(retry_after_header))
    if status >= 500:
        return Ambiguous("server_error", f"HTTP {status}")
    if code in _PERHAPS:
        return Ambiguous(code)
    if code in _STOP:
        return Stopped(code, _explained(data))
    if code in _CLOSED:
        return Closed(code, _CLOSED[code], retry_after=_TRY_AGAIN)
    if code:
        return Rejected(code[:MOST_OF_A_CODE], _explained(data))
    if 400 <= status < 500:  # a proxy, or an address that is not Slack's
        return Stopped("http_error", f"HTTP {status}")
    return Ambiguous("unreadable_answer", f"HTTP {status}")


def _explained(data: dict[str, Any]) -> str:
    """What Slack says about a refusal: which scope is needed, which block is wrong."""
    known = _WORDS.get(str(data.get("error") or ""))
    words = [known] if known else []
    words += [f"{word} {data[word]}" for word in ("needed", "provided") if data.get(word)]
    words += [str(line) for line in (data.get("response_metadata") or {}).get("messages") or ()]
    words += [str(line) for line in data.get("errors") or ()]
    return "; ".join(words)[:500]
