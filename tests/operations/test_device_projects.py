"""A device changes project, is released, and is taken up again (mission rule 7)."""

import json

import pytest

from accounts.models import Company, Project, User
from accounts.scopes import ProjectArchived
from devices import queries as devices
from devices.enrollment import HardwareIDTaken
from devices.models import Device, ProjectChange
from devices.queries import NoSuchDevice
from devices.standing import standing_of
from licenses import adding, assignment, claims, device_projects, ledger, queries, verification
from licenses.device_projects import (
    DeviceKeepsLicenses,
    ProjectOfAnotherCompany,
)
from licenses.handing_over import DeviceBridged, InThisProject
from licenses.models import LogLeaf, LogLine
from portal.core import base64url
from portal.core.models import AuditEntry
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    first_project,
    free,
    get_product,
    give_back,
    make_company,
    make_device,
    make_project,
)
from tests.operations.bookkeeping import last_leaf, latest, refused, unchanged
from tests.operations.moving import asked

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


def kept() -> str:
    """A product that stays with the device (mission rule 17)."""
    return next(
        product.code for product in queries.products() if product.version == 14 and not product.returnable
    )


def change(device: Device, project: Project, key: str | None = None) -> Device:
    return device_projects.change_project(device=device, project=project, caller=caller(key=key), now=NOW)


def release(device: Device, key: str | None = None) -> None:
    device_projects.release_device(device=device, caller=caller(key=key), now=NOW)


def said(leaf: LogLeaf) -> list[tuple[str | None, str | None]]:
    """From whom to whom each line of a leaf goes, as ids of the log."""
    lines = [json.loads(bytes(line.line)) for line in LogLine.objects.filter(leaf=leaf).order_by("pk")]
    return [(line["from"], line["to"]) for line in lines]


def in_log(project: Project) -> str:
    return base64url.encode(bytes(ledger.project_holder(project).log_id))


class TestChangingProject:
    @pytest.fixture
    def elsewhere(self, company: Company) -> Project:
        return make_project(company=company, name="Berlin")

    def test_the_grants_go_along_and_the_document_stays(self, project: Project, elsewhere: Project) -> None:
        device = make_device(project=activated(project, {"Port": 5}))
        assigned(device, 3)
        before = latest(device)

        changed = change(device, elsewhere)

        assert changed.project == elsewhere
        assert latest(device) == before
        assert (free(project), free(device), free(elsewhere)) == (2, 3, 0)
        assert list(verification.violations()) == []

    def test_later_returns_go_to_the_new_project(self, project: Project, elsewhere: Project) -> None:
        device = make_device(project=activated(project, {"Port": 5}))
        grant = assigned(device, 3)
        change(device, elsewhere)

        give_back(device, grant)

        assert (free(project), free(elsewhere)) == (2, 3)
        assert list(verification.violations()) == []

    def test_it_is_written_down_with_its_day_and_told_on_both_sides(
        self, project: Project, elsewhere: Project
    ) -> None:
        device = make_device(project=project)
        leaves = LogLeaf.objects.count()

        change(device, elsewhere)

        row = ProjectChange.objects.get()
        assert (row.device, row.earlier, row.later, row.at) == (device, project, elsewhere, NOW)
        told = AuditEntry.objects.filter(hardware_id=device.hardware_id).order_by("-pk")[:2]
        assert {(entry.event, entry.project_id, entry.facts["name"]) for entry in told} == {
            ("device-left-project", project.pk, "DEFAULT"),
            ("device-joined-project", elsewhere.pk, "Berlin"),
        }
        assert LogLeaf.objects.count() == leaves  # in the log a company is one holder

    def test_only_within_the_company(self, project: Project, charlie: User) -> None:
        device = make_device(project=project)

        with refused(ProjectOfAnotherCompany):
            change(device, Project.objects.get(company__memberships__user=charlie))

    def test_not_into_the_project_it_is_in(self, project: Project) -> None:
        device = make_device(project=project)

        with refused(InThisProject):
            change(device, project)

    def test_not_into_the_archive(self, project: Project, elsewhere: Project) -> None:
        device = make_device(project=project)
        Project.objects.filter(pk=elsewhere.pk).update(archived_at=NOW)

        with refused(ProjectArchived, name="Berlin"):
            change(device, elsewhere)

    def test_the_same_request_again_does_nothing(self, project: Project, elsewhere: Project) -> None:
        device = make_device(project=project)
        change(device, elsewhere, key="once")

        with unchanged():
            assert change(device, elsewhere, key="once").project == elsewhere


class TestReleasing:
    def test_no_project_has_it_then_and_nobody_hears_it(self, project: Project, alice: User) -> None:
        device = make_device(project=project)

        release(device, key="once")

        assert list(devices.devices_of(project)) == []
        assert devices.count_by_project([project]) == {}
        with pytest.raises(NoSuchDevice):
            devices.get_device(hardware_id=device.hardware_id, user=alice)
        assert standing_of(device.hardware_id, heard_since=NOW).device is None
        with unchanged():
            release(device, key="once")
        with refused(NoSuchDevice):
            release(device)

    def test_licenses_that_can_be_returned_keep_it(self, project: Project) -> None:
        device = make_device(project=activated(project, {"Port": 5}))
        assigned(device, 3)

        with refused(DeviceKeepsLicenses, quantity=3):
            release(device)

    def test_a_bridge_keeps_it(self, project: Project) -> None:
        old = make_device(project=activated(project, {"Port": 5}))
        assigned(old)
        device = make_device(project=project)
        asked(old, device)

        with refused(DeviceBridged):
            release(device)

    def test_nothing_is_assigned_to_it_any_more(self, project: Project) -> None:
        device = make_device(project=activated(project, {"Port": 5}))
        release(device)

        with refused(NoSuchDevice):
            assignment.assign(device=device, product=get_product(), quantity=1, caller=caller(), now=NOW)

    def test_what_stays_with_it_goes_with_it_to_nobody(self, project: Project) -> None:
        device = make_device(project=activated(project, {kept(): 2}))
        assigned(device, 2, kept())

        release(device)

        assert last_leaf().type == "hand-over"
        assert said(last_leaf()) == [(in_log(project), None)]
        assert free(device, kept()) == 2  # the device holds them, whoever has the device
        assert queries.balance_of_project(project) == []
        assert list(verification.violations()) == []

    def test_there_is_nothing_to_claim(self, project: Project, charlie: User) -> None:
        device = make_device(project=project)
        release(device)

        with refused(claims.DeviceNotTaken):
            claims.make_claim_code(
                project=Project.objects.get(company__memberships__user=charlie),
                hardware_id=device.hardware_id,
                user=charlie,
                caller=caller(),
                now=NOW,
            )


class TestTakingUpAgain:
    def test_anybody_may_add_it_with_what_stayed_with_it(self, project: Project, charlie: User) -> None:
        device = make_device(project=activated(project, {kept(): 2}))
        assigned(device, 2, kept())
        release(device)
        theirs = first_project(make_company(founder=charlie))

        again = adding.add_device(
            project=theirs, hardware_id=device.hardware_id, name="Ours", caller=caller(), now=NOW
        )

        assert (again.pk, again.project, again.name, again.released_at) == (device.pk, theirs, "Ours", None)
        assert last_leaf().type == "hand-over"
        assert said(last_leaf()) == [(None, in_log(theirs))]
        assert [row.assigned for row in queries.balance_of_project(theirs)] == [2]
        assert list(verification.violations()) == []

    def test_its_next_document_rises_above_those_it_had(self, project: Project) -> None:
        device = make_device(project=activated(project, {"Port": 5}))
        give_back(device, assigned(device))
        release(device)

        again = make_device(project=project, hardware_id=device.hardware_id)

        assert queries.next_seq(again) == queries.next_seq(device) > 2

    def test_it_says_nothing_of_what_another_company_did_with_it(
        self, project: Project, charlie: User
    ) -> None:
        device = make_device(project=project)
        release(device)
        theirs = first_project(make_company(founder=charlie))
        again = make_device(project=theirs, hardware_id=device.hardware_id)

        assert {entry.project_id for entry in queries.history_of_device(again, limit=50)} == {theirs.pk}

    def test_it_is_taken_then(self, project: Project, charlie: User) -> None:
        device = make_device(project=project)
        release(device)
        make_device(project=first_project(make_company(founder=charlie)), hardware_id=device.hardware_id)

        with refused(HardwareIDTaken):
            make_device(project=project, hardware_id=device.hardware_id)
