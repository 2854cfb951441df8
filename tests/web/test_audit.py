"""The audit: changes and looks in one line, filtered, page by page, and as CSV."""

import csv
import io
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Project, User
from accounts.permissions import Role
from devices import blocking
from devices.models import Device
from portal.core import audit
from portal.core.models import AuditEntry
from support import trail
from support.looks import KINDS
from support.models import Look
from support.trail import Place, Wanted
from support.web.audit import in_words
from tests import factories
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today")

HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def audrey(db: None) -> User:
    return factories.make_user(name="Audrey", is_staff=True, roles=[Role.AUDITOR])


@pytest.fixture
def auditor(signed_in: SignedIn, audrey: User) -> Client:
    return signed_in(audrey)


@pytest.fixture
def device(project: Project, sam: User) -> Device:
    """Sam looked at it, blocked it, and looked again."""
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
    look(sam, subject=HARDWARE_ID, found_by="0AFF")
    blocking.block_device(device=device, caller=caller(sam, reason="=stolen"), now=NOW)
    look(sam, subject=HARDWARE_ID, at=NOW + timedelta(minutes=1))
    return device


def look(user: User, *, subject: str = "", found_by: str = "", at: datetime = NOW) -> Look:
    return Look.objects.create(
        at=at,
        actor=user,
        page="staff-device" if subject else "staff-moves",
        kind="device" if subject else "",
        subject=subject,
        found_by=found_by,
    )


def shown(client: Client, **wanted: str | int) -> list[str]:
    page = client.get(reverse("staff-audit"), wanted)
    return [f"{line.before}{line.hardware_id}{line.after}" for _row, line in page.context["lines"]]


class TestThePage:
    def test_tells_changes_and_looks_in_one_line(
        self, auditor: Client, device: Device, company: object
    ) -> None:
        told = shown(auditor, person="")
        assert told[0] == f"Sam Example looked at: Device {HARDWARE_ID}"
        assert told[1] == f"Sam Example blocked {HARDWARE_ID}: =stolen"
        assert f"Sam Example looked at: Device {HARDWARE_ID} (found by “0AFF”)" in told

    def test_narrows(self, auditor: Client, audrey: User, sam: User, device: Device) -> None:
        look(audrey)
        blocked = f"Sam Example blocked {HARDWARE_ID}: =stolen"
        assert shown(auditor, what="change", person=sam.pk) == [blocked]
        assert shown(auditor, what="devices", person=sam.pk) == [blocked]
        assert shown(auditor, what="keys", person=sam.pk) == []
        looked = shown(auditor, what="look", person=audrey.pk)
        assert looked[-1] == "Audrey Example looked at: Moves"
        about = shown(auditor, kind="device", subject="00:90:33:01:0a:ff")
        assert (len(about), about[1]) == (4, blocked)
        assert shown(auditor, kind="device", subject="00-90-33-00-00-01") == []
        assert shown(auditor, kind="device", until="2026-11-23") == []
        assert len(shown(auditor, since="2026-11-24", kind="device", subject=HARDWARE_ID)) == 4

    def test_days_are_those_of_the_readers_zone(self, auditor: Client, sam: User, device: Device) -> None:
        look(sam, subject=HARDWARE_ID, at=NOW.replace(hour=23, minute=30))  # tomorrow, in Berlin
        late: dict[str, str | int] = {"since": "2026-11-25", "person": sam.pk}

        assert len(shown(auditor, **late, zone="Europe/Berlin")) == 1
        assert shown(auditor, **late) == shown(auditor, **late, zone="no/zone") == []
        page = auditor.get(reverse("staff-audit"), {**late, "zone": "Europe/Berlin"}).text
        assert 'title="2026-11-24 23:00:00 UTC"' in page

    def test_about_a_person_and_a_company(
        self, auditor: Client, sam: User, erin: User, device: Device
    ) -> None:
        audit.record("second-factors-removed", caller=caller(), now=NOW, user=erin.pk, reason="lost it")
        assert shown(auditor, kind="person", subject=erin.pk) == [
            "tests removed the second factors of Erin Example: lost it"
        ]
        its = shown(auditor, kind="company", subject=device.project.company_id)
        assert f"Sam Example blocked {HARDWARE_ID}: =stolen" in its
        assert shown(auditor, kind="company", subject="x") == []

    def test_reading_is_a_look_itself(self, auditor: Client, audrey: User) -> None:
        shown(auditor)
        shown(auditor)
        assert [one.page for one in Look.objects.filter(actor=audrey)] == ["staff-audit"] * 2

    def test_pages_follow_one_another_without_counting(
        self, auditor: Client, sam: User, device: Device
    ) -> None:
        Look.objects.bulk_create([Look(at=NOW, actor=sam, page="staff") for _ in range(120)])
        with CaptureQueriesContext(connection) as sent:
            page = auditor.get(reverse("staff-audit"), {"person": sam.pk})
        assert not [query["sql"] for query in sent if "COUNT(" in query["sql"]]
        seen = []
        while True:
            seen += [row.place for row, _line in page.context["lines"]]
            if not page.context["next"]:
                break
            page = auditor.get(reverse("staff-audit"), {"person": sam.pk, "behind": page.context["next"]})
        assert len(seen) == len(set(seen)) == 123
        assert "To the latest" in page.text

    @pytest.mark.parametrize(
        "behind",
        [
            "x",
            "2026-11-24~look~1",
            "2026-11-24T12:00:00+00:00~else~1",
            "2026-11-24T12:00:00+00:00~look~x",
            "~~",
        ],
    )
    def test_a_place_that_is_none_is_the_beginning(
        self, auditor: Client, device: Device, behind: str
    ) -> None:
        assert Place.read(behind) is None
        assert len(shown(auditor, behind=behind, kind="device", subject=HARDWARE_ID)) == 4

    def test_only_those_who_may_read_and_export_it(
        self, signed_in: SignedIn, staff: Client, sam: User, device: Device
    ) -> None:
        assert staff.get(reverse("staff-audit")).status_code == 200
        assert staff.get(reverse("staff-audit-export")).status_code == 403
        assert reverse("staff-audit-export") not in staff.get(reverse("staff-audit")).text
        factories.give_roles(sam, Role.SUPPORT)
        assert staff.get(reverse("staff-audit")).status_code == 403


class TestTheLine:
    def test_rows_of_one_instant_stand_in_one_order_however_it_is_cut(self, sam: User) -> None:
        for number in range(7):
            audit.record("mail-resent", caller=caller(sam), now=NOW, mail=number)
            look(sam)
            audit.record("mail-resent", caller=caller(sam), now=NOW + timedelta(seconds=number), mail=number)
        wanted = Wanted(person=sam.pk)
        whole = [row.place for row in trail.rows(wanted, behind=None, limit=100)]
        assert len(whole) == 21
        for chunk in (1, 2, 5, 21):
            cut = [row.place for rows in trail.every_row(wanted, chunk=chunk) for row in rows]
            assert cut == whole
        assert [place.at for place in whole] == sorted((place.at for place in whole), reverse=True)


class TestTheFile:
    def test_has_every_row_with_columns_to_sort_by(
        self, auditor: Client, audrey: User, sam: User, device: Device
    ) -> None:
        answer = auditor.get(reverse("staff-audit-export"), {"person": sam.pk})
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["what"] for row in rows] == ["look", "change", "look"]
        [change] = [row for row in rows if row["what"] == "change"]
        assert (change["event or page"], change["by"]) == ("device-blocked", "Sam Example")
        assert (change["about"], change["reason"]) == (HARDWARE_ID, "'=stolen")
        assert rows[2]["found by"] == "0AFF"
        assert Look.objects.get(actor=audrey).page == "staff-audit-export"
        assert AuditEntry.objects.exists()


class TestWords:
    def test_every_page_of_the_console_has_them_in_the_audit(self) -> None:
        pages = [page for page in _pages(get_resolver()) if hasattr(page.callback, "staff_permissions")]

        named = {page.name or "" for page in pages if not set(KINDS) & set(page.pattern.converters)} - {""}

        assert "staff-orders" in named
        assert {name for name in named if in_words(name) == name} == set()

    def test_an_order_is_named_by_its_number_and_a_token_by_its_name(
        self, auditor: Client, catalogue: None, sam: User
    ) -> None:
        factories.give_roles(sam, Role.FULFILMENT)
        factories.make_vendor_token(sam, "ERP of Sindelfingen")
        order = factories.find_key(factories.make_key(number="SO-2026/7")).order
        auditor.get(reverse("staff-order", args=[order.pk]))

        page = auditor.get(reverse("staff-audit")).text

        assert "Audrey Example looked at: Order SO-2026/7" in page
        assert "made the vendor&#x27;s token ERP of Sindelfingen." in page


def _pages(resolver: URLResolver) -> list[URLPattern]:
    found = []
    for entry in resolver.url_patterns:
        found += _pages(entry) if isinstance(entry, URLResolver) else [entry]
    return found
