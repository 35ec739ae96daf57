"""Which addresses may be connected to."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch.guard import Guard, is_public, plain_host, unwrapped, written_address

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    """Private, local, special and wrapped addresses are not public."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    """Addresses of the public internet pass, right up to the edges of the special networks."""
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_a_wrapped_address_is_judged_as_what_it_wraps(address: IPv4Address) -> None:
    """IPv4-mapped and NAT64 forms are as public as the address inside; 6to4 never is."""
    number = int(address)
    mapped = IPv6Address((0xFFFF << 32) | number)
    nat64 = IPv6Address((0x64FF9B << 96) | number)
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80))
    assert unwrapped(mapped) == unwrapped(nat64) == address
    assert is_public(mapped) == is_public(nat64) == is_public(address)
    assert not is_public(six_to_four)


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address: IPv4Address | IPv6Address) -> None:
    """The table refuses all that `ipaddress` refuses, wrapped or not."""
    if not unwrapped(address).is_global:
        assert not is_public(address)


@given(st.from_regex(r"(?:0x)?[0-9a-f]{0,10}(?:\.(?:0x)?[0-9a-f]{0,4}){0,3}\.?", fullmatch=True))
def test_every_spelling_of_an_address_is_read_as_the_system_reads_it(host: str) -> None:
    """What `getaddrinfo` takes for a number is an address to us, too, and the same one."""
    numeric = socket.AI_NUMERICHOST
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=numeric)
    except (OSError, UnicodeError):
        return
    assert {ip_address(info[4][0]) for info in infos} == {written_address(host)}


@pytest.mark.parametrize("host", ["example.org", "a.b", "dead.beef", "0x7f.example", "xn--a.org"])
def test_public_names_pass_the_look_at_a_name(host: str) -> None:
    """Where they lead is not known here: the proxy judges."""
    Guard().check_name(host)


def test_an_allowed_host_opens_its_addresses_for_itself_only() -> None:
    """A host name on the allow list may resolve to anything; others may not go there."""
    guard = Guard(["intranet.example"])
    assert guard.permits("intranet.example", "10.1.2.3")
    assert guard.permits("INTRANET.example.", "10.1.2.3")
    assert not guard.permits("evil.example", "10.1.2.3")
    assert not guard.permits("intranet.example.evil.example", "10.1.2.3")
    assert not guard.permits(None, "10.1.2.3")


def test_an_allowed_network_is_open_for_everybody_however_it_is_wrapped() -> None:
    """A network on the allow list opens its addresses, mapped ones too, and no others."""
    guard = Guard(["10.1.0.0/16", "fd00::/8", "192.168.7.7"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::5", "192.168.7.7"):
        assert guard.permits("any.example", address)
    for address in ("10.2.0.1", "192.168.7.8", "127.0.0.1"):
        assert not guard.permits("any.example", address)


def test_host_names_are_compared_without_case_brackets_and_final_dot() -> None:
    """The spellings of one host are one host."""
    assert plain_host("[::1]") == "::1"
    assert plain_host("Example.ORG.") == "example.org"


def test_the_attempt_remembers_what_was_refused() -> None:
    """A hop of which every candidate was refused was blocked; one that got a socket was not."""
    guard = Guard()
    private = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))
    with guard.attempt("a.example") as attempt:
        with pytest.raises(PermissionError):
            guard.make_socket(private)
        assert attempt.refused == ["10.0.0.1"]
        assert attempt.blocked
        guard.make_socket(public).close()
        assert not attempt.blocked
