"""From one generation of roots to the next, as in The Update Framework."""

import json
from pathlib import Path

import pytest

from appliance.installation import Outcome
from tests.appliance.conftest import Bench, MakeBench
from tests.appliance.issuing import Issuer, Json, bundle, key_pair

SECOND, THIRD = key_pair(), key_pair()


@pytest.fixture
def changed(issuer: Issuer) -> Issuer:
    """The same portal with the roots of the second generation."""
    return Issuer(roots=SECOND, keys=issuer.keys)


@pytest.fixture
def step(issuer: Issuer, changed: Issuer) -> Json:
    """Key set 2, which hands over from the first roots to the second."""
    return changed.keyset(version=2, signed_by=(*issuer.roots, *SECOND))


class TestAChangeOfRoots:
    def test_a_device_of_the_first_roots_walks_over_the_chain(
        self, bench: Bench, changed: Issuer, step: Json
    ) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        data = bundle(changed.document(bench.hardware_id, seq=2), changed.keyset(version=3), chain=[step])
        assert bench.device().install(data).outcome is Outcome.INSTALLED
        assert bench.device().status().keyset_version == 3

    def test_the_key_set_itself_may_be_the_step(self, bench: Bench, changed: Issuer, step: Json) -> None:
        data = bundle(changed.document(bench.hardware_id), step)
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_two_changes_are_walked_one_after_the_other(
        self, bench: Bench, changed: Issuer, step: Json
    ) -> None:
        third = Issuer(roots=THIRD, keys=bench.issuer.keys)
        second_step = third.keyset(version=5, signed_by=(*SECOND, *THIRD))
        data = bundle(third.document(bench.hardware_id), third.keyset(version=6), chain=[step, second_step])
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_a_device_that_has_walked_passes_the_chain_over(
        self, bench: Bench, changed: Issuer, step: Json
    ) -> None:
        bench.device().install(bundle(changed.document(bench.hardware_id), step))
        data = bundle(changed.document(bench.hardware_id, seq=2), changed.keyset(version=3), chain=[step])
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_a_device_made_with_the_later_roots_passes_the_chain_over(
        self, make_bench: MakeBench, tmp_path: Path, step: Json
    ) -> None:
        roots = tmp_path / "third.json"
        third = Issuer(roots=THIRD)
        roots.write_text(json.dumps(third.roots_file()))
        bench = make_bench(name="later", roots=roots)
        second_step = third.keyset(version=5, signed_by=(*SECOND, *THIRD))
        data = bundle(third.document(bench.hardware_id), third.keyset(version=6), chain=[step, second_step])
        assert bench.device().install(data).outcome is Outcome.INSTALLED


class TestYearsWithoutContact:
    def test_five_rotations_and_a_change_of_roots_later_one_file_is_enough(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        bench.device().reset()
        # The change of roots is key set 4; the keys have been rotated at each of five others.
        step = Issuer(roots=SECOND, keys=key_pair()).keyset(
            version=4, signed_by=(*bench.issuer.roots, *SECOND)
        )
        latest = Issuer(roots=SECOND, keys=key_pair())
        data = bundle(latest.document(bench.hardware_id, seq=9), latest.keyset(version=7), chain=[step])
        assert bench.device().install(data).outcome is Outcome.INSTALLED
        bench.device().reset()
        status = bench.device().status()
        assert (status.keyset_version, status.seq_in_effect) == (7, 9)


class TestABadChangeOfRoots:
    def test_a_missing_chain_is_refused(self, bench: Bench, changed: Issuer) -> None:
        bench.refuse(bundle(changed.document(bench.hardware_id), changed.keyset(version=3)), "unknown-roots")

    def test_a_step_the_old_roots_did_not_sign_is_refused(self, bench: Bench, changed: Issuer) -> None:
        step = changed.keyset(version=2, signed_by=SECOND)
        data = bundle(changed.document(bench.hardware_id), changed.keyset(version=3), chain=[step])
        bench.refuse(data, "unknown-roots")

    def test_a_step_the_new_roots_did_not_sign_is_refused(self, bench: Bench, changed: Issuer) -> None:
        step = changed.keyset(version=2, signed_by=bench.issuer.roots)
        data = bundle(changed.document(bench.hardware_id), changed.keyset(version=3), chain=[step])
        bench.refuse(data, "unknown-roots")

    @pytest.mark.parametrize("missing", range(4))
    def test_a_step_that_misses_one_of_four_signatures_is_refused(
        self, bench: Bench, changed: Issuer, missing: int
    ) -> None:
        signers = [*bench.issuer.roots, *SECOND]
        del signers[missing]
        data = bundle(changed.document(bench.hardware_id), changed.keyset(version=2, signed_by=signers))
        bench.refuse(data, "stripped-signature")

    def test_a_chain_that_does_not_rise_is_refused(self, bench: Bench, changed: Issuer, step: Json) -> None:
        third = Issuer(roots=THIRD, keys=bench.issuer.keys)
        again = third.keyset(version=2, signed_by=(*SECOND, *THIRD))
        data = bundle(third.document(bench.hardware_id), third.keyset(version=6), chain=[step, again])
        bench.refuse(data, "malformed")

    def test_the_old_roots_have_no_say_after_the_change(
        self, bench: Bench, changed: Issuer, step: Json
    ) -> None:
        bench.device().install(bundle(changed.document(bench.hardware_id), step))
        data = bundle(bench.issuer.document(bench.hardware_id, seq=2), bench.issuer.keyset(version=9))
        bench.refuse(data, "unknown-roots")

    def test_a_chain_cannot_lead_elsewhere_by_naming_the_roots_held(
        self, bench: Bench, other_issuer: Issuer
    ) -> None:
        # Passed over, since it claims to introduce the roots held; that must not make its signers trusted.
        decoy = other_issuer.keyset(version=2, roots=bench.issuer.roots)
        data = bundle(other_issuer.document(bench.hardware_id), other_issuer.keyset(version=3), chain=[decoy])
        bench.refuse(data, "unknown-roots")
