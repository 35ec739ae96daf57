"""One URL for one article.

`canonical_url` is the key that an article is known by. It is shown to readers too, so it stays a
link that works: only what makes no difference to any ordinary site is changed. That the page
calls itself by another URL of its site (rel=canonical) is for its reader to say, not for a rule.

Why not a library's: `w3lib.url.canonicalize_url` keeps tracking parameters, userinfo, default
ports and AMP, maps ß to ss in hosts (IDNA 2003); `courlan.clean_url` drops any query parameter
that looks like a session or a referrer, among them the article's number (``?uid=1234``,
``?cid=5``, ``?12345``), and every blank inside. (Both as of 2.5 and 1.4, tried.)
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, unquote_to_bytes

from ada_url import join_url, parse_url
from courlan import extract_domain

from monitor.errors import Code, Permanent
from monitor.stories import redirectors
from monitor.stories.tracking import is_tracking

_PARTS: Final = ("protocol", "hostname", "port", "pathname", "search", "hash")
_ROOT: Final = re.compile(r"(?<=[^.])\.$")  # DNS's root: the same host
_LONGEST: Final = 8192  # characters; what servers commonly take, and far beyond any article's
_HOPS: Final = 3  # redirectors behind one another
_ROUNDS: Final = (
    20  # of cleaning a path; ordinary ones need two, "/amp" a thousand times a thousand
)


class _Url(NamedTuple):
    """A URL taken apart: the host in ASCII and small letters, the rest as a browser sends it."""

    scheme: str
    host: str
    port: int | None  # None: the scheme's own
    path: str
    query: str
    fragment: str


def canonical_url(url: str, base: str | None = None) -> str:
    """The URL that an article is known by; `base` makes a relative one absolute.

    Its canonical form is itself. It differs from what was given in this:

    * scheme https, unless a port is named or the host is an IP address or a bare name: the same
      page is listed under both, and a port or an address means a server of one's own;
    * host in small letters and punycode (UTS 46), addresses as four numbers, without userinfo, default port, last dot;
      m., mobile. and amp. of a domain are its www.;
    * path with percent-encoding only where needed (upper-case hex), without ``.`` and ``..``,
      doubled slashes, session ids, AMP's marks, and index.html at the end. A slash at the end
      stays as it is: most servers redirect the one way, some only know the other;
    * query without tracking parameters, sorted by name; a blank value is no value;
    * no fragment, unless it is a route (``#!…``);
    * the target in place of a redirector that carries it (`resolve_redirector`).

    Raises `Permanent` with `Code.BAD_URL` if this is no http(s) URL, or one of more than 8,192
    characters.
    """
    address = url if base is None else _joined(base, url)
    while True:
        canonical = _canonical(resolve_redirector(address))
        address = resolve_redirector(canonical)  # a redirector may come out of the cleaning
        if address == canonical:
            return canonical


def _canonical(url: str) -> str:
    """The canonical form of an absolute URL that is taken for the article's own."""
    parts = _parse(url)
    host = _home_host(parts.host)
    own = parts.port is not None or "." not in host or _is_address(host)
    scheme = parts.scheme if own else "https"
    port = f":{parts.port}" if parts.port is not None else ""
    domain = _domain(host) or host
    path = _clean_path(parts.path, domain)
    query = _clean_query(parts.query, domain)
    fragment = f"#{_requote(parts.fragment)}" if parts.fragment.startswith("!") else ""
    canonical = f"{scheme}://{host}{port}{path}{'?' if query else ''}{query}{fragment}"
    if len(canonical) > _LONGEST:
        raise _bad(url)
    return canonical


def resolve_redirector(url: str) -> str:
    """The article's URL, where a link to a search engine or mail gateway carries it; else `url`.

    Nothing is asked of the network, so a shortened link stays what it is. Never raises.
    """
    for _ in range(_HOPS):
        try:
            parts = _parse(url)
        except Permanent:
            return url
        target = redirectors.target_of(parts.host, parts.path, parts.query)
        if target is None or not _is_url(target):
            return url
        url = target
    return url


def is_opaque(url: str) -> bool:
    """Whether nobody but the maker of a link knows where it leads, and it is no use to ask them."""
    try:
        parts = _parse(resolve_redirector(url))
    except Permanent:
        return False
    return redirectors.is_opaque(parts.host, parts.path)


def _is_url(text: str) -> bool:
    try:
        _parse(text)
    except Permanent:
        return False
    return True


def host_of(url: str) -> str:
    """The host that a URL's requests go to, in ASCII and small letters, without port.

    Politeness is owed to a machine, not to its ports. Raises `Permanent` with `Code.BAD_URL`.
    """
    return _parse(url).host


def same_site(one: str, other: str) -> bool:
    """Whether two URLs are one publisher's: hosts below the same registrable domain.

    IP addresses and names without a public suffix are sites of their own. Raises `Permanent`
    with `Code.BAD_URL`.
    """
    first, second = host_of(one), host_of(other)
    domain = _domain(first)
    return first == second or (domain is not None and domain == _domain(second))


# --------------------------------------------------------------------------- parsing


_SURROGATES: Final = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=1 << 8)  # placing an article asks for the same one several times
def _parse(url: str) -> _Url:
    """The URL as browsers read it: the URL Standard of the WHATWG."""
    if len(url) > _LONGEST:
        raise _bad(url)
    try:
        parts = parse_url(_sendable(url), _PARTS)
    except ValueError as error:
        raise _bad(url) from error
    scheme = parts["protocol"].removesuffix(":")
    if scheme not in {"http", "https"}:
        raise _bad(url)
    return _Url(
        scheme=scheme,
        host=_ROOT.sub("", parts["hostname"]),
        port=int(parts["port"]) if parts["port"] else None,
        path=parts["pathname"],
        query=parts["search"].removeprefix("?"),
        fragment=parts["hash"].removeprefix("#"),
    )


def _joined(base: str, url: str) -> str:
    if max(len(url), len(base)) > _LONGEST:
        raise _bad(url)
    try:
        return join_url(_sendable(base), _sendable(url))
    except ValueError as error:
        raise _bad(url) from error


def _sendable(url: str) -> str:
    """Half a surrogate pair is no character: browsers send U+FFFD for it, too."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", url)


def _bad(url: str) -> Permanent:
    return Permanent(Code.BAD_URL, f"not an http(s) URL that can be used: {url[:200]!r}")


@lru_cache(maxsize=1 << 12)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1 << 14)
def _domain(host: str) -> str | None:
    """The registrable domain, by the public suffix list that comes with courlan's tld."""
    domain: str | None = extract_domain(f"https://{host}/", fast=False)
    return domain


# --------------------------------------------------------------------------- cleaning


_FRONTS: Final = re.compile(r"(?:(?:m|mobile|amp)\.)+")


def _home_host(host: str) -> str:
    """The host without its mobile or AMP front, where that is not the domain itself (amp.dev)."""
    front = _FRONTS.match(host)
    domain = _domain(host) if front else None
    if front is None or domain is None:
        return host
    rest = host[front.end() :]
    if rest.endswith(f".{domain}"):
        return rest
    return host if host == domain else f"www.{domain}"


_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_SAFE: Final = "!$&'()*+,/:;=?@%"


def _requote(text: str) -> str:
    """Percent-encoding where it is needed and in one way (RFC 3986, 6.2.2); a bare % is %25."""
    bare = _ESCAPE.sub(
        lambda match: _unescape(match[1]), re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    )
    return quote(bare, safe=_SAFE, errors="surrogatepass")


def _unescape(digits: str) -> str:
    char = chr(int(digits, 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else f"%{digits.upper()}"


_SESSION: Final = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_INDEX: Final = re.compile(r"(?<=/)(?:index|default)\.(?:s?html?|php|jsp|aspx?|cfm|amp)$")
_AMP_END: Final = re.compile(r"(?<=[^/])/amp(?:/1)?(/?)$")
_AMP_FILE: Final = re.compile(r"(?<=[^/])(?:[.~]amp(?=\.s?html?$)|\.amp$)")
# Sites that mark AMP where elsewhere a word of the article's own might stand.
_AMP_OF: Final = {
    domain: re.compile(mark)
    for domains, mark in (
        ("bhaskar.com malaymail.com stern.de indiatoday.in", r"^/amp(?=/.)"),
        ("bbc.com bbc.co.uk", r"(?<=^/news)/amp(?=/.)"),
        ("indiatimes.com", r"(?<=/)amp_(?=articleshow/)"),
        ("hankookilbo.com", r"/[Aa]mp(?=/A\d)"),
        ("abc.es corriere.it", r"_amp(?=\.s?html$)"),
        ("haberturk.com", r"-amp$"),
    )
    for domain in domains.split()
}


_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9_~!$&'()*+,:=@/.-]*", re.ASCII)
_UNCLEAN: Final = ("//", "/.", "amp", "Amp", "index.", "default.")  # what a rule may change


def _clean_path(path: str, domain: str) -> str:
    if _PLAIN_PATH.fullmatch(path) and not any(part in path for part in _UNCLEAN):
        return path  # as most are
    path = _SESSION.sub("", _requote(path)) or "/"
    for _ in range(_ROUNDS):
        shorter = _shorter(path, _AMP_OF.get(domain))
        if shorter == path:
            return path
        path = shorter
    raise _bad(path)  # made to keep us busy: each round reads the whole path


def _shorter(path: str, amp: re.Pattern[str] | None) -> str:
    """One round: what one rule leaves may be another's case."""
    path = _without_dots(re.sub(r"(?<!:)/{2,}", "/", path))
    path = _AMP_FILE.sub("", _INDEX.sub("", path))
    path = _AMP_END.sub(_slash_of_directory, path)
    return amp.sub("", path) if amp else path


def _slash_of_directory(match: re.Match[str]) -> str:
    """The slash behind /amp, unless a file's name would get it: …/article69.ece/amp/."""
    name = match.string[: match.start()].rpartition("/")[2]
    return "" if "." in name else match[1]


def _without_dots(path: str) -> str:
    """Without ``.`` and ``..`` segments (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment in {".", ".."}:
            del kept[len(kept) - (segment == "..") :]
            if last:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


_ESCAPED_TWICE: Final = re.compile(r"^(?:amp;)+")  # ?a=1&amp;b=2, as some feeds have it


def _clean_query(query: str, domain: str) -> str:
    """What is left of a query without tracking, sorted by name; repeated names keep their order."""
    if not query:
        return ""
    kept: list[tuple[str, str]] = []
    for part in query.split("&"):
        name, _, value = _ESCAPED_TWICE.sub("", part).partition("=")
        if not name and not value:
            continue
        decoded = unquote_to_bytes(name.replace("+", " ").encode("utf-8", "surrogatepass"))
        if not is_tracking(decoded.decode("utf-8", "replace").strip("?"), unquote(value), domain):
            kept.append((_requote(name.replace("+", "%20")), _requote(value.replace("+", "%20"))))
    kept.sort(key=lambda pair: pair[0])
    return "&".join(f"{name}={value}" if value else name for name, value in kept)
