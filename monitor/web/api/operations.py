"""What can be asked: each operation is declared once, and answered and documented from that.

A request is judged in the order of its cost: who asks, what is asked for, its parameters, its body.
"""

from __future__ import annotations

import base64
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Literal, TypeVar, get_type_hints
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from monitor import telemetry
from monitor.errors import MonitorError, QueryError, Refused
from monitor.web.access import May, visitor
from monitor.web.api.asked import LARGEST_ID, Nothing
from monitor.web.api.problems import Fault, Problem, wrong
from monitor.web.hosts import Origins
from monitor.web.security import body_of
from monitor.web.validators import revalidated, tag_of, unchanged

PREFIX: Final = "/api/v1"
_LARGEST: Final = 64 * 1024  # bytes of a body

log = telemetry.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of an operation."""

    request: Request
    at: Mapping[str, Any]  # what its path names
    asked: Any  # its parameters
    body: Any  # what was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that can be asked."""

    name: str
    method: Literal["GET", "POST"]
    path: str  # below `PREFIX`; what is in braces is of `PLACES`
    summary: str
    more: str
    asked: type[BaseModel]
    body: type[BaseModel] | None
    answer: type[BaseModel]
    may: May
    do: Callable[[Call], Awaitable[BaseModel]]

    @property
    def places(self) -> Sequence[str]:
        """What its path names."""
        return re.findall(r"{(\w+)}", self.path)


_Do = TypeVar("_Do", bound=Callable[..., Awaitable[BaseModel]])


class Operations:
    """Methods that are operations, declared by decorating them.

    What such a method is called, says of itself and answers is what the document says, too.
    """

    def __init__(self) -> None:
        self._declared: list[Callable[[object], Operation]] = []

    def __call__(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        asked: type[BaseModel] = Nothing,
        body: type[BaseModel] | None = None,
        may: May = May.READ,
    ) -> Callable[[_Do], _Do]:
        """Declare a method. `asked`: its parameters; `body`: what is sent; `may`: who may ask."""

        def declare(do: _Do) -> _Do:
            verb, *words = do.__name__.split("_")
            summary, _, more = (inspect.getdoc(do) or "").partition("\n\n")

            def bound(to: object) -> Operation:
                return Operation(
                    name=verb + "".join(map(str.capitalize, words)),
                    method=method,
                    path=path,
                    summary=summary,
                    more=" ".join(more.split()),
                    asked=asked,
                    body=body,
                    answer=get_type_hints(do)["return"],
                    may=may,
                    do=partial(do, to),
                )

            self._declared.append(bound)
            return do

        return declare

    def bound(self, to: object) -> Sequence[Operation]:
        """All of them, as methods of an object."""
        return [each(to) for each in self._declared]


# --------------------------------------------------------------------------- places and cursors


def _number(text: str) -> int | None:
    if not re.fullmatch("[0-9]{1,19}", text):
        return None
    return number if 0 < (number := int(text)) <= LARGEST_ID else None


_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
PLACES: Final[Mapping[str, tuple[Callable[[str], Any], Mapping[str, Any], str]]] = {
    "article": (_number, _NUMBER, "An article's number."),
    "story": (_number, _NUMBER, "A story's number."),
    "feed": (_number, _NUMBER, "A feed's number."),
    "delivery": (
        lambda text: text if re.fullmatch("[0-9a-f]{32}", text) else None,
        {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "A message's id.",
    ),
    "watch": (
        lambda text: text,
        {"type": "string", "minLength": 1, "maxLength": 100},
        "A watch's name.",
    ),
}
"""What may stand in a path: how it is read (None: nothing is called so), its schema, what it is."""


def write_cursor(kind: str, *parts: object) -> str:
    """Where a list goes on, to be sent back as it is."""
    said = [each.isoformat() if isinstance(each, datetime) else each for each in parts]
    packed = json.dumps([kind, *said], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(cursor: str | None, kind: str, *types: type) -> Sequence[Any] | None:
    """What `write_cursor` was given; None without one. Raises `Problem`."""
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        said = json.loads(packed)
        parts = said[1:] if isinstance(said, list) and said[:1] == [kind] else ()
        read = [
            datetime.fromisoformat(part).astimezone(UTC) if of is datetime else part
            for part, of in zip(parts, types, strict=True)
        ]
    except (ValueError, TypeError, OverflowError, RecursionError):
        read = []
    if not read or any(type(part) is not of for part, of in zip(read, types, strict=True)):
        raise wrong("query", "cursor", "is none of this list: begin without one")
    return read


# --------------------------------------------------------------------------- answering


class Answering:
    """Turns requests into calls, and what they give into responses."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        """What Starlette calls."""

        async def answer(request: Request) -> Response:
            self._judge(request, operation)
            at = _places(request, operation)
            asked = _asked(request, operation.asked)
            body = await _body(request, operation.body) if operation.body else None
            try:
                given = await operation.do(Call(request, at, asked, body))
            except QueryError as error:
                raise _unreadable(error, operation) from error
            except Refused as error:
                raise Problem(409, _sentence(error)) from error
            return _response(request, operation, given)

        return answer

    def _judge(self, request: Request, operation: Operation) -> None:
        """Raises `Problem` unless who asks may, and wants to."""
        who = visitor()
        if who.may < operation.may:
            raise Problem(403, "This token may read, and change nothing.")
        if request.method == "POST" and who.how != "bearer":
            sent_by_browser = "origin" in request.headers or who.how != "machine"
            if sent_by_browser and not self._origins.is_own(request):
                raise Problem(
                    403, "This was sent by another page: send the token as “Authorization: Bearer”."
                )


def _places(request: Request, operation: Operation) -> Mapping[str, Any]:
    at = {}
    for name in operation.places:
        text = request.path_params[name]
        if (value := PLACES[name][0](text)) is None:
            raise missing(name, text)
        at[name] = value
    return at


def missing(place: str, called: object) -> Problem:
    """404: there is nothing of that name."""
    shown = str(called)[:60].encode("utf-8", "replace").decode()
    return Problem(404, f"There is no {'message' if place == 'delivery' else place} {shown}.")


def _asked(request: Request, model: type[BaseModel]) -> BaseModel:
    pairs = request.query_params.multi_items()
    names = [name for name, _ in pairs]
    for name in names:
        if name not in model.model_fields:
            known = ", ".join(model.model_fields)
            shown = name[:60].encode("utf-8", "replace").decode()
            raise wrong(
                "query", shown, f"is not known; known are {known}" if known else "is not known"
            )
        if names.count(name) > 1:
            raise wrong("query", name, "is given twice")
    try:
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        raise _invalid("query", error) from None


async def _body(request: Request, model: type[BaseModel]) -> BaseModel:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "Send application/json.", headers={"Accept": "application/json"})
    try:
        sent = await body_of(request, _LARGEST)
    except HTTPException as error:
        said = "This is too large: 64 KiB are read." if error.status_code == 413 else error.detail
        raise Problem(error.status_code, said) from None
    try:
        return model.model_validate_json(sent)
    except ValidationError as error:
        raise _invalid("body", error) from None


def _invalid(where: Literal["query", "body"], error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_input=False)
    faults = [_fault(where, each) for each in found]
    first = faults[0]
    return Problem(
        422, f"{first.name}: {first.detail}" if first.name else first.detail, errors=faults
    )


def _fault(where: Literal["query", "body"], detail: ErrorDetails) -> Fault:
    said = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        said = "is not known"
    elif detail["type"] == "missing":
        said = "is missing"
    name = ".".join(map(str, detail["loc"]))[:60].encode("utf-8", "replace").decode()
    return Fault(where=where, name=name, detail=said.encode("utf-8", "replace").decode())


def _unreadable(error: QueryError, operation: Operation) -> Problem:
    in_body = operation.body is not None
    fault = Fault(
        where="body" if in_body else "query",
        name="query" if in_body else "q",
        detail=error.message,
        start=error.start,
        end=error.end,
        hint=error.hint or None,
    )
    return Problem(422, f"The query can't be read: {error.message}", errors=[fault])


def _sentence(said: object) -> str:
    text = str(said)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _response(request: Request, operation: Operation, given: BaseModel) -> Response:
    body = given.model_dump_json(by_alias=True).encode()
    headers = {}
    following = getattr(given, "next", None)
    if operation.method == "GET":
        if following is not None:
            query = urlencode(dict(request.query_params) | {"cursor": following})
            headers["Link"] = f'<{PREFIX}{_own_path(request)}?{query}>; rel="next"'
        if (answer := unchanged(request, tag_of(body), headers)) is not None:
            return answer
        headers |= revalidated(tag_of(body))
    return Response(body, HTTPStatus.OK, headers, "application/json")


def _own_path(request: Request) -> str:
    """The path as it was sent, below `PREFIX`."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    assert isinstance(path, str)
    return path.removeprefix(PREFIX)


# --------------------------------------------------------------------------- what went wrong


async def on_problem(_request: Request, error: Exception) -> Response:
    """A `Problem`."""
    assert isinstance(error, Problem)
    return error.response()


async def on_http(_request: Request, error: Exception) -> Response:
    """What the router says: 404, 405."""
    assert isinstance(error, HTTPException)
    said = {404: "There is nothing here.", 405: "That can't be done here."}
    problem = Problem(
        error.status_code,
        said.get(error.status_code, error.detail),
        headers=error.headers,
    )
    return problem.response()


async def on_trouble(request: Request, error: Exception) -> Response:
    """What is read from can't be read: an operator's matter."""
    log.warning("api.unavailable", path=request.url.path, error=str(error))
    said = telemetry.redact(str(error))
    return Problem(503, said, headers={"Retry-After": "30"}).response()


async def on_bug(_request: Request, _error: Exception) -> Response:
    """A bug, which the server logs whole."""
    return Problem(500, "This is a mistake in the program. It has been logged.").response()


HANDLERS: Final[Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]]] = {
    Problem: on_problem,
    HTTPException: on_http,
    MonitorError: on_trouble,
    500: on_bug,
}
