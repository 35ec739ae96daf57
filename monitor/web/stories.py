"""The routes of stories: the list, a story, and the pages on which people merge and split."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor.compose import named_by
from monitor.errors import Refused
from monitor.model import ArticleId, StoryId
from monitor.ports import StoryTrace, StoryView
from monitor.stories.frequencies import shipped
from monitor.web import timeline, view
from monitor.web.decisions import Changed
from monitor.web.desk import Desk
from monitor.web.security import FORM_HEADERS, NOT_HERE

_LIST: Final = 50
_NEAR: Final = 10
_LARGEST_ID: Final = (1 << 63) - 1


class Stories:
    """Stories on the page; without `decisions` they are read only."""

    nav: ClassVar = ("/stories", "Stories")

    def __init__(self, desk: Desk) -> None:
        self._reports = desk.reports
        self._pages = desk.pages
        self._decisions = desk.decisions
        self._forms = desk.forms

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered under ``/stories``."""
        routes = [Route("/stories", self.stories), Route("/stories/{story}", self.story)]
        if self._decisions is None:
            return routes
        both = ["GET", "POST"]
        return [
            *routes,
            Route("/stories/{story}/split/{article}", self.split, methods=both),
            Route("/stories/{story}/merge", self.choose),
            Route("/stories/{story}/merge/{other}", self.merge, methods=both),
        ]

    async def stories(self, _request: Request) -> Response:
        """The stories in which something was found last."""
        rows = await self._reports.stories(_LIST)
        return self._pages.render("stories.html", rows=rows)

    async def story(self, request: Request) -> Response:
        """One story."""
        asked = _number(request, "story")
        trace = await self._story(asked)
        if trace.view.story != asked:  # it was merged
            return RedirectResponse(f"/stories/{trace.view.story}", HTTPStatus.FOUND)
        frequencies = self._decisions.rules().frequencies if self._decisions else shipped()
        # in a thread: a story of many reports takes a good part of a second
        shown = await asyncio.to_thread(timeline.timeline, trace, frequencies, self._max_age)
        return self._pages.render(
            "story.html",
            shown=shown,
            trace=trace,
            before=await self._named(trace.follows),
            after=await self._named(trace.chapter_after),
            may_change=self._decisions is not None and self._forms.may_use(request),
        )

    async def split(self, request: Request) -> Response:
        """What taking an article out of a story means; and doing so."""
        assert self._decisions is not None
        story = StoryId(_number(request, "story"))
        article = ArticleId(_number(request, "article"))
        trouble = ""
        if request.method == "POST":
            fields = await self._forms.read(request)
            try:
                own = await self._decisions.split(
                    article, story, fields.get("mark", ""), by=self._forms.by(request)
                )
                return _go(own)
            except Changed as error:
                trouble = str(error)
            except Refused as error:
                raise HTTPException(HTTPStatus.CONFLICT, _sentence(error)) from error
        self._only_here(request)
        mark = await self._decisions.mark(story)  # first: what is read later is never older
        trace = await self._story(story)
        plan = timeline.split(
            trace, article, self._decisions.rules(), can_edit=self._decisions.can_edit
        )
        if trace.view.story != story or plan is None:
            raise HTTPException(404, f"Article {article} is not in story {story}.")
        if not plan.left.articles:
            also = " but its copies" if plan.copies else ""
            raise HTTPException(
                HTTPStatus.CONFLICT, f"Nothing{also} is in story {story} beside this article."
            )
        return self._form(
            request, "split.html", trouble, mark, plan=plan, story=story, told=self._name(plan.left)
        )

    async def choose(self, request: Request) -> Response:
        """Which story another one is to be merged with."""
        self._only_here(request)
        trace = await self._story(_number(request, "story"))
        story = trace.view.story
        chosen = request.query_params.get("with", "").strip()
        typed = request.query_params.get("number", "").strip()
        trouble = ""
        if other := typed or chosen:
            found = await self._found(other)
            if found is None:
                trouble = f"There is no story {other[:20]}."
            elif found == story:
                trouble = f"Story {other[:20]} is this one: choose another."
            else:
                return _go(f"{story}/merge/{found}")
        elif request.query_params:
            trouble = "Choose a story, or give its number."
        response = self._pages.render(
            "choose.html",
            status=HTTPStatus.BAD_REQUEST if trouble else HTTPStatus.OK,
            story=story,
            told=self._name(trace.view),
            trouble=trouble,
            near=await self._reports.stories(_NEAR, near=story),
        )
        response.headers.update(FORM_HEADERS)
        return response

    async def merge(self, request: Request) -> Response:
        """What making two stories one means; and doing so."""
        assert self._decisions is not None
        one, other = StoryId(_number(request, "story")), StoryId(_number(request, "other"))
        trouble = ""
        if request.method == "POST":
            fields = await self._forms.read(request)
            try:
                into = await self._decisions.merge(
                    one, other, fields.get("mark", ""), by=self._forms.by(request)
                )
                return _go(into)
            except Changed as error:
                trouble = str(error)
            except Refused as error:
                raise HTTPException(HTTPStatus.CONFLICT, _sentence(error)) from error
        self._only_here(request)
        mark = await self._decisions.mark(one, other)  # first: what is read later is never older
        traces = [await self._story(one), await self._story(other)]
        if traces[0].view.story == traces[1].view.story:
            raise HTTPException(HTTPStatus.CONFLICT, f"Stories {one} and {other} are one already.")
        plan = timeline.merge(*traces, can_edit=self._decisions.can_edit)
        return self._form(
            request,
            "merge.html",
            trouble,
            mark,
            plan=plan,
            story=one,
            into=self._name(plan.into.view),
            gone=self._name(plan.gone.view),
        )

    # -- what they share

    def _only_here(self, request: Request) -> None:
        if not self._forms.may_use(request):
            raise HTTPException(HTTPStatus.FORBIDDEN, NOT_HERE)

    def _form(
        self, request: Request, template: str, trouble: str, mark: str, **values: object
    ) -> Response:
        session, token = self._forms.token(request)
        response = self._pages.render(
            template,
            status=HTTPStatus.CONFLICT if trouble else HTTPStatus.OK,
            trouble=f"{_sentence(trouble)} Look again." if trouble else "",
            hidden={"token": token, "mark": mark},
            **values,
        )
        self._forms.attach(response, session)
        return response

    async def _story(self, story: int) -> StoryTrace:
        trace = await self._reports.story(StoryId(story))
        if trace is None:
            raise HTTPException(404, f"There is no story {story}.")
        return trace

    async def _found(self, number: str) -> StoryId | None:
        """The story of a number as people type it."""
        digits = _id(number.removeprefix("#"))
        trace = await self._reports.story(StoryId(digits)) if digits is not None else None
        return trace.view.story if trace else None

    async def _named(self, story: StoryId | None) -> Mapping[str, object] | None:
        """A chapter before or after."""
        trace = await self._reports.story(story) if story is not None else None
        return self._name(trace.view) if trace else None

    def _name(self, story: StoryView) -> Mapping[str, object]:
        lead = named_by(story, self._max_age)
        return {
            "story": story.story,
            "headline": lead.title,
            "language": view.language(lead.language),
            "since": timeline.since(story),
            "counts": timeline.counts(story),
        }

    @property
    def _max_age(self) -> timedelta | None:
        """By what age an article leads no story."""
        return self._decisions.rules().max_age if self._decisions else None


def _number(request: Request, name: str) -> int:
    """The id of that name in the path."""
    number = _id(request.path_params[name])
    if number is None:
        raise HTTPException(404)
    return number


def _id(digits: str) -> int | None:
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        return None
    number = int(digits)
    return number if number <= _LARGEST_ID else None


def _go(where: StoryId | str) -> Response:
    return RedirectResponse(f"/stories/{where}", HTTPStatus.SEE_OTHER)


def _sentence(said: object) -> str:
    text = str(said)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
