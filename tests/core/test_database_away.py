"""While the database is away, people and programs are told when to come back; a bug stays a bug."""

import json

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.test import Client

from licenses.device_api import failures

NOBODY_THERE: list[Exception] = [
    OperationalError("connection to server failed: Connection refused"),
    InterfaceError("connection already closed"),
    OperationalError("could not extend file: No space left on device"),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, client: Client) -> Client:
    """A client that is answered as in production, not told of exceptions."""
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("error", NOBODY_THERE)
@pytest.mark.urls("tests.core.failing_urls")
class TestWhileItIsAway:
    def test_a_program_gets_a_problem_and_the_time(self, asked: Client, error: Exception) -> None:
        answer = asked.get("/api/failing", {"which": NOBODY_THERE.index(error)})

        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Cache-Control"] == "no-store"
        assert json.loads(answer.content)["code"] == "database-away"

    def test_a_person_gets_a_page(self, asked: Client, error: Exception) -> None:
        answer = asked.get("/failing", {"which": NOBODY_THERE.index(error)})

        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "database-away" in answer.text


@pytest.mark.urls("tests.core.failing_urls")
def test_a_bug_stays_a_bug(asked: Client) -> None:
    answer = asked.get("/api/failing", {"which": "bug"})

    assert answer.status_code == 500
    assert json.loads(answer.content)["code"] == "internal-error"


def test_device_doors_say_the_same(rf: object) -> None:
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        answer = failures.internal_error(HttpRequest())

    assert answer.status_code == 503
    assert json.loads(answer.content)["code"] == "database-away"
