"""What holds at each door of the REST interface, as the OpenAPI document lists them."""

import json
from typing import Any

import pytest

from accounts.models import User
from tests import factories, rows
from tests.api import contract
from tests.api.conftest import Api, ApiOf

ARGUMENTS = {
    "{company_id}": "1",
    "{project_id}": "1",
    "{hardware_id}": "00-90-33-01-0A-FF",
    "{token_id}": "1",
    "{user_id}": "1",
    "{invitation_id}": "1",
    "{import_id}": "1",
    "{move_id}": "1",
    "{number}": "SO-1",
    "{job_id}": "00000000-0000-0000-0000-000000000001",
    "{grant}": "AAECAwQFBgcICQoLDA0ODw",
}


def doors(*methods: str, reads: str = "") -> list[Any]:
    """Method and address of each operation, with something in the place of what varies.

    :param reads: only those that take a body of this media type, or none.
    """
    found = []
    for template, operations in sorted(contract.document()["paths"].items()):
        path = template.removeprefix("/api/v1/")
        for name, value in ARGUMENTS.items():
            path = path.replace(name, value)
        assert "{" not in path, f"no argument for {template}"
        found += [
            pytest.param(m.upper(), path, id=f"{m} {path}")
            for m in methods
            if m in operations and _takes(operations[m], reads)
        ]
    return found


def _takes(operation: dict[str, Any], reads: str) -> bool:
    content = operation.get("requestBody", {}).get("content")
    return not reads or content is None or reads in content


EVERY = doors("get", "post", "delete")
POSTS = doors("post", reads="application/json")
CHANGES = doors("post", "delete")
BROKEN_BODIES = {
    "no JSON": b"{",
    "nothing that is JSON": b"\xff\xfe",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "a name twice": b'{"name":"a","name":"b"}',
    "a float": b'{"quantity":1.0}',
    "NaN": b'{"quantity":NaN}',
    "a huge integer": b'{"quantity":9007199254740992}',
    "NUL in a text": b'{"name":"\\u0000"}',
    "half a character": b'{"name":"\\ud800"}',
    "deep nesting": b'{"a":' * 9 + b"1" + b"}" * 9,
}


class TestSignedOut:
    @pytest.mark.parametrize(("method", "path"), EVERY)
    def test_it_answers_nobody_without_a_sign_in(self, api: ApiOf, method: str, path: str) -> None:
        api(None).refuse(method, path, status=401, code="sign-in-required")

    def test_a_session_of_somebody_who_may_not_sign_in_any_more_counts_for_nothing(
        self, api: ApiOf, alice: User
    ) -> None:
        program = api(alice)
        alice.is_active = False
        alice.save()

        program.refuse("GET", "me", status=401, code="sign-in-required")


class TestCSRF:
    @pytest.mark.parametrize(("method", "path"), CHANGES)
    def test_it_changes_nothing_without_a_token(self, alice: User, method: str, path: str) -> None:
        before = rows.everything()

        Api(alice, checks_csrf=True).refuse(method, path, {}, status=403, code="csrf-token-missing")

        assert rows.everything() == before

    def test_it_works_with_the_cookie_s_token(self, alice: User) -> None:
        program = Api(alice, checks_csrf=True)
        token = "a" * 32
        program.client.cookies["csrftoken"] = token

        response = program.send("POST", "companies", b'{"name":"Second"}', **{"X-CSRFToken": token})

        assert response.status_code == 201


class TestMethods:
    @pytest.mark.parametrize(("method", "path"), EVERY)
    @pytest.mark.parametrize("wrong", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"])
    def test_it_says_which_methods_there_are(
        self, api: ApiOf, alice: User, method: str, path: str, wrong: str
    ) -> None:
        if contract.operation_of(wrong, f"/api/v1/{path}"):
            return  # right here

        response = api(alice).send(wrong, path, b"")

        problem = json.loads(response.content)
        assert (response.status_code, problem["status"], problem["code"]) == (405, 405, "method-not-allowed")
        assert response.headers["Content-Type"] == contract.PROBLEM
        assert method in response.headers["Allow"]


class TestBodies:
    @pytest.mark.parametrize(("method", "path"), POSTS)
    @pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=list(BROKEN_BODIES))
    def test_it_refuses_what_it_cannot_read(
        self, api: ApiOf, alice: User, method: str, path: str, body: bytes
    ) -> None:
        program = api(alice)
        before = rows.everything()

        response = program.send(method, path, body)

        problem = json.loads(response.content)
        assert (response.status_code, problem["code"]) == (400, "invalid-input")
        assert list(problem["errors"]) == ["body"]
        assert rows.everything() == before

    @pytest.mark.parametrize(("method", "path"), POSTS)
    def test_it_refuses_more_than_64_kib(self, api: ApiOf, alice: User, method: str, path: str) -> None:
        program = api(alice)
        before = rows.everything()

        program.refuse(method, path, {"name": "x" * 65536}, status=413, code="too-large")

        assert rows.everything() == before

    @pytest.mark.parametrize(("method", "path"), POSTS)
    def test_it_refuses_members_it_does_not_know(
        self, api: ApiOf, alice: User, method: str, path: str
    ) -> None:
        problem = api(alice).refuse(method, path, {"surprise": 1}, status=400, code="invalid-input")

        assert list(problem["errors"]) == ["surprise"]

    @pytest.mark.parametrize(("method", "path"), POSTS)
    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    )
    def test_it_reads_json_only(
        self, api: ApiOf, alice: User, method: str, path: str, media_type: str
    ) -> None:
        response = api(alice).send(method, path, b'{"name":"Second"}', media_type=media_type)

        problem = json.loads(response.content)
        assert (response.status_code, problem["code"]) == (415, "media-type-not-supported")

    @pytest.mark.parametrize(("method", "path"), EVERY)
    def test_it_answers_json_only(self, api: ApiOf, alice: User, method: str, path: str) -> None:
        api(alice).refuse(method, path, status=406, code="not-acceptable", Accept="text/html")


class TestIdempotencyKey:
    @pytest.mark.parametrize("key", ["x" * 101, "schlüssel", "a\tb"])
    def test_a_key_that_cannot_be_one_is_refused(self, api: ApiOf, alice: User, key: str) -> None:
        program = api(alice)
        before = rows.everything()

        program.refuse(
            "POST", "companies", {"name": "Second"}, key=key, status=400, code="idempotency-key-malformed"
        )

        assert rows.everything() == before

    @pytest.mark.parametrize("key", ["", " "])
    def test_an_empty_key_is_not_taken_for_none(self, api: ApiOf, alice: User, key: str) -> None:
        program = api(alice)
        before = rows.everything()

        program.refuse(
            "POST",
            "companies",
            {"name": "Second"},
            status=400,
            code="idempotency-key-malformed",
            **{"Idempotency-Key": key},
        )

        assert rows.everything() == before

    def test_a_hundred_characters_are_a_key(self, api: ApiOf, alice: User) -> None:
        api(alice).post("companies", {"name": "Second"}, key="~" * 100, status=201)


class TestAddresses:
    @pytest.mark.parametrize(
        "path", ["", "nothing", "me/", "projects/x", "projects/-1", "companies/1", "devices"]
    )
    def test_an_address_without_a_door_is_not_found(self, api: ApiOf, alice: User, path: str) -> None:
        api(alice).refuse("GET", path, status=404, code="not-found")

    @pytest.mark.parametrize("number", ["0", str(2**31), str(2**63), "9" * 100])
    def test_a_number_no_database_holds_names_nothing(self, api: ApiOf, alice: User, number: str) -> None:
        api(alice).refuse("GET", f"projects/{number}", status=404, code="no-such-project")
        api(alice).refuse("GET", f"companies/{number}/balance", status=404, code="no-such-company")

    def test_a_number_beyond_all_measure_names_nothing(self, api: ApiOf, alice: User) -> None:
        api(alice).refuse("GET", f"projects/{'9' * 5000}", status=404, code="not-found")


class TestLanguage:
    def test_codes_stay_the_same_in_every_language(self, api: ApiOf, alice: User) -> None:
        problem = api(alice).refuse(
            "GET", "projects/999999", status=404, code="no-such-project", **{"Accept-Language": "de"}
        )

        assert problem["type"] == "/problems/no-such-project"


class TestRequestIds:
    def test_an_answer_carries_the_id_that_stands_in_the_log(self, api: ApiOf, alice: User) -> None:
        response = api(alice).send("GET", "me", b"", **{"X-Request-Id": "abcdefgh-1"})

        assert response.headers["X-Request-Id"] == "abcdefgh-1"
        assert api(alice).send("GET", "me", b"").headers["X-Request-Id"] != "abcdefgh-1"


def test_nobody_s_data_is_kept_on_the_way(api: ApiOf, alice: User) -> None:
    factories.make_company(founder=alice)

    assert api(alice).send("GET", "me", b"").headers["Cache-Control"] == "no-store"
