"""The routes of watches: what they look for and bring, and the page on which one tries another.

A trial runs the live matcher over the newest stored articles, one trial at a time, for so many
seconds at most and beside the work of the service. What it came to can be saved into `feeds.toml`
if `[web] editable` says so; otherwise the lines to paste are shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from monitor import config, volume
from monitor.config.editing import changed_watch, with_watch, without_watch
from monitor.match.explain import explain
from monitor.match.plan import content_of
from monitor.model import Watch
from monitor.ports import Sought
from monitor.web import drafts
from monitor.web import watch_view as shown
from monitor.web.desk import Desk
from monitor.web.drafts import Draft
from monitor.web.edits import Edited, Edits
from monitor.web.security import FORM_HEADERS, NOT_HERE
from monitor.web.watch_view import Result

PAGE: Final = 50
_FOUND: Final = 10  # stories
_EXAMPLES: Final = 8
_LARGEST: Final = 300_000  # bytes of a form: a long query, each letter of it as nine
_FAR: Final = {2_000: 2.0, 10_000: 10.0, 50_000: 40.0}
"""How many articles a trial may look at, each with the seconds in which it must end."""

_QUEUE: Final = 20.0  # seconds for which a trial waits for another
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declared:
    """The watches as they are in force."""

    watches: Sequence[Watch]
    resting: Sequence[Watch]
    channel: str  # where a watch leads that says nothing

    def named(self, name: str) -> Watch | None:
        return next((each for each in (*self.watches, *self.resting) if each.name == name), None)

    def rests(self, watch: Watch) -> bool:
        return watch in self.resting


class Watches:
    """Watches on the page; without an editor, or a right to it, they are read only."""

    nav: ClassVar = ("/watches", "Watches")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._edits = Edits(desk)
        self._pages = desk.pages
        self._forms = desk.forms
        self._one_at_a_time = asyncio.Semaphore(1)

    def routes(self) -> Sequence[BaseRoute]:
        """What is answered under ``/watches``."""
        both = ["GET", "POST"]
        return [
            Route("/watches", self.watches),
            Route("/watches/try", self.trial, methods=both),
            Route("/watches/check", self.check),
            Route("/watches/change", self.change, methods=both),
            Route("/watches/{name:path}", self.watch),
        ]

    # -- reading

    async def watches(self, request: Request) -> Response:
        """All watches, or those in whose name or words something is."""
        if name := request.query_params.get("name"):
            return await self._one(request, name)
        declared = await self._declared()
        sought = request.query_params.get("q", "").strip()
        every = [*declared.watches, *declared.resting]
        found = [each for each in every if _holds(each, sought)]
        page = _page(request)
        some = found[(page - 1) * PAGE : page * PAGE]
        names = [each.name for each in some]
        now = self._desk.clock.now()
        reports = self._desk.reports
        channels = {each.name: each.channel or declared.channel for each in some}
        watched = await reports.watched.lately(names, now, channels)
        days = await reports.watched.days(names, now.date() - 2 * shown.LATELY * _DAY)
        lines = await asyncio.to_thread(
            lambda: [
                shown.line(
                    each,
                    watched.get(each.name),
                    days.get(each.name, {}),
                    channel=declared.channel,
                    today=now.date(),
                    rests=declared.rests(each),
                )
                for each in some
            ]
        )
        response = self._pages.render(
            "watches.html",
            lines=lines,
            sought=sought,
            count=len(found),
            all=len(every),
            page=page,
            pages=max(1, -(-len(found) // PAGE)),
            try_path=shown.try_path,
            urlencode=urlencode,
        )
        response.headers.update(FORM_HEADERS)  # one looks for watches by a form
        return response

    async def watch(self, request: Request) -> Response:
        """One watch."""
        return await self._one(request, request.path_params["name"])

    async def _one(self, request: Request, name: str) -> Response:
        declared = await self._declared()
        watch = self._known(declared, name)
        now, reports = self._desk.clock.now(), self._desk.reports
        channel = watch.channel or declared.channel
        watched = (await reports.watched.lately([name], now, {name: channel})).get(name)
        days = await reports.watched.days([name], now.date() - shown.SHOWN_DAYS * _DAY)
        found = await reports.news.page(Sought(watch=name), _FOUND)
        explanation = await asyncio.to_thread(explain, watch)
        judged = watched.precision if watched else None
        lately = await asyncio.to_thread(lambda: [shown.report(row, name) for row in found.rows])
        return self._pages.render(
            "watch.html",
            watch=watch,
            line=shown.line(
                watch,
                watched,
                days.get(name, {}),
                channel=declared.channel,
                today=now.date(),
                rests=declared.rests(watch),
            ),
            settings=_settings_of(watch, channel),
            explanation=explanation,
            notes=shown.notes(watch),
            terms=shown.terms(explanation, judged),
            advice=shown.advice(judged, watched.held if watched else 0),
            chart=shown.chart(days.get(name, {}), now.date()),
            found=lately,
            more=urlencode({"watch": name}),
            said=_SAID.get(request.query_params.get("saved", ""), ""),
            may_save=self._edits.may_save(request),
            try_path=shown.try_path,
            change_path=shown.change_path,
        )

    # -- trying

    async def trial(self, request: Request) -> Response:
        """A form for a watch, what it would find, and what saving it would change."""
        declared = await self._declared()
        is_posted = request.method == "POST"
        typed: Mapping[str, str] = (
            await self._forms.read(request, largest=_LARGEST)
            if is_posted
            else dict(request.query_params)
        )
        of = typed.get("of", "")
        known = self._known(declared, of) if of else None
        if "text" not in typed:  # nobody has typed anything yet
            draft = Draft(fields=drafts.fields_of(known)) if known else drafts.empty()
            return await self._form(request, declared, draft, known)
        taken = [each.name for each in (*declared.watches, *declared.resting)]
        to_save = is_posted and typed.get("do") == "save"  # a link must not save anything
        draft = drafts.draft(typed, known, taken, to_save=to_save)
        edit = partial(_edited, draft=draft, known=known)
        if to_save and draft.is_ready:
            edited = await self._edits.save(request, edit, typed.get("mark", ""))
            if edited.in_use is not None:
                return _go(draft.name, in_use=edited.in_use)
            return await self._form(request, declared, draft, known, edited=edited)
        far = _far(typed.get("articles", ""))
        result = await self._try(draft, known, far) if draft.watch else None
        edited = await self._edits.propose(edit) if _differs(draft, known) else Edited()
        return await self._form(
            request, declared, draft, known, result=result, far=far, edited=edited
        )

    async def check(self, request: Request) -> Response:
        """What is to be said of a query while it is typed: a piece of the page."""
        declared = await self._declared()
        typed = request.query_params
        known = declared.named(typed.get("of", ""))
        draft = drafts.draft({key: typed.get(key, "") for key in ("kind", "text")}, known, ())
        if draft.is_empty:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return self._pages.render(
            "watch_answer.html",
            draft=draft,
            mistakes=draft.mistakes,
            written=shown.written(draft.watch) if draft.watch else "",
            notes=shown.notes(draft.watch) if draft.watch else (),
        )

    async def _try(self, draft: Draft, known: Watch | None, articles: int) -> Result:
        """Run what was typed over the newest articles; beside it, what it is an edit of."""
        assert draft.watch is not None
        old = known if known and content_of(known) != content_of(draft.watch) else None
        rules = self._desk.decisions.rules() if self._desk.decisions else None
        try:
            async with asyncio.timeout(_QUEUE):
                await self._one_at_a_time.acquire()
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Others are trying watches just now: try again in a moment.",
            ) from None
        try:
            trial = await volume.tried(
                draft.watch,
                old,
                self._desk.reports,
                is_news=volume.news_within(rules.max_age if rules else None),
                articles=articles,
                seconds=_FAR[articles],
                samples=_EXAMPLES,
            )
        finally:
            self._one_at_a_time.release()
        return await asyncio.to_thread(shown.result, trial)

    async def _form(
        self,
        request: Request,
        declared: _Declared,
        draft: Draft,
        known: Watch | None,
        *,
        result: Result | None = None,
        far: int = min(_FAR),
        edited: Edited | None = None,
    ) -> Response:
        """`edited`: what became of what was typed; None: nobody has tried it yet."""
        is_tried, edited = edited is not None, edited or Edited()
        explanation = await asyncio.to_thread(explain, draft.watch) if draft.watch else None
        lines = ""
        if is_tried and _differs(draft, known) and not self._edits.may_save(request):
            lines = await self._edits.lines("watch", draft.table())
        further = next((each for each in sorted(_FAR) if each > far), None)
        wrong = is_tried and (draft.mistakes or edited.trouble)
        return self._edits.form(
            request,
            "watch_try.html",
            to="/watches/try",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            draft=draft,
            known=known,
            fields=draft.fields,
            mistakes=draft.mistakes,
            written=shown.written(draft.watch) if draft.watch else "",
            notes=shown.notes(draft.watch) if draft.watch else (),
            terms=shown.terms(explanation, None) if explanation else (),
            result=result,
            further=_address(draft, further) if further and result and not result.is_all else "",
            far=further,
            default_channel=declared.channel,
            proposal=edited.proposal,
            lines=lines,
            trouble=edited.trouble,
            is_tried=is_tried,
            is_long=len(draft.fields["text"]) > 1_500,
            path=shown.path,
        )

    # -- saving

    async def change(self, request: Request) -> Response:
        """Remove a watch, or have it rest, or look again."""
        declared = await self._declared()
        if not self._forms.may_use(request):
            raise HTTPException(HTTPStatus.FORBIDDEN, NOT_HERE)
        posted = (
            await self._forms.read(request, largest=_LARGEST) if request.method == "POST" else {}
        )
        typed = posted or request.query_params
        watch = self._known(declared, typed.get("of", ""))
        what = typed.get("do", "")
        if what not in _CHANGES:
            raise HTTPException(404)
        edit = partial(_CHANGES[what], name=watch.name)
        if posted:
            edited = await self._edits.save(request, edit, posted.get("mark", ""))
        else:
            edited = await self._edits.propose(edit)
        if edited.in_use is not None:
            if what == "remove":
                return RedirectResponse("/watches", HTTPStatus.SEE_OTHER)
            return _go(watch.name, in_use=edited.in_use)
        return self._edits.form(
            request,
            "watch_change.html",
            to="/watches/change",
            status=HTTPStatus.CONFLICT if edited.trouble else HTTPStatus.OK,
            watch=watch,
            what=what,
            proposal=edited.proposal,
            trouble=edited.trouble,
        )

    # -- what they share

    async def _declared(self) -> _Declared:
        """The watches in force: by the rules, or else as they are stored."""
        editor, decisions = self._desk.editor, self._desk.decisions
        channel = decisions.rules().default_channel if decisions else ""
        if editor is not None:
            settings = editor.settings
            return _Declared(watches=settings.watches, resting=settings.resting, channel=channel)
        if decisions is not None:
            return _Declared(watches=decisions.rules().watches, resting=(), channel=channel)
        rows = await self._desk.reports.watches(self._desk.clock.now())
        return _Declared(watches=[row.watch for row in rows], resting=(), channel=channel)

    def _known(self, declared: _Declared, name: str) -> Watch:
        watch = declared.named(name)
        if watch is None:
            raise HTTPException(404, f"There is no watch “{name[:100]}”.")
        return watch


_SAID: Final = {
    "used": "Saved, and in use.",
    "saved": "Saved. The service has not taken it over yet: what is wrong is said on top of this "
    "page, or will be in a moment.",
}


def _edited(text: str, *, draft: Draft, known: Watch | None) -> str:
    """The file with what was typed."""
    if known is None:
        return with_watch(text, draft.table())
    return changed_watch(text, known.name, draft.changes(known))


def _differs(draft: Draft, known: Watch | None) -> bool:
    """Whether there is something to save."""
    return bool(draft.is_ready and draft.name and (known is None or draft.changes(known)))


_CHANGES: Final[Mapping[str, Callable[..., str]]] = {
    "remove": without_watch,
    "rest": partial(changed_watch, changes={"enabled": False}),
    "wake": partial(changed_watch, changes={"enabled": None}),
}


def _settings_of(watch: Watch, channel: str) -> Sequence[tuple[str, str]]:
    """What a watch says beside what it looks for."""
    found = [("Channel", channel or "the default channel"), ("Priority", str(watch.priority))]
    if watch.min_publishers > 1:
        found.append(("Waits for", f"{watch.min_publishers} publishers"))
    if watch.min_sides:
        found.append(("Waits for sides", str(watch.min_sides)))
    if watch.escalate:
        found.append(("Said aloud from", _escalation(watch)))
    if watch.quiet_hours:
        found.append(("Quiet hours", str(watch.quiet_hours)))
    if watch.digest:
        found.append(("Digest", f"{watch.digest}{'' if watch.realtime else ', and nothing else'}"))
    found.append(("Spikes", "are told" if watch.spike else "are not told"))
    return found


def _escalation(watch: Watch) -> str:
    assert watch.escalate is not None
    parts = [f"{watch.escalate.publishers} publishers"]
    if watch.escalate.sides:
        parts.append(f"{watch.escalate.sides} sides")
    return ", ".join(parts)


def _holds(watch: Watch, sought: str) -> bool:
    """Whether something is in a watch's name or words."""
    if not sought:
        return True
    words = "\n".join((watch.name, watch.query or "", *watch.terms))
    return config.folded(sought) in config.folded(words)


def _page(request: Request) -> int:
    asked = request.query_params.get("page", "1")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 6):
        return 1
    return max(1, int(asked))


def _far(typed: str) -> int:
    return next((each for each in _FAR if str(each) == typed), min(_FAR))


def _address(draft: Draft, articles: int) -> str:
    """Where this trial is, looking so far."""
    fields = {name: value for name, value in draft.fields.items() if value}
    return f"/watches/try?{urlencode({**fields, 'articles': articles})}"


def _go(name: str, *, in_use: bool) -> Response:
    where = shown.path(name)
    said = f"{'&' if '?' in where else '?'}saved={'used' if in_use else 'saved'}"
    return RedirectResponse(f"{where}{said}", HTTPStatus.SEE_OTHER)
