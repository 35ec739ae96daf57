"""The style sheet and the icon, from memory; their URLs change with their content."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_ICON: Final = "icon.svg"
_FILES: Final = {path.name: path for path in sorted((Path(__file__).parent / "static").iterdir())}
_BYTES: Final = {path: path.read_bytes() for path in _FILES.values()}


def asset_url(name: str) -> str:
    """Where a file of `static/` is served. Raises `KeyError` if there is none of that name."""
    digest = hashlib.sha256(_BYTES[_FILES[name]]).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


async def asset(request: Request) -> Response:
    """A file of `static/`."""
    found = _FILES.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return _file(found, "public, max-age=31536000, immutable")


async def icon(_request: Request) -> Response:
    """For browsers that ask for it before they have read the page."""
    return _file(_FILES[_ICON], "public, max-age=86400")


def _file(path: Path, cache: str) -> Response:
    media_type, _ = mimetypes.guess_type(path.name)
    return Response(_BYTES[path], media_type=media_type, headers={"Cache-Control": cache})
