"""Slack through its Web API. The only module that imports slack-sdk, and where it is used alone:
who has no token does without its 3 MB.

Slack has no idempotency key, so every post carries its delivery id as message metadata and `find`
looks for it in the channel's history. The SDK's own retry handlers are off: its default one posts
again after a connection that broke, which shows alerts twice (measured with 3.47). Retries belong
to the caller.

Codes of `AlertError` are Slack's own (``channel_not_found``), or those of `alerts.transport`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from alerts.blocks import to_blocks
from alerts.elements import Rendered
from alerts.errors import AlertError, Ambiguous, Closed, Deferred, Rejected, Stopped
from alerts.message import Alert, Image, Message
from alerts.pacing import Monotonic, Pacer, Pauses, Sleep
from alerts.sink import Posted
from alerts.slack_errors import BAD_BLOCKS, BAD_METADATA, refusal
from alerts.transport import broken_off, timeouts

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

BASE_URL = "https://slack.com/api/"
EVENT_TYPE = "monitor_alert"
SCOPES = (
    "chat:write",
    "chat:write.public",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "files:write",
)
INTERACTIVE_SCOPES = ("commands", "users:read")
"""What Socket Mode wants beside `SCOPES`: people press buttons, type a command, and have names."""

_LOOK_UP = frozenset({"channels:read", "groups:read"})
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{7,}")
_LOOK_BACK = timedelta(seconds=60)  # our clock and Slack's may differ
_HISTORY_PAGE, _HISTORY_PAGES = 200, 25
_LIST_PAGE, _LIST_PAGES = 1000, 20
_MOST_NAMES = 1000  # of people, remembered
_ALT = 1000  # characters; Slack's own limit for a file
_PICTURE_PAUSES = (1.0, 3.0)
"""Seconds between tries: a file that was uploaded is known to chat.postMessage about a second later
(slackapi/python-slack-sdk issue 1521); to poll files.info would need one scope more."""
_UPDATES_PER_SECOND = 50 / 60  # chat.update is Tier 3 for the whole workspace

_LOG = logging.getLogger(__name__)
# not alerts' own logger: at DEBUG the SDK writes whole requests
_SDK_LOG = logging.getLogger("alerts.slack.sdk")
_SDK_LOG.setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the token is, and what it may not do."""

    team: str
    user: str
    url: str
    scopes: frozenset[str]
    missing: tuple[str, ...]  # of `SCOPES`, and of `INTERACTIVE_SCOPES` where they are needed
    unknown: tuple[str, ...]  # channels that are not there, or private and without the bot
    unreadable: tuple[str, ...]  # channels that `find` can't look into: the bot is no member
    at: datetime | None = None  # what Slack's clock said

    @property
    def sees_channels(self) -> bool:
        """Whether channels could be looked at: else nothing is known of them."""
        return self.scopes >= _LOOK_UP


def wanted_scopes(*, interactive: bool) -> tuple[str, ...]:
    """Those that the bot needs."""
    return (*SCOPES, *INTERACTIVE_SCOPES) if interactive else SCOPES


class SlackSink:
    """Alerts as messages of a bot.

    ``channel`` is a name (``#newsdesk``) or an id. A call waits for its turn (one message a second
    and channel) and then takes at most `timeout` seconds; while Slack's own Retry-After runs, it
    is refused here (`Deferred`) without a request.
    """

    name = "slack"
    can_update = True
    can_find = True
    can_thread = True

    def __init__(
        self,
        token: str,
        *,
        base_url: str = BASE_URL,
        timeout: float = 15.0,
        proxy: str | None = None,
        second_look: float = 3.0,
        interactive: bool = False,
        heard: Callable[[str, str], None] = lambda _method, _outcome: None,
        monotonic: Monotonic = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`second_look`: seconds after which `find` looks again before it says no.
        `interactive`: whether people can press and type (`alerts.interactions`).
        `heard`: told of each call of Slack its method, and "ok" or the code of what it met.

        A post takes at most `timeout` seconds beside its turn, a `find` twice that and
        `second_look`: together they should fit into the caller's lease.
        """
        from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415 only who has Slack needs it

        self._token = token.strip()
        self._timeout = timeout
        self._second_look = second_look
        self._heard = heard
        self._sleep = sleep
        self._pauses = Pauses(monotonic)
        self._posts = Pacer(rate=1.0, monotonic=monotonic, sleep=sleep)
        self._updates = Pacer(rate=_UPDATES_PER_SECOND, burst=10, monotonic=monotonic, sleep=sleep)
        self._scopes = wanted_scopes(interactive=interactive)
        self.may_post: Callable[[], bool] = lambda: True
        """Asked right before each post, after its picture and its turn: what was ours may not be."""
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        # the SDK reads HTTPS_PROXY and ignores NO_PROXY unless it is given a proxy: give it one,
        # and take it away again
        self._client = AsyncWebClient(
            self._token,
            base_url=base_url,
            proxy="http://unused",
            retry_handlers=[],
            logger=_SDK_LOG,
        )
        self._client.proxy = proxy

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        thread: Posted | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Show a message in a channel for the first time.

        Raises Deferred, Rejected, Stopped, or Ambiguous: then `find` tells.
        """
        body = _body(to_blocks(message, await self._picture(message)))
        body["metadata"] = {
            "event_type": EVENT_TYPE,
            "event_payload": {"delivery_id": message.delivery_id},
        }

        async def send(body: dict[str, Any]) -> AsyncSlackResponse:
            await self._posts.turn(channel)
            if not self.may_post():
                raise Deferred(
                    "away", "nothing is posted by who may be held for gone", retry_after=1
                )
            return await self._call(
                "chat.postMessage",
                channel,
                lambda: self._client.chat_postMessage(
                    channel=thread.channel if thread else channel,
                    thread_ts=thread.ref if thread else None,
                    reply_broadcast=broadcast if thread else None,
                    unfurl_links=False,
                    unfurl_media=False,
                    **body,
                ),
            )

        answer = await _plainer_if_refused(body, send, self._sleep)
        posted = Posted(channel=str(answer["channel"]), ref=str(answer["ts"]))
        self._ids[channel] = posted.channel
        return posted

    async def update(self, posted: Posted, message: Message) -> None:
        """Change a shown message; its metadata stays.

        An update may be repeated at any time, so a broken call is Deferred. Rejected means that
        there is nothing to change any more (``message_not_found``) or that the workspace forbids
        it (``cant_update_message``, ``edit_window_closed``).
        """

        async def send(body: dict[str, Any]) -> AsyncSlackResponse:
            await self._updates.turn("")
            return await self._call(
                "chat.update",
                posted.channel,
                lambda: self._client.chat_update(
                    channel=posted.channel,
                    ts=posted.ref,
                    parse="none",  # left out, it would become "client"
                    link_names=False,
                    **body,
                ),
            )

        try:
            body = _body(to_blocks(message, await self._picture(message)))
            await _plainer_if_refused(body, send, self._sleep)
        except Ambiguous as error:
            raise Deferred(error.code, error.detail) from error

    async def find(
        self, channel: str, delivery_id: str, since: datetime, *, thread: Posted | None = None
    ) -> Posted | None:
        """Look for what a broken-off `post` may have left behind: in the channel's history, for a
        reply in its thread, which the history leaves out.

        None means that it is not there, and was not there `second_look` seconds earlier (the
        history may lag behind a post). Raises Stopped where it can't look at all: the scope is
        missing (``missing_scope``) or the bot is not in the channel (``not_in_channel``: posting
        to a public channel needs no membership, reading does); Deferred where it can't look now.
        """
        try:
            # many pages must not outlast the caller's lease
            async with asyncio.timeout(2 * self._timeout + self._second_look):
                found = await self._look_twice(channel, delivery_id, since, thread)
        except TimeoutError as error:
            raise Deferred("timeout", "the history is long or slow") from error
        except Ambiguous as error:
            raise Deferred(error.code, error.detail) from error
        except Closed as error:
            self._ids.pop(channel, None)  # the name may lead elsewhere by now
            if error.code == "not_in_channel":
                raise Stopped(error.code, f"can't read {channel}: invite the bot") from error
            raise
        if found is not None:
            self._ids[channel] = found.channel
        return found

    async def check(self, *channels: str) -> Identity:
        """Ask Slack who we are and what the token may do; for start-up.

        Channels are looked at only with the scopes for it. Raises Stopped for a token that is not
        valid, Deferred if Slack can't be reached.
        """
        try:
            answer = await self._call("auth.test", "", self._client.auth_test)
            granted = str(answer.headers.get("x-oauth-scopes") or "")
            scopes = frozenset(scope.strip() for scope in granted.split(",") if scope.strip())
            # without these no channel can be asked about: that they are missing is said instead
            asked = channels if scopes >= _LOOK_UP else ()
            membership = {name: await self._is_member(name) for name in asked}
        except Ambiguous as error:
            raise Deferred(error.code, error.detail) from error
        return Identity(
            team=str(answer["team"]),
            user=str(answer["user"]),
            url=str(answer["url"]),
            scopes=scopes,
            missing=tuple(scope for scope in self._scopes if scope not in scopes),
            unknown=tuple(name for name, member in membership.items() if member is None),
            unreadable=tuple(name for name, member in membership.items() if member is False),
            at=_moment(answer.headers.get("Date")),
        )

    async def faults_of(self, message: Message) -> str | None:
        """What Slack would find wrong with a message, without posting it; None if it does not say.

        An empty answer: nothing.
        """
        blocks = to_blocks(message).blocks
        try:
            await self._call(
                "blocks.validate",
                "",
                lambda: self._client.api_call("blocks.validate", json={"blocks": blocks}),
            )
        except Rejected as error:
            return (error.detail or error.code) if error.code in BAD_BLOCKS else None
        except AlertError:
            return None
        return ""

    async def user_name(self, user: str) -> str | None:
        """What people call a member of the workspace; None where Slack does not say.

        Asked once for each, as long as this runs.
        """
        if user not in self._names:
            try:
                answer = await self._call(
                    "users.info", "", lambda: self._client.users_info(user=user)
                )
            except AlertError:
                return None
            row = answer["user"] or {}
            profile = row.get("profile") or {}
            names = (profile.get("display_name"), profile.get("real_name"), row.get("name"))
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[user] = next((str(name) for name in names if name), user)
        return self._names[user]

    async def close(self) -> None:
        """Give back connections."""
        if self._client.session is not None:
            await self._client.session.close()

    # ------------------------------------------------------------------------ pictures

    async def _picture(self, message: Message) -> str | None:
        """Slack's id of a card's picture, or None: a picture is never worth the message.

        A file that is shared nowhere is seen by nobody: to upload one again does no harm.
        """
        if isinstance(message, Alert) or message.image is None:
            return None
        try:
            async with asyncio.timeout(self._timeout):  # of the caller's lease
                return await self._upload(message.image)
        except (AlertError, TimeoutError) as error:
            _LOG.warning("a picture could not be uploaded: %s", str(error) or "timeout")
            return None

    async def _upload(self, image: Image) -> str:
        """A new file's id. The three steps of files_upload_v2, each with our own errors."""
        place = await self._call(
            "files.getUploadURLExternal",
            "",
            lambda: self._client.files_getUploadURLExternal(
                filename="chart.png", length=len(image.png), alt_txt=image.alt[:_ALT] or None
            ),
        )
        await self._send_file(str(place["upload_url"]), image.png)
        key = str(place["file_id"])
        await self._call(
            "files.completeUploadExternal",
            "",
            lambda: self._client.files_completeUploadExternal(files=[{"id": key}]),
        )
        return key

    async def _send_file(self, url: str, content: bytes) -> None:
        session = self._open_session()
        try:
            async with session.post(url, data=content, proxy=self._client.proxy) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            problem: AlertError = broken_off(error)
        else:
            if status == 200:
                return
            problem = Rejected("upload_failed", f"HTTP {status}")
        raise problem  # outside the handler: aiohttp's errors hold the address, which is a secret

    # ------------------------------------------------------------------------ calls

    async def _call(
        self, method: str, channel: str, call: Callable[[], Awaitable[AsyncSlackResponse]]
    ) -> AsyncSlackResponse:
        """One request. Raises AlertError alone, never with a secret in it or chained to it."""
        from slack_sdk.errors import SlackApiError  # noqa: PLC0415 as in `__init__`

        key = f"{method} {channel}"
        if pause := self._pauses.left(key):
            raise Deferred("ratelimited", "waiting as asked", retry_after=pause)
        self._open_session()
        try:
            answer = await call()
        except SlackApiError as error:
            problem = _problem(error)
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = broken_off(error)
        except (AttributeError, ValueError):
            # the SDK trips over answers that are no JSON object (text/plain, a list, bad UTF-8)
            problem = Ambiguous("unreadable_answer")
        else:
            self._heard(method, "ok")
            return answer
        self._heard(method, problem.code)
        # a closed channel asks for no pause: it may be open again at any moment
        if (
            isinstance(problem, Deferred)
            and not isinstance(problem, Closed)
            and problem.retry_after
        ):
            self._pauses.begin(key, problem.retry_after)
        # outside the handlers: the SDK's error holds the request, and the request the token
        raise problem

    def _open_session(self) -> aiohttp.ClientSession:
        """Once, on the running loop; the SDK ignores its own timeout where it is given a session."""
        if self._client.session is None:
            self._client.session = aiohttp.ClientSession(timeout=timeouts(self._timeout))
        return self._client.session

    # ------------------------------------------------------------------------ channels

    async def _channel_id(self, channel: str) -> str:
        """The id of a channel: history takes no names, unlike chat.postMessage."""
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        if channel not in self._ids:
            await self._learn_ids(channel)
        if channel not in self._ids:
            raise Closed("channel_not_found", f"no channel {channel} that the bot can see")
        return self._ids[channel]

    async def _learn_ids(self, wanted: str) -> None:
        cursor = ""
        for _ in range(_LIST_PAGES):
            page = await self._list_page(cursor)
            for row in page["channels"] or ():
                self._ids["#" + row["name"]] = self._ids[row["name"]] = row["id"]
            cursor = _next_cursor(page)
            if wanted in self._ids or not cursor:
                return
        raise Deferred("too_many_channels", f"can't find {wanted} by name: use its id")

    async def _list_page(self, cursor: str) -> AsyncSlackResponse:
        return await self._call(
            "conversations.list",
            "",
            lambda: self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=_LIST_PAGE,
                cursor=cursor or None,
            ),
        )

    async def _is_member(self, channel: str) -> bool | None:
        """Whether the bot is in a channel; None if there is no such channel for it."""
        try:
            place = await self._channel_id(channel)
            answer = await self._call(
                "conversations.info", place, lambda: self._client.conversations_info(channel=place)
            )
        except Closed:
            return None
        return bool((answer["channel"] or {}).get("is_member"))

    # ------------------------------------------------------------------------ history

    async def _look_twice(
        self, channel: str, delivery_id: str, since: datetime, thread: Posted | None
    ) -> Posted | None:
        # a message is where it was posted, whatever the channel's name leads to by now
        place = thread.channel if thread else await self._channel_id(channel)
        parent = thread.ref if thread else None
        found = await self._look(place, delivery_id, since, parent)
        if found is None and self._second_look > 0:
            await self._sleep(self._second_look)
            found = await self._look(place, delivery_id, since, parent)
        return found

    async def _look(
        self, place: str, delivery_id: str, since: datetime, parent: str | None
    ) -> Posted | None:
        cursor, oldest = "", f"{(since - _LOOK_BACK).timestamp():.6f}"
        for _ in range(_HISTORY_PAGES):
            page = await self._history_page(place, oldest, cursor, parent)
            for row in page["messages"] or ():
                payload = (row.get("metadata") or {}).get("event_payload") or {}
                if payload.get("delivery_id") == delivery_id:
                    return Posted(channel=place, ref=row["ts"])
            cursor = _next_cursor(page)
            if not cursor:
                return None
        # saying None without having seen all of it could show the message twice
        raise Deferred("history_too_long", f"over {_HISTORY_PAGES * _HISTORY_PAGE} messages since")

    async def _history_page(
        self, place: str, oldest: str, cursor: str, parent: str | None
    ) -> AsyncSlackResponse:
        wanted: dict[str, Any] = {
            "channel": place,
            "oldest": oldest,
            "inclusive": True,
            "include_all_metadata": True,
            "limit": _HISTORY_PAGE,
            "cursor": cursor or None,
        }
        if parent is None:
            return await self._call(
                "conversations.history", place, lambda: self._client.conversations_history(**wanted)
            )
        return await self._call(
            "conversations.replies",
            place,
            lambda: self._client.conversations_replies(ts=parent, **wanted),
        )


def _moment(header: str | None) -> datetime | None:
    """A Date header's time."""
    try:
        at = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


def _problem(error: SlackApiError) -> AlertError:
    from slack_sdk.web.async_slack_response import AsyncSlackResponse  # noqa: PLC0415 as above

    response = error.response
    if not isinstance(response, AsyncSlackResponse):  # a body that claims to be JSON and is not
        return Ambiguous("unreadable_answer")
    return refusal(response.status_code, response.data, response.headers.get("Retry-After"))


def _body(rendered: Rendered) -> dict[str, Any]:
    return {"text": rendered.text, "blocks": rendered.blocks}


async def _plainer_if_refused(
    body: dict[str, Any],
    send: Callable[[dict[str, Any]], Awaitable[AsyncSlackResponse]],
    sleep: Sleep,
) -> AsyncSlackResponse:
    """Send; once more with less if Slack refused the form of it. A picture is given time first.

    The refusal is definite, so this can't show a message twice.
    """
    for pause in (*_PICTURE_PAUSES, None):
        try:
            return await send(body)
        except Rejected as error:
            refused = error
        if pause is None or refused.code not in BAD_BLOCKS or "slack file" not in refused.detail:
            break
        await sleep(pause)
    pictures = [block for block in body["blocks"] if block["type"] == "image"]
    if refused.code in BAD_BLOCKS and pictures:
        rest = [block for block in body["blocks"] if block not in pictures]
        return await _plainer_if_refused({**body, "blocks": rest}, send, sleep)
    if refused.code in BAD_BLOCKS:
        # an empty list, because an update without `blocks` may keep the old ones
        return await send({**body, "blocks": []})
    if refused.code in BAD_METADATA:
        return await send({key: value for key, value in body.items() if key != "metadata"})
    raise refused


def _next_cursor(page: AsyncSlackResponse) -> str:
    return str((page["response_metadata"] or {}).get("next_cursor") or "")
