"""Claims: a device proves in whose hands it is, and changes project if it is free to (mission rule 7)."""

import hashlib
import itertools
import json
from datetime import datetime, timedelta

import pytest
from django.conf import settings

from accounts.models import Company, Mail, Membership, Project, ProjectRight, User
from devices import enrollment, payloads
from devices.accepting import JTIConflict
from devices.enrollment import DeviceAlreadyAdded, HardwareIDMalformed
from devices.models import Alert, Device
from devices.queries import NoSuchDevice
from licenses import assignment, claims, queries
from licenses.claims import ClaimCodeUnknown, DeviceNotTaken, MadeCode
from licenses.models import ClaimCode, Grant, Holder, LogLeaf
from portal.core import base64url
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import NOW, activated, assigned, caller, free, get_product, give_back, make_project
from tests.operations.bookkeeping import last_leaf, refused, unchanged
from tests.operations.unbought import a_bridge, a_test_license
from tests.web.letters import letter, link_in

DAY = timedelta(hours=24)
_numbers = itertools.count(1)


@pytest.fixture
def newcomer(charlie: User) -> Project:
    """Charlie's project, in a company of his own."""
    return factories.first_project(charlie.memberships.get().company)


def code_for(project: Project, device: Device, user: User | None = None, *, now: datetime = NOW) -> str:
    user = user or project.company.memberships.get(role=Membership.Role.ADMIN).user
    return make_code(project, device.hardware_id, user, now=now).code


def make_code(
    project: Project, hardware_id: str, user: User, *, key: str | None = None, now: datetime = NOW
) -> MadeCode:
    return claims.make_claim_code(
        project=project, hardware_id=hardware_id, user=user, caller=caller(user, key=key), now=now
    )


def claim(device: Device, code: str, *, jti: str | None = None, now: datetime = NOW) -> claims.Result:
    """The device's claim, as its door hands it on once it is verified; a new statement unless named."""
    number = next(_numbers)
    statement = payloads.Claim(
        hardware_id=device.hardware_id,
        aud=settings.PORTAL_ID,
        jti=jti or f"{number:021d}A",
        seq=0,
        ctr=number,
        code=code,
    )
    return claims.claim_device(
        device=device,
        statement=statement,
        payload_sha256=hashlib.sha256(repr((statement.jti, code)).encode()).digest(),
        caller=caller(scope=f"device:{device.hardware_id}", key=statement.jti),
        now=now,
    )


def project_of(device: Device) -> Project:
    return Device.objects.select_related("project").get(pk=device.pk).project


class TestMakingACode:
    def test_it_is_kept_as_a_hash_only(self, device: Device, newcomer: Project, charlie: User) -> None:
        made = make_code(newcomer, device.hardware_id, charlie)

        row = ClaimCode.objects.get()
        assert made.code.replace("-", "").encode() not in bytes(row.code_sha256)
        assert (row.user, row.project, row.hardware_id) == (charlie, newcomer, device.hardware_id)
        assert made.expires_at == row.expires_at == NOW + DAY

    def test_asking_again_gives_another_code_under_the_same_act(
        self, device: Device, newcomer: Project, charlie: User
    ) -> None:
        first = make_code(newcomer, device.hardware_id, charlie, key="once")
        second = make_code(newcomer, device.hardware_id, charlie, key="once")

        assert first.code != second.code
        assert AuditEntry.objects.filter(event="claim-code-made").count() == 1
        assert claim(device, first.code) == "changed"

    def test_of_a_device_that_nobody_has_there_is_nothing_to_claim(
        self, newcomer: Project, charlie: User
    ) -> None:
        with refused(DeviceNotTaken, hardware_id="00-90-33-01-0A-FF"):
            make_code(newcomer, "009033010aff", charlie)

    def test_nor_of_one_that_is_there(self, device: Device, project: Project, alice: User) -> None:
        with refused(DeviceAlreadyAdded, hardware_id=device.hardware_id):
            make_code(project, device.hardware_id, alice)

    def test_it_needs_a_hardware_id(self, newcomer: Project, charlie: User) -> None:
        with refused(HardwareIDMalformed):
            make_code(newcomer, "00-90-33", charlie)

    def test_the_present_owner_learns_nothing_of_it_yet(
        self, device: Device, project: Project, newcomer: Project
    ) -> None:
        told = AuditEntry.objects.filter(project_id=project.pk).count()

        code_for(newcomer, device)

        assert AuditEntry.objects.filter(project_id=project.pk).count() == told


class TestTheCode:
    def test_it_is_good_until_the_last_second_of_its_day(self, device: Device, newcomer: Project) -> None:
        code = code_for(newcomer, device)

        assert claim(device, code, now=NOW + DAY - timedelta(seconds=1)) == "changed"

    def test_then_it_is_over(self, device: Device, newcomer: Project) -> None:
        code = code_for(newcomer, device)

        with refused(ClaimCodeUnknown):
            claim(device, code, now=NOW + DAY)

    def test_it_is_good_once(self, device: Device, project: Project, newcomer: Project) -> None:
        code = code_for(newcomer, device)
        claim(device, code)
        claim(device, code_for(project, device))

        with refused(ClaimCodeUnknown):
            claim(device, code)

    def test_it_is_used_up_by_a_claim_that_goes_to_support(self, device: Device, newcomer: Project) -> None:
        grant = assigned(device)
        code = code_for(newcomer, device)
        assert claim(device, code) == "with-support"
        assignment.undo_assignment(grant=grant, caller=caller(), now=NOW)

        with refused(ClaimCodeUnknown):
            claim(device, code)

    def test_it_is_of_one_hardware_id(self, device: Device, project: Project, newcomer: Project) -> None:
        other = factories.make_device(project=project)
        code = code_for(newcomer, device)

        with refused(ClaimCodeUnknown):
            claim(other, code)
        assert claim(device, code) == "changed"

    def test_the_device_goes_to_its_project_whoever_else_has_a_code(
        self, device: Device, newcomer: Project, company: Company, bob: User
    ) -> None:
        beside = make_project(company=company)
        factories.give_right(user=bob, project=beside, level=ProjectRight.Level.OPERATE)
        code_for(newcomer, device)
        code = code_for(beside, device, bob)

        assert claim(device, code) == "changed"

        assert project_of(device) == beside

    def test_it_counts_as_long_as_its_user_may_operate_there(
        self, device: Device, company: Company, bob: User
    ) -> None:
        beside = make_project(company=company)
        right = factories.give_right(user=bob, project=beside, level=ProjectRight.Level.OPERATE)
        code = code_for(beside, device, bob)
        right.delete()

        with refused(ClaimCodeUnknown):
            claim(device, code)

    @pytest.mark.parametrize("nonsense", ["", "0" * 16, "0000-0000-0000-0000", "x" * 128, "\x00"])
    def test_another_one_is_unknown(self, device: Device, newcomer: Project, nonsense: str) -> None:
        code_for(newcomer, device)

        with refused(ClaimCodeUnknown):
            claim(device, nonsense)

    def test_it_may_be_typed_as_it_looks(self, device: Device, newcomer: Project) -> None:
        codes = iter(lambda: code_for(newcomer, device), "")
        code = next(code for code in codes if {"0", "1"} <= set(code))
        typed = code.lower().replace("0", "o").replace("1", "l").replace("-", "  ")
        assert typed != code

        assert claim(device, typed) == "changed"

    def test_a_one_may_be_an_i(self, device: Device, newcomer: Project) -> None:
        code = next(code for code in iter(lambda: code_for(newcomer, device), "") if "1" in code)

        assert claim(device, code.replace("1", "I").replace("-", "")) == "changed"


class TestADeviceThatIsFree:
    def test_it_changes_company(self, device: Device, project: Project, newcomer: Project) -> None:
        grant = assigned(device)
        assignment.undo_assignment(grant=grant, caller=caller(), now=NOW)

        assert claim(device, code_for(newcomer, device)) == "changed"

        assert project_of(device) == newcomer
        assert free(project) == 10

    def test_both_companies_are_told(
        self, device: Device, project: Project, newcomer: Project, alice: User, charlie: User
    ) -> None:
        claim(device, code_for(newcomer, device))

        for user, place, gained in ((alice, project, False), (charlie, newcomer, True)):
            [entry] = [
                entry
                for entry in queries.history_of_company(place.company, user=user, limit=50)
                if entry.event == "device-claimed"
            ]
            assert (entry.project_id, entry.hardware_id) == (place.pk, device.hardware_id)
            assert entry.facts["gained"] is gained

    def test_the_admins_of_the_earlier_company_get_a_mail(
        self, device: Device, project: Project, newcomer: Project, company: Company, alice: User
    ) -> None:
        claim(device, code_for(newcomer, device))

        mail = letter(alice.email)
        assert device.hardware_id in mail.body
        assert link_in(mail) == f"/projects/{project.pk}"
        assert Mail.objects.get(kind="device-claimed-away").to == alice.email

    def test_within_a_company_nobody_gets_one(self, device: Device, company: Company) -> None:
        claim(device, code_for(make_project(company=company), device))

        assert not Mail.objects.filter(kind="device-claimed-away").exists()

    def test_what_it_did_before_stays_with_the_earlier_company(
        self, device: Device, project: Project, newcomer: Project
    ) -> None:
        claim(device, code_for(newcomer, device))
        device.refresh_from_db()

        events = [entry.event for entry in queries.history_of_device(device, limit=50)]
        assert events == ["device-claimed"]

    def test_licenses_that_stay_with_it_are_handed_over_in_books_and_log(
        self, device: Device, project: Project, newcomer: Project
    ) -> None:
        grants = [assigned(device, 2, "Channels"), assigned(device, 1, "Channels")]
        leaves = LogLeaf.objects.count()

        assert claim(device, code_for(newcomer, device)) == "changed"

        assert free(device, "Channels") == 3
        assert LogLeaf.objects.count() == leaves + 1
        leaf = last_leaf()
        assert leaf.type == "hand-over"
        lines = [json.loads(bytes(line.line)) for line in leaf.lines.all()]
        assert {line["grant"]: line["qty"] for line in lines} == {
            queries.grant_id(grant): grant.quantity for grant in grants
        }
        for line in lines:
            assert (line["from"], line["to"]) == (log_id(project), log_id(newcomer))
            assert (line["product"], line["hwid"]) == ("Channels", device.hardware_id)

    def test_within_a_company_nothing_is_handed_over(
        self, device: Device, project: Project, company: Company
    ) -> None:
        assigned(device, 2, "Channels")
        beside = make_project(company=company)
        leaves = LogLeaf.objects.count()

        assert claim(device, code_for(beside, device)) == "changed"

        assert project_of(device) == beside
        assert LogLeaf.objects.count() == leaves

    def test_a_test_license_does_not_hold_it_back(self, device: Device, newcomer: Project) -> None:
        grant = a_test_license(device)
        enrollment.record_first_word(device=device, now=NOW)  # else nobody's: test_trial_course.py

        assert claim(device, code_for(newcomer, device)) == "changed"

        grant.refresh_from_db()
        assert grant.state == Grant.State.LIVE

    def test_later_returns_go_to_its_new_project(
        self, device: Device, project: Project, newcomer: Project, keyring: object
    ) -> None:
        claim(device, code_for(newcomer, device))
        device.refresh_from_db()
        activated(newcomer, {"Port": 4})
        grant = assigned(device, 3)

        give_back(device, grant)

        assert (free(newcomer), free(project)) == (4, 10)

    def test_who_had_it_before_assigns_nothing_to_it_any_more(
        self, device: Device, project: Project, newcomer: Project
    ) -> None:
        """Whose request found the device just before it left would spend what the new owner has."""
        activated(newcomer, {"Port": 4})
        claim(device, code_for(newcomer, device))
        assert device.project == project

        with refused(NoSuchDevice):
            assignment.assign(device=device, product=get_product(), quantity=1, caller=caller(), now=NOW)

    def test_nor_undoes_anything_there(self, device: Device, newcomer: Project) -> None:
        grant_id = queries.grant_id(assigned(device, 1, "Channels"))
        grant = queries.get_grant(grant_id=grant_id, device=device)
        claim(device, code_for(newcomer, device))

        with refused(NoSuchDevice):
            assignment.undo_assignment(grant=grant, caller=caller(), now=NOW)


class TestADeviceThatIsNot:
    def test_with_licenses_that_can_come_back_it_is_for_support(
        self, device: Device, project: Project, newcomer: Project
    ) -> None:
        assigned(device)
        assigned(device, 1, "Channels")
        code = code_for(newcomer, device)
        told = AuditEntry.objects.filter(project_id=project.pk).count()

        assert claim(device, code) == "with-support"

        assert project_of(device) == project
        alert = Alert.objects.get()
        assert (alert.kind, alert.device) == (Alert.Kind.CLAIM_WITH_SUPPORT, device)
        assert alert.facts["project"] == newcomer.pk
        # The newcomer reads what came of the claim; in the history of who has the device nothing is told.
        assert AuditEntry.objects.filter(project_id=project.pk).count() == told
        assert AuditEntry.objects.filter(event="claim-with-support", project_id=newcomer.pk).count() == 1

    def test_a_bridge_keeps_it(self, device: Device, project: Project, newcomer: Project) -> None:
        a_bridge(device, assigned(factories.make_device(project=project), 2, "Channels"))

        assert claim(device, code_for(newcomer, device)) == "with-support"

        assert project_of(device) == project

    def test_each_claim_is_an_alert_of_its_own(self, device: Device, newcomer: Project) -> None:
        assigned(device)
        for _ in range(2):
            claim(device, code_for(newcomer, device))

        assert Alert.objects.count() == 2


class TestTheSameClaimAgain:
    @pytest.mark.parametrize("licensed", [False, True])
    def test_it_is_answered_the_same_also_after_the_code_is_over(
        self, device: Device, newcomer: Project, licensed: bool
    ) -> None:
        if licensed:
            assigned(device)
        code = code_for(newcomer, device)
        first = claim(device, code, jti="C" * 21 + "A")

        with unchanged():
            assert claim(device, code, jti="C" * 21 + "A", now=NOW + 2 * DAY) == first

    def test_it_does_not_take_the_device_back(
        self, device: Device, project: Project, newcomer: Project
    ) -> None:
        code = code_for(newcomer, device)
        claim(device, code, jti="C" * 21 + "A")
        claim(device, code_for(project, device))

        assert claim(device, code, jti="C" * 21 + "A") == "changed"

        assert project_of(device) == project

    def test_another_claim_under_its_name_is_a_conflict(self, device: Device, newcomer: Project) -> None:
        claim(device, code_for(newcomer, device), jti="C" * 21 + "A")
        other = code_for(make_project(company=newcomer.company), device)

        with refused(JTIConflict):
            claim(device, other, jti="C" * 21 + "A")

    def test_a_refused_one_leaves_its_name_free(self, device: Device, newcomer: Project) -> None:
        with refused(ClaimCodeUnknown):
            claim(device, "0" * 16, jti="C" * 21 + "A")

        assert claim(device, code_for(newcomer, device), jti="C" * 21 + "A") == "changed"


def log_id(project: Project) -> str:
    """Under which the public log knows the balances of the project's company."""
    return base64url.encode(bytes(Holder.objects.get(company=project.company).log_id))
