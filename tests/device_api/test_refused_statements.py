"""What a verified statement leaves when the operation refuses it (docs/decisions/0012)."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from devices.models import Device, DeviceContact
from licenses import uploading, verification
from licenses.claims import ClaimCodeUnknown
from licenses.returns import StaleReturn
from portal.core.errors import DomainError
from tests import rows
from tests.device_api.devices import ORIGIN, Signer
from tests.factories import NOW, caller
from tests.pure import statements

DOORS = {"lic-return+jws": "returns", "lic-claim+jws": "claims"}
REFUSED = [
    pytest.param("lic-return+jws", {"grants": ["*"], "min_seq": 1}, "stale-return", id="stale-return"),
    pytest.param("lic-claim+jws", {"code": "0" * 16}, "claim-code-unknown", id="claim-code-unknown"),
]


def changed(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> set[str]:
    return {label for label in before if before[label] != after[label]}


def say(signer: Signer, typ: str, *, nonce: str, **said: Any) -> tuple[int, str]:
    """Send it, and return the status and the refusal's code."""
    path = f"/device/v1/{DOORS[typ]}"
    header = signer.header(typ=typ, url=ORIGIN + path, nonce=nonce)
    # `seq` shows a portal that was rolled back: that, too, is not kept of a refused statement.
    body = signer.sign(header=header, claims=signer.claims(ctr=1, seq=500, fw="14.1", **said))
    response = Client().generic("POST", path, body, content_type="application/jose")
    return response.status_code, json.loads(response.content)["code"]


def said_here(typ: str) -> set[str]:
    """That the device spoke in its project; a claim is signed for another one."""
    return set() if typ == "lic-claim+jws" else {"devices.FirstWord"}


class TestOnline:
    @pytest.mark.parametrize(("typ", "said", "code"), REFUSED)
    def test_it_leaves_the_pin_the_contact_and_their_line_in_the_history(
        self, signer: Signer, device: Device, typ: str, said: dict[str, Any], code: str
    ) -> None:
        before = rows.everything()

        _status, refusal = say(signer, typ, nonce=signer.nonce(), **said)

        assert refusal == code
        after = rows.everything()
        left = {"devices.Device", "devices.DeviceContact", "core.AuditEntry"} | said_here(typ)
        assert changed(before, after) == left
        pinned = Device.objects.get()
        assert (pinned.pinned_at, pinned.seq_floor, pinned.project) == (NOW, 0, device.project)
        assert pinned.pinned_spki is not None
        contact = DeviceContact.objects.get()
        assert (contact.device, contact.last_at, contact.firmware) == (device, NOW, "14.1")
        assert len(after["core.AuditEntry"]) == len(before["core.AuditEntry"]) + 1
        assert list(verification.violations()) == []

    @pytest.mark.parametrize(("typ", "said", "code"), REFUSED)
    def test_of_a_device_that_was_heard_before_it_leaves_nothing(
        self, signer: Signer, device: Device, typ: str, said: dict[str, Any], code: str
    ) -> None:
        signer.fetch(fw="14.1")
        before = rows.everything()

        _status, refusal = say(signer, typ, nonce=signer.nonce(), **said)

        assert (refusal, changed(before, rows.everything())) == (code, set())

    @pytest.mark.parametrize(("typ", "said", "code"), REFUSED)
    def test_its_nonce_is_spent_and_its_name_is_not(
        self, signer: Signer, device: Device, typ: str, said: dict[str, Any], code: str
    ) -> None:
        nonce = signer.nonce()
        assert say(signer, typ, nonce=nonce, **said)[1] == code

        assert say(signer, typ, nonce=nonce, **said) == (400, "bad-nonce")
        # The same jti with another payload: a conflict if the first one had been kept.
        assert say(signer, typ, nonce=signer.nonce(), **{**said, "iat": 1})[1] == code


class TestAsAFile:
    @pytest.mark.parametrize(
        ("typ", "said", "refusal"),
        [
            ("lic-return+jws", {"grants": ["*"], "min_seq": 1}, StaleReturn),
            ("lic-claim+jws", {"code": "0" * 16}, ClaimCodeUnknown),
        ],
    )
    def test_it_leaves_the_pin_and_its_line_in_the_history(
        self,
        signer: Signer,
        device: Device,
        alice: User,
        typ: str,
        said: dict[str, Any],
        refusal: type[DomainError],
    ) -> None:
        header = statements.header(signer.alg, signer.chain, typ=typ, nonce=..., url=...)
        token = signer.sign(header=header, claims=signer.claims(ctr=1, seq=500, **said))
        before = rows.everything()

        with pytest.raises(refusal):
            uploading.take_file(token=token, hardware_id=device.hardware_id, carrier=caller(alice), now=NOW)

        left = {"devices.Device", "core.AuditEntry"} | said_here(typ)
        assert changed(before, rows.everything()) == left
        assert Device.objects.get().pinned_at == NOW
