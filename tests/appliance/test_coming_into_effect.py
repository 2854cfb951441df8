"""What is installed comes into effect at a reset, with the three exceptions of mission rule 14."""

import json

import pytest

from appliance.installation import LATEST_RESET, Outcome
from appliance.refusals import Refusal
from appliance.status import Status
from tests.appliance.conftest import Bench
from tests.appliance.issuing import NOW, Json, bridge, item

DAY = 24 * 60 * 60
PORT, FAX, DECT = item("Port", quantity=10), item("Fax"), item("DECT")


def run_with(bench: Bench, *items: Json, seq: int = 1) -> None:
    """Have `items` in effect on the device."""
    install(bench, *items, seq=seq)
    bench.device().reset()


def install(bench: Bench, *items: Json, seq: int) -> Outcome:
    return bench.device().install(bench.issuer.bundle(bench.hardware_id, seq=seq, items=items)).outcome


def in_effect(bench: Bench) -> set[str]:
    return {entry.product for entry in bench.device().status().licenses if entry.state == "in-effect"}


def states(status: Status) -> dict[str, tuple[str, str | None]]:
    return {entry.product: (entry.state, entry.waiting) for entry in status.licenses}


class TestReset:
    def test_nothing_is_in_effect_before_it(self, bench: Bench) -> None:
        install(bench, PORT, seq=1)
        status = bench.device().status()
        assert (status.seq_installed, status.seq_in_effect, status.reset_required) == (1, 0, True)
        assert states(status) == {"Port": ("installed", "reset-required")}

    def test_what_is_installed_is_in_effect_after_it(self, bench: Bench) -> None:
        run_with(bench, PORT)
        status = bench.device().status()
        assert (status.seq_installed, status.seq_in_effect, status.reset_required) == (1, 1, False)
        assert states(status) == {"Port": ("in-effect", None)}

    def test_it_needs_something_installed(self, bench: Bench) -> None:
        with pytest.raises(Refusal) as refused:
            bench.device().reset()
        assert refused.value.code == "nothing-installed"

    def test_it_may_be_repeated(self, bench: Bench) -> None:
        run_with(bench, PORT)
        assert bench.device().reset() is Outcome.IN_EFFECT
        assert in_effect(bench) == {"Port"}

    def test_a_document_in_between_never_comes_into_effect(self, bench: Bench) -> None:
        run_with(bench, PORT)
        install(bench, PORT, FAX, seq=2)
        install(bench, PORT, DECT, seq=3)
        bench.device().reset()
        assert in_effect(bench) == {"Port", "DECT"}


class TestChangesThatWait:
    def test_a_new_item_waits_for_the_reset(self, bench: Bench) -> None:
        run_with(bench, PORT)
        assert install(bench, PORT, FAX, seq=2) is Outcome.INSTALLED
        assert in_effect(bench) == {"Port"}

    def test_another_quantity_waits_for_the_reset(self, bench: Bench) -> None:
        run_with(bench, PORT)
        assert install(bench, {**PORT, "qty": 11}, seq=2) is Outcome.INSTALLED

    def test_an_earlier_end_waits_for_the_reset(self, bench: Bench) -> None:
        lent = bridge(exp=NOW + 14 * DAY)
        run_with(bench, lent)
        assert install(bench, {**lent, "exp": NOW + DAY}, seq=2) is Outcome.INSTALLED

    def test_a_removed_item_works_until_the_reset(self, bench: Bench) -> None:
        run_with(bench, PORT, FAX)
        assert install(bench, PORT, seq=2) is Outcome.INSTALLED
        assert in_effect(bench) == {"Port", "Fax"}
        leaving = {entry.product: entry.leaves_at_reset for entry in bench.device().status().licenses}
        assert leaving == {"Port": False, "Fax": True}
        bench.device().reset()
        assert in_effect(bench) == {"Port"}


class TestEnds:
    def test_an_item_stops_at_its_end_without_a_reset_and_the_others_go_on(self, bench: Bench) -> None:
        run_with(bench, PORT, bridge("Fax", exp=NOW + DAY))
        bench.hands.run(DAY - 1)
        assert in_effect(bench) == {"Port", "Fax"}
        bench.hands.run(1)
        assert in_effect(bench) == {"Port"}
        assert states(bench.device().status())["Fax"] == ("installed", "ended")

    def test_an_item_of_another_version_is_not_in_effect(self, bench: Bench) -> None:
        run_with(bench, PORT, item("Fax", version=13))
        assert states(bench.device().status())["Fax"] == ("installed", "other-version")


class TestLengthening:
    def test_a_later_end_works_at_once(self, bench: Bench) -> None:
        lent = bridge(exp=NOW + DAY)
        run_with(bench, lent)
        assert install(bench, {**lent, "exp": NOW + 3 * DAY}, seq=2) is Outcome.IN_EFFECT
        assert not bench.device().status().reset_required
        bench.hands.run(2 * DAY)
        assert in_effect(bench) == {"Port"}

    def test_an_end_removed_works_at_once(self, bench: Bench) -> None:
        lent = bridge(exp=NOW + DAY)
        run_with(bench, lent)
        bought = item(id=lent["id"])
        assert install(bench, bought, seq=2) is Outcome.IN_EFFECT
        bench.hands.run(2 * DAY)
        assert in_effect(bench) == {"Port"}

    def test_it_works_at_once_while_an_ended_item_leaves(self, bench: Bench) -> None:
        lent = bridge(exp=NOW + 3 * DAY)
        run_with(bench, lent, bridge("Fax", exp=NOW + DAY))
        bench.hands.run(2 * DAY)
        assert install(bench, {**lent, "exp": NOW + 9 * DAY}, seq=2) is Outcome.IN_EFFECT

    def test_it_waits_if_the_document_brings_something_new(self, bench: Bench) -> None:
        lent = bridge(exp=NOW + DAY)
        run_with(bench, lent)
        assert install(bench, {**lent, "exp": NOW + 3 * DAY}, FAX, seq=2) is Outcome.INSTALLED

    def test_it_waits_if_the_item_had_ended(self, bench: Bench) -> None:
        lent = bridge(exp=NOW + DAY)
        run_with(bench, lent)
        bench.hands.run(2 * DAY)
        assert install(bench, {**lent, "exp": NOW + 9 * DAY}, seq=2) is Outcome.INSTALLED

    def test_an_end_added_waits(self, bench: Bench) -> None:
        run_with(bench, PORT)
        assert install(bench, {**PORT, "exp": NOW + 900 * DAY}, seq=2) is Outcome.INSTALLED

    def test_the_first_document_waits(self, bench: Bench) -> None:
        assert install(bench, bridge(exp=NOW + DAY), seq=1) is Outcome.INSTALLED


class TestTheLatestReset:
    def test_what_is_no_longer_listed_ends_a_day_after_it_was_installed(self, bench: Bench) -> None:
        run_with(bench, PORT, FAX)
        install(bench, PORT, seq=2)
        assert bench.device().status().reset_due == NOW + LATEST_RESET
        bench.hands.run(LATEST_RESET - 1)
        assert in_effect(bench) == {"Port", "Fax"}
        bench.hands.run(1)
        assert in_effect(bench) == {"Port"}
        assert bench.device().status().seq_in_effect == 2

    def test_it_is_not_put_off_by_installing_again_or_by_a_further_document(self, bench: Bench) -> None:
        run_with(bench, PORT, FAX)
        data = bench.issuer.bundle(bench.hardware_id, seq=2, items=[PORT])
        bench.device().install(data)
        bench.hands.run(LATEST_RESET - 10)
        bench.device().install(data)
        install(bench, PORT, DECT, seq=3)
        bench.hands.run(10)
        assert in_effect(bench) == {"Port", "DECT"}

    def test_it_is_called_off_when_the_item_is_back(self, bench: Bench) -> None:
        run_with(bench, PORT, FAX)
        install(bench, PORT, seq=2)
        install(bench, PORT, FAX, seq=3)
        bench.hands.run(LATEST_RESET + 10)
        status = bench.device().status()
        assert (status.seq_in_effect, status.reset_required, status.reset_due) == (3, False, None)

    def test_what_only_comes_has_all_the_time(self, bench: Bench) -> None:
        run_with(bench, PORT)
        install(bench, PORT, FAX, seq=2)
        bench.hands.run(30 * DAY)
        assert in_effect(bench) == {"Port"}

    def test_it_cannot_be_put_off_by_setting_the_wall_clock_back(self, bench: Bench) -> None:
        run_with(bench, PORT, FAX)
        install(bench, PORT, seq=2)
        bench.hands.run(LATEST_RESET)
        bench.hands.wall = NOW - 900 * DAY
        assert in_effect(bench) == {"Port"}


class TestARestoredConfiguration:
    def test_it_cannot_bring_back_what_a_later_document_ended(self, bench: Bench) -> None:
        run_with(bench, PORT, FAX)
        backup = (bench.home / "configuration.json").read_bytes()
        run_with(bench, PORT, seq=2)
        (bench.home / "configuration.json").write_bytes(backup)
        status = bench.device().status()
        assert (status.licenses, status.seq_installed, status.seq_highest) == ((), 0, 2)
        with pytest.raises(Refusal):
            bench.device().reset()

    def test_the_document_itself_mends_it(self, bench: Bench) -> None:
        data = bench.issuer.bundle(bench.hardware_id, items=[PORT])
        bench.device().install(data)
        (bench.home / "configuration.json").unlink()
        assert bench.device().install(data).outcome is Outcome.INSTALLED
        bench.device().reset()
        assert in_effect(bench) == {"Port"}

    def test_a_forged_one_is_not_run(self, bench: Bench) -> None:
        run_with(bench, PORT)
        path = bench.home / "configuration.json"
        forged = bench.issuer.bundle(bench.hardware_id, seq=1, items=[FAX]).decode()
        path.write_text(json.dumps({**json.loads(path.read_text()), "in_effect": forged}))
        assert "Fax" not in in_effect(bench)
