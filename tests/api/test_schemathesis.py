"""Schemathesis reads the OpenAPI document and calls each operation with what it makes up: what fits the
document, and what does not. Nothing is answered otherwise than described, and nothing breaks.

In process, with a fixed seed, so that a red test is red again. Ids are sometimes those of rows that are
there, else nearly every call would end at "there is no such project".
"""

import copy
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from accounts.models import ApiToken, User
from devices.models import Device
from licenses import queries
from portal.wsgi import application
from tests import factories
from tests.api import contract

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")

CALLS, MANY_CALLS = 500, 5_000
CSRF = "a" * 32
ANY_WORD = {"type", "description", "example"}
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
)
OPERATIONS = {
    described["operationId"]: (path, method)
    for path, methods in contract.document()["paths"].items()
    for method, described in methods.items()
}


@pytest.fixture(autouse=True)
def _connection_kept() -> Iterator[None]:
    """A server ends its requests by closing what is old: here, the connection of the test."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known(alice: User, device: Device) -> dict[str, Any]:
    """Names of what is there, by the names of parameters and members."""
    company = device.project.company
    token = factories.make_token("read", company=company, maker=alice, name="Another")
    return {
        "company_id": company.pk,
        "project_id": device.project_id,
        "hardware_id": device.hardware_id,
        "grant": queries.grant_id(factories.assigned(device)),
        "token_id": token.api_token.pk,
        "user_id": alice.pk,
        "company": company.pk,
        "project": device.project_id,
        "product": "Port",
        "version": 14,
        "code": factories.make_key(),
        "quantity": 1,
        "source": {"project": device.project_id},
        "destination": {"company": company.pk},
    }


@pytest.fixture
def signed_in(alice: User, device: Device) -> dict[bool, dict[str, str]]:
    """What a call is signed in with, for operations that take tokens and those that do not."""
    company = device.project.company
    secret = factories.make_token(*ApiToken.Scope.values, company=company, maker=alice).secret
    client = Client()
    client.force_login(alice)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        True: {"Authorization": f"Bearer {secret}"},
        False: {"session": session},
    }


def call_it(
    name: str, calls: int, mode: GenerationMode, known: dict[str, Any], signed_in: dict[str, str]
) -> None:
    """Call an operation so many times, and see each answer pass every check."""
    path, method = OPERATIONS[name]
    schema = schemathesis.openapi.from_dict(_without_signing_in())
    schema.app = application
    # A body may also be too large, and what it asks for impossible as things are.
    schema.config.checks.negative_data_rejection.expected_statuses = [
        "400",
        "401",
        "403",
        "404",
        "406",
        "409",
        "413",
    ]
    operation = schema[path][method.upper()]
    signing: dict[str, Any] = {"headers": signed_in}
    if session := signed_in.get("session"):
        cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF}
        signing = {"headers": {"X-CSRFToken": CSRF}, "cookies": cookies}

    @hypothesis.seed(20261124)
    @hypothesis.settings(
        max_examples=calls,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # shrinking costs, and the first failure tells enough
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        there=st.sets(st.sampled_from(sorted(known)), min_size=len(known) // 2),
    )
    def call(case: schemathesis.Case[Any], there: set[str]) -> None:
        for place in (case.path_parameters, case.body):
            if isinstance(place, dict) and mode == GenerationMode.POSITIVE:
                place.update({part: known[part] for part in place if part in there})
        case.call_and_validate(checks=list(CHECKS), **signing)

    call()


def _without_signing_in() -> dict[str, Any]:
    """The document as for somebody who is signed in whatever else they send."""
    document = copy.deepcopy(contract.document())
    for methods in document["paths"].values():
        for described in methods.values():
            described.pop("security", None)
    return document


def share(calls: int) -> int:
    """How many calls each operation gets in each of the two modes."""
    return -(-calls // (2 * len(OPERATIONS)))


def can_be_wrong(described: dict[str, Any]) -> bool:
    """Whether an operation takes anything that could be: not only words of any kind in its address."""
    parts = described.get("parameters", [])
    return "requestBody" in described or any(
        part["in"] != "path" or part["schema"]["type"] != "string" or part["schema"].keys() - ANY_WORD
        for part in parts
    )


CASES = [
    pytest.param(name, mode, id=f"{name}-{mode.value}")
    for name, (path, method) in OPERATIONS.items()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode == GenerationMode.POSITIVE or can_be_wrong(contract.document()["paths"][path][method])
]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_every_answer_is_as_described(
    name: str, mode: GenerationMode, known: dict[str, Any], signed_in: dict[bool, dict[str, str]]
) -> None:
    path, method = OPERATIONS[name]
    takes_tokens = "x-scope" in contract.document()["paths"][path][method]
    call_it(name, share(CALLS), mode, known, signed_in[takes_tokens])


@pytest.mark.long
@pytest.mark.parametrize(("name", "mode"), CASES)
def test_many_more_answers_are_as_described(
    name: str, mode: GenerationMode, known: dict[str, Any], signed_in: dict[bool, dict[str, str]]
) -> None:
    path, method = OPERATIONS[name]
    takes_tokens = "x-scope" in contract.document()["paths"][path][method]
    call_it(name, share(MANY_CALLS), mode, known, signed_in[takes_tokens])
