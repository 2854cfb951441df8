"""Assigning licenses to a device (mission rules 11 to 13)."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from accounts.models import Company, Project, User
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import assignment, queries
from licenses.document import MAX_ITEMS
from licenses.ledger import InsufficientLicenses, QuantityOutOfRange
from licenses.models import Grant, LicenseDocument
from licenses.room import DeviceIsFull
from portal.core import clock
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import OutboxJob
from tests.factories import NOW, activated, assigned, caller, free, get_product, make_device, make_project
from tests.operations.bookkeeping import last_entry, last_leaf, latest, listed, read, refused, unchanged


class TestAssigning:
    def test_it_moves_the_licenses_to_the_device(self, device: Device, project: Project, alice: User) -> None:
        done = assignment.assign(
            device=device, product=get_product(), quantity=3, caller=caller(alice), now=NOW
        )

        assert (free(project), free(device)) == (7, 3)
        assert (done.grant.device, done.grant.quantity, done.grant.state) == (device, 3, "live")

    def test_all_that_is_free_may_go(self, device: Device, project: Project) -> None:
        assigned(device, 10)

        assert (free(project), free(device)) == (0, 10)

    def test_one_more_than_free_is_refused(self, device: Device, alice: User) -> None:
        with refused(InsufficientLicenses, product="Port 14", wanted=11, available=10):
            assignment.assign(
                device=device, product=get_product(), quantity=11, caller=caller(alice), now=NOW
            )

    def test_a_product_the_project_never_had_is_refused(self, device: Device) -> None:
        with refused(InsufficientLicenses, product="Fax 14", wanted=1, available=0):
            assigned(device, 1, "Fax")

    def test_another_version_is_another_product(self, device: Device) -> None:
        with refused(InsufficientLicenses, product="Port 13", available=0):
            assigned(device, 1, "Port", 13)

    def test_what_is_with_the_company_is_not_with_the_project(self, device: Device, project: Project) -> None:
        activated(project.company, {"Fax": 5})

        with refused(InsufficientLicenses, available=0):
            assigned(device, 1, "Fax")

    @pytest.mark.parametrize("quantity", [0, -1, 1_000_001, 2**63])
    def test_quantities_have_bounds(self, device: Device, quantity: int) -> None:
        with refused(QuantityOutOfRange, quantity=quantity):
            assigned(device, quantity)

    def test_a_device_that_left_the_project_meanwhile_gets_nothing_from_its_new_one(
        self, device: Device, project: Project, company: Company
    ) -> None:
        """Whoever was let in at the door had a right in the project of then."""
        elsewhere = activated(make_project(company=company), {"Port": 5})
        seen = Device.objects.select_related("project").get(pk=device.pk)
        Device.objects.filter(pk=device.pk).update(project=elsewhere)

        with refused(NoSuchDevice):
            assigned(seen)

        assert (free(project), free(elsewhere)) == (10, 5)

    def test_it_is_in_the_history_of_device_and_project(
        self, device: Device, project: Project, alice: User
    ) -> None:
        assignment.assign(device=device, product=get_product(), quantity=3, caller=caller(alice), now=NOW)

        entry = last_entry()
        assert (entry.event, entry.actor) == ("licenses-assigned", alice)
        assert (entry.project_id, entry.hardware_id) == (project.pk, device.hardware_id)
        assert entry.facts == {"product": "Port 14", "quantity": 3, "seq": 1}

    def test_its_leaf_names_the_document_and_tells_transfer_and_grant_in_one_line(
        self, device: Device
    ) -> None:
        grant = assigned(device)

        document = queries.current_document(device)
        leaf = last_leaf()
        assert document is not None
        assert (leaf.type, leaf.document_sha256) == ("issue", document.payload_sha256)
        [line] = leaf.lines.all()
        assert (line.grant, line.transfer is not None) == (grant, True)

    def test_a_device_takes_as_many_grants_as_a_document_lists_and_no_more(
        self, device: Device, project: Project
    ) -> None:
        activated(project, {"Port": MAX_ITEMS})
        for _ in range(MAX_ITEMS):
            assigned(device)
        assert len(latest(device).items) == MAX_ITEMS

        with refused(DeviceIsFull, most=MAX_ITEMS):
            assigned(device)

    def test_a_full_device_has_room_again_when_one_grant_ended(
        self, device: Device, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 2
        grants = [assigned(device), assigned(device)]
        with refused(DeviceIsFull, most=2):
            assigned(device)
        assignment.undo_assignment(grant=grants[0], caller=caller(), now=NOW)

        assigned(device)

        assert len(latest(device).items) == 2

    def test_the_same_request_again_is_answered_the_same(self, device: Device, alice: User) -> None:
        request, product = caller(alice, key="once"), get_product()
        first = assignment.assign(device=device, product=product, quantity=3, caller=request, now=NOW)

        with unchanged():
            second = assignment.assign(device=device, product=product, quantity=3, caller=request, now=NOW)

        assert second == first

    @pytest.mark.parametrize("other", ["quantity", "product", "device"])
    def test_a_request_id_is_not_for_something_else(self, device: Device, alice: User, other: str) -> None:
        request = caller(alice, key="once")
        assignment.assign(device=device, product=get_product(), quantity=3, caller=request, now=NOW)
        second_device = make_device(project=device.project)

        with refused(IdempotencyKeyReused):
            assignment.assign(
                device=second_device if other == "device" else device,
                product=get_product("UC" if other == "product" else "Port"),
                quantity=4 if other == "quantity" else 3,
                caller=request,
                now=NOW,
            )

    def test_a_request_id_is_not_for_another_operation(self, device: Device, alice: User) -> None:
        request = caller(alice, key="once")
        grant = assignment.assign(
            device=device, product=get_product(), quantity=3, caller=request, now=NOW
        ).grant

        with refused(IdempotencyKeyReused):
            assignment.undo_assignment(grant=grant, caller=request, now=NOW)

    def test_another_caller_may_use_the_same_request_id(self, device: Device, alice: User, bob: User) -> None:
        for user in (alice, bob):
            assignment.assign(
                device=device, product=get_product(), quantity=3, caller=caller(user, key="once"), now=NOW
            )

        assert free(device) == 6


class TestItsDocument:
    def test_it_lists_what_was_assigned(self, device: Device) -> None:
        grant = assigned(device, 3)

        [item] = latest(device).items
        assert (item.id, item.product, item.version, item.qty) == (queries.grant_id(grant), "Port", 14, 3)
        assert (item.license_class, item.returnable, item.expires_at) == ("bought", True, None)

    def test_it_says_what_stays_with_the_device(self, device: Device) -> None:
        assigned(device, 1, "Channels")

        assert [item.returnable for item in latest(device).items] == [False]

    def test_it_lists_all_live_grants_each_time(self, device: Device) -> None:
        assigned(device, 3)
        assigned(device, 2, "UC")
        assigned(device, 1)

        assert sorted(listed(device)) == [("Port", 14, 1), ("Port", 14, 3), ("UC", 14, 2)]

    def test_it_is_of_this_portal_and_device_and_moment(self, device: Device) -> None:
        later = NOW + timedelta(hours=1)
        assignment.assign(device=device, product=get_product(), quantity=1, caller=caller(), now=later)

        document = latest(device)
        assert document.hardware_id == device.hardware_id
        assert document.issued_at == clock.posix(later)

    def test_its_seq_rises_and_earlier_ones_stay_as_they_were(self, device: Device) -> None:
        assigned(device, 3)
        first = LicenseDocument.objects.get()
        assigned(device, 2)

        assert [row.seq for row in LicenseDocument.objects.order_by("pk")] == [1, 2]
        assert bytes(LicenseDocument.objects.get(seq=1).payload) == bytes(first.payload)

    def test_a_repeated_request_is_answered_with_the_document_of_then(self, device: Device) -> None:
        request = caller(key="once")
        assignment.assign(device=device, product=get_product(), quantity=3, caller=request, now=NOW)
        assigned(device, 2)

        again = assignment.assign(device=device, product=get_product(), quantity=3, caller=request, now=NOW)

        assert (again.document.seq, len(read(again.document).items)) == (1, 1)

    def test_devices_count_for_themselves(self, device: Device, project: Project) -> None:
        other = make_device(project=project)
        assigned(device)
        assigned(device)
        assigned(other)

        assert (latest(device).seq, latest(other).seq) == (2, 1)

    def test_a_job_will_sign_it(self, device: Device) -> None:
        assigned(device)

        document = LicenseDocument.objects.get()
        assert document.signed is None
        assert OutboxJob.objects.get(handler="sign-license-document").arguments == {
            "document_id": document.pk
        }

    def test_a_refusal_makes_none(self, device: Device) -> None:
        with refused(InsufficientLicenses):
            assigned(device, 11)

        assert queries.current_document(device) is None
        assert not Grant.objects.exists()
