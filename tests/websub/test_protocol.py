"""What is said to hubs, and how their word is checked."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import SubscriptionState
from monitor.websub import Proof, callback_url, form, is_token, same_topic
from monitor.websub.protocol import ASKED_LEASE, lease_of
from tests.websub.material import WANTED

BODY = b"<rss/>"


def signed(method: str, secret: str = "s3cret", body: bytes = BODY) -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


def holds(header: str | None, *pieces: bytes, secret: str = "s3cret") -> bool:
    proof = Proof(secret, header)
    for piece in pieces or (BODY,):
        proof.feed(piece)
    return proof.holds()


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_standard_is_known(method: str) -> None:
    """In either case, however the body comes in."""
    header = signed(method)
    assert holds(header)
    assert holds(header.upper())
    assert holds(f" {header} ", b"<r", b"", b"ss/>")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256",
        "sha256=",
        "sha256=00",
        "md5=" + hmac.new(b"s3cret", BODY, "md5").hexdigest(),
        signed("sha256").partition("=")[2],
        signed("sha256")[:-1],
        signed("sha256") + "0",
        signed("sha256", secret="other"),
        signed("sha256", secret=""),
        signed("sha256", body=b"<rss />"),
        "sha256=" + hashlib.sha256(BODY).hexdigest(),  # of the body, without the secret
        "sha1" + signed("sha256")[6:],  # of another method
        "sha512=" + signed("sha256")[7:],
        signed("sha256") + "\n" + signed("sha1"),
        "sha256=ééé",
    ],
)
def test_what_is_not_signed_so_does_not_hold(header: str | None) -> None:
    """Missing, cut, of another secret, body or method."""
    assert not holds(header)


@given(st.binary(max_size=40), st.binary(max_size=40), st.text(max_size=8))
def test_only_the_very_bytes_hold(body: bytes, other: bytes, secret: str) -> None:
    """A proof is of one body and one secret."""
    secret = secret.encode("utf-8", "replace").decode()
    header = signed("sha256", secret=secret, body=body)
    assert holds(header, body, secret=secret)
    assert holds(header, other, secret=secret) == (other == body)


def test_a_request_says_all_that_a_hub_needs() -> None:
    """The secret is below the standard's 200 bytes; the lease is asked for."""
    fields = form(WANTED)
    assert fields["hub.mode"] == "subscribe"
    assert (fields["hub.topic"], fields["hub.callback"]) == (WANTED.topic, WANTED.callback)
    assert fields["hub.secret"] == WANTED.secret
    assert fields["hub.lease_seconds"] == "864000"


def test_a_farewell_tells_no_secret() -> None:
    """It names topic and callback, by which the hub knows what it is about."""
    fields = form(replace(WANTED, state=SubscriptionState.LEAVING))
    assert fields["hub.mode"] == "unsubscribe"
    assert (fields["hub.topic"], fields["hub.callback"]) == (WANTED.topic, WANTED.callback)
    assert "hub.secret" not in fields


@pytest.mark.parametrize(
    ("said", "lease"),
    [
        ("864000", timedelta(days=10)),
        ("60", timedelta(minutes=1)),
        ("999999999999", timedelta(days=365)),
        *((odd, ASKED_LEASE) for odd in (None, "", "0", "-5", "1e9", "forever", "٣٠", "9" * 5000)),
    ],
)
def test_a_hubs_lease_is_its_own_number(said: str | None, lease: timedelta) -> None:
    """Within a year; who says none, or nonsense, gets what was asked."""
    assert lease_of(said) == lease


def test_a_topic_may_be_spelt_in_two_ways() -> None:
    """Hubs decode what need not be encoded; another topic is another one."""
    assert same_topic("https://a.example/~x", "https://a.example/%7Ex")
    assert not same_topic("https://a.example/x", "https://a.example/y")
    assert not same_topic("https://a.example/x", "")


def test_no_secret_is_shown_with_a_subscription() -> None:
    """Whoever logs one tells neither its secret nor where its hub may call."""
    assert "s3cret" not in repr(WANTED)
    assert WANTED.callback not in repr(WANTED)


@pytest.mark.parametrize("public", ["https://desk.example", "https://desk.example/"])
def test_a_callback_ends_in_its_token(public: str) -> None:
    """Below the public URL, with or without its slash."""
    token = "aA0_-" * 8 + "xyz"
    assert is_token(token)
    assert callback_url(public, token) == f"https://desk.example/websub/{token}"


@pytest.mark.parametrize(
    "text", ["", "a" * 42, "a" * 44, "a" * 42 + "/", "a" * 42 + "\n", "é" * 43]
)
def test_what_can_be_no_token(text: str) -> None:
    """Nobody looks it up."""
    assert not is_token(text)
