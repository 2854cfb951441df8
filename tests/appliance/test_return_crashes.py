"""Power is lost before every single durable step of a return: nothing is lost, nothing is doubled."""

from pathlib import Path

import pytest

from appliance.acknowledging import acknowledge
from appliance.claiming import claim
from appliance.device import Device
from appliance.fetching import fetch
from appliance.pending import ALL
from appliance.returning import begin_return_file, give_back, return_file
from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, verify_compact
from tests.appliance.issuing import item
from tests.appliance.test_crashes import crash_everywhere, running

PORT, GATEWAY = item("Port", quantity=6), item("Channels", ret=False)


def fresh_books(online: Bench, portal: FakePortal) -> Books:
    books = Books(online.issuer, HARDWARE_ID)
    books.assign(PORT, GATEWAY)
    portal.books = books
    return books


@pytest.fixture
def device(online: Bench, portal: FakePortal) -> Bench:
    """A device that runs Port and Channels, as the portal's first document says."""
    fresh_books(online, portal)
    fetch(online.device())
    online.device().reset()
    return online


class TestAReturn:
    @pytest.mark.parametrize("everything", [False, True], ids=["one", "everything"])
    def test_online_a_crash_loses_and_doubles_nothing(
        self, device: Bench, portal: FakePortal, everything: bool
    ) -> None:
        words, grants = (("--all",), ALL) if everything else ((PORT["id"],), (PORT["id"],))
        books = portal.books
        assert books is not None
        document = books.document

        def start_over() -> None:
            # Every copy of the home meets the portal as it was: they all are the one device.
            fresh = Books(device.issuer, HARDWARE_ID, seq=1, document=document)
            fresh.live = {PORT["id"]: PORT, GATEWAY["id"]: GATEWAY}
            portal.books = fresh

        def check(home: Path) -> None:
            now = portal.books
            assert now is not None
            ended = now.balance == {"Port": 6}
            here = Device(home)
            if ended:
                # What the portal has back is out of effect on the device, whatever the crash left.
                assert "Port" not in running(home)
            give_back(here, grants)
            fetch(here)
            assert running(home) == {"Channels"}
            assert now.balance == {"Port": 6}
            assert not now.forked
            assert here.state().vault.pending_return is None

        steps = crash_everywhere(device, "return", *words, check=check, before=start_over)
        assert steps >= 15

    def test_by_file_nothing_signed_is_in_effect(
        self, device: Bench, portal: FakePortal, tmp_path: Path
    ) -> None:
        out = tmp_path / "carried.jws"

        def check(home: Path) -> None:
            if out.exists():
                assert running(home) == {"Channels"}
            here = Device(home)
            books = fresh_books(device, portal)
            begin_return_file(here, (PORT["id"],))
            said = verify_compact(return_file(here))
            books.give_back(said.payload, said.data)
            assert here.install(books.bundle()).receipt is not None
            here.reset()
            assert running(home) == {"Channels"}

        crash_everywhere(
            device,
            "return",
            PORT["id"],
            "--file",
            str(out),
            check=check,
            before=lambda: out.unlink(missing_ok=True),
        )


class TestOtherStatements:
    def test_an_acknowledgement_cut_off_is_said_again_under_another_number(
        self, device: Bench, portal: FakePortal
    ) -> None:
        def check(home: Path) -> None:
            here = Device(home)
            acknowledge(here)
            assert not here.state().acknowledgement_due
            assert portal.books is not None
            assert portal.books.acknowledged == 1

        crash_everywhere(device, "acknowledge", check=check)

    def test_a_claim_cut_off_is_said_again_in_the_same_bytes(self, device: Bench, portal: FakePortal) -> None:
        assert portal.books is not None
        portal.books.claims = {"ABCD": "changed"}

        def check(home: Path) -> None:
            sent = {received.data for received in portal.claims}
            begun = Device(home).state().vault.pending_claim is not None
            claim(Device(home), "ABCD")
            assert Device(home).state().vault.pending_claim is None
            assert not begun or not sent or portal.claims[-1].data in sent
            portal.claims.clear()

        crash_everywhere(device, "claim", "ABCD", check=check)
