"""A return that the portal refused for good: said anew where another statement helps, and never lifted.

There is no way to withdraw one: once signed it may be on its way, and what it names must stay away.
"""

from dataclasses import replace

import pytest

from appliance.device import Device
from appliance.fetching import fetch
from appliance.identity import MAX_STATEMENT_BYTES
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.returning import ReturnWaits, begin_return_file, give_back, return_file, send_return
from appliance.returns import LARGEST_STEP
from tests.appliance.books import Books, Refused
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, Received, verify_compact
from tests.appliance.issuing import Json, item
from tests.appliance.test_receipts import running


@pytest.fixture
def port() -> Json:
    return item("Port", quantity=6)


@pytest.fixture
def books(online: Bench, portal: FakePortal, port: Json) -> Books:
    portal.books = Books(online.issuer, HARDWARE_ID)
    portal.books.assign(port, item("Channels", ret=False))
    fetch(online.device())
    online.device().reset()
    return portal.books


def carried(bench: Bench) -> Received:
    return verify_compact(return_file(bench.device()))


def move_on(books: Books) -> None:
    """The portal makes further documents, of which the device hears nothing."""
    for _ in range(3):
        books.assign(item("Fax"))


class TestAStaleReturnOfEverything:
    def test_is_said_anew_online_with_the_number_that_the_portal_names(
        self, online: Bench, books: Books, portal: FakePortal
    ) -> None:
        move_on(books)

        give_back(online.device(), ALL)

        first, second = (received.payload for received in portal.returns)
        assert (first["min_seq"], second["min_seq"]) == (2, 5)
        assert first["jti"] != second["jti"]
        assert first["ctr"] < second["ctr"]
        assert books.balance == {"Port": 6, "Fax": 30}
        assert running(online) == {"Channels"}

    def test_is_said_anew_by_file_with_the_number_typed_in(self, online: Bench, books: Books) -> None:
        move_on(books)
        begin_return_file(online.device(), ALL)
        stale = carried(online)
        with pytest.raises(Refused) as refused:
            books.give_back(stale.payload, stale.data)
        stones = online.device().state().vault.tombstones

        begin_return_file(online.device(), ALL, min_seq=refused.value.members["min_seq"])  # type: ignore[arg-type]

        fresh = carried(online)
        assert fresh.payload["jti"] != stale.payload["jti"]
        assert fresh.payload["ctr"] > stale.payload["ctr"]
        assert online.device().state().vault.tombstones == stones
        assert running(online) == set()
        books.give_back(fresh.payload, fresh.data)
        assert online.device().install(books.bundle()).receipt is not None
        online.device().reset()
        assert running(online) == {"Channels"}
        assert books.balance == {"Port": 6, "Fax": 30}

    def test_that_arrives_after_all_comes_to_the_same(self, online: Bench, books: Books) -> None:
        begin_return_file(online.device(), ALL)
        first = carried(online)
        begin_return_file(online.device(), ALL, min_seq=7)
        second = carried(online)

        books.give_back(first.payload, first.data)  # the file was not lost, as the administrator had thought
        with pytest.raises(Refusal) as refused:
            online.device().install(books.bundle())
        assert refused.value.code == "older-document"
        assert online.device().state().vault.pending_return is not None
        books.give_back(second.payload, second.data)

        assert online.device().install(books.bundle()).receipt is not None
        online.device().reset()
        assert running(online) == {"Channels"}
        assert books.balance == {"Port": 6}

    def test_is_the_same_statement_as_long_as_no_other_number_is_typed(
        self, online: Bench, books: Books
    ) -> None:
        begin_return_file(online.device(), ALL)
        first = carried(online)

        begin_return_file(online.device(), ALL)
        begin_return_file(online.device(), ALL, min_seq=first.payload["min_seq"])

        assert carried(online).data == first.data

    def test_takes_no_lower_number_and_no_wild_one(self, online: Bench, books: Books) -> None:
        begin_return_file(online.device(), ALL, min_seq=5)
        before = online.files()
        for number in (4, LARGEST_STEP + 2):
            with pytest.raises(Refusal) as refused:
                begin_return_file(online.device(), ALL, min_seq=number)
            assert refused.value.code == "min-seq-out-of-range"
        assert online.files() == before

    def test_goes_no_further_by_many_steps_than_by_one(self, online: Bench, books: Books) -> None:
        begin_return_file(online.device(), ALL, min_seq=LARGEST_STEP)
        with pytest.raises(Refusal) as refused:
            begin_return_file(online.device(), ALL, min_seq=2 * LARGEST_STEP)
        assert refused.value.code == "min-seq-out-of-range"

    def test_waits_while_the_portal_names_a_number_out_of_reach_and_goes_after_a_fetch(
        self, online: Bench, books: Books, portal: FakePortal
    ) -> None:
        books.seq = 5 * LARGEST_STEP
        books.assign(item("Fax"))
        with pytest.raises(ReturnWaits) as waits:
            give_back(online.device(), ALL)
        assert waits.value.reason.code == "min-seq-out-of-range"
        assert running(online) == set()

        fetch(online.device())
        send_return(online.device())

        assert online.device().state().vault.pending_return is None
        assert books.balance == {"Port": 6, "Fax": 10}


class TestANameUsedBefore:
    def test_gets_another_name_and_the_licenses_stay_away(
        self, online: Bench, books: Books, portal: FakePortal, port: Json
    ) -> None:
        begin_return_file(online.device(), (port["id"],))
        said = carried(online)
        books.payload_of_jti[said.payload["jti"]] = b"something else"

        result = send_return(online.device())

        assert result.receipt is not None
        assert portal.returns[-1].payload["jti"] != said.payload["jti"]
        assert portal.returns[-1].payload["grants"] == [port["id"]]
        assert books.balance == {"Port": 6}
        assert running(online) == {"Channels"}


class TestARefusalOfTheDeviceItself:
    @pytest.mark.parametrize(
        "code", ["device-blocked", "certificate-rejected", "key-not-pinned", "unknown-device"]
    )
    def test_leaves_the_same_statement_waiting_until_it_is_heard(
        self, online: Bench, books: Books, portal: FakePortal, port: Json, code: str
    ) -> None:
        portal.refusing = {"returns": code}
        with pytest.raises(ReturnWaits) as waits:
            give_back(online.device(), (port["id"],))
        assert waits.value.reason.code == f"portal-{code}"
        assert running(online) == {"Channels"}

        portal.refusing = {}
        send_return(online.device())

        assert len({received.data for received in portal.returns}) == 1
        assert books.balance == {"Port": 6}


class TestAStatementTheDeviceCannotSign:
    @pytest.fixture
    def crowded(self, online: Bench, books: Books) -> Device:
        """Its certificates leave no room for a statement."""
        device = online.device()
        identity = device.home.identity
        certificates = identity.chain * (MAX_STATEMENT_BYTES // 1000)
        device.home = replace(device.home, identity=replace(identity, chain=certificates))
        return device

    @pytest.mark.parametrize("act", [give_back, begin_return_file])
    def test_is_refused_before_anything_is_out_of_effect(
        self, online: Bench, crowded: Device, port: Json, act: object
    ) -> None:
        before = online.files()
        with pytest.raises(Refusal) as refused:
            act(crowded, (port["id"],))  # type: ignore[operator]
        assert refused.value.code == "statement-too-large"
        assert online.files() == before
        assert running(online) == {"Port", "Channels"}
