"""A program that calls the REST interface, and whose every answer is held to the OpenAPI document."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import Project, User
from devices.models import Device
from tests import factories
from tests.api import contract


class Multipart(bytes):
    """A body that is sent as multipart/form-data."""

    @classmethod
    def of(cls, **files: tuple[str, bytes]) -> "Multipart":
        """With files, each as its name and content."""
        parts = {name: SimpleUploadedFile(*file) for name, file in files.items()}
        return cls(encode_multipart(BOUNDARY, parts))


class Api:
    """The interface as a program sees it: with a person's session, with a token, or with neither."""

    def __init__(self, user: User | None = None, *, checks_csrf: bool = False, token: str = "") -> None:
        self.client = Client(enforce_csrf_checks=checks_csrf)
        if token:
            self.client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        """The answer to a GET, which must be a success."""
        response, body = self._call("GET", path, query or {}, headers=headers)
        assert response.status_code == 200, body
        return body

    def post(self, path: str, body: Any = None, *, key: str = "", status: int = 200) -> Any:
        """The answer to a POST, which must be a success of this status."""
        response, answer = self._call("POST", path, body, headers=_named(key))
        assert response.status_code == status, answer
        return answer

    def delete(self, path: str, *, key: str = "") -> Any:
        """The answer to a DELETE, which must be a success."""
        response, answer = self._call("DELETE", path, None, headers=_named(key))
        assert response.status_code == 200, answer
        return answer

    def call(self, method: str, path: str, body: Any = None, *, key: str = "") -> tuple[int, Any]:
        """Status and body of whatever the answer is."""
        response, answer = self._call(method, path, body, headers=_named(key))
        return response.status_code, answer

    def refuse(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int,
        code: str,
        key: str = "",
        **headers: str,
    ) -> dict[str, Any]:
        """Call, see the call refused with this status and code, and return the problem."""
        response, problem = self._call(method, path, body, headers={**_named(key), **headers})
        assert (response.status_code, problem.get("code")) == (status, code), problem
        assert response.headers["Content-Type"] == contract.PROBLEM
        assert response.headers["Cache-Control"] == "no-store"
        assert problem["type"] == f"/problems/{code}"
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        refused: dict[str, Any] = problem
        return refused

    def send(
        self, method: str, path: str, data: bytes, *, media_type: str = "application/json", **headers: str
    ) -> Any:
        """Send bytes as they are."""
        response: Any = self.client.generic(
            method, f"/api/v1/{path}", data, content_type=media_type, headers=headers
        )
        return response

    def _call(self, method: str, path: str, body: Any, *, headers: dict[str, str]) -> tuple[Any, Any]:
        if method == "GET":
            response: Any = self.client.get(f"/api/v1/{path}", body, headers=headers)
        else:
            data, media_type = encoded(body)
            response = self.send(method, path, data, media_type=media_type, **headers)
        answer = json.loads(response.content)
        contract.check(method, f"/api/v1/{path.partition('?')[0]}", response, answer)
        return response, answer


def encoded(body: Any) -> tuple[bytes, str]:
    """The bytes of a body, and their media type."""
    if isinstance(body, Multipart):
        return body, MULTIPART_CONTENT
    return b"" if body is None else json.dumps(body).encode(), "application/json"


def _named(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key} if key else {}


ApiOf = Callable[[User | None], Api]


@pytest.fixture
def api(db: None) -> ApiOf:
    """Makes the interface as a person's program sees it."""
    return Api


@pytest.fixture
def device(project: Project, catalogue: None) -> Device:
    """A device of Alice's company, with five ports free for it in its project."""
    factories.activated(project, {"Port": 5})
    return factories.make_device(project=project, hardware_id="00-90-33-01-0A-FF", name="Reception")
