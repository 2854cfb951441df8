"""Test licenses from their first download to their end, and in other hands (mission rules 21 to 23)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from accounts.models import Company, Project, User
from devices.models import Device
from licenses import adding, delivery, device_projects, queries, standing_queries, trial_queries, trials
from licenses.keyring import NoKeySet
from licenses.models import Grant, LicenseDocument, LogLeaf, TestLicense
from licenses.room import DeviceIsFull
from licenses.trial_course import TestLicenseUsed
from portal.core.models import Act, AuditEntry, OutboxJob
from tests.conftest import Keys
from tests.factories import NOW, assigned, caller, first_project, free, give_back, make_device, make_project
from tests.operations.bookkeeping import last_leaf, latest, listed, refused, unchanged
from tests.operations.test_claims import claim, code_for
from tests.operations.testing import contents, created, downloaded, fetched, spoke

END = datetime(2027, 2, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def theirs(charlie: User) -> Project:
    """Charlie's project, in a company of his own."""
    return first_project(charlie.memberships.get().company)


def on_trial(device: Device) -> dict[str, int]:
    return {item.product: item.qty for item in latest(device).items if item.license_class == "test"}


def events(project: Project) -> list[str]:
    found = AuditEntry.objects.filter(project_id=project.pk, event__startswith="test-license")
    return list(found.order_by("pk").values_list("event", flat=True))


class TestTheFirstDownload:
    @pytest.mark.parametrize("door", [downloaded, fetched])
    def test_starts_three_months_and_builds_the_document_that_has_it(
        self, device: Device, keyring: Keys, door: object
    ) -> None:
        assigned(device)
        created(device, quantity=7)

        (downloaded if door is downloaded else fetched)(device)

        test = trial_queries.get_test_license(device)
        assert (test.started_at, test.ends_at) == (NOW, END)
        assert test.started_in == device.project
        assert on_trial(device) == contents(quantity=7)
        ends = {item.expires_at for item in latest(device).items if item.license_class == "test"}
        assert ends == {int(END.timestamp())}
        document = queries.current_document(device)
        assert document is not None
        assert (document.handed_out_at, document.act) == (NOW, test.started_by)

    def test_touches_no_balance(self, device: Device, project: Project, keyring: Keys) -> None:
        created(device)
        downloaded(device)

        assert (free(project, "UC"), free(device, "UC"), free(project, "Channels")) == (5, 0, 3)

    def test_is_in_the_log_with_a_line_for_each_grant(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)

        leaf = last_leaf()
        assert (leaf.type, leaf.lines.count()) == ("test", 15)

    def test_is_in_the_history_with_its_end(self, device: Device, project: Project, keyring: Keys) -> None:
        created(device)
        fetched(device)

        entry = AuditEntry.objects.get(event="test-license-started")
        assert (entry.facts["ends"], entry.facts["fetched"]) == (END.isoformat(), True)

    def test_gives_no_item_that_a_device_may_return(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)

        assert {item.returnable for item in latest(device).items} == {False}

    def test_of_the_lic_file_without_it_starts_nothing(self, device: Device, keyring: Keys) -> None:
        assigned(device)
        created(device)

        delivery.download(device=device, caller=caller(), now=NOW)

        assert trial_queries.get_test_license(device).started_at is None
        assert listed(device) == [("Port", 14, 1)]
        assert LicenseDocument.objects.filter(device=device).count() == 1

    def test_of_the_answer_to_a_return_starts_nothing(self, device: Device, keyring: Keys) -> None:
        grant = assigned(device)
        created(device)

        give_back(device, grant)

        assert trial_queries.get_test_license(device).started_at is None

    def test_is_noticed_by_a_fetch_that_has_everything_else(self, device: Device, keyring: Keys) -> None:
        assigned(device)
        tag = fetched(device)
        assert fetched(device, have=tag) is None
        created(device)

        assert fetched(device, have=tag) not in {None, tag}
        assert on_trial(device) == contents(quantity=5)

    def test_that_cannot_be_signed_starts_nothing(self, device: Device) -> None:
        created(device)

        with refused(NoKeySet):
            downloaded(device)

        assert trial_queries.get_test_license(device).started_at is None

    def test_without_room_is_refused_in_the_browser_and_left_out_of_a_fetch(
        self, device: Device, keyring: Keys, settings: LazySettings
    ) -> None:
        assigned(device)
        created(device)
        settings.GRANTS_PER_DEVICE = 15  # as if the catalogue had grown

        with pytest.raises(DeviceIsFull):
            downloaded(device)
        tag = fetched(device)

        assert listed(device) == [("Port", 14, 1)]
        assert fetched(device, have=tag) is None
        assert trial_queries.get_test_license(device).started_at is None


class TestDownloadedAgain:
    def test_it_has_the_same_end(self, device: Device, keyring: Keys) -> None:
        created(device)
        first = downloaded(device)

        with unchanged():
            again = downloaded(device, now=NOW + timedelta(days=60))

        assert (again, again.ends_at) == (first, END)

    def test_a_later_document_lists_it_with_the_same_end(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)
        assigned(device)

        assert on_trial(device) == contents(quantity=5)
        assert {item.expires_at for item in latest(device).items if item.license_class == "test"} == {
            int(END.timestamp())
        }

    def test_it_takes_no_other_license_s_place_in_an_undo(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)
        grants = list(queries.grants_at(device, now=NOW))

        assert standing_queries.can_be_undone(grants, carried=0) == set()


class TestTheEnd:
    @pytest.fixture
    def test(self, device: Device, keyring: Keys) -> TestLicense:
        assigned(device)
        created(device)
        return downloaded(device)

    def test_is_the_portals_at_the_second_without_a_job(self, device: Device, test: TestLicense) -> None:
        before = END - timedelta(seconds=1)

        assert queries.grants_at(device, now=before).count() == 16
        assert trial_queries.described(test, now=before).state == "running"
        assert [grant.product.code for grant in queries.grants_at(device, now=END)] == ["Port"]
        assert trial_queries.described(test, now=END).state == "ended"

    def test_is_in_the_next_document_that_anybody_gets(self, device: Device, test: TestLicense) -> None:
        delivery.download(device=device, caller=caller(), now=END - timedelta(seconds=1))
        assert len(listed(device)) == 16

        delivery.download(device=device, caller=caller(), now=END)

        assert listed(device) == [("Port", 14, 1)]

    def test_refuses_a_download_of_it_with_the_time(self, device: Device, test: TestLicense) -> None:
        with refused(TestLicenseUsed, ended="2027-02-24 12:00:00"):
            downloaded(device, now=END)

    def test_is_tidied_by_a_job_at_its_time(
        self, device: Device, project: Project, test: TestLicense
    ) -> None:
        job = OutboxJob.objects.get(handler="tidy-test-license")
        assert (job.due_at, job.arguments) == (END, {"test_license_id": test.pk})

        late = END + timedelta(days=3)
        for _ in range(2):  # jobs may run twice
            trials.tidy_test_license(test_license_id=test.pk, now=late)

        tests = Grant.objects.filter(made_by=test.started_by)
        assert {(grant.state, grant.ended_at) for grant in tests} == {("expired", END)}
        entry = AuditEntry.objects.get(event="test-license-ended")
        assert (entry.at, entry.project_id, entry.who) == (END, project.pk, "portal")

    def test_is_not_tidied_before_it(self, device: Device, test: TestLicense) -> None:
        with unchanged():
            trials.tidy_test_license(test_license_id=test.pk, now=END - timedelta(seconds=1))

    def test_of_a_device_that_gave_back_everything_is_now(self, device: Device, test: TestLicense) -> None:
        answer = give_back(device, everything=True, min_seq=queries.next_seq(device))

        assert {outcome for _, outcome in answer.results} == {"returned"}
        assert trial_queries.described(test, now=NOW).state == "given-back"
        assert listed(device) == []
        with refused(TestLicenseUsed):
            created(device)

    def test_is_found_for_those_who_are_to_be_told(
        self, device: Device, project: Project, test: TestLicense
    ) -> None:
        waiting = make_device(project=project)
        created(waiting)
        in_a_month = END - timedelta(days=30)

        found = trial_queries.test_licenses_that_end(after=in_a_month, until=END)

        assert [(one, one.device, one.device.project) for one in found] == [(test, device, project)]
        assert not trial_queries.test_licenses_that_end(after=END, until=END + timedelta(days=1)).exists()
        before = END - timedelta(seconds=1)
        assert not trial_queries.test_licenses_that_end(after=in_a_month, until=before).exists()


class TestInAnotherProject:
    def test_of_the_company_it_goes_on(self, device: Device, project: Project, keyring: Keys) -> None:
        created(device)
        other = make_project(company=project.company)

        device_projects.change_project(device=device, project=other, caller=caller(), now=NOW)
        moved = Device.objects.get(pk=device.pk)
        downloaded(moved)

        assert on_trial(moved) == contents(quantity=5)

    def test_what_runs_goes_along_with_a_released_device(
        self, device: Device, theirs: Project, keyring: Keys
    ) -> None:
        spoke(device)
        created(device)
        downloaded(device)

        device_projects.release_device(device=device, caller=caller(), now=NOW)
        again = adding.add_device(
            project=theirs, hardware_id=device.hardware_id, name="", caller=caller(), now=NOW
        )

        assert on_trial(again) == contents(quantity=5)
        spoke(again)
        with refused(TestLicenseUsed):
            created(again, now=END)

    def test_what_waits_is_withdrawn_when_the_device_is_released(
        self, device: Device, project: Project, theirs: Project, keyring: Keys
    ) -> None:
        created(device)

        device_projects.release_device(device=device, caller=caller(), now=NOW)
        again = adding.add_device(
            project=theirs, hardware_id=device.hardware_id, name="", caller=caller(), now=NOW
        )

        assert trial_queries.test_license_of(again) is None
        assert events(project) == ["test-license-created", "test-license-withdrawn"]
        created(again)

    def test_what_waits_is_withdrawn_when_another_company_claims_the_device(
        self, device: Device, theirs: Project, keyring: Keys
    ) -> None:
        created(device)

        assert claim(device, code_for(theirs, device)) == "changed"

        assert trial_queries.test_license_of(device) is None

    def test_what_runs_stays_with_a_device_that_spoke_where_it_was_downloaded(
        self, device: Device, project: Project, theirs: Project, keyring: Keys
    ) -> None:
        created(device)
        downloaded(device)
        spoke(device)  # after the download is as good as before

        assert claim(device, code_for(theirs, device)) == "changed"

        device.refresh_from_db()
        assert on_trial(device) == contents(quantity=5)
        with refused(TestLicenseUsed):
            created(device, now=END)
        assert events(theirs) == []


class TestSquatting:
    """Downloaded by a company that never had the device (mission rule 22)."""

    @pytest.fixture
    def squatted(self, device: Device, keyring: Keys) -> Device:
        created(device)
        downloaded(device)
        return device

    def test_it_is_revoked_once_another_company_proves_possession(
        self, squatted: Device, project: Project, theirs: Project
    ) -> None:
        assert claim(squatted, code_for(theirs, squatted)) == "changed"

        revoked = TestLicense.objects.get()
        assert (revoked.void, revoked.voided_at) == ("revoked", NOW)
        assert listed(squatted) == []
        assert {grant.state for grant in Grant.objects.filter(license_class="test")} == {"revoked"}
        assert LogLeaf.objects.filter(type="revocation").count() == 1
        assert LogLeaf.objects.filter(type="hand-over").count() == 0  # nothing is left to hand over
        assert events(project)[-1] == events(theirs)[-1] == "test-license-revoked"

    def test_the_device_has_a_test_license_of_its_own_then(self, squatted: Device, theirs: Project) -> None:
        claim(squatted, code_for(theirs, squatted))
        squatted.refresh_from_db()
        spoke(squatted)

        created(squatted, quantity=9)
        fetched(squatted)

        assert on_trial(squatted) == contents(quantity=9)

    def test_it_does_not_count_even_after_its_end(self, squatted: Device, theirs: Project) -> None:
        document = queries.current_document(squatted)

        claim(squatted, code_for(theirs, squatted, now=END), now=END)

        assert TestLicense.objects.get().void == "revoked"
        assert queries.current_document(squatted) == document
        squatted.refresh_from_db()
        created(squatted, now=END)

    def test_it_stays_in_a_claim_for_another_project_of_the_same_company(
        self, squatted: Device, project: Project
    ) -> None:
        other = make_project(company=project.company)

        claim(squatted, code_for(other, squatted))

        assert TestLicense.objects.get().void == ""

    def test_it_stays_where_another_project_of_the_company_heard_the_device(
        self, squatted: Device, project: Project, theirs: Project
    ) -> None:
        other = make_project(company=project.company)
        device_projects.change_project(device=squatted, project=other, caller=caller(), now=NOW)
        squatted.refresh_from_db()
        spoke(squatted)

        claim(squatted, code_for(theirs, squatted))

        assert TestLicense.objects.get().void == ""

    def test_of_a_released_device_it_is_revoked_once_the_device_has_spoken_elsewhere(
        self, squatted: Device, project: Project, theirs: Project
    ) -> None:
        device_projects.release_device(device=squatted, caller=caller(), now=NOW)
        again = adding.add_device(
            project=theirs, hardware_id=squatted.hardware_id, name="", caller=caller(), now=NOW
        )
        with pytest.raises(trials.TestLicenseThere):
            created(again)
        spoke(again)

        mine = created(again, quantity=9)

        assert [(one.void, one == mine) for one in TestLicense.objects.order_by("pk")] == [
            ("revoked", False),
            ("", True),
        ]
        assert listed(again) == []
        assert events(project)[-1] == "test-license-revoked"


def test_a_start_is_an_act_named_by_what_it_starts(device: Device, keyring: Keys, company: Company) -> None:
    test = created(device)
    fetched(device)

    act = Act.objects.get(operation="start-test-license")
    assert (act.scope, act.key) == (f"test-license:{test.pk}", "start")
    assert act.outcome is not None
