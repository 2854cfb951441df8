"""Refusals: each has a code, words and a line in the docs; doors for machines tell them in one shape."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import translation

from accounts.api.reference import in_braces, status_of
from accounts.models import User
from portal.core.errors import KINDS, UNSEEN, DomainError, NotFound, every_refusal
from tools import problems

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ("api/", "device/", "keys/", ".well-known/")
ARGUMENTS = {
    "company_id": "1",
    "user_id": "1",
    "invitation_id": "1",
    "import_id": "1",
    "move_id": "1",
    "project_id": "1",
    "hardware_id": "00-90-33-01-0A-FF",
    "token_id": "1",
    "job_id": "00000000-0000-0000-0000-000000000001",
    "number": "SO-1",
    "grant": "AAECAwQFBgcICQoLDA0ODw",
    "version": "1",
}
# What a process that serves requests must know, told by such a process.
SERVING = """
import json, django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
from portal.core.errors import every_refusal
print(json.dumps(sorted(refusal.code for refusal in every_refusal())))
"""


def refusals() -> list[type[DomainError]]:
    """All refusals there are, wherever they are defined."""
    problems.import_everything()
    return sorted(every_refusal(), key=lambda refusal: refusal.code)


def routes(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of the portal, with its arguments in angle brackets."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def machine_addresses() -> list[str]:
    """The addresses that programs and devices use, with something in the place of each argument."""
    return [
        "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: ARGUMENTS[match[1]], route)
        for route in routes()
        if route.startswith(MACHINES)
    ]


def sentences(text: Any) -> set[str]:
    """The sentences of a text, without what ends them."""
    return {part for part in re.split(r"[.?!:;]\s+|[.?!]$", str(text)) if part}


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document an answer is, which must be whole."""
    assert response.headers["Content-Type"] == "application/problem+json", response.content[:300]
    problem: dict[str, Any] = json.loads(response.content)
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"/problems/{code}"
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["Cache-Control"] == "no-store"
    return problem


class TestCodes:
    def test_each_belongs_to_one_refusal(self) -> None:
        counted = Counter(refusal.code for refusal in refusals())

        assert [code for code, times in counted.items() if times > 1] == []

    def test_they_are_words_with_dashes(self) -> None:
        assert [r.code for r in refusals() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", r.code)] == []

    def test_each_has_exactly_one_kind(self) -> None:
        wrong = [r.code for r in refusals() if sum(issubclass(r, kind) for kind in KINDS) != 1]

        assert wrong == []

    def test_what_has_no_code_is_never_raised(self) -> None:
        def uncoded(base: type[DomainError]) -> Iterator[type[DomainError]]:
            for refusal in base.__subclasses__():
                if not refusal.code:
                    yield refusal
                yield from uncoded(refusal)

        problems.import_everything()
        assert set(uncoded(DomainError)) == set(KINDS)


class TestWords:
    @pytest.mark.parametrize("part", ["title", "why", "way_out"])
    def test_each_says_what_why_and_the_way_out_in_sentences(self, part: str) -> None:
        with translation.override("en"):
            wrong = [r.code for r in refusals() if not re.search(r"[.?!]$", str(getattr(r, part)).strip())]

        assert wrong == []

    def test_each_is_translatable(self) -> None:
        texts = {r.code: (r.title, r.why, r.way_out) for r in refusals()}

        wrong = [code for code, parts in texts.items() if any(isinstance(part, str) for part in parts)]

        assert wrong == []

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_why_is_neither_what_nor_the_way_out_again(self, language: str) -> None:
        with translation.override(language):
            told = {r.code: sentences(r.title) | sentences(r.way_out) for r in refusals()}
            again = [r.code for r in refusals() if sentences(r.why) & told[r.code]]

        assert again == []

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_why_takes_one_to_three_sentences(self, language: str) -> None:
        with translation.override(language):
            whys = {r.code: str(r.why) for r in refusals()}

        ends = {code: len(re.findall(r"[.?!](?=\s|$)", why)) for code, why in whys.items()}
        assert [code for code, many in ends.items() if not 1 <= many <= 3] == []
        assert [code for code, why in whys.items() if len(why) > 300] == []

    def test_why_names_no_facts_for_the_help_page_knows_none(self) -> None:
        with translation.override("en"):
            assert [r.code for r in refusals() if re.search(r"[%{}…]", str(r.why))] == []

    def test_each_has_a_reason_of_its_own_unless_it_hides_what_is_there(self) -> None:
        with translation.override("en"):
            counted = Counter(str(r.why) for r in refusals())
            shared = {r.code for r in refusals() if counted[str(r.why)] > 1}

        assert shared == {r.code for r in refusals() if r.why is UNSEEN}
        assert all(issubclass(r, NotFound) for r in refusals() if r.why is UNSEEN)

    def test_a_source_is_a_rule_of_ours_or_a_section_of_a_standard(self) -> None:
        ours = r"mission rule ([1-9]|[12]\d|3[0-8])|trust\.md ([1-9]|1[0-2])"
        standard = r"RFC \d{4}, section \d+(\.\d+)*"

        wrong = [r.code for r in refusals() if r.source and not re.fullmatch(f"{ours}|{standard}", r.source)]

        assert wrong == []

    def test_facts_are_the_only_placeholders(self) -> None:
        with translation.override("en"):
            texts = {r.code: in_braces(r.title) + in_braces(r.why) + in_braces(r.way_out) for r in refusals()}

        assert [code for code, text in texts.items() if "%" in text] == []


class TestDocs:
    def test_the_page_lists_every_refusal_in_the_words_of_the_code(self) -> None:
        assert problems.PAGE.read_text(encoding="utf-8") == problems.page(), (
            "docs/problems.md is not what the code says: run `python -m tools.problems`"
        )

    def test_a_code_nobody_raises_has_none(self, db: None) -> None:
        assert Client().get("/problems/no-such-code").status_code == 404

    def test_a_serving_process_knows_every_code(self, tmp_path: Path) -> None:
        environment = {
            **os.environ,
            "DEMO": "1",
            "DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        environment.pop("DATABASE_URL", None)
        answer = subprocess.run(
            [sys.executable, "-c", SERVING],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

        # Also those that only commands answer with: whoever reads one on a terminal can look it up.
        assert {refusal.code for refusal in refusals()} - set(json.loads(answer.stdout)) == set()


class TestShape:
    @pytest.mark.parametrize("address", machine_addresses())
    def test_a_wrong_method_is_told_in_the_one_shape(self, alice: User, address: str) -> None:
        client = Client()
        client.force_login(alice)

        response = client.generic("PUT", address)

        problem_of(response, 405, "method-not-allowed")
        assert response.headers["Allow"]

    @pytest.mark.parametrize("prefix", MACHINES)
    def test_an_address_without_a_door_is_told_in_the_one_shape(self, db: None, prefix: str) -> None:
        problem_of(Client().get(f"/{prefix}nothing/here"), 404, "not-found")

    @pytest.mark.parametrize("address", ["/api/v1/me", "/device/v1/directory"])
    def test_a_host_that_is_not_ours_is_told_in_the_one_shape(self, db: None, address: str) -> None:
        problem_of(Client().get(address, HTTP_HOST="elsewhere.example"), 400, "invalid-input")

    @pytest.mark.parametrize("address", ["/api/v1/me", "/device/v1/directory"])
    def test_a_bug_is_told_in_the_one_shape_without_what_it_was(
        self, alice: User, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_arguments: object, **_named: object) -> None:
            raise RuntimeError("secret of the house")

        monkeypatch.setattr("accounts.queries.memberships_of", broken)
        monkeypatch.setattr("licenses.device_api.views._url", broken)
        client = Client(raise_request_exception=False)
        client.force_login(alice)

        response = client.get(address)

        problem_of(response, 500, "internal-error")
        assert b"secret" not in response.content

    def test_a_bug_in_the_own_pool_of_the_device_doors_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from licenses.device_api import failures  # noqa: PLC0415 - its handlers, called as Django does

        answers: list[tuple[HttpResponse, int, str]] = [
            (failures.internal_error(HttpRequest()), 500, "internal-error"),
            (failures.bad_request(HttpRequest(), exception=ValueError()), 400, "invalid-input"),
            (failures.forbidden(HttpRequest(), exception=ValueError()), 403, "not-allowed"),
            (failures.not_found(HttpRequest(), exception=ValueError()), 404, "not-found"),
        ]
        for response, status, code in answers:
            problem_of(response, status, code)

    def test_the_status_in_the_docs_is_the_one_of_the_answer(self) -> None:
        assert {status_of(refusal) for refusal in refusals()} <= {
            400, 401, 403, 404, 405, 406, 409, 411, 413, 415, 429, 500, 503,
        }  # fmt: skip
