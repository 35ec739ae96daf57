"""The way of every edit of `feeds.toml` on the page: it is shown first, and then saved as shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from monitor.config.editing import written
from monitor.errors import ConfigError, Refused
from monitor.web.desk import Desk
from monitor.web.editor import Proposal, reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What became of an edit: it is saved, or could be, or there is trouble."""

    proposal: Proposal | None = None  # None: it is saved, or can't be
    trouble: tuple[str, ...] = ()  # sentences
    in_use: bool | None = None  # None: it is not saved; False: it is, and not in use yet


class Edits:
    """Edits as pages propose and save them, and the forms of such pages."""

    def __init__(self, desk: Desk) -> None:
        self._editor = desk.editor
        self._forms = desk.forms
        self._pages = desk.pages

    def may_save(self, request: Request) -> bool:
        """Whether who asks may, and the page."""
        editor = self._editor
        return editor is not None and editor.editable and self._forms.may_use(request)

    async def propose(self, edit: Callable[[str], str]) -> Edited:
        """What saving it would change."""
        if self._editor is None:
            return Edited()
        try:
            return Edited(proposal=await self._editor.propose(edit))
        except (ConfigError, Refused) as error:
            return Edited(trouble=reasons(error))

    async def save(self, request: Request, edit: Callable[[str], str], mark: str) -> Edited:
        """Save it as it was shown: of the file that has this mark. If it isn't, what it is by now.

        Raises `HTTPException` if who asks may not.
        """
        if self._editor is None or not self.may_save(request):
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                "The page may not change the configuration: set editable = true under [web].",
            )
        try:
            in_use = await self._editor.save(edit, mark, by=self._forms.by(request))
        except (ConfigError, Refused) as error:
            return Edited(
                proposal=(await self.propose(edit)).proposal,
                trouble=reasons(error),
            )
        return Edited(in_use=in_use)

    async def lines(self, kind: str, *tables: Mapping[str, Any]) -> str:
        """What is to be pasted by hand, in the style of the file if it can be read."""
        try:
            like = (await self._editor.read()).text if self._editor is not None else ""
        except ConfigError:
            like = ""
        return "\n".join(written(kind, table, like) for table in tables)

    def form(
        self,
        request: Request,
        template: str,
        *,
        to: str | None = None,
        status: int = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        """A page with a form that may be sent to `to`, or to where it is asked for."""
        session, token = self._forms.token(request, to)
        response = self._pages.render(
            template,
            status=status,
            token=token if self._forms.may_use(request) else "",
            may_save=self.may_save(request),
            editor=self._editor,
            **values,
        )
        self._forms.attach(response, session)
        return response
