"""The routes of stories: a story, its trace, and the pages on which people merge and split."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor.compose import named_by
from monitor.errors import Refused
from monitor.model import ArticleId, StoryId, Watch
from monitor.ports import Coverage, StoryTrace, StoryView
from monitor.stories.frequencies import shipped
from monitor.telling.hands import Action
from monitor.web import outbox, timeline, view
from monitor.web.decisions import Changed
from monitor.web.deliveries import path_of
from monitor.web.desk import Desk
from monitor.web.security import FORM_HEADERS, NOT_HERE
from monitor.web.trace import Answer, answer
from monitor.web.view import Labelled

_NEAR: Final = 10
_ARTICLES: Final = 200  # of a story, that one may choose among
_LARGEST_ID: Final = (1 << 63) - 1


class Stories:
    """Stories on the page; without `decisions` they are read only."""

    def __init__(self, desk: Desk) -> None:
        self._reports = desk.reports
        self._pages = desk.pages
        self._decisions = desk.decisions
        self._forms = desk.forms
        self._clock = desk.clock

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered under ``/stories``."""
        routes = [
            Route("/stories", self.stories),
            Route("/stories/{story}", self.story),
            Route("/stories/{story}/why", self.why),
        ]
        if self._decisions is None:
            return routes
        both = ["GET", "POST"]
        return [
            *routes,
            Route("/stories/{story}/split/{article}", self.split, methods=both),
            Route("/stories/{story}/hands", self.hands, methods=["POST"]),
            Route("/stories/{story}/merge", self.choose),
            Route("/stories/{story}/merge/{other}", self.merge, methods=both),
        ]

    async def stories(self, _request: Request) -> Response:
        """The front page lists them."""
        return RedirectResponse("/", HTTPStatus.MOVED_PERMANENTLY)

    async def story(self, request: Request) -> Response:
        """One story."""
        asked = _number(request, "story")
        trace = await self._story(asked)
        if trace.view.story != asked:  # it was merged
            return RedirectResponse(f"/stories/{trace.view.story}", HTTPStatus.FOUND)
        frequencies = self._decisions.rules().frequencies if self._decisions else shipped()
        # in a thread: a story of many reports takes a good part of a second
        shown = await asyncio.to_thread(timeline.timeline, trace, frequencies, self._max_age)
        may_change = self._decisions is not None and self._forms.may_use(request)
        messages = self._reports.messages
        rows = await messages.of_story(trace.view.story)
        lines = outbox.lines(rows, await messages.outcomes({row.id for row in rows}))
        done = await messages.hands({row.id for row in rows})
        here = f"/stories/{trace.view.story}/hands"
        paths = [here, *map(path_of, rows)] if may_change and rows else []
        session, tokens = self._forms.tokens(request, paths)
        response = self._pages.render(
            "story.html",
            shown=shown,
            trace=trace,
            before=await self._named(trace.follows),
            after=await self._named(trace.chapter_after),
            may_change=may_change,
            messages=lines,
            done=outbox.done(rows, done, self._clock.now()),
            deeds=outbox.deeds(rows, done),
            tokens=tokens,
            hands_token=tokens.get(here, ""),
        )
        if tokens:
            self._forms.attach(response, session)
        return response

    async def why(self, request: Request) -> Response:
        """Why an article of a story did or did not alert for a watch, stage by stage."""
        asked = _number(request, "story")
        story = await self._story(asked)
        if story.view.story != asked:  # it was merged
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/stories/{story.view.story}/why{query}", HTTPStatus.FOUND)
        coverage, mistake = self._article_of(story, request.query_params.get("article"))
        article = coverage.article
        trace = await self._reports.traced(article)
        archived = await self._reports.archived(article)
        if trace is None or archived is None:  # it went meanwhile
            raise HTTPException(404, f"Article {article} is not in story {asked}.")
        watches = await self._watches()
        found = {hit.watch for hit in trace.hits}
        name = request.query_params.get("watch", "")
        watch = next((each for each in watches if each.name == name), None)
        if name and watch is None:
            mistake = f"There is no watch {name[:100]}."
        watch = watch or next(
            (each for each in watches if each.name in found), watches[0] if watches else None
        )
        rows = await self._reports.messages.of_story(story.view.story)
        outcomes = await self._reports.messages.outcomes({row.id for row in rows})
        now, rules = self._clock.now(), self._decisions.rules() if self._decisions else None

        def explained() -> tuple[Answer | None, Sequence[Labelled]]:
            whole = timeline.whole(coverage)
            if watch is None:
                return None, whole
            frequencies = rules.frequencies if rules else shipped()
            return answer(
                trace,
                watch,
                archived.document,
                why_here=timeline.why_here(story, article, frequencies),
                channel=rules.channel_of(watch.name) if rules else watch.channel,
                rows=rows,
                outcomes=outcomes,
                max_age=rules.max_age if rules else None,
                now=now,
            ), whole

        said, whole = await asyncio.to_thread(explained)  # a watch is compiled for it
        response = self._pages.render(
            "story_why.html",
            story=story.view.story,
            articles=story.view.articles[:_ARTICLES],
            article=article,
            watches=watches,
            watch=watch,
            watch_href=f"/?{urlencode({'watch': watch.name})}" if watch else "",
            found=found,
            mistake=mistake,
            title=trace.title,
            href=view.web_link(archived.url),
            language=view.language(trace.language),
            answer=said,
            text=whole,
        )
        response.headers.update(FORM_HEADERS)
        return response

    def _article_of(self, story: StoryTrace, number: str | None) -> tuple[Coverage, str]:
        """The article of a story that is asked for, else the one that names it; and what is wrong."""
        articles = {each.article: each for each in story.view.articles}
        asked = articles.get(ArticleId(_id(number or "") or 0))
        if asked is not None:
            return asked, ""
        mistake = "This article is not in the story: here is the one that it is named by."
        return articles[
            named_by(story.view, self._max_age).article
        ], "" if number is None else mistake

    async def _watches(self) -> Sequence[Watch]:
        """The watches as they are now."""
        if self._decisions is not None:
            return self._decisions.rules().watches
        return [row.watch for row in await self._reports.watches(self._clock.now())]

    async def hands(self, request: Request) -> Response:
        """Do what a button of a message in Slack does."""
        assert self._decisions is not None
        fields = await self._forms.read(request)
        story = _number(request, "story")
        rows = await self._reports.messages.of_story(StoryId(story))
        message = next((row for row in rows if row.id == fields.get("message")), None)
        if message is None or message.subject is not None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such message of this story.")
        try:
            action = Action(fields.get("act", ""))
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "Say what is to be done.") from None
        await self._decisions.do(action, message.id, by=self._forms.by(request))
        return _go(str(story))

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
