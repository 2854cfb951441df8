"""The OpenAPI document as a judge: what a door answers must be what the document promises."""

import re
from functools import cache
from typing import Any

from django.http import HttpResponseBase
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

PROBLEM = "application/problem+json"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document as the portal publishes it."""
    with translation.override("en"):
        schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation that answers at an address, if there is one."""
    # Those in so many words and the longest first: the number of an order may hold slashes, and would take in
    # what follows.
    paths = sorted(document()["paths"].items(), key=lambda one: (one[0].count("{"), -len(one[0])))
    for template, methods in paths:
        pattern = re.sub(r"\{\w+\}", "[^/]+", template.replace("{number}", "(?s:.+)"))
        if re.fullmatch(pattern, path):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


def check(method: str, path: str, response: HttpResponseBase, body: Any) -> None:
    """Hold an answer to its description: status, media type, shape, and for a problem its code."""
    operation = operation_of(method, path)
    if operation is None or (response.status_code == 404 and body["code"] == "not-found"):
        assert response.status_code in (404, 405), f"{method} {path} is not described"
        return
    assert str(response.status_code) in operation["responses"], (
        f"{method} {path} answered {response.status_code}, which is not described: {body}"
    )
    content = operation["responses"][str(response.status_code)]["content"]
    media_type = response.headers["Content-Type"].partition(";")[0]
    assert media_type in content, f"{media_type} instead of {list(content)}"
    validate(content[media_type]["schema"], body)
    if media_type == PROBLEM:
        assert body["code"] in operation["x-problems"], f"{body['code']} is not described for {method} {path}"


def validate(schema: dict[str, Any], value: Any) -> None:
    """Hold a value to a schema of the document."""
    whole = {**schema, "components": document()["components"]}
    errors = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)
    ]
    assert errors == []
