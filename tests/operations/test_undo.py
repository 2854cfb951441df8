"""Undoing an assignment before the device could know of it (mission rule 12)."""

import pytest

from accounts.models import Company, Project, User
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import assignment, delivery, queries, standing_queries
from licenses.assignment import AssignmentCarried
from licenses.ledger import GrantAlreadyEnded
from licenses.models import Grant, LicenseDocument
from portal.core.acts import IdempotencyKeyReused
from tests.factories import NOW, assigned, caller, free, give_back, make_device, make_project
from tests.operations.bookkeeping import last_entry, last_leaf, latest, listed, refused, unchanged


def undo(grant: Grant, user: User | None = None, key: str | None = None) -> assignment.Assignment:
    return assignment.undo_assignment(grant=grant, caller=caller(user, key=key), now=NOW)


class TestUndoing:
    def test_the_licenses_are_free_again(self, device: Device, project: Project) -> None:
        grant = assigned(device, 3)

        done = undo(grant)

        assert (free(project), free(device)) == (10, 0)
        assert (done.grant.state, done.grant.ended_at) == ("revoked", NOW)
        assert done.grant.ended_by == done.document.act

    def test_a_device_that_left_the_project_meanwhile_keeps_it(
        self, device: Device, project: Project, company: Company
    ) -> None:
        """Whoever was let in at the door had a right in the project of then."""
        made = assigned(device, 3)
        seen = Device.objects.get(pk=device.pk)
        grant = queries.get_grant(grant_id=queries.grant_id(made), device=seen)
        Device.objects.filter(pk=device.pk).update(project=make_project(company=company))

        with refused(NoSuchDevice):
            undo(grant)

        assert free(device) == 3

    def test_the_next_document_lacks_it_and_keeps_the_others(self, device: Device) -> None:
        assigned(device, 2, "UC")
        grant = assigned(device, 3)

        undo(grant)

        assert (latest(device).seq, listed(device)) == (3, [("UC", 14, 2)])

    def test_it_is_in_history_and_log(self, device: Device, alice: User) -> None:
        grant = assigned(device, 3)

        undo(grant, alice)

        assert (last_entry().event, last_entry().actor) == ("assignment-undone", alice)
        assert last_entry().facts == {"product": "Port 14", "quantity": 3, "seq": 2}
        assert last_leaf().type == "revocation"
        assert grant.log_lines.count() == 2

    def test_signing_alone_does_not_stand_in_its_way(self, device: Device, keyring: object) -> None:
        grant = assigned(device)
        delivery.sign_document(document_id=LicenseDocument.objects.get().pk)

        undo(grant)

        assert listed(device) == []

    def test_it_is_refused_once_a_document_with_it_was_downloaded(
        self, device: Device, keyring: object
    ) -> None:
        grant = assigned(device)
        delivery.download(device=device, caller=caller(), now=NOW)

        with refused(AssignmentCarried):
            undo(grant)

    def test_it_is_refused_once_the_device_fetched_it(self, device: Device, keyring: object) -> None:
        grant = assigned(device)
        delivery.fetch(device=device, seq_seen=0, have=None, key_set_held=None, caller=caller(), now=NOW)

        with refused(AssignmentCarried):
            undo(grant)

    def test_it_is_refused_if_a_later_document_carried_it_out(self, device: Device, keyring: object) -> None:
        grant = assigned(device)
        assigned(device, 2, "UC")
        delivery.download(device=device, caller=caller(), now=NOW)
        assigned(device, 1, "UC")

        with refused(AssignmentCarried):
            undo(grant)

    def test_what_came_after_the_download_can_be_undone(self, device: Device, keyring: object) -> None:
        first = assigned(device)
        delivery.download(device=device, caller=caller(), now=NOW)
        second = assigned(device, 2)
        carried = standing_queries.carried_seq(device)
        assert standing_queries.can_be_undone([first, second], carried=carried) == {second.pk}

        undo(second)

        assert listed(device) == [("Port", 14, 1)]

    def test_another_device_having_fetched_changes_nothing(
        self, device: Device, project: Project, keyring: object
    ) -> None:
        other = make_device(project=project)
        assigned(other)
        assigned(other)
        grant = assigned(device)
        delivery.download(device=other, caller=caller(), now=NOW)

        undo(grant)

        assert free(device) == 0

    def test_it_works_once(self, device: Device) -> None:
        grant = assigned(device)
        undo(grant)

        with refused(GrantAlreadyEnded):
            undo(grant)

    def test_it_does_not_undo_what_was_returned(self, device: Device, keyring: object) -> None:
        grant = assigned(device)
        give_back(device, grant)

        with refused(GrantAlreadyEnded):
            undo(grant)

    def test_the_same_request_again_is_answered_the_same(self, device: Device) -> None:
        grant = assigned(device)
        first = undo(grant, key="once")

        with unchanged():
            second = undo(grant, key="once")

        assert second == first

    @pytest.mark.parametrize("undone_before", [True, False])
    def test_a_request_id_is_not_for_another_grant(self, device: Device, undone_before: bool) -> None:
        grant, other = assigned(device), assigned(device)
        undo(grant, key="once")
        if undone_before:
            undo(other, key="other")

        with refused(IdempotencyKeyReused):
            undo(other, key="once")
