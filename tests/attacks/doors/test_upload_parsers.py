"""Files that somebody uploads for a device, thought up by Hypothesis (trust.md 3, "As a file").

Whatever the bytes are: a refusal that is described, never another exception, and nothing taken that the
device did not sign. What was refused changed nothing.
"""

import contextlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from devices import jose, payloads, statements
from devices.models import Device
from licenses import uploading, verification
from portal.core import base64url
from portal.core.errors import DomainError
from tests import rows
from tests.api import contract
from tests.api.conftest import Api
from tests.attacks.doors.conftest import WARNINGS, file_of
from tests.attacks.tampering import Draw, Drawn, often, tampered, twisted_json
from tests.device_api.conftest import HARDWARE_ID
from tests.device_api.devices import Signer
from tests.factories import NOW, caller
from tests.pure import statements as writing
from tests.pure.certificates import p256

PATH = f"devices/{HARDWARE_ID}/statements"
ADDRESS = f"/api/v1/{PATH}"
KINDS = (statements.FETCH, statements.RETURN, statements.ACKNOWLEDGEMENT, statements.CLAIM)
SUITE, LONG = 1000, 50_000
"""Inputs of each of the two tests: 2,000 every day, 100,000 in `make long`."""
TAKEN = "taken"
BY_REST = 20
"""Of so many inputs one goes all the way through REST; see `Door.send`."""

Record = Callable[[str, object], None]

pytestmark = pytest.mark.filterwarnings(*WARNINGS)


def payload_of(token: bytes) -> bytes:
    return base64url.decode(token.strip(b" \t\r\n").split(b".")[1].decode())


@dataclass
class Door:
    """The upload door of the device's page over REST, and what the device signed so far."""

    api: Api
    signer: Signer
    device: Device
    tokens: Sequence[bytes]
    writes: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        operation = contract.operation_of("POST", ADDRESS)
        assert operation is not None
        self.described = set(operation["x-problems"])
        self.signed = {payload_of(token) for token in self.tokens}

    def send(self, token: bytes) -> bool:
        """Upload a token; say whether it was taken.

        By REST now and then, else by the operation that all upload doors call: finding out who may upload is
        nine tenths of what a request costs.
        """
        number = zlib.crc32(token) % (2 * BY_REST)
        code = self._post(token, quoted=number == 0) if number <= 1 else self._hand_in(token)
        assert code == TAKEN or code in self.described
        self.outcomes[code] += 1
        return code == TAKEN

    def count_writes(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """A wrapper around the database: what was not even tried needs no look at the books."""
        if not sql.startswith("SELECT"):
            self.writes += 1
        return execute(sql, *rest)

    def told(self) -> str:
        """How many inputs there were, and what came of them."""
        return f"{self.outcomes.total()}: {dict(self.outcomes.most_common())}"

    def _hand_in(self, token: bytes) -> str:
        carrier = caller(scope="user:7")
        try:
            uploading.take_file(token=token, hardware_id=HARDWARE_ID, carrier=carrier, now=NOW)
        except DomainError as refusal:
            return refusal.code
        return TAKEN

    def _post(self, token: bytes, *, quoted: bool) -> str:
        """By REST, as the text of a JSON string, or with the bytes just put between quotes."""
        text = json.dumps(token.decode("latin-1")).encode() if quoted else b'"' + token + b'"'
        response = self.api.send("POST", PATH, b'{"statement":' + text + b"}")
        answer = json.loads(response.content)
        if response.status_code == 200:
            return TAKEN
        assert 400 <= response.status_code < 500, answer
        assert response.headers["Content-Type"] == contract.PROBLEM
        return str(answer["code"])


@pytest.fixture
def door(signer: Signer, device: Device, alice: User) -> Door:
    """It has taken whatever there is to be taken, so that none of it, sent again, changes anything."""
    said: list[tuple[str, dict[str, Any]]] = [
        ("lic-return+jws", {"ctr": 1, "grants": ["A" * 22, "B" * 21 + "A"], "min_seq": 0}),
        ("lic-return+jws", {"ctr": 2, "grants": ["*"], "min_seq": 3, "iat": 1, "fw": "14r2"}),
        ("lic-ack+jws", {"ctr": 3, "installed_seq": 1, "effective_seq": 1, "must": ["ctr"]}),
    ]
    tokens = [
        file_of(signer, typ, jti=f"{number:021d}A", **members) for number, (typ, members) in enumerate(said)
    ]
    made = Door(api=Api(alice), signer=signer, device=device, tokens=tokens)
    for token in tokens:
        assert made.send(token)
    # Never taken: a code that nobody made, a fetch, one for REST, and one for another portal.
    more = [
        file_of(signer, "lic-claim+jws", jti="C" * 21 + "A", ctr=4, code="0000-0000-0000-0000"),
        file_of(signer, "lic-fetch+jws"),
        signer.sign(claims=signer.claims()),
        file_of(signer, "lic-ack+jws", ctr=5, installed_seq=9, effective_seq=9, aud="https://other.example/"),
    ]
    for token in more:
        assert not made.send(token)
    made.tokens = [*tokens, *more]
    return made


def stamp() -> Any:
    """A quick look at the books: how much stands in the tables that statements write to."""
    tables = (
        "core_act",
        "core_auditentry",
        "devices_alert",
        "devices_statementcounter",
        "licenses_acknowledged",
        "licenses_licensedocument",
        "licenses_logleaf",
        "licenses_return",
        "licenses_transfer",
    )
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counts}, (SELECT sum(installed_seq + effective_seq) FROM licenses_acknowledged), "
            "(SELECT sum(seq_floor) FROM devices_device)"
        )
        return cursor.fetchone()


def read(token: bytes, key: object, signed: set[bytes]) -> None:
    """Read a token as every kind of statement, online and as a file: nothing is found good but what is."""
    for kind in KINDS:
        for online in (True, False):
            try:
                parsed = jose.parse(token, typ=kind.typ, online=online)
            except jose.MalformedToken:
                continue
            with contextlib.suppress(jose.MalformedToken):
                kind.parse(parsed)
            try:
                jose.verify(parsed, jose.verification_key(key))
            except jose.BadSignature:
                continue
            assert parsed.payload_bytes in signed


def by_a_stranger(token: bytes) -> bytes:
    """The token signed by another key, as the thief of a certificate does."""
    head, payload, *_ = [*token.split(b"."), b"", b""]
    signature = writing.signature(head + b"." + payload, p256(666), "ES256")
    return b".".join((head, payload, base64url.encode(signature).encode()))


def tampers(door: Door, number: int, record: Record) -> None:
    """Somebody without the device's key changes what it signed."""
    before, quick = rows.everything(), stamp()
    signed = {payload_of(token) for token in door.tokens}
    key = door.signer.key.public_key()

    @st.composite
    def tokens(draw: Draw) -> bytes:
        choose = Drawn(draw)
        token = tampered(choose, door.tokens)
        return token if choose.below(10) else by_a_stranger(token)

    @often(number)
    @given(token=tokens())
    def attempt(token: bytes) -> None:
        writes = door.writes
        read(token, key, signed)
        if door.send(token):
            # White space around a file does not matter, and ECDSA has a second form of each signature.
            assert payload_of(token) in door.signed
        assert door.writes == writes or stamp() == quick

    with connection.execute_wrapper(door.count_writes):
        attempt()
    assert rows.everything() == before
    record("uploads tampered with", door.told())


def twists(door: Door, number: int, record: Record) -> None:
    """Somebody has the device's key, and it signs whatever they like."""
    quick = stamp()
    good = [[base64url.decode(part.decode()) for part in token.split(b".")[:2]] for token in door.tokens]

    @st.composite
    def tokens(draw: Draw) -> bytes:
        choose = Drawn(draw)
        parts = list(choose.one_of(good))
        for _ in range(1 + choose.below(2)):
            place = choose.one_of([0, 1, 1, 1])
            parts[place] = twisted_json(choose, parts[place])
        return door.signer.sign(header=parts[0], claims=parts[1])

    @often(number)
    @given(token=tokens())
    def attempt(token: bytes) -> None:
        nonlocal quick
        writes = door.writes
        taken = door.send(token)
        if door.writes == writes:
            return
        now = stamp()
        # A token that is taken is one that a device may sign; it is for the operations to keep the books.
        assert taken or now == quick
        quick = now

    with connection.execute_wrapper(door.count_writes):
        attempt()
    assert list(verification.violations()) == []
    record("uploads signed anyway", door.told())


class TestSomebodyWithoutTheKey:
    def test_gets_a_refusal_and_changes_nothing(self, door: Door, record_property: Record) -> None:
        tampers(door, SUITE, record_property)

    @pytest.mark.long
    def test_gets_a_refusal_and_changes_nothing_however_often(
        self, door: Door, record_property: Record
    ) -> None:
        tampers(door, LONG, record_property)


class TestSomebodyWithTheKey:
    def test_gets_an_answer_or_a_refusal_that_changed_nothing(
        self, door: Door, record_property: Record
    ) -> None:
        twists(door, SUITE, record_property)

    @pytest.mark.long
    def test_gets_an_answer_or_a_refusal_that_changed_nothing_however_often(
        self, door: Door, record_property: Record
    ) -> None:
        twists(door, LONG, record_property)


def test_every_kind_of_statement_is_read() -> None:
    kinds = {payloads.FETCH_TYP, payloads.RETURN_TYP, payloads.ACK_TYP, payloads.CLAIM_TYP}
    assert {kind.typ for kind in KINDS} == kinds
