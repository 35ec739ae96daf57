"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: Annotated[
        Literal["query", "path", "body", "header"],
        Field(alias="in", description="In which part of the request."),
    ]
    name: Annotated[str, Field(description="Of the parameter, or the place in the body.")]
    detail: Annotated[str, Field(description="What is wrong, in a sentence.")]
    start: Annotated[
        int | None, Field(description="Of a query: the first character that is meant.")
    ] = None
    end: Annotated[int | None, Field(description="And the one after the last.")] = None
    hint: Annotated[str | None, Field(description="What to do.")] = None

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)


class Report(BaseModel):
    """What went wrong."""

    type: Annotated[str, Field(description="Always about:blank: the status says what kind it is.")]
    title: Annotated[str, Field(description="The status in words.")]
    status: int
    detail: Annotated[str, Field(description="What is wrong, in a sentence for people.")]
    errors: Annotated[list[Fault], Field(description="What in the request, if that can be said.")]


class Problem(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers

    def response(self) -> Response:
        """As it is sent."""
        report = Report(
            type="about:blank",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            errors=[*self.errors],
        )
        headers: dict[str, Any] = dict(self.headers or {})
        return Response(report.model_dump_json(), self.status, headers, MEDIA_TYPE)


def wrong(where: Literal["query", "path", "body"], name: str, detail: str) -> Problem:
    """422: one parameter is wrong."""
    fault = Fault(where=where, name=name, detail=detail)
    return Problem(422, f"{name}: {detail}", errors=[fault])
