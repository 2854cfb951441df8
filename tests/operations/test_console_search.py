"""The console's search: what somebody on the phone reads out is found, and found by an index."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Company, Project, User
from devices.models import Device
from support import search
from tests import factories
from tests.factories import NOW, find_key, make_key

HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def device(project: Project) -> Device:
    factories.make_device(project=project, hardware_id="00-90-33-77-77-77")
    return factories.make_device(project=project, hardware_id=HARDWARE_ID)


class TestDevices:
    @pytest.mark.parametrize(
        "typed",
        [
            "0AFF",
            "0a-ff",
            "0a:ff",
            " …0A FF ",
            "10AFF",
            "33-01-0A-FF",
            "009033010aff",
            "00-90-33-01",
            "0090 3301 0",
            "3301",  # from the middle: looked for because the ends found nothing
        ],
    )
    def test_they_are_found_by_four_digits_or_more_however_typed(self, device: Device, typed: str) -> None:
        assert list(search.find(typed).devices) == [device]
        assert search.find(typed).only == device

    def test_all_that_begin_alike_are_found(self, device: Device) -> None:
        assert [found.hardware_id for found in search.find("0090").devices] == [
            HARDWARE_ID,
            "00-90-33-77-77-77",
        ]

    @pytest.mark.parametrize("typed", ["", "F", "AFF", "0AFG", "0AFF0", "\x00", "%", "____"])
    def test_less_or_something_else_finds_none(self, device: Device, typed: str) -> None:
        assert not search.find(typed).devices

    def test_released_ones_too(self, device: Device) -> None:
        Device.objects.filter(pk=device.pk).update(released_at=NOW)

        assert list(search.find("0AFF").devices) == [device]

    def test_twenty_are_shown_and_more_is_said(self, project: Project) -> None:
        for number in range(21):
            factories.make_device(project=project, hardware_id=f"00-90-33-{number:02X}-AB-CD")

        found = search.find("ABCD")
        assert (len(found.devices), found.more, found.only) == (20, True, None)


@pytest.mark.usefixtures("catalogue")
class TestKeys:
    def test_by_their_last_characters_issued_or_not(self, project: Project) -> None:
        code = make_key()
        other = make_key()
        for typed in (code[-4:], code[-5:].lower(), f"…{code[-4:]}"):
            assert find_key(code) in search.find(typed).keys
            assert find_key(other) not in search.find(typed).keys

    @pytest.mark.parametrize("typed", ["SO-77", "so-77001", "reference of so-77"])
    def test_by_the_beginning_of_order_or_reference(self, db: None, typed: str) -> None:
        code = make_key(number="SO-77001")
        make_key(number="SO-88001")

        assert list(search.find(typed).keys) == [find_key(code)]

    def test_never_by_a_whole_code(self, db: None) -> None:
        assert not search.find(make_key())


class TestCompaniesAndPeople:
    @pytest.mark.parametrize("typed", ["alice net", "Networks", "ce Ne", "al", "WORKS"])
    def test_companies_by_part_of_their_name(self, company: Company, charlie: User, typed: str) -> None:
        assert list(search.find(typed).companies) == [company]

    @pytest.mark.parametrize(
        "typed",
        [
            "müller",
            pytest.param(
                "MÜLLER & S",
                marks=pytest.mark.skipif(
                    connection.vendor != "postgresql", reason="SQLite tells Ü from ü; only A to Z are alike"
                ),
            ),
            "söhne",
            "o_b%",
            "üll",
            "Weiß",
            "eiß",
        ],
    )
    def test_letters_of_other_languages_and_signs_are_what_they_are(self, db: None, typed: str) -> None:
        Company.objects.create(name="Foo_b%r", created_at=NOW)
        Company.objects.create(name="Fooxbar", created_at=NOW)
        Company.objects.create(name="Fritz Müller & Söhne, Weißach", created_at=NOW)

        assert len(search.find(typed).companies) == 1

    def test_companies_by_number_and_account(self, company: Company) -> None:
        account = factories.make_customer(number="K-10042", postal_code="71063")
        account.company, account.linked_at = company, NOW
        account.save()
        Company.objects.filter(pk=company.pk).update(created_at=NOW - timedelta(days=1))

        assert list(search.find("K-1004").companies) == [company]
        later = Company.objects.create(pk=70001, name="Seven", created_at=NOW)
        assert list(search.find("70001").companies) == [later]
        assert not search.find("9" * 30)

    def test_people_by_the_beginning_of_address_or_name(self, db: None) -> None:
        dora = factories.make_user(name="Dora", email="Dora.Dachs@example.com")
        factories.make_user(name="Theodora")
        for typed in ("dora", "DORA.DACHS@", "Dora Ex", "dora example"):
            assert list(search.find(typed).people) == [dora], typed

    def test_nobody_who_left(self, db: None) -> None:
        dora = factories.make_user(name="Dora")
        User.objects.filter(pk=dora.pk).update(left_at=NOW)

        assert not search.find("Dora")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="asks PostgreSQL for its plan")
class TestIndexes:
    """With next to no rows a scan is cheaper: so scans are forbidden, and what still scans has no index."""

    @pytest.mark.parametrize(
        ("found", "indexes"),
        [
            (lambda: search.by_the_ends("0AFF"), ("devices_by_last_digits", "devices_by_first_digits")),
            (lambda: search.in_the_middle("3301"), ("devices_by_digits",)),
            (lambda: search.orders_called("SO-1"), ("orders_by_number", "orders_by_reference")),
            (
                lambda: search.people_called("Dora"),
                ("people_by_address", "people_by_forename", "people_by_surname"),
            ),
            (lambda: search.companies_with("networks"), ("companies_by_letters",)),
            (lambda: search.companies_with("al"), ("companies_by_name",)),
        ],
        ids=["devices", "middle of a hardware ID", "orders", "people", "names of companies", "short names"],
    )
    def test_each_sort_is_found_by_its_own(self, db: None, found: Any, indexes: tuple[str, ...]) -> None:
        plan = plan_of(found())
        for index in indexes:
            assert index in plan, plan


def plan_of(found: QuerySet[Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return found.order_by().select_related(None).explain()
