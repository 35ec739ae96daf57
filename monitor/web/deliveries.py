"""The outbox on the page: messages, what became of each, and what may be done about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor.errors import Refused
from monitor.model import DeliveryId
from monitor.ports import DeliveryRow, MessagePlace
from monitor.web import outbox, sought
from monitor.web.desk import Desk
from monitor.web.security import FORM_HEADERS

_SHOWN: Final = 50
_TROUBLED: Final = 20
_ID: Final = re.compile(r"[0-9a-f]{4,32}")


class Deliveries:
    """What is told, was told, and could not be told."""

    nav: ClassVar = ("/deliveries", "Deliveries")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered under ``/deliveries``."""
        routes = [Route("/deliveries", self.index)]
        if self._desk.decisions is not None:
            routes.append(Route("/deliveries/{message}", self.act, methods=["POST"]))
        return routes

    async def index(self, request: Request) -> Response:
        """Messages, those first that were wanted last; in front of them what is in trouble."""
        params = request.query_params
        if any(not value for value in params.values()):  # a form sends all its fields
            return RedirectResponse(_url({name: params.get(name, "") for name in _FIELDS}))
        state, channel = params.get("state", ""), params.get("channel", "")
        place = _read(params.get("before", ""))
        mistake = "" if state in outbox.STATES or not state else f"There is no state “{state}”."
        states = outbox.STATES[state][1] if state in outbox.STATES else ()
        messages = self._desk.reports.messages
        rows = await messages.newest(
            _SHOWN + 1, states=states, channel=channel or None, before=place
        )
        page = rows[:_SHOWN]
        further = _written(page[-1]) if len(rows) > _SHOWN else ""
        if state == "uncertain":  # beside what is just being sent
            page = [row for row in page if row.is_uncertain]
        troubled: Sequence[DeliveryRow] = ()
        if not state and place is None:
            tried = await messages.newest(_TROUBLED, states=outbox.TROUBLE, channel=channel or None)
            troubled = [row for row in tried if outbox.is_trouble(row)]
        outcomes = await messages.outcomes({row.id for row in (*page, *troubled)})
        given = {"state": state if not mistake else "", "channel": channel}
        may_change = self._desk.decisions is not None and self._desk.forms.may_use(request)
        session, tokens = self._desk.forms.tokens(
            request, (path_of(row) for row in (*page, *troubled) if may_change)
        )
        response = self._desk.pages.render(
            "deliveries.html",
            troubled=outbox.lines(troubled, outcomes),
            lines=outbox.lines(page, outcomes),
            states={name: said for name, (said, _) in outbox.STATES.items()},
            channels=await messages.channels(),
            given=given,
            mistake=mistake,
            is_first=place is None,
            newest=_url(given),
            further=_url({**given, "before": further}) if further else "",
            may_change=may_change,
            tokens=tokens,
            here=_url({**given, "before": params.get("before", "")}),
        )
        response.headers.update(FORM_HEADERS)
        if tokens:
            self._desk.forms.attach(response, session)
        return response

    async def act(self, request: Request) -> Response:
        """Send a message again, or give it up."""
        desk = self._desk
        assert desk.decisions is not None
        fields = await desk.forms.read(request)
        message, by = request.path_params["message"], desk.forms.by(request)
        if not _ID.fullmatch(message):
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such message.")
        try:
            match fields.get("act"):
                case "retry":
                    await desk.decisions.retry(message, by=by)
                case "drop":
                    await desk.decisions.drop(message, by=by)
                case _:
                    raise HTTPException(HTTPStatus.BAD_REQUEST, "Say what is to be done.")
        except Refused as error:
            said = str(error)
            raise HTTPException(
                HTTPStatus.CONFLICT, f"{said[:1].upper()}{said[1:].rstrip('.')}."
            ) from error
        back = fields.get("back", "")
        is_ours = re.fullmatch(r"/(deliveries|stories/\d+)([?#].*)?", back)
        return RedirectResponse(back if is_ours else "/deliveries", HTTPStatus.SEE_OTHER)


def path_of(row: DeliveryRow) -> str:
    """Where it is told what is to be done about a message."""
    return f"/deliveries/{row.id}"


_FIELDS: Final = ("state", "channel", "before")


def _url(values: dict[str, str]) -> str:
    query = {name: values[name] for name in _FIELDS if values.get(name)}
    return f"/deliveries?{urlencode(query)}" if query else "/deliveries"


def _written(row: DeliveryRow) -> str:
    """Where a list goes on after this message."""
    return f"{sought.written((row.created_at, 0)).partition('-')[0]}-{row.id}"


def _read(text: str) -> MessagePlace | None:
    moment, _, message = text.partition("-")
    place = sought.place(f"{moment}-0")
    return (place[0], DeliveryId(message)) if place and _ID.fullmatch(message) else None
