"""The receipt: what became of each grant that a return named (trust.md 5).

The rule for changes is that of `licenses.document`.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from portal.core import base64url, strict_json

TYP = "lic-receipt+jws"

Outcome = Literal["returned", "already", "kept", "unknown"]


@dataclass(frozen=True, slots=True)
class ReceiptV1:
    """The portal's answer to one return. `already`: ended before in any way; `kept`: not returnable;
    `unknown`: no such grant of this device."""

    issuer: str
    hardware_id: str
    jti: str
    issued_at: int
    """POSIX seconds."""
    return_jti: str
    return_sha256: bytes
    """SHA-256 of the payload bytes of the return."""
    results: tuple[tuple[str, Outcome], ...]
    """Grant id and outcome, one for each grant that was named, in that order."""
    next_seq: int
    """The `seq` of the document that no longer lists what was returned."""

    def to_payload(self) -> bytes:
        """Return the bytes to sign and keep, members in a fixed order."""
        return strict_json.dumps(
            {
                "ver": 1,
                "iss": self.issuer,
                "sub": self.hardware_id,
                "jti": self.jti,
                "iat": self.issued_at,
                "ret_jti": self.return_jti,
                "ret_sha256": base64url.encode(self.return_sha256),
                "results": [{"id": grant, "r": outcome} for grant, outcome in self.results],
                "next_seq": self.next_seq,
            }
        )

    @staticmethod
    def results_of(payload: bytes) -> list[tuple[str, Outcome]]:
        """The results in a payload that this class built, for people to read.

        :raises KeyError: it was built by something else.
        """
        outcomes: dict[str, Outcome] = {outcome: outcome for outcome in get_args(Outcome)}
        members = strict_json.loads(payload, max_bytes=len(payload))
        return [(result["id"], outcomes[result["r"]]) for result in members["results"]]
