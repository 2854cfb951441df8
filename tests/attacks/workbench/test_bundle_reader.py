"""License files thought up by Hypothesis: the appliance refuses them in its own words and stays as it was."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.refusals import EXPLANATIONS, Refusal
from tests.appliance.conftest import Bench
from tests.appliance.issuing import Issuer, b64u, bundle, item, unb64u
from tests.attacks.tampering import Choose, Draw, Drawn, bytes_changed, often, twisted_json

SUITE, LONG = 300, 10_000

Record = Callable[[str, object], None]


def tampered(choose: Choose, files: list[bytes]) -> bytes:
    """One of the files with one or two changes: to its bytes, its members, or a signed part of it."""
    data = choose.one_of(files)
    for _ in range(1 + choose.below(2)):
        data = _changed(choose, data)
    return data


def _changed(choose: Choose, data: bytes) -> bytes:
    kind = choose.below(6)
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        return bytes_changed(choose, data)
    if kind == 0 or not isinstance(members, dict):
        return bytes_changed(choose, data)
    part = choose.one_of(["license", "keyset"])
    if kind == 1 or not isinstance(members.get(part), dict):
        return twisted_json(choose, data)
    if kind == 2:
        members[part] = json.loads(
            json.dumps(_loaded(twisted_json(choose, json.dumps(members[part]).encode())))
        )
    elif kind == 3:
        members[part]["payload"] = _again(choose, members[part].get("payload"))
    else:
        _signature_changed(choose, members[part].get("signatures"))
    return json.dumps(members).encode()


def _signature_changed(choose: Choose, signatures: Any) -> None:
    if not isinstance(signatures, list) or not signatures:
        return
    if not choose.below(5):
        signatures.pop(choose.below(len(signatures)))
        return
    signature = choose.one_of(signatures)
    if isinstance(signature, dict):
        name = choose.one_of(["protected", "signature"])
        signature[name] = _again(choose, signature.get(name))


def _again(choose: Choose, text: Any) -> Any:
    try:
        data = unb64u(text)
    except (ValueError, TypeError, AttributeError):
        return choose.one_of([None, "", 7])
    return b64u(twisted_json(choose, data) if choose.below(3) else bytes_changed(choose, data))


def _loaded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("latin-1")


def tampers(bench: Bench, other: Issuer, number: int, record: Record) -> None:
    """Somebody changes files of the device, of another portal, and of another device."""
    issuer = bench.issuer
    good = issuer.bundle(bench.hardware_id, seq=2, items=[item(), item("Channels", ret=False)])
    files = [
        good,
        bundle(issuer.document(bench.hardware_id, seq=2)),
        other.bundle(bench.hardware_id, seq=2),
        issuer.bundle("00-90-33-01-0B-00", seq=2),
        issuer.bundle(bench.hardware_id, seq=1),
    ]
    bench.device().install(good)
    signed = {json.loads(file)["license"]["payload"] for file in files}
    device = bench.device()
    device.status()
    outcomes: Counter[str] = Counter()

    @st.composite
    def changed(draw: Draw) -> bytes:
        return tampered(Drawn(draw), files)

    @often(number)
    @given(data=changed())
    def attempt(data: bytes) -> None:
        before = bench.files()
        try:
            outcomes[device.install(data).outcome.value] += 1
        except Refusal as refusal:
            code = refusal.code
        else:
            # What surrounds the signed parts may change; what they say may not.
            assert json.loads(data)["license"]["payload"] in signed
            return
        outcomes[code] += 1
        assert code in EXPLANATIONS
        assert bench.files() == before

    attempt()
    record("license files tampered with", f"{outcomes.total()}: {dict(outcomes.most_common())}")


class TestATamperedLicenseFile:
    def test_is_refused_and_changes_nothing(
        self, bench: Bench, other_issuer: Issuer, record_property: Record
    ) -> None:
        tampers(bench, other_issuer, SUITE, record_property)

    @pytest.mark.long
    def test_is_refused_and_changes_nothing_however_often(
        self, bench: Bench, other_issuer: Issuer, record_property: Record
    ) -> None:
        tampers(bench, other_issuer, LONG, record_property)
