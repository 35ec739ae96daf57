"""Who gets in, as whom, and what they may do there."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from lxml import html
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from monitor.web import Doors, create_app
from monitor.web.access import AGAIN, SESSION, TRIES
from tests.fakes import FakeClock
from tests.web.browser import HTML
from tests.web.samples import NOW, FixedHealth, lifelike

TOKEN, READ_TOKEN = "correct-horse-battery", "staple-to-read-only"
TOKENS = Doors(token=SecretStr(TOKEN), read_token=SecretStr(READ_TOKEN))
PROXIES = ("10.0.0.0/8", "127.0.0.1")
PROXY = Doors(header="X-Remote-User", proxies=PROXIES)
HOME = "127.0.0.1"
FAR = "192.0.2.7"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Headers
    text: str


@dataclass
class Browser:
    """A client at some address that keeps cookies, with the app in the same process."""

    app: ASGIApp
    peer: str = HOME
    host: str = "localhost"
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str = "/", *, method: str = "GET", **headers: str) -> Answer:
        """Ask; a header that is empty is left out, `_` stands for `-`."""
        return await self._ask(method, path, HTML | headers, b"")

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """Send a form as browsers do."""
        own = {
            "Origin": f"{self.scheme}://{self.host}",
            "Sec_Fetch_Site": "same-origin",
            "Content_Type": "application/x-www-form-urlencoded",
        }
        return await self._ask("POST", path, HTML | own | headers, urlencode(fields).encode())

    async def log_in(self, secret: str, path: str = "/login", **headers: str) -> Answer:
        """Load the form and send it with this token."""
        form = (await self.get(path)).text
        fields = {
            each.get("name"): each.get("value") for each in html.fromstring(form).iter("input")
        }
        return await self.post("/login", fields | {"secret": secret}, **headers)

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        path, _, query = path.partition("?")
        named = {"Host": self.host} | {k.replace("_", "-"): v for k, v in headers.items() if v}
        if self.cookies:
            named["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        sent: list[dict] = []
        asked, answered = iter([{"type": "http.request", "body": body}]), asyncio.Event()

        async def receive():
            if (message := next(asked, None)) is not None:
                return message
            await answered.wait()  # what would go on for ever ends with its first words
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if message.get("body") or not message.get("more_body", message["type"][-5:] == "start"):
                answered.set()

        await self.app(
            {
                "type": "http",
                "http_version": "1.1",
                "scheme": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": query.encode(),
                "headers": [(k.lower().encode(), v.encode()) for k, v in named.items()],
                "client": (self.peer, 4711),
                "server": ("127.0.0.1", 8080),
            },
            receive,
            send,
        )
        raw = Headers(raw=sent[0]["headers"])
        for cookie in raw.getlist("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
            if not self.cookies[name]:
                del self.cookies[name]
        text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        return Answer(sent[0]["status"], raw, text)


def app(doors: Doors | None = None, clock: FakeClock | None = None, **options) -> ASGIApp:
    """A page on a busy afternoon."""
    return create_app(
        lifelike(),
        FixedHealth(mistakes="feeds.toml:3: a mistake that strangers need not know"),
        clock or FakeClock(NOW),
        registry=CollectorRegistry(),
        doors=doors,
        **options,
    )


# --------------------------------------------------------------------------- without a token


@pytest.mark.parametrize(
    ("peer", "host", "headers", "status"),
    [
        (HOME, "localhost:8080", {}, 200),
        ("::1", "[::1]:8080", {}, 200),
        ("::ffff:127.0.0.1", "desk.localhost", {}, 200),
        (FAR, "192.0.2.1:8080", {}, 403),
        ("172.17.0.1", "localhost:8080", {}, 403),  # the port of a container, from its machine
        (HOME, "desk.example.org", {}, 403),  # a proxy that says nothing of its visitors
        (HOME, "localhost", {"X_Forwarded_For": FAR}, 403),
        (HOME, "localhost", {"Forwarded": f"for={FAR}"}, 403),
        (HOME, "localhost", {"Via": "1.1 gate"}, 403),
        (HOME, "localhost", {"X_Real_IP": FAR}, 403),
        (HOME, "localhost", {"X_Forwarded_Host": "desk.example.org"}, 403),
    ],
)
async def test_without_a_token_the_page_is_its_machines_alone(peer, host, headers, status):
    """Who is elsewhere, or may be, is told what to set, and nothing of what was found."""
    browser = Browser(app(hosts=["desk.example.org"]), peer=peer, host=host)
    for path in ("/", "/status", "/nope"):
        answer = await browser.get(path, **headers)
        assert answer.status == (404 if (path, status) == ("/nope", 200) else status)
        if status == 403:
            assert "MONITOR_WEB_TOKEN" in answer.text
            assert "strangers need not know" not in answer.text
            assert "ceasefire" not in answer.text.lower()
    for path in ("/livez", "/healthz", "/readyz", "/metrics", "/static/style.css"):
        assert (await browser.get(path, **headers)).status == 200


async def test_programs_are_told_in_a_line():
    """Who did not ask for a page gets none."""
    browser = Browser(app(), peer=FAR)
    answer = await browser.get("/", Accept="*/*")
    assert answer.text.startswith("This page is closed from here")
    assert (await browser.get("/login")).status == 403  # there is nothing to log in with
    assert (await browser.post("/stories/1/split/1", {})).status == 403
    problem = await browser.get("/healthz", method="POST")
    assert (problem.status, "strangers" in problem.text) == (405, False)


async def test_where_nobody_needs_to_log_in_the_door_leads_to_the_page():
    """On the machine itself, and behind a proxy that says who it is."""
    at_home, behind = Browser(app()), Browser(app(PROXY), peer="10.1.2.3")
    for answer in (await at_home.get("/login"), await behind.get("/login", X_Remote_User="ada")):
        assert (answer.status, answer.headers["location"]) == (303, "/")
    assert (await behind.get("/login")).status == 403


# --------------------------------------------------------------------------- tokens and sessions


async def test_who_types_the_token_stays_logged_in():
    """From any address, the machine's own too; the cookie is the browser's alone."""
    for peer, host in ((HOME, "localhost"), (FAR, "192.0.2.1:8080")):
        browser = Browser(app(TOKENS), peer=peer, host=host)
        first = await browser.get("/status?a=1")
        assert (first.status, first.headers["location"]) == (303, "/login?next=/status%3Fa%3D1")
        assert (await browser.get("/")).headers["location"] == "/login"
        done = await browser.log_in(TOKEN, first.headers["location"])
        assert (done.status, done.headers["location"]) == (303, "/status?a=1")
        cookie = next(each for each in done.headers.getlist("set-cookie") if "session" in each)
        assert re.fullmatch(
            r"monitor-session=write\.\d+\.\w{32}\.\w{64}; HttpOnly; Max-Age=604800; Path=/; "
            "SameSite=strict",
            cookie,
        )
        answer = await browser.get("/")
        assert answer.status == 200
        assert 'href="/logout"' in answer.text


@pytest.mark.parametrize("typed", ["", "wrong", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ü\udcff"])
async def test_a_wrong_token_opens_nothing(typed):
    """The form says so, and stays."""
    browser = Browser(app(TOKENS))
    answer = await browser.log_in(typed.encode("utf-8", "replace").decode())
    assert answer.status == 403
    assert "opens nothing here" in answer.text
    assert (await browser.get("/")).status == 303


async def test_a_session_outlives_a_restart_and_no_other_token():
    """It is signed by a key that is made of the token, and good for a week."""
    clock = FakeClock(NOW)
    browser = Browser(app(TOKENS, clock))
    await browser.log_in(TOKEN)
    browser.app = app(TOKENS, clock)
    assert (await browser.get("/")).status == 200
    browser.app = app(Doors(token=SecretStr("another-token-altogether")), clock)
    assert (await browser.get("/")).status == 303
    browser.app = app(TOKENS, FakeClock(NOW + SESSION - timedelta(seconds=1)))
    assert (await browser.get("/")).status == 200
    browser.app = app(TOKENS, FakeClock(NOW + SESSION))
    assert (await browser.get("/")).status == 303


async def test_a_session_is_what_it_was_given_out_as():
    """Who may read can't write "write" into the cookie, nor live longer."""
    browser = Browser(app(TOKENS))
    await browser.log_in(READ_TOKEN)
    may, until, name, signed = browser.cookies["monitor-session"].split(".")
    assert may == "read"
    for forged in (
        f"write.{until}.{name}.{signed}",
        f"read.{int(until) + 1}.{name}.{signed}",
        f"read.{until}.{'0' * 32}.{signed}",
        f"read.{until}.{name}.{'0' * 64}",
        f"read.{until}.{name}",
        "",
    ):
        browser.cookies["monitor-session"] = forged
        assert (await browser.get("/")).status == 303, forged


@pytest.mark.parametrize("typed", [TOKEN, READ_TOKEN])
async def test_who_logs_out_is_out(typed):
    """The cookie goes, and whoever has a copy of it gets nowhere."""
    browser = Browser(app(TOKENS))
    await browser.log_in(typed)
    kept = dict(browser.cookies)
    form = await browser.get("/logout")
    [token] = html.fromstring(form.text).xpath("//input[@name='token']/@value")
    assert (await browser.post("/logout", {"token": "x"})).status == 403
    assert (await browser.get("/")).status == 200
    gone = await browser.post("/logout", {"token": token})
    assert (gone.status, gone.headers["location"]) == (303, "/login")
    assert (await browser.get("/")).status == 303
    browser.cookies = kept
    assert (await browser.get("/")).status == 303


async def test_a_program_sends_its_token_with_each_request():
    """`Authorization: Bearer`, by which nothing is remembered; a wrong one is told as such."""
    browser = Browser(app(TOKENS), peer=FAR)
    for token in (TOKEN, READ_TOKEN):
        assert (await browser.get("/status", Authorization=f"Bearer {token}")).status == 200
        assert (await browser.get("/status", Authorization=f"bearer  {token}")).status == 200
    assert not browser.cookies
    none = await browser.get("/status", Accept="*/*")
    assert (none.status, none.headers["www-authenticate"]) == (401, 'Bearer realm="monitor"')
    wrong = await browser.get("/status", Authorization="Bearer nope")
    assert (wrong.status, 'error="invalid_token"' in wrong.headers["www-authenticate"]) == (
        401,
        True,
    )
    basic = await browser.get("/status", Authorization="Basic eDp5", Accept="*/*")
    assert basic.status == 401


async def test_the_token_to_read_changes_nothing_anywhere():
    """Whatever a page would do with it."""
    browser = Browser(app(TOKENS), peer=FAR)
    for path in ("/", "/stories/1/split/1", "/nope", "/status"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = await browser.get(path, method=method, Authorization=f"Bearer {READ_TOKEN}")
            assert (answer.status, answer.text) == (
                403,
                "This token may read, and change nothing.\n",
            )


async def test_tokens_can_be_tried_slowly_only():
    """Of each address so many, then one every few seconds; who is elsewhere is not kept waiting."""
    clock = FakeClock(NOW)
    page = app(TOKENS, clock)
    browser, other = Browser(page, peer=FAR), Browser(page, peer="192.0.2.8")
    for number in range(TRIES):
        assert (await browser.log_in(f"wrong {number}")).status == 403
    locked = await browser.log_in(TOKEN)  # the right one is not looked at, either
    assert (locked.status, locked.headers["retry-after"]) == (429, "6")
    assert "again in 6 seconds" in locked.text
    by_token = await browser.get("/status", Authorization=f"Bearer {TOKEN}")
    assert (by_token.status, by_token.headers["retry-after"]) == (429, "6")
    assert (await other.log_in(TOKEN)).status == 303
    clock.advance(seconds=AGAIN.total_seconds())
    assert (await browser.log_in("wrong again")).status == 403
    assert (await browser.log_in(TOKEN)).status == 429
    clock.advance(seconds=AGAIN.total_seconds())
    assert (await browser.log_in(TOKEN)).status == 303


async def test_addresses_of_one_network_are_tried_together():
    """A household has 2^64 addresses of IPv6; behind our own proxy everybody has their own."""
    page = app(Doors(token=SecretStr(TOKEN), proxies=PROXIES))
    for number in range(TRIES):
        await Browser(page, peer=f"2001:db8::{number:x}").log_in("wrong")
        passed = {"X_Forwarded_For": f"1.2.3.{number}, 198.51.100.9, 10.0.0.2"}
        assert (await Browser(page, peer="10.0.0.1").log_in("wrong", **passed)).status == 403
    assert (await Browser(page, peer="2001:db8::ffff").log_in(TOKEN)).status == 429
    assert (await Browser(page, peer="2001:db8:0:1::1").log_in(TOKEN)).status == 303
    behind = Browser(page, peer="10.0.0.1")
    assert (await behind.log_in(TOKEN, X_Forwarded_For="198.51.100.9")).status == 429
    assert (await behind.log_in(TOKEN, X_Forwarded_For="198.51.100.10")).status == 303


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/stories?x=1", "/stories?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
async def test_a_login_leads_to_a_page_of_ours(asked, goes):
    """Whatever a link that somebody was sent says."""
    browser = Browser(app(TOKENS))
    done = await browser.log_in(TOKEN, f"/login?next={quote(asked)}")
    assert (done.status, done.headers["location"]) == (303, goes)


async def test_another_site_logs_nobody_in():
    """Nor out: neither without our form, nor from elsewhere."""
    browser = Browser(app(TOKENS))
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        assert (await browser.log_in(TOKEN, **headers)).status == 403
    assert (await browser.post("/login", {"secret": TOKEN})).status == 403


# --------------------------------------------------------------------------- proxies


@pytest.mark.parametrize(
    ("public", "host", "origin", "status", "secure"),
    [
        ("https://desk.example.org", "desk.example.org", "https://desk.example.org", 303, True),
        ("https://desk.example.org", "Desk.Example.Org:443", "https://desk.example.org", 303, True),
        ("https://desk.example.org", "desk.example.org", "http://desk.example.org", 403, True),
        ("https://desk.example.org", "127.0.0.1:8080", "https://desk.example.org", 303, False),
        ("https://desk.example.org", "localhost:8080", "http://localhost:8080", 303, False),
        ("https://desk.example.org:8443", "desk.example.org:8443", None, 303, True),
        (None, "monitor.lan", "https://monitor.lan", 303, False),
        (None, "monitor.lan:8080", "http://monitor.lan:8080", 303, False),
        (None, "monitor.lan:8080", "http://monitor.lan", 403, False),
        (None, "monitor.lan", "http://evil.example", 403, False),
        (None, "monitor.lan", "http://monitor.lan.evil.example", 403, False),
        (None, "monitor.lan", "http://x@monitor.lan", 403, False),
        (None, "monitor.lan", "ftp://monitor.lan", 403, False),
    ],
)
async def test_behind_tls_forms_come_from_the_public_name(public, host, origin, status, secure):
    """The proxy ends TLS, and the browser's origin is https; its cookie is for https alone."""
    doors = Doors(token=SecretStr(TOKEN), public_url=public)
    browser = Browser(app(doors, hosts=["monitor.lan"]), peer=FAR, host=host)
    done = await browser.log_in(TOKEN, Origin=origin or public)
    assert done.status == status
    if status == 303:
        cookie = next(each for each in done.headers.getlist("set-cookie") if "session" in each)
        assert cookie.startswith("__Host-monitor-session=" if secure else "monitor-session=")
        assert ("; Secure" in cookie) is secure
        assert (await browser.get("/")).status == 200


async def test_who_a_trusted_proxy_names_is_in():
    """By the name it gives, which is kept beside what they change."""
    browser = Browser(app(PROXY), peer="10.2.3.4")
    answer = await browser.get("/", X_Remote_User="Zoë", X_Forwarded_For=FAR)
    assert answer.status == 200
    assert "<bdi>Zoë</bdi>" in answer.text
    assert "log out there" in (await browser.get("/logout", X_Remote_User="zoe")).text


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        (FAR, {"X_Remote_User": "zoe"}),  # not our proxy
        ("10.2.3.4", {}),  # it names nobody
        ("10.2.3.4", {"X_Remote_User": "  "}),
        (HOME, {}),  # a proxy on this machine is no one who sits at it
        ("::1", {}),
    ],
)
async def test_nobody_else_is_believed(peer, headers):
    """A header can be sent by anybody."""
    answer = await Browser(app(PROXY), peer=peer).get("/", **headers)
    assert answer.status == 403
    assert "did not say so" in answer.text


async def test_a_proxy_and_a_token_stand_beside_each_other():
    """People by the one, programs by the other."""
    doors = Doors(token=SecretStr(TOKEN), header="X-Remote-User", proxies=PROXIES)
    page = app(doors)
    assert (await Browser(page, peer="10.0.0.1").get("/", X_Remote_User="zoe")).status == 200
    far = Browser(page, peer=FAR)
    assert (await far.get("/", Authorization=f"Bearer {TOKEN}")).status == 200
    assert (await far.get("/", X_Remote_User="zoe")).status == 303
