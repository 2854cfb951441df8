"""Giving back (trust.md 5, mission rules 16 to 19): in its order, to the receipt, online and by file."""

import pytest

from appliance.acknowledging import acknowledge, acknowledgement_file, reset
from appliance.claiming import ClaimResult, claim, claim_file
from appliance.fetching import fetch
from appliance.installation import Outcome
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.returning import ReturnWaits, begin_return_file, give_back, return_file, send_return
from appliance.returns import LARGEST_STEP, read_grants
from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, verify_compact
from tests.appliance.issuing import Json, item, random_id


@pytest.fixture
def port() -> Json:
    return item("Port", quantity=6)


@pytest.fixture
def gateway() -> Json:
    return item("Channels", quantity=30, ret=False)


@pytest.fixture
def books(online: Bench, portal: FakePortal, port: Json, gateway: Json) -> Books:
    """The portal has assigned what may be given back and what stays; the device runs both."""
    portal.books = Books(online.issuer, HARDWARE_ID)
    portal.books.assign(port, gateway)
    fetch(online.device())
    online.device().reset()
    return portal.books


def running(bench: Bench) -> set[str]:
    return {entry.product for entry in bench.device().status().licenses if entry.state == "in-effect"}


def fates(bench: Bench) -> dict[str, str | None]:
    receipt = bench.device().status().last_receipt
    assert receipt is not None
    return {entry.id: entry.result for entry in receipt.licenses}


class TestGivingBackOnline:
    def test_it_brings_a_license_back_and_leaves_the_others(
        self, online: Bench, books: Books, port: Json
    ) -> None:
        result = give_back(online.device(), (port["id"],))
        assert result.receipt is not None
        assert fates(online) == {port["id"]: "returned"}
        assert running(online) == {"Channels"}
        assert books.balance == {"Port": 6}
        assert online.device().state().vault.pending_return is None

    def test_what_stays_with_the_device_is_in_effect_again(
        self, online: Bench, books: Books, port: Json, gateway: Json
    ) -> None:
        give_back(online.device(), ALL)
        assert fates(online) == {port["id"]: "returned", gateway["id"]: "kept"}
        assert running(online) == {"Channels"}
        assert books.units("Port") == 6

    def test_a_partial_return_takes_the_next_document(self, online: Bench, books: Books, port: Json) -> None:
        give_back(online.device(), (port["id"],))
        books.assign(item("Fax"))
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        online.device().reset()
        assert running(online) == {"Channels", "Fax"}
        assert online.device().state().vault.tombstones == ()

    def test_a_device_that_never_fetched_gives_back_everything(
        self, online: Bench, portal: FakePortal, port: Json
    ) -> None:
        portal.books = Books(online.issuer, HARDWARE_ID)
        for _ in range(3):
            portal.books.assign(port)
        give_back(online.device(), ALL)
        said = [received.payload for received in portal.returns]
        assert [payload["min_seq"] for payload in said] == [1, 4]
        assert said[0]["jti"] != said[1]["jti"]
        assert said[0]["ctr"] < said[1]["ctr"]
        assert portal.books.balance == {"Port": 6}
        assert not portal.books.forked

    def test_what_the_portal_does_not_know_changes_nothing(self, online: Bench, books: Books) -> None:
        name = random_id()
        give_back(online.device(), (name,))
        assert fates(online) == {name: "unknown"}
        assert running(online) == {"Port", "Channels"}
        assert books.balance == {}

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_lost_answer_is_asked_for_in_the_same_bytes(
        self, online: Bench, books: Books, portal: FakePortal, port: Json, when: str
    ) -> None:
        portal.silent = {"returns": when}
        with pytest.raises(ReturnWaits) as waits:
            give_back(online.device(), (port["id"],))
        assert waits.value.reason.code == "portal-unreachable"
        assert running(online) == {"Channels"}
        portal.silent = {}
        send_return(online.device())
        assert len({received.data for received in portal.returns}) == 1
        assert books.balance == {"Port": 6}
        assert len(books.receipts) == 1

    def test_a_receipt_also_comes_with_the_next_fetch(
        self, online: Bench, books: Books, portal: FakePortal, port: Json
    ) -> None:
        portal.silent = {"returns": "after"}
        with pytest.raises(ReturnWaits):
            give_back(online.device(), (port["id"],))
        assert fetch(online.device()).receipt is not None
        assert online.device().state().vault.pending_return is None


class TestAReturnThatIsNotBegun:
    @pytest.mark.parametrize(
        ("ids", "code"),
        [
            ([], "nothing-to-return"),
            (["short"], "grant-malformed"),
            (["*", "A" * 22], "grant-malformed"),
            ([random_id() for _ in range(201)], "too-many-grants"),
        ],
        ids=["none", "short", "all and one", "201"],
    )
    def test_names_that_are_none_are_refused(self, ids: list[str], code: str) -> None:
        with pytest.raises(Refusal) as refused:
            read_grants(ids)
        assert refused.value.code == code

    @pytest.mark.parametrize("min_seq", [1, LARGEST_STEP + 2])
    def test_a_number_that_cannot_be_right_changes_nothing(
        self, online: Bench, books: Books, min_seq: int
    ) -> None:
        before = online.files()
        with pytest.raises(Refusal) as refused:
            give_back(online.device(), ALL, min_seq=min_seq)
        assert refused.value.code == "min-seq-out-of-range"
        assert online.files() == before

    def test_a_portal_out_of_reach_leaves_everything_in_effect(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(HARDWARE_ID))
        bench.device().reset()
        before = bench.files()
        with pytest.raises(Refusal) as refused:
            give_back(bench.device(), ALL)
        assert (refused.value.code, bench.files()) == ("portal-unreachable", before)

    def test_a_portal_without_the_door_is_said(
        self, online: Bench, books: Books, portal: FakePortal, port: Json
    ) -> None:
        portal.doors = ("licenses",)
        with pytest.raises(Refusal) as refused:
            give_back(online.device(), (port["id"],))
        assert refused.value.code == "portal-lacks-door"
        assert running(online) == {"Port", "Channels"}

    def test_another_return_waits_for_its_turn(self, online: Bench, books: Books, port: Json) -> None:
        begin_return_file(online.device(), (port["id"],))
        with pytest.raises(Refusal) as refused:
            give_back(online.device(), ALL)
        assert refused.value.code == "return-pending"

    def test_there_is_none_to_send(self, bench: Bench) -> None:
        for act in (send_return, return_file):
            with pytest.raises(Refusal) as refused:
                act(bench.device())
            assert refused.value.code == "nothing-to-return"

    def test_a_device_that_knows_no_portal_signs_no_file(self, bench: Bench) -> None:
        with pytest.raises(Refusal) as refused:
            begin_return_file(bench.device(), ALL)
        assert refused.value.code == "portal-unknown"


class TestGivingBackByFile:
    def test_the_receipt_comes_home_in_the_license_file(
        self, online: Bench, books: Books, port: Json
    ) -> None:
        begin_return_file(online.device(), (port["id"],))
        first, second = (verify_compact(return_file(online.device())) for _ in range(2))
        assert first.data == second.data
        assert first.header.keys() == {"alg", "typ", "x5c"}
        books.give_back(first.payload, first.data)
        assert online.device().install(books.bundle()).receipt is not None
        online.device().reset()
        assert running(online) == {"Channels"}
        assert books.balance == {"Port": 6}

    def test_it_may_arrive_after_newer_documents_were_installed(
        self, online: Bench, books: Books, port: Json
    ) -> None:
        begin_return_file(online.device(), (port["id"],))
        said = verify_compact(return_file(online.device()))
        books.assign(item("Fax"))
        fetch(online.device())
        online.device().reset()
        assert running(online) == {"Channels", "Fax"}
        books.give_back(said.payload, said.data)
        fetch(online.device())
        online.device().reset()
        assert running(online) == {"Channels", "Fax"}
        assert fates(online) == {port["id"]: "returned"}
        assert books.balance == {"Port": 6}

    def test_200_licenses_stay_far_below_what_the_portal_reads(self, online: Bench, books: Books) -> None:
        begin_return_file(online.device(), tuple(random_id() for _ in range(200)))
        assert len(return_file(online.device())) < 16 * 1024


class TestAcknowledging:
    def test_the_portal_is_told_after_install_and_after_reset(
        self, online: Bench, portal: FakePortal
    ) -> None:
        portal.books = Books(online.issuer, HARDWARE_ID)
        portal.books.assign(item())
        fetch(online.device())
        reset(online.device())
        told = [(ack.payload["installed_seq"], ack.payload["effective_seq"]) for ack in portal.acks]
        assert told == [(1, 0), (1, 1)]
        assert not online.device().state().acknowledgement_due

    def test_what_could_not_be_told_is_told_at_the_next_fetch(
        self, online: Bench, portal: FakePortal
    ) -> None:
        portal.books = Books(online.issuer, HARDWARE_ID)
        portal.books.assign(item())
        portal.silent = {"acks": "before"}
        result = fetch(online.device())
        assert result.outcome is Outcome.INSTALLED
        assert result.untold is not None
        portal.silent = {}
        assert fetch(online.device()).untold is None
        counters = [ack.payload["ctr"] for ack in portal.acks]
        assert counters == sorted(set(counters))
        assert portal.books.acknowledged == 1

    def test_a_file_says_the_same_and_leaves_it_to_be_told(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(HARDWARE_ID))
        said = verify_compact(acknowledgement_file(bench.device()))
        assert said.header.keys() == {"alg", "typ", "x5c"}
        assert (said.payload["installed_seq"], said.payload["effective_seq"]) == (1, 0)
        assert bench.device().state().acknowledgement_due

    def test_there_is_nothing_to_tell(self, online: Bench) -> None:
        with pytest.raises(Refusal) as refused:
            acknowledge(online.device())
        assert refused.value.code == "nothing-installed"


class TestClaiming:
    @pytest.mark.parametrize("result", list(ClaimResult))
    def test_it_says_what_the_portal_decided(self, online: Bench, books: Books, result: ClaimResult) -> None:
        books.claims = {"ABCD": result}
        assert claim(online.device(), " ABCD ") is result
        assert online.device().state().vault.pending_claim is None

    def test_a_lost_answer_is_asked_for_in_the_same_bytes(
        self, online: Bench, books: Books, portal: FakePortal
    ) -> None:
        books.claims = {"ABCD": "changed"}
        portal.silent = {"claims": "after"}
        with pytest.raises(Refusal):
            claim(online.device(), "ABCD")
        portal.silent = {}
        claim(online.device(), "ABCD")
        assert len({received.data for received in portal.claims}) == 1

    def test_a_code_the_portal_does_not_know_is_refused(self, online: Bench, books: Books) -> None:
        with pytest.raises(Refusal) as refused:
            claim(online.device(), "ABCD")
        assert refused.value.code == "portal-claim-code-unknown"

    @pytest.mark.parametrize("code", ["", "  ", "x" * 129, "ä", "a\nb"], ids=repr)
    def test_what_is_no_code_is_refused(self, bench: Bench, code: str) -> None:
        with pytest.raises(Refusal) as refused:
            claim(bench.device(), code)
        assert refused.value.code == "bad-claim-code"

    def test_it_can_be_carried(self, online: Bench, books: Books) -> None:
        said = verify_compact(claim_file(online.device(), "ABCD"))
        assert (said.header["typ"], said.payload["code"]) == ("lic-claim+jws", "ABCD")
        assert said.header.keys() == {"alg", "typ", "x5c"}


class TestTheCounter:
    def test_it_rises_with_every_statement_that_counts(
        self, online: Bench, books: Books, portal: FakePortal, port: Json
    ) -> None:
        books.claims = {"ABCD": "changed"}
        claim(online.device(), "ABCD")
        give_back(online.device(), (port["id"],))
        acknowledge(online.device())
        said = [*portal.acks[:1], *portal.claims, *portal.returns, *portal.acks[1:]]
        counters = [received.payload["ctr"] for received in said]
        assert counters == sorted(set(counters))
        assert not books.forked
        assert online.device().state().vault.ctr == max(counters)
