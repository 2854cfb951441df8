"""Bundles and documents a device takes, and those it refuses: under a code of their own, changing nothing."""

import json

import pytest

from appliance.bundle import MAX_BYTES
from appliance.installation import Outcome
from tests.appliance.conftest import OTHER_HARDWARE_ID, Bench
from tests.appliance.issuing import Issuer, Json, bundle, compact, item, sign


class TestAGoodBundle:
    def test_it_is_installed(self, bench: Bench) -> None:
        assert bench.device().install(bench.issuer.bundle(bench.hardware_id)).outcome is Outcome.INSTALLED

    def test_it_may_have_white_space_around(self, bench: Bench) -> None:
        data = b"\r\n " + bench.issuer.bundle(bench.hardware_id) + b"\n"
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_it_may_say_more_than_the_device_knows(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id, color="green", items=[item(shade="dark")])
        data = bundle(document, bench.issuer.keyset(mood="good"), receipt=None, weather="fine")
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_it_may_demand_what_the_device_knows(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id, must=["seq", "items"])
        assert bench.device().install(bundle(document, bench.issuer.keyset())).outcome is Outcome.INSTALLED

    def test_it_may_leave_out_a_key_set_that_is_held(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        second = bundle(bench.issuer.document(bench.hardware_id, seq=2))
        assert bench.device().install(second).outcome is Outcome.INSTALLED

    def test_it_may_be_signed_by_a_further_unknown_key(self, bench: Bench, other_issuer: Issuer) -> None:
        keys = (*bench.issuer.keys, other_issuer.keys[0])
        data = bundle(bench.issuer.document(bench.hardware_id, signed_by=keys), bench.issuer.keyset())
        assert bench.device().install(data).outcome is Outcome.INSTALLED


class TestWhatADocumentSays:
    def test_it_is_refused_for_another_device(self, bench: Bench) -> None:
        refusal = bench.refuse(bench.issuer.bundle(OTHER_HARDWARE_ID), "wrong-device")
        assert OTHER_HARDWARE_ID in str(refusal)

    def test_it_is_refused_of_another_issuer_than_the_key_set(self, bench: Bench) -> None:
        bench.refuse(bench.issuer.bundle(bench.hardware_id, iss="https://other.test/"), "wrong-issuer")

    def test_it_is_refused_if_it_demands_the_unknown(self, bench: Bench) -> None:
        refusal = bench.refuse(bench.issuer.bundle(bench.hardware_id, must=["geo"], geo="DE"), "unknown-must")
        assert "geo" in str(refusal)

    def test_a_key_set_or_bundle_is_refused_if_it_demands_the_unknown(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id)
        bench.refuse(bundle(document, bench.issuer.keyset(must=["geo"])), "unknown-must")
        bench.refuse(bundle(document, bench.issuer.keyset(), must=["geo"]), "unknown-must")

    @pytest.mark.parametrize("version", [0, 2])
    def test_it_is_refused_in_another_version(self, bench: Bench, version: int) -> None:
        bench.refuse(bench.issuer.bundle(bench.hardware_id, ver=version), "unknown-version")
        bench.refuse(
            bundle(bench.issuer.document(bench.hardware_id), bundle=f"olp/{version}"),
            "unknown-version",
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"seq": 0},
            {"seq": -1},
            {"seq": "1"},
            {"seq": True},
            {"iat": None},
            {"jti": "short"},
            {"jti": "AAAA"},
            {"sub": "009033010AFF"},
            {"iss": ""},
            {"iss": "x" * 256},
            {"items": {}},
            {"items": ["Port"]},
            {"must": "seq"},
            {"must": [1]},
        ],
        ids=str,
    )
    def test_it_is_refused_with_a_member_of_the_wrong_shape(self, bench: Bench, wrong: Json) -> None:
        payload = {**bench.issuer.document_payload(bench.hardware_id), **wrong}
        bench.refuse(bundle(sign(payload, "lic+jws", bench.issuer.keys), bench.issuer.keyset()), "malformed")

    @pytest.mark.parametrize("name", ["ver", "iss", "sub", "jti", "iat", "seq", "items"])
    def test_it_is_refused_without_a_member(self, bench: Bench, name: str) -> None:
        payload = bench.issuer.document_payload(bench.hardware_id)
        del payload[name]
        bench.refuse(bundle(sign(payload, "lic+jws", bench.issuer.keys), bench.issuer.keyset()), "malformed")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"id": "x"},
            {"product": ""},
            {"version": 0},
            {"qty": 0},
            {"class": "gift"},
            {"class": "test"},
            {"class": "bridge"},
            {"ret": 1},
            {"exp": "soon"},
            {"exp": None},
        ],
        ids=str,
    )
    def test_it_is_refused_with_an_item_of_the_wrong_shape(self, bench: Bench, wrong: Json) -> None:
        bench.refuse(bench.issuer.bundle(bench.hardware_id, items=[{**item(), **wrong}]), "malformed")

    def test_it_is_refused_with_an_item_twice(self, bench: Bench) -> None:
        bench.refuse(bench.issuer.bundle(bench.hardware_id, items=[item()] * 2), "malformed")

    def test_it_is_refused_with_a_name_twice_in_the_signed_payload(self, bench: Bench) -> None:
        payload = compact(bench.issuer.document_payload(bench.hardware_id))[:-1] + b',"seq":2}'
        bench.refuse(bundle(sign(payload, "lic+jws", bench.issuer.keys), bench.issuer.keyset()), "malformed")


class TestSequence:
    def test_a_lower_seq_is_refused(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id, seq=5))
        bench.refuse(bench.issuer.bundle(bench.hardware_id, seq=4), "older-document")

    def test_a_lower_seq_is_refused_after_the_configuration_was_lost(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id, seq=5))
        (bench.home / "configuration.json").unlink()
        bench.refuse(bench.issuer.bundle(bench.hardware_id, seq=4), "older-document")

    def test_the_same_seq_with_another_payload_is_refused(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id, seq=5))
        bench.refuse(bench.issuer.bundle(bench.hardware_id, seq=5), "document-conflict")

    def test_the_same_document_is_already_installed(self, bench: Bench) -> None:
        data = bench.issuer.bundle(bench.hardware_id, seq=5)
        bench.device().install(data)
        assert bench.device().install(data).outcome is Outcome.ALREADY_INSTALLED

    def test_the_same_payload_signed_anew_replaces_the_file_and_nothing_else(self, bench: Bench) -> None:
        payload = bench.issuer.document_payload(bench.hardware_id)
        first, second = (sign(payload, "lic+jws", bench.issuer.keys) for _ in range(2))
        bench.device().install(bundle(first, bench.issuer.keyset()))
        bench.device().reset()
        again = bench.device().install(bundle(second, bench.issuer.keyset()))
        assert again.outcome is Outcome.ALREADY_INSTALLED
        assert json.loads(bench.device().installed_bundle())["license"] == second
        assert not bench.device().status().reset_required


class TestSizeAndForm:
    def test_a_bundle_of_the_greatest_size_is_read_and_one_byte_more_is_not(self, bench: Bench) -> None:
        data = bench.issuer.bundle(bench.hardware_id)
        bench.refuse(data + b" " * (MAX_BYTES + 1 - len(data)), "too-large")
        assert bench.device().install(data + b" " * (MAX_BYTES - len(data))).outcome is Outcome.INSTALLED

    @pytest.mark.parametrize(
        "data",
        [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"{}" * 2, b"\xef\xbb\xbf{}", b"-----BEGIN", b"[" * 100_000],
        ids=repr,
    )
    def test_it_is_refused_if_it_is_no_bundle_at_all(self, bench: Bench, data: bytes) -> None:
        bench.refuse(data, "malformed")

    def test_it_is_refused_with_a_name_twice(self, bench: Bench) -> None:
        data = bench.issuer.bundle(bench.hardware_id)
        bench.refuse(data[:-1] + b',"tag":"other"}', "malformed")

    @pytest.mark.parametrize(
        "change",
        [
            {"tag": None},
            {"license": None},
            {"license": "text"},
            {"license": {"payload": None, "signatures": [{}]}},
            {"license": {"payload": "e30", "signatures": [None]}},
            {"license": {"payload": "e30", "signatures": [{"protected": "e30"}]}},
            {"license": {"payload": "e30", "signatures": {}}},
            {"keyset": []},
            {"chain": {}},
            {"chain": ["text"]},
        ],
        ids=str,
    )
    def test_it_is_refused_with_a_member_of_the_wrong_shape(self, bench: Bench, change: Json) -> None:
        members = {**json.loads(bench.issuer.bundle(bench.hardware_id)), **change}
        bench.refuse(compact(members), "malformed")
