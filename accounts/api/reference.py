"""How doors describe themselves: the one source of the OpenAPI document, the reference page, and the tests.

Beside every method of a door stands what it takes, what it answers, and which refusals it may answer with.
The reference is in English, whatever language its reader prefers: it is one document, kept under test.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from django.utils import translation
from django.utils.functional import Promise
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import serializers

from accounts.api.authentication import CSRFTokenMissing, PersonNeeded, ScopeMissing
from accounts.api_tokens import ApiTokenNotValid
from accounts.requests import LONGEST_KEY, IdempotencyKeyMalformed
from accounts.terms import TermsNotAccepted
from portal.core import problems
from portal.core.acts import IdempotencyKeyReused
from portal.core.errors import DomainError
from portal.core.parsers import BodyTooLarge
from portal.core.problems import MalformedInput, MediaTypeNotSupported, NotAcceptable, SignInRequired

Refusal = type[DomainError]
Method = TypeVar("Method", bound=Callable[..., Any])

# As drf-spectacular passes it on into the document; its own annotation says otherwise.
PEOPLE_ONLY: Any = [{"cookieAuth": []}]
ANY_METHOD: tuple[Refusal, ...] = (SignInRequired, ApiTokenNotValid, NotAcceptable, TermsNotAccepted)
A_CHANGE: tuple[Refusal, ...] = (CSRFTokenMissing, IdempotencyKeyMalformed, IdempotencyKeyReused)
A_BODY: tuple[Refusal, ...] = (
    MalformedInput,
    MediaTypeNotSupported,
    BodyTooLarge,
)
# Refusals of HTTP itself have a status of their own, not that of their kind (portal.core.problems).
_OWN_STATUS: dict[Refusal, HTTPStatus] = {
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    MediaTypeNotSupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    problems.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    problems.InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    OpenApiParameter.HEADER,
    description=(
        "Your own id of this request, new for each new request. The same request with the same id is "
        "answered again and does nothing twice, so that it can be repeated after a lost answer."
    ),
)


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457). Further members are facts of it: numbers and names for programs."""

    type = serializers.CharField(help_text="Its help page, with what, why, the way out: /problems/<code>.")
    title = serializers.CharField(help_text="What happened, in the language of Accept-Language.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="The way out.")
    code = serializers.CharField(help_text="The stable name of the refusal; decide by it.")


def operation(
    name: str,
    summary: str,
    *,
    answer: Any,
    status: HTTPStatus = HTTPStatus.OK,
    media_type: str = "application/json",
    other_types: Sequence[str] = (),
    dry_run: Any = None,
    scope: str | None = None,
    takes: type[serializers.Serializer[Any]] | None = None,
    reads: str = "application/json",
    changes: bool | None = None,
    refusals: Sequence[Refusal] = (),
    parameters: Sequence[OpenApiParameter | type[serializers.Serializer[Any]]] = (),
) -> Callable[[Method], Method]:
    """Describe the method of a door; its docstring becomes the description.

    :param name: the operation's id in the OpenAPI document, for generated clients.
    :param answer: the shape of a success, as a serializer or a JSON schema.
    :param scope: what a token needs to come in here (`Door` holds it); None: only people do.
    :param media_type: of a success; other_types: what it may be as well.
    :param dry_run: the shape of what `?dry_run=1` answers, always with 200.
    :param takes: the shape of the body; reads: its media type.
    :param changes: whether it changes something, so that requests have names; by default, what takes a body.
    :param refusals: what this operation refuses, beside what every door does.
    """
    changes = takes is not None if changes is None else changes
    everywhere = (
        *ANY_METHOD,
        PersonNeeded if scope is None else ScopeMissing,
        *(A_CHANGE if changes else ()),
        *(A_BODY if takes else ()),
    )
    described: tuple[Refusal, ...] = tuple(dict.fromkeys((*everywhere, *refusals)))
    own_parameters = [*parameters, IDEMPOTENCY_KEY] if changes else list(parameters)

    def describe(method: Method) -> Method:
        with translation.override("en"):
            schema: Callable[[Method], Method] = extend_schema(
                operation_id=name,
                summary=summary,
                request={reads: takes} if takes else None,
                parameters=own_parameters,
                auth=None if scope else PEOPLE_ONLY,
                responses={
                    **_successes(answer, status, dry_run, media_type, other_types),
                    **_problem_responses(described, with_example=refusals),
                },
                extensions={
                    "x-problems": sorted(refusal.code for refusal in described),
                    **({"x-scope": str(scope)} if scope else {}),
                },
            )
            described_method = schema(method)
        described_method.scope = scope  # type: ignore[attr-defined]
        return described_method

    return describe


def _successes(
    answer: Any, status: HTTPStatus, dry_run: Any, kind: str, others: Sequence[str] = ()
) -> dict[tuple[int, str], OpenApiResponse]:
    usual = {
        (int(status), one): OpenApiResponse(answer, description=str(status.phrase)) for one in (kind, *others)
    }
    if dry_run is None:
        return usual
    described = OpenApiResponse(dry_run, description="OK: only what would change, with `dry_run=1`")
    if status != HTTPStatus.OK:
        return {(int(HTTPStatus.OK), kind): described, **usual}
    either = PolymorphicProxySerializer(
        component_name=f"{answer.__name__}OrDryRun",
        serializers=[answer, dry_run],
        resource_type_field_name=None,
    )
    examples = [
        OpenApiExample(shape.__name__, value=example.value)
        for shape in (answer, dry_run)
        for example in shape._spectacular_annotation["examples"]
    ]
    return {(int(status), kind): OpenApiResponse(either, description="OK", examples=examples)}


def status_of(refusal: Refusal) -> int:
    """The HTTP status a refusal is answered with."""
    return int(_OWN_STATUS.get(refusal) or problems.status_of(refusal()))


def in_braces(text: str | Promise) -> str:
    """A sentence with its facts named in braces: "at most {limit} bytes"."""
    return re.sub(r"%\((\w+)\)s", r"{\1}", str(text))


def _problem_responses(
    refusals: Iterable[Refusal], *, with_example: Sequence[Refusal]
) -> dict[tuple[int, str], OpenApiResponse]:
    by_status: dict[int, list[Refusal]] = defaultdict(list)
    for refusal in refusals:
        by_status[status_of(refusal)].append(refusal)
    return {
        (status, problems.CONTENT_TYPE): OpenApiResponse(
            Problem,
            description="\n".join(
                f"- `{refusal.code}`: {in_braces(refusal.title)}" for refusal in by_status[status]
            ),
            examples=[_example(refusal, status) for refusal in by_status[status] if refusal in with_example],
        )
        for status in sorted(by_status)
    }


def _example(refusal: Refusal, status: int) -> OpenApiExample:
    return OpenApiExample(
        refusal.code,
        value={
            "type": f"/problems/{refusal.code}",
            "title": in_braces(refusal.title),
            "status": status,
            "detail": in_braces(refusal.way_out),
            "code": refusal.code,
        },
        response_only=True,
        status_codes=[status],
    )
