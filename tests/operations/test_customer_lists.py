"""The vendor's customer list as a file: what is wrong with it, what it would do, and loading it whole."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import customer_lists, customer_rows, customers
from accounts.customer_lists import LinkedChange
from accounts.customer_rows import (
    CustomerListMalformed,
    CustomerListTooLarge,
    CustomerListUnreadable,
    Fault,
)
from accounts.customers import CustomerLinkDead
from accounts.models import Company, CustomerAccount
from accounts.permissions import Role
from accounts.staff import RoleMissing
from tests import factories
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, refused, unchanged
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.usefixtures("db")

HEAD = "number,postal_code,name,town,country,email"
GOOD = "C-1,71063,Häberle GmbH,Ulm,DE,office@example.com"


def a_list(*lines: str, head: str = HEAD) -> bytes:
    return "\r\n".join([head, *lines, ""]).encode()


def load(*lines: str, key: str | None = None) -> int:
    return customer_lists.load_list(content=a_list(*lines), caller=caller(key=key), now=NOW)


@pytest.fixture
def linked(company: Company) -> CustomerAccount:
    """C-1, to which Alice's company is linked."""
    load(GOOD)
    return customers.link_company(company=company, number="C-1", caller=caller(), now=NOW)


class TestReading:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (" ,71063,Huber,Ulm,DE,", "number"),
            ("C" * 41 + ",71063,Huber,Ulm,DE,", "number"),
            (f"C-2,{'1' * 21},Huber,Ulm,DE,", "postal_code"),
            ("C-2,71063,,Ulm,DE,", "name, town"),
            (f"C-2,71063,Huber,{'U' * 101},DE,", "name, town"),
            ("C-2,71063,Huber,Ulm,GER,", "country"),
            ("C-2,71063,Huber,Ulm,ÄÖ,", "country"),
            ("C-2,71063,Huber,Ulm,DE,office", "email"),
            ("C-2,71063,Huber,Ulm,DE", "columns"),
            ("C-2,71063,Huber,Ulm,DE,,", "columns"),
            ("C-2" + "," * 100_000, "columns"),
            ('C-2,71063,"Huber,Ulm,DE,', "columns"),
            ('C-2,71063,"=HYPERLINK(1)",Ulm,DE,', "formula"),
            ("@C-2,71063,Huber,Ulm,DE,", "formula"),
            ("C-2,71063,Hu\x00ber,Ulm,DE,", "formula"),
            ("C-2,71063,Hu\u202eber,Ulm,DE,", "formula"),
            ("c-1 ,71063,Huber,Ulm,DE,", "twice"),
        ],
        ids=lambda value: str(value)[:20].replace("\x00", "NUL"),
    )
    def test_a_wrong_line_is_told_by_its_number_and_nothing_is_loaded(self, line: str, reason: str) -> None:
        report = customer_lists.check(a_list(GOOD, line))

        assert report.faults == (Fault(line=3, reason=reason),)
        assert (report.lines, report.new) == (2, 1)
        with refused(CustomerListMalformed, line=3, reason=customer_rows.REASONS[reason]):
            load(GOOD, line)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"PK\x03\x04\xff",
            a_list("C-1;71063;H;Ulm;DE;", head=HEAD.replace(",", "\t")),
            a_list(GOOD, head="postal_code,number,name,town,country,email"),
            f"{HEAD}\nC-1,71063,Häberle,Ulm,DE,".encode("latin-1"),
            f"{HEAD}\n{GOOD}".encode("utf-16"),
        ],
        ids=["empty", "zip", "tabs", "other order", "latin-1", "utf-16"],
    )
    def test_what_is_no_customer_list_is_refused_as_a_whole(self, content: bytes) -> None:
        with refused(CustomerListUnreadable, columns=HEAD):
            customer_lists.check(content)

    def test_semicolons_a_byte_order_mark_and_blanks_do_not_matter(self) -> None:
        line = " c-1 ; 71063 ;Häberle GmbH;Ulm;de;Office@Example.com"
        content = a_list(line, "", head=HEAD.replace(",", ";")).decode().encode("utf-8-sig")

        assert customer_lists.load_list(content=content, caller=caller(), now=NOW) == 1

        account = CustomerAccount.objects.get()
        assert (account.number, account.postal_code, account.country) == ("C-1", "71063", "DE")
        assert (account.name, account.email) == ("Häberle GmbH", "office@example.com")

    def test_it_has_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(customer_rows, "MOST_LINES", 2)
        customer_lists.check(a_list(GOOD, "nonsense"))
        with refused(CustomerListTooLarge, lines=2):
            customer_lists.check(a_list(GOOD, "nonsense", GOOD))
        with refused(CustomerListTooLarge):
            customer_lists.check(b"x" * (customer_rows.MOST_BYTES + 1))


class TestTheReport:
    def test_says_what_is_new_changed_and_missing_and_changes_nothing(self) -> None:
        load(GOOD, "C-2,1,Two,Ulm,DE,", "C-3,1,Three,Ulm,DE,")

        with unchanged():
            report = customer_lists.check(a_list(GOOD, "C-2,2,Two,Ulm,DE,", "C-4,1,Four,Ulm,DE,"))

        assert (report.new, report.changed, report.unchanged, report.missing) == (1, 1, 1, 1)
        assert (report.linked, report.missing_linked) == ((), ())

    def test_says_which_linked_companies_it_touches(self, linked: CustomerAccount) -> None:
        moved = customer_lists.check(a_list(GOOD.replace("Ulm", "Bonn").replace("office", "info")))
        gone = customer_lists.check(a_list("C-2,1,Two,Ulm,DE,"))

        changes = (("town", "Ulm", "Bonn"), ("email", "office@example.com", "info@example.com"))
        assert moved.linked == (LinkedChange(number="C-1", company="Alice Networks", changes=changes),)
        assert gone.missing_linked == (("C-1", "Alice Networks"),)


class TestLoading:
    def test_a_linked_company_stays_linked_whether_its_account_is_named_or_not(
        self, linked: CustomerAccount, company: Company
    ) -> None:
        load("C-2,1,Two,Ulm,DE,")
        load(GOOD.replace("Ulm", "Bonn"))

        linked.refresh_from_db()
        assert (linked.town, linked.company) == ("Bonn", company)
        assert CustomerAccount.objects.count() == 2

    def test_a_link_that_was_mailed_to_an_old_address_ends(self, company: Company, today: object) -> None:
        second = GOOD.replace("C-1", "C-2").replace("office", "other")
        load(GOOD, second)
        other = factories.make_company(founder=factories.make_user(), name="Other")
        tokens = []
        for number, wants, to in (("C-1", company, "office"), ("C-2", other, "other")):
            customers.mail_link(company=wants, number=number, postal_code="71063", caller=caller(), now=NOW)
            tokens.append(link_in(letter(f"{to}@example.com")).rpartition("/")[2])

        load(GOOD.replace("office", "info"), second)

        later = NOW + timedelta(seconds=1)
        with refused(CustomerLinkDead):
            customers.find_link(tokens[0], now=later)
        assert customers.find_link(tokens[1], now=later).company == other

    def test_it_is_recorded_and_sent_twice_loaded_once(self) -> None:
        assert load(GOOD, key="once") == 1
        assert (last_entry().event, last_entry().facts) == ("customer-list-loaded", {"lines": 1})
        with unchanged():
            assert load(GOOD, key="once") == 1

    def test_nobody_but_fulfilment_loads_one(self) -> None:
        support = factories.make_user(is_staff=True)
        clerk = factories.make_user(is_staff=True, roles=[Role.FULFILMENT])

        with refused(RoleMissing):
            customer_lists.load_list(content=a_list(GOOD), caller=caller(support), now=NOW)
        assert customer_lists.load_list(content=a_list(GOOD), caller=caller(clerk), now=NOW) == 1

    def test_many_lines_take_few_statements(self, django_assert_max_num_queries: object) -> None:
        lines = [f"C-{number},1,Name {number},Ulm,DE," for number in range(2500)]

        with django_assert_max_num_queries(40):  # type: ignore[operator]
            assert load(*lines) == 2500
        assert customer_lists.check(a_list(*lines)).unchanged == 2500


class TestTheCommand:
    def test_checks_loads_and_says_so(self, tmp_path: Path) -> None:
        file = tmp_path / "customers.csv"
        file.write_bytes(a_list(GOOD))
        said = StringIO()

        call_command("load_customers", str(file), check=True, stdout=said)
        assert not CustomerAccount.objects.exists()
        call_command("load_customers", str(file), stdout=said)

        assert CustomerAccount.objects.get().name == "Häberle GmbH"
        assert said.getvalue().splitlines() == [
            "1 new, 0 changed (0 of linked companies), 0 as before; 0 are not in the list and stay",
            "1 customers loaded",
        ]

    def test_tells_each_wrong_line_and_loads_none(self, tmp_path: Path) -> None:
        file = tmp_path / "customers.csv"
        file.write_bytes(a_list(GOOD, "C-2,1,,Ulm,DE,", "C-3"))
        told = StringIO()

        with pytest.raises(CommandError, match="2 lines"):
            call_command("load_customers", str(file), stderr=told)

        assert [line.partition(":")[0] for line in told.getvalue().splitlines()] == ["line 3", "line 4"]
        file.write_text("a,b\n")
        with pytest.raises(CommandError, match="number,postal_code"):
            call_command("load_customers", str(file))
