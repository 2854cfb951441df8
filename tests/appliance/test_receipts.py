"""The receipt: which one is taken, what is refused under which code, and that the return then waits on."""

from collections.abc import Callable

import pytest

from appliance.fetching import fetch
from appliance.pending import ALL
from appliance.result import Result
from appliance.returning import begin_return_file, return_file
from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, OTHER_HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, Received, verify_compact
from tests.appliance.issuing import Issuer, Json, b64u, item, key_pair, random_id, sign, unb64u

RECEIPT = "lic-receipt+jws"


class Waiting:
    """A device whose return of six ports waits, and the portal's books, which know nothing of it yet."""

    def __init__(self, bench: Bench, books: Books, grants: tuple[str, ...]) -> None:
        self.bench = bench
        self.books = books
        begin_return_file(bench.device(), grants)
        self.said: Received = verify_compact(return_file(bench.device()))

    def receipt(self, *, results: list[Json], **more: object) -> Json:
        return self.books.receipt(self.said.payload, self.said.data, results=results, **more)

    def given(self, receipt: object) -> Result:
        """Install a license file that brings this receipt, whatever it is."""
        self.books.last = (receipt, 2**53)  # type: ignore[assignment]
        return self.bench.device().install(self.books.bundle())

    def refuses(self, receipt: object, code: str) -> None:
        """The receipt is refused under the code, and everything else about the return is as it was."""
        before = self.bench.device().state().vault
        result = self.given(receipt)
        assert [refusal.code for refusal in result.refused] == [code]
        assert result.receipt is None
        after = self.bench.device().state().vault
        assert (after.pending_return, after.tombstones) == (before.pending_return, before.tombstones)
        assert running(self.bench) == {"Channels"}


def running(bench: Bench) -> set[str]:
    return {entry.product for entry in bench.device().status().licenses if entry.state == "in-effect"}


@pytest.fixture
def port() -> Json:
    return item("Port", quantity=6)


@pytest.fixture
def gateway() -> Json:
    return item("Channels", ret=False)


@pytest.fixture
def books(online: Bench, portal: FakePortal, port: Json, gateway: Json) -> Books:
    portal.books = Books(online.issuer, HARDWARE_ID)
    portal.books.assign(port, gateway)
    fetch(online.device())
    online.device().reset()
    return portal.books


@pytest.fixture
def waiting(online: Bench, books: Books, port: Json) -> Waiting:
    return Waiting(online, books, (port["id"],))


@pytest.fixture
def good(port: Json) -> list[Json]:
    return [{"id": port["id"], "r": "returned"}]


class TestWhatItSays:
    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"ret_sha256": b64u(bytes(32))}, "wrong-receipt"),
            ({"ret_sha256": "A"}, "malformed"),
            ({"ret_sha256": b64u(bytes(31))}, "malformed"),
            ({"sub": OTHER_HARDWARE_ID}, "wrong-device"),
            ({"sub": "nobody"}, "malformed"),
            ({"iss": "https://other.test/"}, "wrong-issuer"),
            ({"results": []}, "wrong-receipt"),
            ({"results": "all"}, "malformed"),
            ({"results": [{"id": "short", "r": "returned"}]}, "malformed"),
            ({"next_seq": -1}, "malformed"),
            ({"next_seq": "2"}, "malformed"),
            ({"ret_jti": ""}, "malformed"),
            ({"iat": None}, "malformed"),
            ({"jti": "x"}, "malformed"),
            ({"ver": 2}, "unknown-version"),
            ({"must": ["new"]}, "unknown-must"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_another_than_the_one_waited_for_is_refused(
        self, waiting: Waiting, good: list[Json], wrong: Json, code: str
    ) -> None:
        waiting.refuses(waiting.receipt(**{"results": good, **wrong}), code)

    def test_a_result_of_no_known_kind_is_refused(self, waiting: Waiting, port: Json) -> None:
        waiting.refuses(waiting.receipt(results=[{"id": port["id"], "r": "gone"}]), "malformed")

    def test_two_results_for_one_license_are_refused(self, waiting: Waiting, good: list[Json]) -> None:
        waiting.refuses(waiting.receipt(results=[*good, {**good[0], "r": "kept"}]), "malformed")

    @pytest.mark.parametrize("fate", ["returned", "already", "kept", "unknown"])
    def test_a_result_for_a_license_that_was_not_named_is_refused(
        self, waiting: Waiting, good: list[Json], gateway: Json, fate: str
    ) -> None:
        waiting.refuses(waiting.receipt(results=[*good, {"id": gateway["id"], "r": fate}]), "wrong-receipt")

    def test_one_for_another_return_is_passed_over(self, waiting: Waiting, good: list[Json]) -> None:
        other = waiting.receipt(results=good, ret_jti=random_id())

        result = waiting.given(other)

        assert (result.receipt, result.refused) == (None, ())
        assert waiting.bench.device().state().vault.pending_return is not None

    def test_the_right_one_is_taken_after_all_others(self, waiting: Waiting, good: list[Json]) -> None:
        waiting.refuses(waiting.receipt(results=[]), "wrong-receipt")

        assert waiting.given(waiting.receipt(results=good)).receipt is not None
        assert waiting.bench.device().state().vault.pending_return is None
        assert running(waiting.bench) == {"Channels"}

    @pytest.mark.parametrize("next_seq", [0, 1])
    @pytest.mark.parametrize("fate", ["returned", "already"])
    def test_a_number_below_the_document_that_lists_it_brings_nothing_back(
        self, waiting: Waiting, port: Json, next_seq: int, fate: str
    ) -> None:
        """As from a portal that was rolled back: the device runs a document of a higher number."""
        receipt = waiting.receipt(results=[{"id": port["id"], "r": fate}], next_seq=next_seq)

        assert waiting.given(receipt).receipt is not None

        waiting.bench.device().reset()
        assert running(waiting.bench) == {"Channels"}
        waiting.books.live.pop(port["id"])
        waiting.books.assign(item("Fax"))
        fetch(waiting.bench.device())
        waiting.bench.device().reset()
        assert running(waiting.bench) == {"Channels", "Fax"}
        assert waiting.bench.device().state().vault.tombstones == ()

    def test_a_return_of_everything_is_answered_for_whatever_the_portal_had(
        self, online: Bench, books: Books, port: Json, gateway: Json
    ) -> None:
        waiting = Waiting(online, books, ALL)
        results = [
            {"id": port["id"], "r": "returned"},
            {"id": gateway["id"], "r": "kept"},
            {"id": random_id(), "r": "returned"},
        ]

        assert waiting.given(waiting.receipt(results=results, next_seq=2)).receipt is not None
        assert running(online) == {"Channels"}


Spoil = Callable[[Json, Issuer], object]


def with_signature(receipt: Json, number: int, **change: str) -> Json:
    signatures = [dict(signature) for signature in receipt["signatures"]]
    signatures[number] = {**signatures[number], **change}
    return {**receipt, "signatures": signatures}


def damaged(text: str) -> str:
    data = bytearray(unb64u(text))
    data[0] ^= 1
    return b64u(bytes(data))


class TestItsSignatures:
    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (
                lambda good, _: with_signature(
                    good, 0, signature=damaged(good["signatures"][0]["signature"])
                ),
                "bad-signature",
            ),
            (
                lambda good, _: with_signature(
                    good, 1, signature=damaged(good["signatures"][1]["signature"])
                ),
                "bad-signature",
            ),
            (lambda good, _: {**good, "signatures": good["signatures"][:1]}, "stripped-signature"),
            (lambda good, _: {**good, "signatures": good["signatures"][1:]}, "stripped-signature"),
            (lambda good, _: {**good, "signatures": []}, "malformed"),
            (lambda good, _: {**good, "payload": damaged(good["payload"])}, "bad-signature"),
            (lambda good, _: sign(unb64u(good["payload"]), RECEIPT, key_pair()), "unknown-key"),
            (lambda good, issuer: sign(unb64u(good["payload"]), "lic+jws", issuer.keys), "wrong-type"),
            (lambda good, issuer: sign(unb64u(good["payload"]), RECEIPT, issuer.roots), "unknown-key"),
            (lambda _good, _: [1], "malformed"),
            (lambda _good, _: "receipt", "malformed"),
            (lambda _good, _: {"a": 1}, "malformed"),
        ],
        ids=[
            "Ed25519 changed",
            "ML-DSA changed",
            "ML-DSA stripped",
            "Ed25519 stripped",
            "none",
            "payload changed",
            "foreign keys",
            "another typ",
            "by the roots",
            "a list",
            "a text",
            "an object",
        ],
    )
    def test_without_all_it_needs_it_is_refused(
        self, waiting: Waiting, good: list[Json], spoil: Spoil, code: str
    ) -> None:
        waiting.refuses(spoil(waiting.receipt(results=good), waiting.bench.issuer), code)
