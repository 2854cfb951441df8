"""Licenses coming back from a device (mission rules 16 to 19, trust.md 5)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from accounts.models import Project
from devices.models import Device
from licenses import assignment, delivery, documents, ledger, queries, returns, transparency
from licenses.log_line import LeafType
from licenses.models import Grant
from licenses.returns import Returned
from portal.core import acts
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import AuditEntry
from tests.factories import NOW, assigned, caller, free, get_product, make_device
from tests.operations.bookkeeping import last_entry, last_leaf, latest, listed, refused, unchanged


def give_back(device: Device, *grants: Grant | UUID, key: str | None = None) -> Returned:
    return returns.return_licenses(
        device=device,
        grant_ids=[grant.pk if isinstance(grant, Grant) else grant for grant in grants],
        caller=caller(key=key),
        now=NOW,
    )


class TestReturning:
    def test_the_licenses_go_to_the_balance_of_the_project(self, device: Device, project: Project) -> None:
        grant = assigned(device, 3)

        done = give_back(device, grant)

        assert done.results == {str(grant.pk): "returned"}
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

        assert done.document is not None
        assert done.document.seq == 3
        assert listed(device) == [("Port", 14, 2)]
        assert [item.id for item in latest(device).items] == [queries.grant_id(kept)]

    def test_several_go_in_one_act(self, device: Device, project: Project) -> None:
        grants = [assigned(device, 3), assigned(device, 2), assigned(device, 1, "UC")]

        done = give_back(device, *grants)

        assert set(done.results.values()) == {"returned"}
        assert (free(project), free(project, "UC"), listed(device)) == (10, 5, [])
        assert latest(device).seq == 4
        assert last_leaf().type == "return"
        assert last_leaf().lines.count() == 3

    def test_gateway_licenses_stay(self, device: Device, project: Project) -> None:
        grant = assigned(device, 2, "Channels")

        done = give_back(device, grant)

        assert done == Returned(results={str(grant.pk): "kept"}, document=None)
        assert (free(project, "Channels"), free(device, "Channels")) == (1, 2)

    def test_what_was_returned_before_is_answered_already(self, device: Device, project: Project) -> None:
        grant = assigned(device, 3)
        give_back(device, grant)

        done = give_back(device, grant)

        assert done == Returned(results={str(grant.pk): "already"}, document=None)
        assert free(project) == 10

    def test_what_was_undone_is_answered_already(self, device: Device) -> None:
        grant = assigned(device)
        assignment.undo_assignment(grant=grant, caller=caller(), now=NOW)

        assert give_back(device, grant).results == {str(grant.pk): "already"}

    def test_what_nobody_has_is_unknown(self, device: Device) -> None:
        nothing = uuid4()

        assert give_back(device, nothing) == Returned(results={str(nothing): "unknown"}, document=None)

    def test_what_another_device_has_is_unknown_and_stays_there(
        self, device: Device, project: Project
    ) -> None:
        other = make_device(project=project)
        grant = assigned(other, 3)

        assert give_back(device, grant).results == {str(grant.pk): "unknown"}
        assert (free(other), free(project)) == (3, 7)

    def test_each_is_answered_for_itself(self, device: Device) -> None:
        good, gateway, gone, nothing = (
            assigned(device),
            assigned(device, 1, "Channels"),
            assigned(device),
            uuid4(),
        )
        give_back(device, gone)

        done = give_back(device, good, gateway, gone, nothing)

        assert done.results == {
            str(good.pk): "returned",
            str(gateway.pk): "kept",
            str(gone.pk): "already",
            str(nothing): "unknown",
        }
        assert listed(device) == [("Channels", 14, 1)]

    def test_a_grant_named_twice_is_credited_once(self, device: Device, project: Project) -> None:
        grant = assigned(device, 3)

        give_back(device, grant, grant)

        assert free(project) == 10

    def test_a_return_of_nothing_changes_nothing(self, device: Device) -> None:
        assigned(device)

        assert give_back(device) == Returned(results={}, document=None)
        assert latest(device).seq == 1

    def test_each_grant_is_in_the_history(self, device: Device) -> None:
        give_back(device, assigned(device, 3), assigned(device, 2, "UC"))

        entries = AuditEntry.objects.filter(event="licenses-returned", hardware_id=device.hardware_id)
        assert sorted((entry.facts["product"], entry.facts["quantity"]) for entry in entries) == [
            ("Port 14", 3),
            ("UC 14", 2),
        ]
        assert last_entry().facts["seq"] == 3

    def test_a_test_license_ends_and_is_not_credited(self, device: Device, project: Project) -> None:
        grant = a_test_license(device)

        done = give_back(device, grant)

        assert done.results == {str(grant.pk): "returned"}
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
        first = give_back(device, grant, key="jti")
        if later == "an assignment":
            assigned(device)

        with unchanged():
            second = give_back(device, grant, key="jti")

        assert second == first

    def test_a_return_without_effect_is_answered_the_same_too(self, device: Device) -> None:
        nothing = uuid4()
        first = give_back(device, nothing, key="jti")

        with unchanged():
            assert give_back(device, nothing, key="jti") == first

    def test_the_same_id_over_other_grants_is_refused(self, device: Device) -> None:
        first, second = assigned(device), assigned(device)
        give_back(device, first, key="jti")

        with refused(IdempotencyKeyReused):
            give_back(device, second, key="jti")


class TestEndingGrants:
    def test_a_grant_ends_once(self, device: Device) -> None:
        """The ledger's own guard, whatever the operation above it forgot."""
        grant = assigned(device)
        give_back(device, grant)
        act = acts.begin(operation="test", caller=caller(), given={}, now=NOW)

        with pytest.raises(ledger.GrantAlreadyEnded):
            ledger.end_grants(act=act, grants=[grant], state=Grant.State.MOVED, now=NOW)


def a_test_license(device: Device) -> Grant:
    """A test grant in the device's document, with its line in the log, as the operation will write it."""
    act = acts.begin(operation="test-license", caller=caller(), given={}, now=NOW)
    seq = documents.next_seq(device)
    grant = Grant.objects.create(
        device=device,
        product=get_product("UC"),
        quantity=2,
        license_class=Grant.Class.TEST,
        made_by=act,
        made_at=NOW,
        expires_at=NOW + timedelta(days=90),
        first_seq=seq,
    )
    document = documents.issue(device=device, seq=seq, act=act, now=NOW)
    transparency.record(
        act=act,
        leaf_type=LeafType.TEST,
        told=[transparency.Told(grant=grant)],
        document_sha256=bytes(document.payload_sha256),
        now=NOW,
    )
    return grant
