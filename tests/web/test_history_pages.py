import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, ProjectRight, User
from devices.models import Device
from licenses import activation, adding, assignment, balances, company_import, device_projects, history_export
from licenses.histories import KINDS
from licenses.history_sentences import SENTENCES
from licenses.past import balance_as_of
from portal.core import outbox, tasks  # noqa: F401, tasks bring the handler
from portal.core.models import AuditEntry, LongJob
from tests import factories
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn

DAY = timedelta(days=1)


@pytest.fixture
def client(signed_in: SignedIn, alice: User) -> Client:
    return signed_in(alice)


def told(client: Client, address: str, **given: str) -> list[str]:
    page = client.get(address, given)
    assert page.status_code == 200
    return [f"{line.before}{line.hardware_id}{line.after}" for line in page.context["entries"]]


def rows(client: Client, address: str, **given: str) -> list[dict[str, str]]:
    answer = client.get(address, {**given, "csv": "1"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(StringIO(text)))


class TestHistoryPages:
    @pytest.fixture
    def device(self, project: Project) -> Device:
        """In a project with ten ports, assigned to three days later."""
        factories.activated(project, {"Port": 10})
        device = factories.make_device(project=project, name="Main building")
        assignment.assign(
            device=device, product=factories.get_product(), quantity=3, caller=caller(), now=NOW + 3 * DAY
        )
        return device

    def test_every_event_is_about_exactly_one_kind(self) -> None:
        for event in SENTENCES:
            about = [
                kind
                for kind, (_label, beginnings) in KINDS.items()
                if any(event.startswith(beginning) for beginning in beginnings)
            ]
            assert len(about) == 1, event

    def test_it_is_narrowed_by_device_project_kind_and_time(
        self, client: Client, company: Company, project: Project, device: Device
    ) -> None:
        other = factories.make_project(company=company, name="Town hall")
        factories.make_device(project=other)
        address = reverse("company-history", args=[company.pk])
        [assigned] = told(client, address, kind="licenses")
        assert "assigned 3 × Port 14" in assigned
        assert told(client, address, since="2026-11-25") == [assigned]
        assert told(client, address, since="2026-11-27", until="2026-11-27") == [assigned]
        assert assigned not in told(client, address, until="2026-11-26")
        assert len(told(client, address, kind="devices")) == 2
        assert len(told(client, address, kind="devices", project=str(other.pk))) == 1
        plain = device.hardware_id.replace("-", "")
        for typed in (
            device.hardware_id,
            plain.lower(),
            plain[:10],
            device.hardware_id[6:].replace("-", ":"),
        ):
            assert assigned in told(client, address, device=typed), typed
        assert told(client, address, device="FFFFFF") == []

    def test_nonsense_shows_nothing_and_says_why(self, client: Client, company: Company) -> None:
        address = reverse("company-history", args=[company.pk])
        for given in ({"kind": "x"}, {"since": "yesterday"}, {"device": "x" * 99}):
            page = client.get(address, given)
            assert page.status_code == 200
            assert page.context["form"].errors
            assert "Nothing like this has happened" in page.text

    def test_it_shows_fifty_at_a_time_in_few_queries(
        self,
        client: Client,
        company: Company,
        project: Project,
        device: Device,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        AuditEntry.objects.bulk_create(
            AuditEntry(
                at=NOW,
                event="document-fetched",
                actor_name="device",
                company_id=company.pk,
                project_id=project.pk,
                hardware_id=device.hardware_id,
                facts={"seq": number},
            )
            for number in range(60)
        )
        for address in (
            reverse("company-history", args=[company.pk]),
            reverse("project-history", args=[project.pk]),
            reverse("device-history", args=[device.hardware_id]),
        ):
            with django_assert_max_num_queries(12):
                page = client.get(address)
            assert len(page.context["entries"]) == 50
            assert 'href="?page=2"' in page.text

    def test_an_end_customer_reads_no_name_of_another_balance(
        self, signed_in: SignedIn, company: Company, project: Project, erin: User, device: Device
    ) -> None:
        other = factories.activated(factories.make_project(company=company, name="Secret place"))
        balances.transfer_licenses(
            source=other,
            destination=project,
            product=factories.get_product(),
            quantity=1,
            caller=caller(),
            now=NOW,
        )
        client = signed_in(erin)
        address = reverse("project-history", args=[project.pk])
        [line] = [line for line in told(client, address) if "transferred" in line]
        assert "Secret place" not in line
        assert "Secret place" not in str(rows(client, address))


class TestCSV:
    def test_it_has_a_line_for_every_entry_that_is_shown_on_whatever_page(
        self, client: Client, company: Company, project: Project
    ) -> None:
        factories.activated(project, {"Port": 10})
        for number in range(60):
            adding.add_device(
                project=project,
                hardware_id=factories.new_hardware_id(),
                name=f"Branch {number}",
                caller=caller(),
                now=NOW + number * DAY,
            )
        found = rows(client, reverse("company-history", args=[company.pk]), kind="devices", page="2")
        assert [row["name"] for row in found] == [f"Branch {number}" for number in range(59, -1, -1)]
        assert (found[0]["time (UTC)"], found[0]["event"]) == ("2027-01-22 12:00:00", "device-added")
        assert found[0]["project"] == "DEFAULT"
        assert found[0]["what happened"].startswith("tests added the device 00-90-33-")

    @pytest.mark.parametrize(
        ("name", "cell"),
        [
            ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
            ("@SUM(1)", "'@SUM(1)"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ('The "old", mill; south', 'The "old", mill; south'),
            ("Münster", "Münster"),
        ],
    )
    def test_nothing_in_it_is_run_by_a_spreadsheet_or_breaks_a_line(
        self, name: str, cell: str, client: Client, project: Project
    ) -> None:
        device = factories.make_device(project=project, name=name)
        [row] = rows(client, reverse("device-history", args=[device.hardware_id]))
        assert row["name"] == cell
        assert row["hardware ID"] == device.hardware_id

    def test_it_is_in_the_language_of_the_reader(self, client: Client, project: Project) -> None:
        factories.make_device(project=project)
        client.cookies["django_language"] = "de"
        [row] = rows(client, reverse("project-history", args=[project.pk]), kind="devices")
        assert "hinzugefügt" in row["what happened"]


class TestLongExport:
    @pytest.fixture(autouse=True)
    def _long(self, today: object, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.HISTORY_ROWS_AT_ONCE = 10
        monkeypatch.setattr(history_export, "ROWS_A_SLICE", 10)

    @pytest.fixture
    def address(self, project: Project) -> str:
        """Of a project with a history of 36 entries, which all happened at once."""
        for number in range(36):
            factories.make_device(project=project, name=f"Branch {number}")
        return reverse("project-history", args=[project.pk])

    def ask(self, client: Client, address: str) -> LongJob:
        page = client.get(address)
        assert "csv=1" not in page.text
        assert "Make a CSV file of it" in page.text
        # An address of before leads to the page.
        assert client.get(address, {"csv": "1"}).headers["Content-Type"].startswith("text/html")
        answers = {client.post(address, {"act_key": "once"}).headers["Location"] for _ in range(2)}
        job = LongJob.objects.get()
        assert answers == {reverse("long-job", args=[job.pk])}
        return job

    def test_it_is_made_in_the_background_and_has_what_the_short_one_has(
        self, client: Client, project: Project, address: str, settings: LazySettings
    ) -> None:
        job = self.ask(client, f"{address}?kind=devices")
        adding.add_device(
            project=project,
            hardware_id=factories.new_hardware_id(),
            name="Later",
            caller=caller(),
            now=NOW + DAY,
        )

        while outbox.work_off(clock=lambda: NOW):
            pass

        job.refresh_from_db()
        assert (job.state, job.done, job.slices) == ("done", 36, 4)
        file = b"".join(client.post(reverse("long-job-result", args=[job.pk]))).decode("utf-8-sig")
        made = list(csv.DictReader(StringIO(file)))
        settings.HISTORY_ROWS_AT_ONCE = 100
        assert made == [row for row in rows(client, address, kind="devices") if row["name"] != "Later"]

    def test_whoever_may_not_see_the_project_any_more_does_not_get_it(
        self, signed_in: SignedIn, erin: User, address: str
    ) -> None:
        client = signed_in(erin)
        job = self.ask(client, address)
        outbox.work_off(clock=lambda: NOW, limit=100)
        ProjectRight.objects.filter(user=erin).delete()

        while outbox.work_off(clock=lambda: NOW):
            pass

        assert client.get(reverse("long-job", args=[job.pk])).status_code == 404
        job.refresh_from_db()
        assert job.state == "failed"


class TestZones:
    @pytest.mark.parametrize(
        ("zone", "found"),
        [
            ("Pacific/Auckland", True),
            ("", False),
            ("Nowhere/Else", False),
            ("../../etc", False),
            ("x" * 99, False),
        ],
    )
    def test_a_day_is_one_of_the_reader_s_zone(
        self, client: Client, project: Project, zone: str, found: bool
    ) -> None:
        """Noon in UTC is the next day in Auckland."""
        factories.make_device(project=project)
        address = reverse("project-history", args=[project.pk])
        given = {"kind": "devices", "since": f"{NOW + DAY:%Y-%m-%d}", "zone": zone}

        assert bool(told(client, address, **given)) == found
        assert ('title="2026-11-24 11:00:00 UTC"' in client.get(address, given).text) == found

    def test_a_moment_is_one_of_the_reader_s_zone(self, client: Client, project: Project) -> None:
        address = reverse("project-balance", args=[project.pk])
        page = client.get(address, {"at": "2026-11-24T13:00", "zone": "Europe/Berlin"})
        assert page.context["moment"] == NOW


class TestBalanceAtAMoment:
    def on(self, balance: Company | Project, days: float) -> dict[str, tuple[int, int]]:
        found = balance_as_of(balance, at=NOW + days * DAY)
        return {row.product.code: (row.free, row.assigned) for row in found}

    def fill(self, balance: Company | Project, days: int, **lines: int) -> None:
        activation.activate_key(
            code=factories.make_key(lines=lines), target=balance, caller=caller(), now=NOW + days * DAY
        )

    def test_it_follows_the_books(self, company: Company, project: Project, keyring: object) -> None:
        self.fill(company, 1, Port=10, UC=5)
        balances.transfer_licenses(
            source=company,
            destination=project,
            product=factories.get_product(),
            quantity=4,
            caller=caller(),
            now=NOW + 2 * DAY,
        )
        device = factories.make_device(project=project)
        made = assignment.assign(
            device=device, product=factories.get_product(), quantity=3, caller=caller(), now=NOW + 3 * DAY
        )
        factories.give_back(device, made.grant, now=NOW + 4 * DAY)
        assert [self.on(company, day) for day in (0.9, 1, 2)] == [
            {},
            {"Port": (10, 0), "UC": (5, 0)},
            {"Port": (6, 0), "UC": (5, 0)},
        ]
        assert [self.on(project, day) for day in (1.9, 2, 3, 4)] == [
            {},
            {"Port": (4, 0)},
            {"Port": (1, 3)},
            {"Port": (4, 0)},
        ]

    def test_what_is_on_a_device_counts_where_the_device_was_then(
        self, company: Company, project: Project
    ) -> None:
        factories.activated(project, {"Channels": 10})
        device = factories.make_device(project=project)
        factories.assigned(device, 3, "Channels")  # they stay with the hardware
        later = factories.make_project(company=company)
        device_projects.change_project(device=device, project=later, caller=caller(), now=NOW + DAY)
        device_projects.release_device(
            device=Device.objects.select_related("project__company").get(),
            caller=caller(),
            now=NOW + 2 * DAY,
        )
        adding.add_device(project=project, hardware_id=device.hardware_id, caller=caller(), now=NOW + 3 * DAY)
        assert [self.on(project, day) for day in (0, 1, 2, 3)] == [
            {"Channels": (7, 3)},
            {"Channels": (7, 0)},
            {"Channels": (7, 0)},
            {"Channels": (7, 3)},
        ]
        assert [self.on(later, day) for day in (0, 1, 2, 3)] == [{}, {"Channels": (0, 3)}, {}, {}]

    def test_a_project_that_was_imported_keeps_its_past(
        self, company: Company, alice: User, project: Project
    ) -> None:
        accident = factories.make_company(founder=alice, name="By accident")
        theirs = factories.first_project(accident)
        factories.activated(theirs, {"Port": 7})
        wanted = company_import.ask_for_company(
            target=company,
            number=accident.pk,
            name=accident.name,
            asker=alice,
            caller=caller(alice),
            now=NOW + DAY,
        )
        company_import.consent_to_import(wanted=wanted, caller=caller(alice), now=NOW + DAY)
        theirs.refresh_from_db()
        assert [self.on(theirs, day) for day in (0, 1)] == [{"Port": (7, 0)}] * 2

    def test_its_page_takes_a_moment_and_begins_with_now(
        self,
        client: Client,
        company: Company,
        project: Project,
        today: object,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        self.fill(project, -30, Port=10)
        self.fill(company, -10, UC=5)
        of_project, of_company = (
            reverse("project-balance", args=[project.pk]),
            reverse("company-balance", args=[company.pk]),
        )
        assert "There was nothing" in client.get(of_project, {"at": "2026-10-01T12:00"}).text
        with django_assert_max_num_queries(12):
            [row] = client.get(of_project).context["balance"]
        assert (row.product.code, row.free) == ("Port", 10)
        page = client.get(of_company, {"at": "2026-11-20T08:30"})
        assert f"{of_project}?at=2026-11-20T08:30" in page.text
        assert [row.product.code for row in page.context["balance"]] == ["UC"]
        assert client.get(of_company, {"at": "nonsense"}).context["form"].errors
