"""Whatever is sent to a device door, it answers: never a 5xx, always a described problem (trust.md 9)."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from devices.models import Device
from licenses import verification
from tests.attacks.doors.conftest import WARNINGS
from tests.attacks.requests import DOORS, SAID, Attempt, attempt, signed_for
from tests.attacks.tampering import Seeded
from tests.device_api.devices import PROBLEM, Signer

ROOT = Path(__file__).resolve().parents[3]
SUITE, LONG = 300, 20_000
SEED = 20261124

# Those of trust.md 9 and, besides, a claim code that nobody made, a portal without keys, and the methods,
# media types and hosts that no door has.
CODES = {
    "bad-nonce",
    "bad-signature",
    "malformed",
    "certificate-rejected",
    "unknown-device",
    "device-blocked",
    "key-not-pinned",
    "wrong-audience",
    "wrong-url",
    "stale-return",
    "jti-conflict",
    "length-required",
    "too-large",
    "claim-code-unknown",
    "method-not-allowed",
    "invalid-input",
}

Record = Callable[[str, object], None]

pytestmark = pytest.mark.filterwarnings(*WARNINGS)


def send(client: Client, door: str, made: Attempt) -> Any:
    response: Any = client.generic(
        made.method, f"/device/v1/{door}", made.body, content_type=made.media_type, **made.environ
    )
    return response


def check(door: str, made: Attempt, response: Any) -> str:
    """Hold an answer to what all answers have; return what it came to."""
    assert response.status_code < 500
    assert response.headers["Cache-Control"] == "no-store"
    # The whole portal takes spoiled cookies back; the pool of the device doors looks at none.
    assert not response.cookies or "HTTP_COOKIE" in made.environ
    method = made.method.upper()  # WSGI knows no small ones
    # A host that no portal has is refused before any door is reached.
    no_host = response.status_code == 400 and (b'"invalid-input"' in response.content or method == "HEAD")
    assert not no_host or "HTTP_HOST" in made.environ
    if not no_host and (method == "POST" or (door == "new-nonce" and method in ("GET", "HEAD"))):
        assert response.headers["Replay-Nonce"]
    if response.status_code < 400:
        assert method in (("GET", "HEAD") if door not in SAID else ("POST",))
        return str(response.status_code)
    assert response.headers["Content-Type"] == PROBLEM
    if method == "HEAD":
        return str(response.status_code)
    problem = json.loads(response.content)
    assert problem["code"] in CODES
    assert (problem["type"], problem["status"]) == (f"/problems/{problem['code']}", response.status_code)
    assert problem["title"]
    assert problem["detail"]
    if response.status_code == 405:
        assert response.headers["Allow"]
    return str(problem["code"])


def bombard(signer: Signer, door: str, number: int, seed: int) -> Counter[str]:
    """Send so many requests to a door and hold every answer; return what they came to."""
    client = Client(raise_request_exception=False)
    choose = Seeded(random.Random(seed))
    known = [
        signed_for(other, signer, signer.nonce(), jti=f"K{place:020d}A") for place, other in enumerate(SAID)
    ]
    nonce = signer.nonce()
    outcomes: Counter[str] = Counter()
    for count in range(number):
        made = attempt(choose, door, signer, nonce, known)
        response = send(client, door, made)
        client.cookies.clear()  # no device keeps any
        try:
            outcomes[check(door, made, response)] += 1
            nonce = response.headers.get("Replay-Nonce", nonce)
        except (AssertionError, KeyError) as error:
            raise AssertionError(
                f"request {count} of seed {seed}, {made.method} {made.environ} {made.media_type[:99]!r}, "
                f"{made.body[:200]!r}, "
                f"was answered {response.status_code} {response.content[:500]!r} {response.exc_info}"
            ) from error
    return outcomes


def by_both(signer: Signer, door: str, number: int, settings: LazySettings) -> str:
    """Half of the requests where the whole portal is served, half in the own pool of the device doors."""
    from portal import device_settings  # noqa: PLC0415 - a copy of the settings, made when it is imported

    outcomes = bombard(signer, door, number // 2, SEED)
    settings.MIDDLEWARE = device_settings.MIDDLEWARE
    settings.ROOT_URLCONF = device_settings.ROOT_URLCONF
    outcomes += bombard(signer, door, number - number // 2, SEED + 1)
    assert list(verification.violations()) == []
    return f"{outcomes.total()}: {dict(outcomes.most_common())}"


class TestEveryDoor:
    @pytest.mark.parametrize("door", DOORS)
    def test_answers_whatever_comes(
        self, signer: Signer, device: Device, settings: LazySettings, record_property: Record, door: str
    ) -> None:
        record_property(f"requests to {door}", by_both(signer, door, SUITE, settings))

    @pytest.mark.long
    @pytest.mark.parametrize("door", DOORS)
    def test_answers_whatever_comes_however_often(
        self, signer: Signer, device: Device, settings: LazySettings, record_property: Record, door: str
    ) -> None:
        record_property(f"requests to {door}", by_both(signer, door, LONG, settings))

    def test_has_codes_that_are_described(self) -> None:
        described = re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/problems.md").read_text(), re.MULTILINE)

        assert set(described) >= CODES

    def test_is_tried(self, signer: Signer, device: Device) -> None:
        urls = json.loads(Client().get("/device/v1/directory").content)["urls"].values()

        assert {url.rpartition("/")[2] for url in urls} | {"directory"} == set(DOORS)
