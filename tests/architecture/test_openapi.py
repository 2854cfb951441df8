"""The OpenAPI document: it changes only on purpose, and describes all there is."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from portal.core.errors import every_refusal
from tests.api import contract
from tools import problems

COMMITTED = Path(__file__).resolve().parents[1] / "schema" / "openapi.json"
UPDATE = "DEMO=1 python manage.py spectacular --format openapi-json --file tests/schema/openapi.json"
NOT_OPERATIONS = {"/api/v1/openapi.json", "/api/v1/reference"}
A_FILE = {"get-evidence", "download-license-document", "download-test-license", "get-background-result"}


def operations() -> list[Any]:
    """Every operation, by its name."""
    return [
        pytest.param(method, path, described, id=described["operationId"])
        for path, methods in contract.document()["paths"].items()
        for method, described in methods.items()
    ]


def api_routes(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "/") -> set[str]:
    """The addresses under /api/, arguments in braces."""
    found: set[str] = set()
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= api_routes(pattern.url_patterns, route)
        elif route.startswith("/api/"):
            found.add(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route))
    return found


class TestTheDocument:
    def test_it_is_unchanged(self) -> None:
        committed = json.loads(COMMITTED.read_text(encoding="utf-8"))

        assert contract.document() == committed, (
            "The interface is not what tests/schema/openapi.json says. If that is meant, write a decision "
            f"record and run: {UPDATE}"
        )

    def test_it_is_made_without_a_warning_and_valid(self) -> None:
        call_command(
            "spectacular", "--format", "openapi-json", "--fail-on-warn", "--validate", stdout=StringIO()
        )

    def test_it_describes_every_address(self) -> None:
        assert api_routes() - NOT_OPERATIONS == set(contract.document()["paths"])

    def test_it_is_served_to_everybody_as_json(self, db: None) -> None:
        response = Client().get("/api/v1/openapi.json", headers={"Accept": "application/json"})

        assert response.status_code == 200
        assert response.json() == json.loads(COMMITTED.read_text(encoding="utf-8"))

    def test_it_is_the_same_in_every_language(self, db: None) -> None:
        english, german = (
            Client().get("/api/v1/openapi.json", headers={"Accept-Language": language}).content
            for language in ("en", "de")
        )

        assert english == german


class TestEachOperation:
    @pytest.mark.parametrize(("method", "path", "described"), operations())
    def test_it_has_words(self, method: str, path: str, described: dict[str, Any]) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", described["operationId"])
        assert described["summary"]
        assert described["description"]

    @pytest.mark.parametrize(("method", "path", "described"), operations())
    def test_its_examples_are_what_it_takes_and_answers(
        self, method: str, path: str, described: dict[str, Any]
    ) -> None:
        bodies = [described["requestBody"]] if "requestBody" in described else []
        contents = [
            content
            for part in [*bodies, *described["responses"].values()]
            for content in part["content"].values()
        ]

        for content in contents:
            for example in content.get("examples", {}).values():
                contract.validate(content["schema"], example["value"])

    @pytest.mark.parametrize(("method", "path", "described"), operations())
    def test_a_change_can_be_repeated_under_a_name(
        self, method: str, path: str, described: dict[str, Any]
    ) -> None:
        headers = [p["name"] for p in described.get("parameters", []) if p["in"] == "header"]

        assert headers == (["Idempotency-Key"] if method != "get" else [])

    @pytest.mark.parametrize(("method", "path", "described"), operations())
    def test_its_refusals_exist_and_are_told(self, method: str, path: str, described: dict[str, Any]) -> None:
        problems.import_everything()
        known = {refusal.code for refusal in every_refusal()}
        told = set(re.findall(r"^- `([a-z-]+)`: ", _problem_descriptions(described), re.MULTILINE))

        assert set(described["x-problems"]) == told
        assert told <= known
        assert "sign-in-required" in told

    @pytest.mark.parametrize(("method", "path", "described"), operations())
    def test_a_success_has_an_example(self, method: str, path: str, described: dict[str, Any]) -> None:
        if described["operationId"] in A_FILE:
            return  # a file that is saved as it is; it would fill a page
        successes = [answer for status, answer in described["responses"].items() if status.startswith("2")]

        assert successes
        assert all(answer["content"]["application/json"]["examples"] for answer in successes)


class TestTheReferencePage:
    @pytest.fixture
    def page(self, db: None) -> str:
        response = Client().get("/api/v1/reference", headers={"Accept": "text/html"})
        assert response.status_code == 200
        return response.content.decode()

    def test_it_shows_every_operation_and_every_shape(self, page: str) -> None:
        for methods in contract.document()["paths"].values():
            for described in methods.values():
                assert f'id="{described["operationId"]}"' in page
        for shape in contract.document()["components"]["schemas"]:
            assert f'id="shape-{shape}"' in page

    def test_its_links_lead_somewhere(self, page: str) -> None:
        targets = set(re.findall(r'\bid="([^"]+)"', page))

        assert set(re.findall(r'href="#([^"]+)"', page)) <= targets

    def test_it_keeps_the_content_security_policy(self, page: str) -> None:
        assert "<style" not in page
        assert not re.search(r'\sstyle="', page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)


def _problem_descriptions(described: dict[str, Any]) -> str:
    return "\n".join(
        answer["description"]
        for answer in described["responses"].values()
        if contract.PROBLEM in answer["content"]
    )
