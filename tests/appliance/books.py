"""The portal's books for one device in these tests: what is live, what came back, receipts (trust.md 5)."""

import hashlib
import json
from dataclasses import dataclass, field

from tests.appliance.issuing import NOW, Issuer, Json, b64u, bundle, compact, random_id, sign


class Refused(Exception):
    """A problem of trust.md 9, with further members."""

    def __init__(self, code: str, status: int = 409, **members: object) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.members = members


@dataclass
class Books:
    """One device in the portal: its live grants, the balance of its project, and what was said to it."""

    issuer: Issuer
    hardware_id: str
    live: dict[str, Json] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    balance: dict[str, int] = field(default_factory=dict)
    seq: int = 0
    document: Json = field(default_factory=dict)
    keyset: Json = field(default_factory=dict)
    receipts: dict[str, Json] = field(default_factory=dict)
    payload_of_jti: dict[str, bytes] = field(default_factory=dict)
    last: tuple[Json, int] | None = None
    acknowledged: int = 0
    claims: dict[str, str] = field(default_factory=dict)
    counters: dict[int, set[bytes]] = field(default_factory=dict)

    def assign(self, *items: Json) -> None:
        """Bring grants to the device, and make the document that lists them."""
        self.live.update({item["id"]: item for item in items})
        self._issue(self.seq + 1)

    def bundle(self) -> bytes:
        """The current bundle, with the receipt that is not acknowledged yet."""
        receipt = self.last[0] if self.last and self.acknowledged < self.last[1] else None
        more = {"receipt": receipt} if receipt else {}
        tag = hashlib.sha256(compact({"document": self.document, **more})).hexdigest()[:22]
        return bundle(self.document, self.keyset or self.issuer.keyset(), tag=tag, **more)

    def give_back(self, payload: Json, data: bytes) -> bytes:
        """Answer a return; the same payload gets the same receipt."""
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self.receipts:
            if self.payload_of_jti.get(payload["jti"], data) != data:
                raise Refused("jti-conflict")
            self.receipts[digest] = self._receipt(payload, data)
            self.payload_of_jti[payload["jti"]] = data
        self.count(payload, data)
        return compact({"receipt": self.receipts[digest], "bundle": _parsed(self.bundle())})

    def acknowledge(self, payload: Json, data: bytes) -> None:
        """An acknowledgement only raises what is known."""
        self.count(payload, data)
        self.acknowledged = max(self.acknowledged, payload["installed_seq"])

    def claim(self, payload: Json, data: bytes) -> bytes:
        """Answer a claim by the code it was made for."""
        if payload["code"] not in self.claims:
            raise Refused("claim-code-unknown", status=404)
        self.count(payload, data)
        return compact({"result": self.claims[payload["code"]]})

    def count(self, payload: Json, data: bytes) -> None:
        """Keep the counter: two payloads under one number would show a clone."""
        self.counters.setdefault(payload["ctr"], set()).add(data)

    @property
    def forked(self) -> bool:
        return any(len(payloads) > 1 for payloads in self.counters.values())

    def units(self, product: str) -> int:
        """How many units of a product there are, free and on the device; no return changes that."""
        live: int = sum(item["qty"] for item in self.live.values() if item["product"] == product)
        return live + self.balance.get(product, 0)

    def _receipt(self, payload: Json, data: bytes) -> Json:
        names, floor = payload["grants"], self.seq
        if names == ["*"]:
            if payload["min_seq"] <= self.seq:
                raise Refused("stale-return", min_seq=self.seq + 1)
            names, floor = list(self.live), payload["min_seq"] - 1
        results = [{"id": name, "r": self._end(name)} for name in names]
        self._issue(floor + 1)
        receipt = self.receipt(payload, data, results=results)
        self.last = (receipt, self.seq)
        return receipt

    def receipt(self, payload: Json, data: bytes, *, results: list[Json], **more: object) -> Json:
        """A receipt for a return; `more` overrides or adds members."""
        members = {
            "ver": 1,
            "iss": self.issuer.portal_id,
            "sub": self.hardware_id,
            "jti": random_id(),
            "iat": NOW,
            "ret_jti": payload["jti"],
            "ret_sha256": b64u(hashlib.sha256(data).digest()),
            "results": results,
            "next_seq": self.seq,
            **more,
        }
        return sign(members, "lic-receipt+jws", self.issuer.keys)

    def _end(self, name: str) -> str:
        if name in self.ended:
            return "already"
        if name not in self.live:
            return "unknown"
        if self.live[name]["class"] == "bought" and not self.live[name]["ret"]:
            return "kept"
        item = self.live.pop(name)
        self.ended.add(name)
        if item["class"] == "bought":
            self.balance[item["product"]] = self.balance.get(item["product"], 0) + item["qty"]
        return "returned"

    def _issue(self, seq: int) -> None:
        self.seq = seq
        items = list(self.live.values())
        self.document = self.issuer.document(self.hardware_id, seq=seq, items=items)


def _parsed(data: bytes) -> Json:
    value: Json = json.loads(data)
    return value
