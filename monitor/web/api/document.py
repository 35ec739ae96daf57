"""The operations as OpenAPI 3.1, and that as a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from monitor.web.access import May
from monitor.web.api.operations import PLACES, PREFIX, Operation
from monitor.web.api.problems import MEDIA_TYPE, Report

_ABOUT: Final = """\
What the page shows, for programs. Lists go on where `next` says, with the same parameters; times
are RFC 3339 in UTC; a parameter that is not known is refused. Answers to GET have an ETag: ask again
with If-None-Match, and what has not changed is 304. Errors are RFC 9457.\
"""
_REFS: Final = "#/components/schemas/{model}"
_WRONG: Final[Mapping[int, str]] = {
    400: "What was sent broke off.",
    401: "There is no token, or it is wrong.",
    403: "The token may not do that.",
    404: "There is nothing of that name.",
    405: "That can't be done here.",
    409: "Things are not as they must be for that: the detail says why.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "A parameter, or something in the body, is wrong: see `errors`.",
    429: "Too many wrong tokens came from there: try again later.",
    503: "The database can't be read now.",
}


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """All of it."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "monitor", "version": version, "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.all,
            "responses": {
                str(status): {
                    "description": said,
                    "content": {MEDIA_TYPE: {"schema": schemas.of(Report)}},
                }
                for status, said in _WRONG.items()
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "MONITOR_WEB_TOKEN, or MONITOR_WEB_READ_TOKEN to read.",
                }
            },
        },
    }


@dataclass(frozen=True, slots=True)
class _Schemas:
    """The shapes, and where each of them stands."""

    all: Mapping[str, Any]
    refs: Mapping[type[BaseModel], Mapping[str, Any]]

    def of(self, model: type[BaseModel]) -> Mapping[str, Any]:
        return self.refs[model]


def _schemas(operations: Sequence[Operation]) -> _Schemas:
    answers: set[type[BaseModel]] = {Report, *(each.answer for each in operations)}
    bodies: set[type[BaseModel]] = {each.body for each in operations if each.body is not None}
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *_as(answers, "serialization"),
        *_as(bodies, "validation"),
    ]
    places, definitions = models_json_schema(wanted, ref_template=_REFS)
    return _Schemas(
        all=definitions["$defs"], refs={model: places[model, mode] for model, mode in wanted}
    )


def _as(
    models: Iterable[type[BaseModel]], mode: JsonSchemaMode
) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    for model in models:
        yield model, mode


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    wrong = {401, 403, 405, 422, 429, 503}
    wrong |= {404} if operation.places else set()
    wrong |= {409} if operation.may is May.WRITE else set()
    wrong |= {400, 413, 415} if operation.body else set()
    answer: dict[str, Any] = {
        "description": "It is answered.",
        "content": {"application/json": {"schema": schemas.of(operation.answer)}},
    }
    answers: dict[str, Any] = {"200": answer}
    if operation.method == "GET":
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
        if "next" in operation.answer.model_fields:
            answer["headers"]["Link"] = {
                "schema": {"type": "string"},
                "description": "`rel=next`: the same as `next`, as a URL.",
            }
        answers["304"] = {"description": "It has not changed since."}
    answers |= {str(each): {"$ref": f"#/components/responses/{each}"} for each in sorted(wrong)}
    scope = "write" if operation.may is May.WRITE else "read"
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "security": [{"token": [scope]}],
        "parameters": [*_parameters(operation)],
        "responses": answers,
    }
    if operation.more:
        described["description"] = operation.more
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in operation.places:
        _, schema, said = PLACES[name]
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": said,
            "schema": dict(schema),
        }
    schema = operation.asked.model_json_schema(ref_template=_REFS)
    shared = schema.get("$defs", {})
    for name, each in schema.get("properties", {}).items():
        plain = _without_null(each, shared)
        plain.pop("title", None)
        said = plain.pop("description", "")
        if plain.get("format") == "cursor":  # each list has its own
            plain["format"] = f"{operation.path.split('/')[1]}-cursor"
        yield {"name": name, "in": "query", "description": said, "schema": plain}


def _without_null(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """What a parameter may be where it is given; its own shapes written out."""
    plain = dict(schema)
    options = [each for each in plain.pop("anyOf", []) if each != {"type": "null"}]
    if options:
        plain |= options[0]
    if plain.get("default", 0) is None:
        del plain["default"]
    if ref := plain.pop("$ref", None):
        target = dict(shared[ref.rpartition("/")[2]])
        target.pop("description", None)
        plain |= target
    return plain


# --------------------------------------------------------------------------- for people


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a part of what is sent or answered."""

    name: str
    kind: str
    said: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """An operation, as the page shows it."""

    name: str
    method: str
    path: str
    scope: str
    summary: str
    more: str
    asked: tuple[Field, ...]
    sent: tuple[Field, ...]
    answered: tuple[Field, ...]
    problems: tuple[int, ...]


def described(told: Mapping[str, Any]) -> Sequence[tuple[str, Sequence[Described]]]:
    """The document's operations by what they are about."""
    groups: dict[str, list[Described]] = {}
    schemas = told["components"]["schemas"]
    for path, methods in told["paths"].items():
        for method, each in methods.items():
            [scope] = each["security"][0]["token"]
            body = each.get("requestBody", {}).get("content", {}).get("application/json")
            answer = each["responses"]["200"]["content"]["application/json"]
            groups.setdefault(each["tags"][0], []).append(
                Described(
                    name=each["operationId"],
                    method=method.upper(),
                    path=PREFIX + path,
                    scope=scope,
                    summary=each["summary"],
                    more=each.get("description", ""),
                    asked=tuple(
                        Field(
                            parameter["name"],
                            _kind(parameter["schema"], schemas),
                            parameter["description"],
                            parameter.get("required", False),
                        )
                        for parameter in each["parameters"]
                    ),
                    sent=_fields(body["schema"], schemas) if body else (),
                    answered=_fields(answer["schema"], schemas),
                    problems=tuple(int(code) for code in each["responses"] if code >= "4"),
                )
            )
    return [*groups.items()]


def shapes_of(told: Mapping[str, Any]) -> Sequence[tuple[str, str, Sequence[Field]]]:
    """What answers are made of: name, what it is, its parts."""
    schemas = told["components"]["schemas"]
    return [
        (name, each.get("description", ""), _fields(each, schemas))
        for name, each in sorted(schemas.items())
        if "properties" in each and not name.endswith(("Asked", "_")) and "[" not in name
    ]


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Field, ...]:
    whole = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    needed = whole.get("required", [])
    return tuple(
        Field(name, _kind(each, schemas), each.get("description", ""), name in needed)
        for name, each in whole["properties"].items()
    )


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """A shape in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = schemas[name]
        return " | ".join(map(str, target["enum"])) if "enum" in target else name
    if "anyOf" in schema:
        return " | ".join(_kind(each, schemas) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"[{_kind(items, schemas) if items else 'number, number'}]"
    if schema.get("type") == "object":
        return "{…}"
    bounds = [
        f"{sign} {schema[key]}"
        for key, sign in (("minimum", "≥"), ("maximum", "≤"))
        if key in schema and schema[key] not in {1, (1 << 63) - 1}
    ]
    default = schema.get("default")
    said = [schema.get("format") or schema.get("type", "anything"), *bounds]
    if default is not None:
        said.append(f"= {default}")
    return " ".join(map(str, said))
