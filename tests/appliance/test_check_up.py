"""The check-up (mission rule 35) finds what is planted, one fault after the other and all at once."""

from dataclasses import replace

from appliance.check_up import Step, check_up, faults
from appliance.kinds import Feature
from appliance.objects import Objects
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.issuing import NOW, Json, item
from tests.appliance.test_licensing import staff

DAY = 24 * 60 * 60
FAX, CHANNELS = item("Fax", quantity=7), item("Channels", quantity=8, ret=False)


def found(bench: Bench) -> dict[Step, str]:
    return {finding.step: finding.says for finding in faults(check_up(bench.device().work()))}


def run_with(bench: Bench, *items: Json, seq: int = 1) -> None:
    bench.device().install(bench.issuer.bundle(HARDWARE_ID, seq=seq, items=items))
    bench.device().reset()


class TestFaults:
    def test_a_device_in_order_has_none_and_every_question_is_answered(self, bench: Bench) -> None:
        run_with(bench, FAX, CHANNELS)
        bench.device().change_objects(lambda _: staff(7, Feature.FAX))
        bench.device().want({"Channels": 8})
        findings = check_up(bench.device().work())
        assert [finding.step for finding in findings] == list(Step)
        assert faults(findings) == ()
        assert all(finding.says for finding in findings)

    def test_nothing_installed(self, bench: Bench) -> None:
        assert found(bench).keys() == {Step.INSTALLED}

    def test_a_document_that_was_deleted(self, bench: Bench) -> None:
        run_with(bench, FAX)
        bench.device().delete(("*",))
        bench.device().reset()
        assert found(bench).keys() == {Step.REFRESHED, Step.INSTALLED}

    def test_a_return_without_its_receipt(self, bench: Bench) -> None:
        run_with(bench, FAX, CHANNELS)
        bench.device().begin_return((FAX["id"],), audience="https://portal.test/")
        assert found(bench)[Step.REFRESHED] == "A return waits for its receipt."

    def test_gateway_counters(self, bench: Bench) -> None:
        run_with(bench, CHANNELS)
        bench.device().want({"Channels": 9})
        assert found(bench) == {Step.GATEWAY: "Channels: 9 wanted, 8 installed."}

    def test_pbx_counters(self, bench: Bench) -> None:
        run_with(bench, item("Port", quantity=2))
        bench.device().want({"Port": 3})
        assert found(bench) == {Step.PBX: "Ports: 3 wanted, 2 installed."}

    def test_users_beyond_the_licenses_are_named_as_far_as_a_person_reads(self, bench: Bench) -> None:
        run_with(bench, FAX)
        bench.device().change_objects(lambda _: staff(20, Feature.FAX))
        [says] = found(bench).values()
        assert "User 7 (Fax), User 8 (Fax)" in says
        assert says.endswith("and 8 more.")
        [finding] = faults(check_up(bench.device().work()))
        assert bench.device().objects().user(finding.object_id or 0).name == "User 7"

    def test_a_reset_not_done(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(HARDWARE_ID, items=[FAX]))
        assert found(bench).keys() == {Step.RESET}

    def test_another_version_than_the_firmware_s(self, bench: Bench) -> None:
        run_with(bench, FAX, item("UC", version=13))
        assert found(bench) == {Step.VERSION: "Firmware 14 does not use 10 x UC 13."}

    def test_test_mode(self, bench: Bench) -> None:
        run_with(bench, FAX)
        bench.device().begin_test_mode()
        assert found(bench).keys() == {Step.TEST_MODE}

    def test_a_test_license_that_has_ended(self, bench: Bench) -> None:
        run_with(bench, FAX, {**item("UC"), "class": "test", "ret": False, "exp": NOW + DAY})
        assert found(bench) == {}
        bench.hands.run(DAY)
        assert found(bench) == {Step.TEST_LICENSE: "This has ended: 10 x UC 14."}

    def test_faults_are_told_together(self, bench: Bench) -> None:
        lent = {**item("UC"), "class": "test", "ret": False, "exp": NOW + DAY}
        items = (FAX, CHANNELS, lent, item("Video", version=13))
        run_with(bench, *items)
        bench.hands.run(DAY)
        bench.device().install(bench.issuer.bundle(HARDWARE_ID, seq=2, items=[*items, item("DECT")]))
        bench.device().want({"Channels": 9})
        bench.device().change_objects(lambda _: staff(8, Feature.FAX))
        assert found(bench).keys() == {
            Step.GATEWAY,
            Step.USERS,
            Step.RESET,
            Step.VERSION,
            Step.TEST_LICENSE,
        }

    def test_each_fault_says_the_way_out(self, bench: Bench) -> None:
        objects: Objects = staff(1, Feature.FAX)
        bench.device().change_objects(lambda _: replace(objects))
        for finding in faults(check_up(bench.device().work())):
            assert finding.way_out
            assert finding.page
