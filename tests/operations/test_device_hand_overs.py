"""Support hands a device over: with consent, or after its return (mission rule 7)."""

import json

import pytest

from accounts.models import Company, Mail, Membership, Project, User
from accounts.permissions import Role
from accounts.scopes import ProjectArchived
from accounts.staff import RoleMissing, StaffNeeded
from devices import alerts, queries
from devices.models import Alert, Device, ProjectChange
from licenses import archiving, device_hand_overs, verification
from licenses.device_hand_overs import ConsentNeeded, ConsentOfAnother, OfTheSameCompany
from licenses.handing_over import DeviceBridged, InThisProject
from licenses.models import LogLine, TestLicense
from licenses.move_queries import DeviceInMove
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry
from tests.factories import (
    NOW,
    assigned,
    caller,
    first_project,
    free,
    give_back,
    give_roles,
    join,
    make_project,
)
from tests.operations.bookkeeping import last_leaf, latest, refused, unchanged
from tests.operations.moving import asked
from tests.operations.unbought import a_test_license

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


@pytest.fixture
def buyer(charlie: User) -> Project:
    """Charlie's project, in a company of his own."""
    return first_project(charlie.memberships.get().company)


def hand_over(
    device: Device,
    project: Project,
    by: User,
    consent_of: User | None = None,
    *,
    key: str | None = None,
    reason: str = "The branch was sold.",
) -> Device:
    return device_hand_overs.hand_over_device(
        device=device,
        project=project,
        consent_of=consent_of,
        caller=caller(by, key=key, reason=reason),
        now=NOW,
    )


def where(device: Device) -> Project:
    return Device.objects.select_related("project").get(pk=device.pk).project


class TestWithConsent:
    def test_all_it_holds_goes_along_and_is_returned_there(
        self, device: Device, project: Project, buyer: Project, sam: User, alice: User
    ) -> None:
        grant = assigned(device, 4)
        assigned(device, 1, "Channels")
        seq = latest(device).seq

        hand_over(device, buyer, sam, alice)

        assert where(device) == buyer
        assert (latest(device).seq, len(latest(device).items)) == (seq, 2)
        give_back(device, grant)
        assert (free(project), free(buyer)) == (6, 4)
        assert list(verification.violations()) == []

    def test_the_log_says_from_whom_to_whom(
        self, device: Device, project: Project, buyer: Project, sam: User, alice: User
    ) -> None:
        assigned(device, 4)
        hand_over(device, buyer, sam, alice)

        leaf = last_leaf()
        lines = [json.loads(bytes(line.line)) for line in LogLine.objects.filter(leaf=leaf)]
        assert (leaf.type, [line["qty"] for line in lines]) == ("hand-over", [4])
        assert all(line["from"] and line["to"] and line["from"] != line["to"] for line in lines)
        change = ProjectChange.objects.get(device=device)
        assert (change.earlier, change.later) == (project, buyer)

    def test_both_histories_and_both_mails_tell_their_side(
        self, device: Device, company: Company, buyer: Project, sam: User, alice: User, charlie: User
    ) -> None:
        assigned(device, 4)
        hand_over(device, buyer, sam, alice)

        lost, gained = AuditEntry.objects.filter(event="device-handed-over").order_by("facts__gained")
        assert (lost.company_id, lost.facts["user"], lost.facts["quantity"]) == (company.pk, alice.pk, 4)
        assert (gained.company_id, "user" in gained.facts) == (buyer.company_id, False)
        mails = {mail.to: mail.text for mail in Mail.objects.filter(kind__startswith="device-handed")}
        assert set(mails) == {alice.email, charlie.email}
        assert "These licenses went with it: 4 × Port 14." in mails[alice.email]
        assert buyer.company.name not in mails[alice.email]
        assert "These licenses came with it: 4 × Port 14." in mails[charlie.email]
        assert company.name not in mails[charlie.email]

    def test_without_it_licenses_that_can_be_returned_keep_the_device(
        self, device: Device, company: Company, buyer: Project, sam: User
    ) -> None:
        assigned(device, 4)

        with refused(ConsentNeeded, quantity=4, company=company.name):
            hand_over(device, buyer, sam)

    def test_only_an_admin_of_the_company_agrees_for_it(
        self, device: Device, company: Company, buyer: Project, sam: User, bob: User, charlie: User
    ) -> None:
        assigned(device, 4)

        for nobody in (bob, charlie):
            with refused(ConsentOfAnother, company=company.name):
                hand_over(device, buyer, sam, nobody)


class TestAfterItsReturn:
    def test_nobody_has_to_agree(self, device: Device, project: Project, buyer: Project, sam: User) -> None:
        grant = assigned(device, 4)
        assigned(device, 1, "Channels")
        give_back(device, grant)

        hand_over(device, buyer, sam)

        assert where(device) == buyer
        assert [item.product for item in latest(device).items] == ["Channels"]
        assert free(project) == 10

    def test_it_is_done_once(self, device: Device, buyer: Project, sam: User) -> None:
        hand_over(device, buyer, sam, key="x")

        with unchanged():
            assert hand_over(device, buyer, sam, key="x").project == buyer

    def test_claims_of_the_new_company_are_settled_others_not(
        self, device: Device, project: Project, buyer: Project, sam: User
    ) -> None:
        for number, wanted in enumerate((buyer.pk, buyer.pk + 1)):
            alerts.alert(
                Alert.Kind.CLAIM_WITH_SUPPORT,
                device=device,
                subject=str(number),
                now=NOW,
                project=wanted,
            )

        hand_over(device, buyer, sam)

        [settled] = queries.settled_alerts()
        assert settled.facts["project"] == buyer.pk
        assert queries.settlements([settled])[settled.pk].facts["reason"] == "The branch was sold."

    @pytest.mark.parametrize("proven", [True, False])
    def test_a_test_license_that_was_taken_without_the_device_ends_only_if_a_claim_proved_it(
        self, device: Device, buyer: Project, sam: User, proven: bool
    ) -> None:
        a_test_license(device)
        if proven:
            kind = Alert.Kind.CLAIM_WITH_SUPPORT
            alerts.alert(kind, device=device, subject="1", now=NOW, project=buyer.pk)

        hand_over(device, buyer, sam)

        assert TestLicense.objects.get().void == ("revoked" if proven else "")
        assert list(verification.violations()) == []


class TestWhatIsInTheWay:
    def test_a_move_is_decided_first(
        self, broken: Device, replacement: Device, buyer: Project, sam: User, alice: User
    ) -> None:
        asked(broken, replacement)

        for one in (broken, replacement):
            with refused(DeviceInMove, hardware_id=one.hardware_id):
                hand_over(one, buyer, sam, alice)

    def test_a_bridge_is_no_license_to_lose(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)

        with pytest.raises(DeviceBridged):
            device_hand_overs.lost_with(list(replacement.grants.all()))

    def test_it_goes_to_another_company(
        self, device: Device, project: Project, company: Company, sam: User
    ) -> None:
        with refused(InThisProject):
            hand_over(device, project, sam)
        beside = make_project(company=company)
        with refused(OfTheSameCompany):
            hand_over(device, beside, sam)

    def test_and_into_no_archive(self, device: Device, buyer: Project, sam: User, charlie: User) -> None:
        archived = make_project(company=buyer.company)
        archiving.archive_project(project=archived, caller=caller(charlie), now=NOW)

        with refused(ProjectArchived):
            hand_over(device, archived, sam)

    def test_support_does_it_by_name_and_with_a_reason(
        self, device: Device, buyer: Project, sam: User
    ) -> None:
        with refused(ReasonNeeded):
            hand_over(device, buyer, sam, reason="")
        with refused(StaffNeeded):
            device_hand_overs.hand_over_device(
                device=device, project=buyer, consent_of=None, caller=caller(reason="x"), now=NOW
            )
        for role in (Role.AUDITOR, Role.FULFILMENT):
            give_roles(sam, role)
            with refused(RoleMissing):
                hand_over(device, buyer, sam)

    def test_who_was_admin_agrees_no_more(
        self, device: Device, company: Company, buyer: Project, sam: User, alice: User, erin: User
    ) -> None:
        assigned(device)
        join(user=erin, company=company, role=Membership.Role.ADMIN)
        Membership.objects.filter(user=alice).update(role=Membership.Role.MEMBER)

        with refused(ConsentOfAnother):
            hand_over(device, buyer, sam, alice)
        assert hand_over(device, buyer, sam, erin).project == buyer
