"""The reference of the REST interface as a page: the OpenAPI document, made readable on the server.

No script and no other machine is needed to read it, so it keeps the strict content security policy.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from drf_spectacular.generators import SchemaGenerator

from portal.core import problems

Schema = Mapping[str, Any]
READING = ("GET", "HEAD")
METHODS = ("get", "post", "delete")
PROBLEM_LINE = re.compile(r"^- `([a-z-]+)`: (.+)$", re.MULTILINE)  # as accounts.api.reference writes them


@dataclass(frozen=True, kw_only=True)
class Field:
    """A member of a shape, or a parameter. `shape` names the shape it is made of, if it has one."""

    name: str
    type: str
    shape: str
    required: bool
    description: SafeString
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An object that is sent or answered, or a word out of a list."""

    name: str
    description: SafeString
    fields: list[Field]
    values: list[str]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One status of an operation: a success with its shape, or problems, by code and title."""

    status: str
    shape: str
    description: SafeString
    examples: list[str]
    problems: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A method of an address."""

    name: str
    tag: str
    method: str
    path: str
    summary: str
    description: SafeString
    parameters: list[Field]
    takes: str
    takes_examples: list[str]
    answers: list[Answer]


def page(request: HttpRequest) -> HttpResponse:
    """All operations with what they take and answer, then all shapes."""
    if request.method not in READING:
        refused = problems.respond(problems.MethodNotAllowed(), status=HTTPStatus.METHOD_NOT_ALLOWED)
        refused.headers["Allow"] = ", ".join(READING)
        return refused
    operations, shapes = _contents()
    groups = [(tag, list(members)) for tag, members in groupby(operations, key=lambda found: found.tag)]
    return render(request, "api-reference.html", {"groups": groups, "shapes": shapes})


@cache
def _contents() -> tuple[list[Operation], list[Shape]]:
    with translation.override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    operations = sorted(_operations(schema), key=lambda found: (found.tag, found.path, found.method))
    return operations, list(_shapes(schema))


def _operations(schema: Schema) -> Iterator[Operation]:
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            described = methods[method]
            body = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            yield Operation(
                name=described["operationId"],
                tag=described["tags"][0],
                method=method.upper(),
                path=path,
                summary=described["summary"],
                description=_words(described.get("description", "")),
                parameters=[_parameter(parameter) for parameter in described.get("parameters", [])],
                takes=_shape_of(body.get("schema", {})),
                takes_examples=_examples(body),
                answers=[
                    _answer(status, answer) for status, answer in sorted(described["responses"].items())
                ],
            )


def _answer(status: str, answer: Schema) -> Answer:
    # A file may be of several types; its shape is the same.
    media_type, content = next(iter(answer["content"].items()))
    is_problem = media_type == problems.CONTENT_TYPE
    return Answer(
        status=status,
        shape=_shape_of(content["schema"]),
        description=_words(content["schema"].get("description", "")),
        examples=[] if is_problem else _examples(content),
        problems=PROBLEM_LINE.findall(answer["description"]) if is_problem else [],
    )


def _shapes(schema: Schema) -> Iterator[Shape]:
    for name, described in sorted(schema["components"]["schemas"].items()):
        required = described.get("required", [])
        yield Shape(
            name=name,
            # What spectacular writes about a list of values says nothing that the list does not.
            description=_words("" if "enum" in described else described.get("description", "")),
            values=described.get("enum", []),
            fields=[
                Field(
                    name=member,
                    type=_type_of(member_schema),
                    shape=_shape_of(member_schema),
                    required=member in required,
                    description=_words(member_schema.get("description", "")),
                )
                for member, member_schema in described.get("properties", {}).items()
            ],
        )


def _parameter(parameter: Schema) -> Field:
    return Field(
        name=parameter["name"],
        type=_type_of(parameter["schema"]),
        shape="",
        required=parameter.get("required", False),
        description=_words(parameter.get("description", "")),
        place=parameter["in"],
    )


def _type_of(schema: Schema) -> str:
    if shape := _shape_of(schema):
        if schema.get("type") == "array":
            return f"list of {shape}"
        return f"{shape} or null" if {"type": "null"} in schema.get("oneOf", []) else shape
    kinds = schema.get("type", "object")
    text = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return f"{text} ({schema['format']})" if "format" in schema else text


def _shape_of(schema: Schema) -> str:
    """The name of the shape that a schema refers to: directly, in a list, or as one of several."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    inner = [schema.get("items", {}), *schema.get("allOf", []), *schema.get("oneOf", [])]
    return next((name for part in inner if part and (name := _shape_of(part))), "")


def _examples(content: Schema) -> list[str]:
    return [
        json.dumps(example["value"], indent=2, ensure_ascii=False)
        for example in content.get("examples", {}).values()
    ]


def _words(text: str) -> SafeString:
    """Prose with its `code` marked up; everything else in it is text."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped before
