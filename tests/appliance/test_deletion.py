"""Deleting (mission rule 30): at the next reset, on this device only, and brought back by installing."""

import pytest

from appliance.deletion import plan_deletion
from appliance.fetching import fetch
from appliance.installation import Outcome
from appliance.pending import ALL
from appliance.refusals import Refusal
from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal
from tests.appliance.issuing import item

PORT, FAX = item("Port"), item("Fax")


def in_effect(bench: Bench) -> set[str]:
    return {entry.product for entry in bench.device().status().licenses if entry.state == "in-effect"}


@pytest.fixture
def data(bench: Bench) -> bytes:
    """The license file of Port and Fax, which are in effect on the device."""
    data = bench.issuer.bundle(bench.hardware_id, items=[PORT, FAX])
    bench.device().install(data)
    bench.device().reset()
    return data


@pytest.mark.usefixtures("data")
class TestChosenEntries:
    def test_they_work_until_the_reset_and_not_after_it(self, bench: Bench) -> None:
        assert bench.device().delete((FAX["id"],)) is Outcome.DELETED
        status = bench.device().status()
        assert (status.reset_required, status.deleted) == (True, True)
        assert {entry.product: entry.leaves_at_reset for entry in status.licenses} == {
            "Port": False,
            "Fax": True,
        }
        bench.device().reset()
        assert in_effect(bench) == {"Port"}
        assert not bench.device().status().reset_required

    def test_deleting_more_adds_to_what_was_deleted(self, bench: Bench) -> None:
        bench.device().delete((FAX["id"],))
        bench.device().delete((PORT["id"], FAX["id"]))
        bench.device().reset()
        assert in_effect(bench) == set()

    def test_an_entry_that_never_came_into_effect_vanishes_at_once(self, bench: Bench) -> None:
        dect = item("DECT")
        bench.device().install(bench.issuer.bundle(HARDWARE_ID, seq=2, items=[PORT, FAX, dect]))
        bench.device().delete((dect["id"],))
        assert {entry.product for entry in bench.device().status().licenses} == {"Port", "Fax"}
        bench.device().reset()
        assert in_effect(bench) == {"Port", "Fax"}

    def test_what_is_not_installed_cannot_be_deleted(self, bench: Bench) -> None:
        for chosen, code in (((), "nothing-chosen"), (("AAAAAAAAAAAAAAAAAAAAAA",), "not-installed")):
            with pytest.raises(Refusal) as refused:
                bench.device().delete(chosen)
            assert refused.value.code == code

    def test_the_file_can_still_be_downloaded(self, bench: Bench, data: bytes) -> None:
        bench.device().delete((FAX["id"],))
        bench.device().reset()
        assert bench.device().installed_bundle() == data


class TestTheDocument:
    def test_it_is_gone_after_the_reset(self, bench: Bench, data: bytes) -> None:
        bench.device().delete(ALL)
        assert in_effect(bench) == {"Port", "Fax"}
        bench.device().reset()
        status = bench.device().status()
        assert (status.licenses, status.seq_installed, status.seq_highest) == ((), 0, 1)
        with pytest.raises(Refusal) as refused:
            bench.device().installed_bundle()
        assert refused.value.code == "nothing-installed"

    def test_entries_deleted_before_or_after_it_change_nothing(self, bench: Bench, data: bytes) -> None:
        bench.device().delete(ALL)
        bench.device().delete((FAX["id"],))
        bench.device().reset()
        assert in_effect(bench) == set()

    def test_a_device_without_one_has_nothing_to_delete(self, bench: Bench) -> None:
        with pytest.raises(Refusal) as refused:
            plan_deletion(bench.device().state(), ALL)
        assert refused.value.code == "nothing-installed"


class TestComingBack:
    @pytest.mark.parametrize("everything", [True, False], ids=["document", "entry"])
    def test_the_same_file_brings_it_back_at_the_reset(
        self, bench: Bench, data: bytes, everything: bool
    ) -> None:
        bench.device().delete(ALL if everything else (FAX["id"],))
        bench.device().reset()
        assert bench.device().install(data).outcome is Outcome.INSTALLED
        assert "Fax" not in in_effect(bench)
        bench.device().reset()
        assert in_effect(bench) == {"Port", "Fax"}

    def test_the_same_file_before_the_reset_calls_it_off(self, bench: Bench, data: bytes) -> None:
        bench.device().delete((FAX["id"],))
        bench.device().install(data)
        assert not bench.device().status().reset_required
        assert in_effect(bench) == {"Port", "Fax"}

    def test_a_later_file_brings_it_back(self, bench: Bench, data: bytes) -> None:
        bench.device().delete((FAX["id"],))
        bench.device().reset()
        bench.device().install(bench.issuer.bundle(HARDWARE_ID, seq=2, items=[PORT, FAX]))
        bench.device().reset()
        assert in_effect(bench) == {"Port", "Fax"}

    def test_an_earlier_file_does_not(self, bench: Bench, data: bytes) -> None:
        bench.device().install(bench.issuer.bundle(HARDWARE_ID, seq=2, items=[PORT, FAX]))
        bench.device().delete(ALL)
        bench.device().reset()
        bench.refuse(data, "older-document")

    @pytest.mark.parametrize("everything", [True, False], ids=["document", "entry"])
    def test_a_fetch_brings_it_back_though_the_portal_has_nothing_new(
        self, online: Bench, portal: FakePortal, everything: bool
    ) -> None:
        portal.books = Books(online.issuer, HARDWARE_ID)
        portal.books.assign(PORT, FAX)
        fetch(online.device())
        online.device().reset()
        online.device().delete(ALL if everything else (FAX["id"],))
        online.device().reset()
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        online.device().reset()
        assert in_effect(online) == {"Port", "Fax"}

    def test_what_was_given_back_stays_away(self, bench: Bench, data: bytes) -> None:
        bench.device().delete((FAX["id"],))
        bench.device().begin_return((FAX["id"],), audience="https://portal.test/")
        bench.device().install(data)
        bench.device().reset()
        assert in_effect(bench) == {"Port"}


class TestABackup:
    def test_it_remembers_what_was_deleted(self, bench: Bench, data: bytes) -> None:
        bench.device().delete((FAX["id"],))
        bench.device().reset()
        backup = bench.device().exported_configuration()
        bench.device().install(data)
        bench.device().reset()
        bench.device().restore(backup)
        bench.device().reset()
        assert in_effect(bench) == {"Port"}

    def test_one_of_a_firmware_that_could_not_delete_is_read(self, bench: Bench, data: bytes) -> None:
        text = (bench.home / "configuration.json").read_text()
        old = text.replace('"format":2', '"format":1').replace(',"deleted":[],"gone":[]', "")
        assert '"gone"' not in old
        (bench.home / "configuration.json").write_text(old)
        assert in_effect(bench) == {"Port", "Fax"}
        bench.device().restore(old.encode())
        assert in_effect(bench) == {"Port", "Fax"}
