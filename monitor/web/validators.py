"""Entity tags: who asks again is sent only what has changed (RFC 9110, sections 8.8.3 and 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response


def tag_of(body: bytes) -> str:
    """A weak entity tag of what is answered."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def revalidated(tag: str) -> dict[str, str]:
    """Headers of an answer that may be kept, and asked for again with this tag."""
    return {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def unchanged(
    request: Request, tag: str, headers: Mapping[str, str] | None = None
) -> Response | None:
    """304, if who asks has it already."""
    known = request.headers.get("if-none-match", "")
    tags = [each.strip().removeprefix("W/") for each in known.split(",")]
    if known.strip() != "*" and tag.removeprefix("W/") not in tags:
        return None
    return Response(
        status_code=HTTPStatus.NOT_MODIFIED, headers={**(headers or {}), **revalidated(tag)}
    )
