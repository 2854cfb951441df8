"""A device at the portal's doors: it signs as trust.md 3 says, and can be made to sign anything else."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.test import Client

from appliance.factory.devices import FactoryIdentity
from devices.models import Device, FirstWord
from tests import factories, rows
from tests.pure import statements
from tests.pure.certificates import PrivateKey

LICENSES = "/device/v1/licenses"
ORIGIN = "http://localhost:8000"
URL = ORIGIN + LICENSES
PROBLEM = "application/problem+json"


@dataclass(kw_only=True)
class Signer:
    """Somebody with a key, a chain and a hardware ID, rightly or not."""

    hardware_id: str
    key: PrivateKey
    chain: Sequence[bytes]
    alg: str = "ES256"
    client: Client = field(default_factory=Client)

    @classmethod
    def of(cls, identity: FactoryIdentity, alg: str = "ES256") -> "Signer":
        """A device as the factory made it."""
        chain = [certificate.public_bytes(Encoding.DER) for certificate in identity.chain]
        return cls(hardware_id=identity.hardware_id, key=identity.key, chain=chain, alg=alg)

    def nonce(self) -> str:
        """A fresh nonce, asked for."""
        response = self.client.head("/device/v1/new-nonce")
        assert response.status_code == 204
        return str(response.headers["Replay-Nonce"])

    def header(self, **changes: Any) -> dict[str, Any]:
        """The header of a fetch; a member given as `...` is left out."""
        whole = statements.header(self.alg, self.chain, nonce=self.nonce(), url=URL) | changes
        return {name: value for name, value in whole.items() if value is not ...}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The payload of a fetch; a member given as `...` is left out."""
        mine = {"iss": self.hardware_id, "sub": self.hardware_id, "aud": settings.PORTAL_ID}
        return statements.payload(**(mine | changes))

    def sign(self, header: object = None, claims: object = None) -> bytes:
        """The token with this header and payload, given as objects or as bytes."""
        return statements.compact(
            self.header() if header is None else header,
            self.claims() if claims is None else claims,
            self.key,
            self.alg,
        )

    def was_heard_of(self) -> None:
        """Let the portal know the key already, so that a first word is not what changes something."""
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        Device.objects.filter(hardware_id=self.hardware_id).update(
            pinned_spki=hashlib.sha256(spki).digest(), pinned_at=factories.NOW
        )
        device = Device.objects.get(hardware_id=self.hardware_id)
        FirstWord.objects.get_or_create(device=device, project=device.project, defaults={"at": factories.NOW})

    def writes(self, typ: str, **said: Any) -> bytes:
        """A file for people to carry: a statement of this `typ`, bound to no door and no nonce."""
        header = statements.header(self.alg, self.chain, typ=typ, nonce=..., url=...)
        return self.sign(header=header, claims=self.claims(**said))

    def fetch(self, **claims: Any) -> Any:
        """Fetch the licenses."""
        return self.post(self.sign(claims=self.claims(**claims)))

    def post(self, body: bytes, *, media_type: str = "application/jose", **environ: Any) -> Any:
        """Send bytes to the door, whatever they are."""
        response: Any = self.client.generic("POST", LICENSES, body, content_type=media_type, **environ)
        return response

    def refuse(self, body: bytes, *, status: int, code: str, **options: Any) -> dict[str, Any]:
        """See a body refused under this code, nothing changed, and a nonce to go on with."""
        before = rows.everything()
        response = self.post(body, **options)
        problem: dict[str, Any] = json.loads(response.content)
        assert (response.status_code, problem.get("code")) == (status, code), problem
        assert response.headers["Content-Type"] == PROBLEM
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Replay-Nonce"]
        assert not response.cookies
        assert (problem["type"], problem["status"]) == (f"/problems/{code}", status)
        assert problem["title"]
        assert problem["detail"]
        assert rows.everything() == before
        return problem
