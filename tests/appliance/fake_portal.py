"""A portal on loopback that answers as trust.md 9 says and checks what devices send, without portal code."""

import base64
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.appliance.books import Books, Refused
from tests.appliance.issuing import PORTAL_ID, Json, compact, unb64u

DOORS = ("licenses", "returns", "acks", "claims")
TYPES = {
    "lic-fetch+jws": "licenses",
    "lic-return+jws": "returns",
    "lic-ack+jws": "acks",
    "lic-claim+jws": "claims",
}


@dataclass
class Received:
    """A statement whose signature was good."""

    header: Json
    payload: Json
    data: bytes


@dataclass
class FakePortal:
    """What the portal says, and what it was asked.

    With `books` it answers out of them. Without, a fetch gets `status` and `body`, an acknowledgement 204.
    `silent` doors lose what was sent: `"before"` the portal has worked on it, or `"after"`. `meanwhile` is
    what happens on the device while a statement is under way.
    """

    portal_id: str = PORTAL_ID
    status: int = 204
    body: bytes = b""
    stale_nonces: int = 0
    nonce_status: int = 204
    gives_nonces: bool = True
    address: str = ""
    directory: Json | None = None
    raw_directory: bytes | None = None
    asked: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    returns: list[Received] = field(default_factory=list)
    acks: list[Received] = field(default_factory=list)
    claims: list[Received] = field(default_factory=list)
    doors: tuple[str, ...] = DOORS
    books: Books | None = None
    silent: dict[str, str] = field(default_factory=dict)
    refusing: dict[str, str] = field(default_factory=dict)
    return_answer: bytes | None = None
    nonces: set[str] = field(default_factory=set)
    meanwhile: Callable[[], object] = lambda: None

    def answer(self, bundle: bytes) -> None:
        self.status, self.body = 200, bundle

    def refuse(self, code: str, *, status: int = 403, detail: str = "") -> None:
        problem = {"type": f"https://portal.test/problems/{code}", "title": code, "detail": detail}
        self.status, self.body = status, compact(problem)

    def nonce(self) -> str:
        fresh = secrets.token_urlsafe(16)
        self.nonces.add(fresh)
        return fresh


def verify_compact(token: bytes) -> Received:
    """Verify a compact JWS by its own x5c, with the algorithm of the key alone."""
    header_text, payload_text, signature_text = token.split(b".")
    header: Json = json.loads(unb64u(header_text.decode()))
    certificates = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in header["x5c"]]
    key, data = certificates[0].public_key(), header_text + b"." + payload_text
    signature = unb64u(signature_text.decode())
    if isinstance(key, ec.EllipticCurvePublicKey):
        wide = key.curve.key_size == 384
        assert header["alg"] == ("ES384" if wide else "ES256")
        half = len(signature) // 2
        assert half == (48 if wide else 32)
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        key.verify(der, data, ec.ECDSA(hashes.SHA384() if wide else hashes.SHA256()))
    elif isinstance(key, rsa.RSAPublicKey):
        assert header["alg"] == "PS256"
        key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        assert isinstance(key, ed25519.Ed25519PublicKey)
        assert header["alg"] == "Ed25519"
        key.verify(signature, data)
    payload = unb64u(payload_text.decode())
    return Received(header, json.loads(payload), payload)


class _Handler(BaseHTTPRequestHandler):
    portal: FakePortal

    def do_GET(self) -> None:
        portal = self.portal
        portal.asked.append(self.path)
        if self.path != "/device/v1/directory" or portal.raw_directory == b"":
            self._send(404, b"")
            return
        root = f"{portal.address}/device/v1"
        urls = {"nonce": f"{root}/new-nonce", **{name: f"{root}/{name}" for name in portal.doors}}
        directory = {"urls": urls, "portal": portal.portal_id}
        body = compact(portal.directory if portal.directory is not None else directory)
        self._send(200, portal.raw_directory if portal.raw_directory is not None else body)

    def do_HEAD(self) -> None:
        self._send(
            self.portal.nonce_status, b"", nonce=self.portal.nonce() if self.portal.gives_nonces else None
        )

    def do_POST(self) -> None:
        portal = self.portal
        received = verify_compact(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/jose"
        door = self.path.rpartition("/")[2]
        assert TYPES[received.header["typ"]] == door
        assert received.header["url"] == portal.address + self.path
        self._kept(door).append(received)
        good = received.header["nonce"] in portal.nonces
        portal.nonces.discard(received.header["nonce"])
        if not good or portal.stale_nonces:
            portal.stale_nonces -= 1
            self._send(400, compact({"type": "about:portal#bad-nonce", "title": "x"}), nonce=portal.nonce())
            return
        portal.meanwhile()
        if portal.silent.get(door) == "before":
            self.close_connection = True
            return
        status, body = self._answer(door, received)
        if portal.silent.get(door) == "after":
            self.close_connection = True
            return
        self._send(status, body, nonce=portal.nonce())

    def _kept(self, door: str) -> list[Received]:
        portal = self.portal
        kept = {"returns": portal.returns, "acks": portal.acks, "claims": portal.claims}
        return kept.get(door, portal.received)

    def _answer(self, door: str, received: Received) -> tuple[int, bytes]:
        portal, books = self.portal, self.portal.books
        try:
            if door in portal.refusing:
                raise Refused(portal.refusing[door], status=403)
            if door == "licenses":
                return self._licenses(received)
            if door == "acks":
                if books is not None:
                    books.acknowledge(received.payload, received.data)
                return 204, b""
            assert books is not None, "only books answer returns and claims"
            if received.payload["aud"] != books.issuer.portal_id:
                raise Refused("wrong-audience", status=403)
            if door == "claims":
                return 200, books.claim(received.payload, received.data)
            answer = books.give_back(received.payload, received.data)
            return 200, answer if portal.return_answer is None else portal.return_answer
        except Refused as refused:
            problem = {"type": f"/problems/{refused.code}", "title": refused.code, **refused.members}
            return refused.status, compact(problem)

    def _licenses(self, received: Received) -> tuple[int, bytes]:
        if self.portal.books is None:
            return self.portal.status, self.portal.body
        body = self.portal.books.bundle()
        return (204, b"") if received.payload.get("have") == tag_of(body) else (200, body)

    def _send(self, status: int, body: bytes, *, nonce: str | None = None) -> None:
        self.send_response(status)
        if status in {301, 302, 307, 308}:
            self.send_header("Location", self.portal.address + "/elsewhere")
        if nonce is not None:
            self.send_header("Replay-Nonce", nonce)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is that of the base class
        """Say nothing."""


@contextmanager
def serving() -> Iterator[FakePortal]:
    portal = FakePortal()
    handler = type("Handler", (_Handler,), {"portal": portal})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        portal.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield portal
        finally:
            server.shutdown()
            thread.join()


def tag_of(bundle: bytes) -> str:
    tag: str = json.loads(bundle)["tag"]
    return tag
