import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from portal.core import clock
from tests import factories
from tests.conftest import Keys


@pytest.fixture
def client() -> Client:
    return Client()


def members(response: Any) -> dict[str, Any]:
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


class TestDirectory:
    def test_it_says_where_everything_is_and_who_we_are(self, client: Client, settings: LazySettings) -> None:
        assert members(client.get("/device/v1/directory")) == {
            "urls": {
                "nonce": "http://localhost:8000/device/v1/new-nonce",
                "licenses": "http://localhost:8000/device/v1/licenses",
                "returns": "http://localhost:8000/device/v1/returns",
                "acks": "http://localhost:8000/device/v1/acks",
                "claims": "http://localhost:8000/device/v1/claims",
            },
            "portal": settings.PORTAL_ID,
            "algorithms": ["Ed25519", "ES256", "ES384", "PS256", "RS256"],
            "limits": {"body": 65536, "chain": 3},
            "time": clock.posix(factories.NOW),
        }

    def test_addresses_come_from_the_settings_whatever_the_host_header(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.PORTAL_ORIGINS = ["https://licenses.example"]

        urls = members(client.get("/device/v1/directory", HTTP_HOST="127.0.0.1"))["urls"]

        assert urls["licenses"] == "https://licenses.example/device/v1/licenses"

    def test_it_is_kept_by_nobody(self, client: Client) -> None:
        assert client.get("/device/v1/directory").headers["Cache-Control"] == "no-store"


class TestNonces:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_each_is_a_new_one(self, client: Client, method: str) -> None:
        first, second = (client.generic(method, "/device/v1/new-nonce") for _ in range(2))

        assert (first.status_code, first.content) == (204, b"")
        assert first.headers["Replay-Nonce"] != second.headers["Replay-Nonce"]
        assert first.headers["Cache-Control"] == "no-store"


class TestKeySets:
    def test_the_current_one_is_published_as_the_roots_signed_it(self, client: Client, keyring: Keys) -> None:
        response = client.get("/keys/keyset.json")

        assert response.content == bytes(keyring.key_set.signed)
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "public, max-age=300"

    def test_every_version_is_there_for_ever(self, client: Client, keyring: Keys) -> None:
        response = client.get("/keys/1.json")

        assert response.content == bytes(keyring.key_set.signed)
        assert "immutable" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("version", ["0", "2", "9" * 30])
    def test_a_version_that_is_not_there_is_not_found_and_not_kept(
        self, client: Client, keyring: Keys, version: str
    ) -> None:
        response = client.get(f"/keys/{version}.json")

        assert (response.status_code, json.loads(response.content)["code"]) == (404, "no-such-key-set")
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("path", ["/keys/keyset.json", "/.well-known/jwks.json"])
    def test_without_a_key_set_it_says_so(self, client: Client, db: None, path: str) -> None:
        response = client.get(path)

        assert (response.status_code, json.loads(response.content)["code"]) == (503, "no-key-set")
        assert response.headers["Cache-Control"] == "no-store"

    def test_the_plain_set_holds_both_document_keys(self, client: Client, keyring: Keys) -> None:
        keys = members(client.get("/.well-known/jwks.json"))["keys"]

        assert {key["alg"]: key["kty"] for key in keys} == {"Ed25519": "OKP", "ML-DSA-65": "AKP"}
        assert all({"d", "priv", "seed"}.isdisjoint(key) for key in keys)

    @pytest.mark.parametrize("path", ["/keys/keyset.json", "/keys/1.json", "/.well-known/jwks.json"])
    def test_they_are_only_read(self, client: Client, keyring: Keys, path: str) -> None:
        response = client.post(path)

        assert (response.status_code, json.loads(response.content)["code"]) == (405, "method-not-allowed")


class TestTheOwnPoolOfTheDeviceDoors:
    @pytest.mark.parametrize("path", ["/", "/nothing", "/keys/x.json", "/device/v1/nothing", "/api/v1/me"])
    def test_what_it_does_not_serve_is_a_problem(
        self, client: Client, db: None, settings: LazySettings, path: str
    ) -> None:
        from portal import device_settings  # noqa: PLC0415 - a copy of the settings, made when it is imported

        settings.MIDDLEWARE = device_settings.MIDDLEWARE
        settings.ROOT_URLCONF = device_settings.ROOT_URLCONF

        response = client.get(path)

        assert (response.status_code, json.loads(response.content)["code"]) == (404, "not-found")
