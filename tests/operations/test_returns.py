"""Licenses coming back from a device (mission rules 16 to 19, trust.md 5)."""

import json

import pytest
from django.conf import settings

from accounts.models import Project
from devices import payloads
from devices.accepting import JTIConflict
from devices.models import Device
from licenses import (
    acknowledgement,
    assignment,
    delivery,
    documents,
    ledger,
    queries,
    returns,
)
from licenses.models import Grant, Return
from licenses.returns import StaleReturn
from portal.core import acts, base64url
from portal.core.models import AuditEntry
from tests.factories import NOW, assigned, caller, free, give_back, make_device
from tests.operations.bookkeeping import last_entry, last_leaf, latest, listed, refused, unchanged
from tests.operations.unbought import a_test_license

pytestmark = pytest.mark.usefixtures("keyring")

NOTHING = "A" * 22
"""The id of a grant that nobody has."""
JTI = "B" * 21 + "A"


def results(answer: returns.Answer) -> dict[str, str]:
    return dict(answer.results)


class TestReturning:
    def test_the_licenses_go_to_the_balance_of_the_project(self, device: Device, project: Project) -> None:
        grant = assigned(device, 3)

        done = give_back(device, grant)

        assert results(done) == {queries.grant_id(grant): "returned"}
        assert (free(project), free(device)) == (10, 0)
        grant.refresh_from_db()
        assert (grant.state, grant.ended_at) == ("returned", NOW)

    def test_it_works_after_the_document_was_handed_out(
        self, device: Device, project: Project, keyring: object
    ) -> None:
        grant = assigned(device, 3)
        delivery.download(device=device, caller=caller(), now=NOW)

        give_back(device, grant)

        assert free(project) == 10

    def test_only_what_is_named_goes(self, device: Device) -> None:
        grant, kept = assigned(device, 3), assigned(device, 2)

        done = give_back(device, grant)

        assert done.next_seq == 3
        assert listed(device) == [("Port", 14, 2)]
        assert [item.id for item in latest(device).items] == [queries.grant_id(kept)]

    def test_several_go_in_one_act(self, device: Device, project: Project) -> None:
        grants = [assigned(device, 3), assigned(device, 2), assigned(device, 1, "UC")]

        done = give_back(device, *grants)

        assert set(results(done).values()) == {"returned"}
        assert (free(project), free(project, "UC"), listed(device)) == (10, 5, [])
        assert latest(device).seq == 4
        assert last_leaf().type == "return"
        assert last_leaf().lines.count() == 3

    def test_gateway_licenses_stay(self, device: Device, project: Project) -> None:
        grant = assigned(device, 2, "Channels")

        done = give_back(device, grant)

        assert results(done) == {queries.grant_id(grant): "kept"}
        assert listed(device) == [("Channels", 14, 2)]
        assert (free(project, "Channels"), free(device, "Channels")) == (1, 2)

    def test_what_was_returned_before_is_answered_already(self, device: Device, project: Project) -> None:
        grant = assigned(device, 3)
        give_back(device, grant)

        done = give_back(device, grant)

        assert results(done) == {queries.grant_id(grant): "already"}
        assert free(project) == 10

    def test_what_was_undone_is_answered_already(self, device: Device) -> None:
        grant = assigned(device)
        assignment.undo_assignment(grant=grant, caller=caller(), now=NOW)

        assert results(give_back(device, grant)) == {queries.grant_id(grant): "already"}

    def test_what_nobody_has_is_unknown(self, device: Device) -> None:
        assert results(give_back(device, NOTHING)) == {NOTHING: "unknown"}

    def test_what_another_device_has_is_unknown_and_stays_there(
        self, device: Device, project: Project
    ) -> None:
        other = make_device(project=project)
        grant = assigned(other, 3)

        assert results(give_back(device, grant)) == {queries.grant_id(grant): "unknown"}
        assert (free(other), free(project)) == (3, 7)

    def test_each_is_answered_for_itself(self, device: Device) -> None:
        good, gateway, gone, nothing = (
            assigned(device),
            assigned(device, 1, "Channels"),
            assigned(device),
            NOTHING,
        )
        give_back(device, gone)

        done = give_back(device, good, gateway, gone, nothing)

        assert results(done) == {
            queries.grant_id(good): "returned",
            queries.grant_id(gateway): "kept",
            queries.grant_id(gone): "already",
            nothing: "unknown",
        }
        assert listed(device) == [("Channels", 14, 1)]

    def test_each_grant_is_in_the_history(self, device: Device) -> None:
        give_back(device, assigned(device, 3), assigned(device, 2, "UC"))

        entries = AuditEntry.objects.filter(event="licenses-returned", hardware_id=device.hardware_id)
        assert sorted((entry.facts["product"], entry.facts["quantity"]) for entry in entries) == [
            ("Port 14", 3),
            ("UC 14", 2),
        ]
        assert last_entry().facts["seq"] == 3

    def test_a_test_license_is_kept(self, device: Device) -> None:
        grant = a_test_license(device)

        done = give_back(device, grant)

        assert results(done) == {queries.grant_id(grant): "kept"}
        assert listed(device) == [("UC", 14, 2)]

    def test_a_test_license_that_has_ended_is_said_to_have_ended_before(self, device: Device) -> None:
        grant = a_test_license(device)
        assert grant.expires_at is not None

        done = give_back(device, grant, now=grant.expires_at)

        assert results(done) == {queries.grant_id(grant): "already"}

    def test_a_test_license_ends_with_everything_and_is_not_credited(
        self, device: Device, project: Project
    ) -> None:
        grant = a_test_license(device)

        done = give_back(device, everything=True, min_seq=2)

        assert results(done) == {queries.grant_id(grant): "returned"}
        assert (free(project, "UC"), free(device, "UC"), listed(device)) == (5, 0, [])

    def test_a_test_license_beside_a_bought_one_takes_nothing_of_its_credit(
        self, device: Device, project: Project
    ) -> None:
        test, bought = a_test_license(device), assigned(device, 3)

        give_back(device, test, bought)

        assert (free(project), free(project, "UC")) == (10, 5)

    @pytest.mark.parametrize("later", ["nothing", "an assignment"])
    def test_the_same_return_again_is_answered_the_same(self, device: Device, later: str) -> None:
        grant = assigned(device)
        first = give_back(device, grant, key=JTI)
        if later == "an assignment":
            assigned(device)
            delivery.download(device=device, caller=caller(), now=NOW)

        with unchanged():
            second = give_back(device, grant, key=JTI)

        assert (second.receipt, second.results) == (first.receipt, first.results)

    def test_a_return_without_effect_is_answered_the_same_too(self, device: Device) -> None:
        first = give_back(device, NOTHING, key=JTI)

        with unchanged():
            assert give_back(device, NOTHING, key=JTI) == first

    def test_the_same_name_over_other_grants_is_refused(self, device: Device) -> None:
        first, second = assigned(device), assigned(device)
        give_back(device, first, key=JTI)

        with refused(JTIConflict):
            give_back(device, second, key=JTI)

    def test_the_receipt_says_what_the_device_needs(self, device: Device) -> None:
        grant, gateway = assigned(device, 3), assigned(device, 2, "Channels")

        answer = give_back(device, grant, gateway, NOTHING, key=JTI)

        receipt = json.loads(base64url.decode(json.loads(answer.receipt)["payload"]))
        assert (receipt["ver"], receipt["iss"], receipt["sub"]) == (1, settings.PORTAL_ID, device.hardware_id)
        assert (receipt["ret_jti"], receipt["next_seq"]) == (JTI, 3)
        assert [result["r"] for result in receipt["results"]] == ["returned", "kept", "unknown"]
        assert base64url.decode(receipt["ret_sha256"]) == bytes(Return.objects.get().payload_sha256)

    def test_the_bundle_beside_it_has_the_receipt_until_the_device_acknowledges(self, device: Device) -> None:
        answer = give_back(device, assigned(device))
        assert json.loads(answer.bundle.content)["receipt"] == json.loads(answer.receipt)
        assert json.loads(download(device))["receipt"] == json.loads(answer.receipt)

        acknowledged(device, installed=answer.next_seq)

        assert "receipt" not in json.loads(download(device))

    @pytest.mark.parametrize("fate", ["kept", "already", "unknown"])
    def test_a_return_that_ends_nothing_is_carried_back_as_well(self, device: Device, fate: str) -> None:
        """The device waits for the receipt, whatever it says, and may have acknowledged all there was."""
        named: Grant | str = NOTHING
        if fate == "kept":
            named = assigned(device, 1, "Channels")
        if fate == "already":
            named = assigned(device)
            give_back(device, named)
        acknowledged(device, installed=documents.next_seq(device) - 1)

        answer = give_back(device, named)

        assert [outcome for _, outcome in answer.results] == [fate]
        assert json.loads(download(device))["receipt"] == json.loads(answer.receipt)
        assert answer.next_seq == latest(device).seq
        acknowledged(device, installed=answer.next_seq)
        assert "receipt" not in json.loads(download(device))


class TestReturningEverything:
    def test_all_that_can_come_back_does(self, device: Device, project: Project) -> None:
        assigned(device, 3)
        gateway = assigned(device, 2, "Channels")

        answer = give_back(device, everything=True, min_seq=3)

        assert sorted(results(answer).values()) == ["kept", "returned"]
        assert (free(project), listed(device)) == (10, [("Channels", 14, 2)])
        assert results(answer)[queries.grant_id(gateway)] == "kept"

    @pytest.mark.parametrize("min_seq", [0, 1, 2])
    def test_it_must_reach_beyond_the_current_document(self, device: Device, min_seq: int) -> None:
        assigned(device)
        assigned(device)

        with refused(StaleReturn, min_seq=3):
            give_back(device, everything=True, min_seq=min_seq)

    def test_a_number_far_ahead_is_refused_as_well(self, device: Device) -> None:
        assigned(device)

        with refused(StaleReturn, min_seq=2):
            give_back(device, everything=True, min_seq=2 + documents.LARGEST_SEQ_JUMP)

    def test_the_next_document_is_one_the_device_will_take(self, device: Device) -> None:
        assigned(device, 2, "Channels")

        answer = give_back(device, everything=True, min_seq=40)

        assert answer.next_seq == answer.bundle.seq == 40
        assert listed(device) == [("Channels", 14, 2)]

    def test_a_device_that_never_fetched_can_give_everything_back(
        self, device: Device, project: Project
    ) -> None:
        assigned(device, 3)

        assert set(results(give_back(device, everything=True, min_seq=2)).values()) == {"returned"}
        assert (free(project), listed(device)) == (10, [])

    def test_a_test_license_of_a_gateway_product_ends_as_well(self, device: Device) -> None:
        grant = a_test_license(device, "Channels")

        assert results(give_back(device, everything=True, min_seq=2)) == {queries.grant_id(grant): "returned"}
        assert listed(device) == []


class TestEndingGrants:
    def test_a_grant_ends_once(self, device: Device) -> None:
        """The ledger's own guard, whatever the operation above it forgot."""
        grant = assigned(device)
        give_back(device, grant)
        act = acts.begin(operation="test", caller=caller(), given={}, now=NOW)

        with pytest.raises(ledger.GrantAlreadyEnded):
            ledger.end_grants(act=act, grants=[grant], state=Grant.State.MOVED, now=NOW)


def download(device: Device) -> bytes:
    return delivery.download(device=device, caller=caller(), now=NOW).content


def acknowledged(device: Device, *, installed: int) -> None:
    acknowledgement.acknowledge(
        device=device,
        statement=payloads.Acknowledgement(
            hardware_id=device.hardware_id,
            aud=settings.PORTAL_ID,
            jti=JTI,
            seq=installed,
            ctr=1,
            installed_seq=installed,
            effective_seq=0,
        ),
        payload_sha256=bytes(32),
        caller=caller(),
        now=NOW,
    )
