"""The vendor's customer list (mission rule 2)."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts import customer_lists, customers
from accounts.customer_lists import Loaded
from accounts.customer_rows import Customer
from accounts.customers import (
    CustomerLinkDead,
    CustomerLinked,
    CustomerUnknown,
    CustomerWithoutAddress,
)
from accounts.models import Company, CustomerAccount, User
from licenses import company_import
from licenses.models import CompanyImport
from portal.core.throttle import RateLimited
from tests.factories import NOW, caller, make_company
from tests.operations.bookkeeping import last_entry, refused, unchanged
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.usefixtures("today")


def a_customer(number: str = "C-10042", **change: str) -> Customer:
    values = {
        "postal_code": "71063",
        "name": "Example Telecom GmbH",
        "town": "Sindelfingen",
        "country": "DE",
        "email": "Office@example.com",
    }
    return Customer(number=number, **(values | change))


def load(*listed: Customer) -> Loaded:
    return customer_lists.load_customers(customers=listed, caller=caller(), now=NOW)


@pytest.fixture
def account(db: None) -> CustomerAccount:
    load(a_customer())
    return CustomerAccount.objects.get()


def mailed(company: Company, user: User, key: str | None = None) -> str:
    customers.mail_link(
        company=company, number="c-10042", postal_code="71063", caller=caller(user, key=key), now=NOW
    )
    return link_in(letter("office@example.com")).rpartition("/")[2]


def open_link(token: str, key: str | None = None) -> CustomerAccount:
    return customers.open_link(token=token, caller=caller(key=key), now=NOW)


class TestLoading:
    def test_known_numbers_are_brought_up_to_date_and_none_is_removed(self, account: CustomerAccount) -> None:
        assert load(a_customer("c-10042 ", town="Stuttgart"), a_customer("C-2")) == Loaded(new=1, changed=1)

        account.refresh_from_db()
        assert (account.town, account.email) == ("Stuttgart", "office@example.com")
        assert load(a_customer("C-3"), a_customer("C-2")) == Loaded(new=1, unchanged=1)
        assert CustomerAccount.objects.count() == 3


class TestLookingUp:
    @pytest.mark.parametrize(("number", "postal_code"), [("C-10042", "71063"), (" c-10042", "710 63")])
    def test_it_finds_what_fills_in_a_form(
        self, account: CustomerAccount, alice: User, number: str, postal_code: str
    ) -> None:
        found = customers.look_up(number=number, postal_code=postal_code, caller=caller(alice), now=NOW)

        assert found == account

    def test_unknown_and_mismatch_look_the_same(self, account: CustomerAccount, alice: User) -> None:
        for number, postal_code in (("C-1", "71063"), ("C-10042", "71064"), ("C-10042", ""), ("", "")):
            with refused(CustomerUnknown):
                customers.look_up(number=number, postal_code=postal_code, caller=caller(alice), now=NOW)

    def test_guessing_is_limited(self, account: CustomerAccount, alice: User) -> None:
        for number in range(customers.LOOK_UPS.times):
            with pytest.raises(CustomerUnknown):
                customers.look_up(number="C-10042", postal_code=str(number), caller=caller(alice), now=NOW)

        with refused(RateLimited):
            customers.look_up(number="C-10042", postal_code="71063", caller=caller(alice), now=NOW)


class TestLinking:
    def test_whoever_opens_the_mail_s_link_links_the_company(
        self, account: CustomerAccount, company: Company, alice: User
    ) -> None:
        token = mailed(company, alice)

        open_link(token, key="once")

        account.refresh_from_db()
        assert (account.company, account.linked_at) == (company, NOW)
        assert last_entry().event == "customer-linked"
        with unchanged():
            open_link(token, key="once")
        with refused(CustomerLinkDead):
            open_link(token)

    def test_asked_twice_under_one_name_it_is_mailed_once(
        self, account: CustomerAccount, company: Company, alice: User
    ) -> None:
        mailed(company, alice, key="once")

        with unchanged():
            customers.mail_link(
                company=company,
                number="C-10042",
                postal_code="71063",
                caller=caller(alice, key="once"),
                now=NOW,
            )

    def test_a_link_dies_after_fourteen_days(
        self, account: CustomerAccount, company: Company, alice: User
    ) -> None:
        token = mailed(company, alice)

        with refused(CustomerLinkDead):
            customers.open_link(token=token, caller=caller(), now=NOW + timedelta(days=14))
        with refused(CustomerLinkDead):
            open_link("x" * 43)

    def test_one_company_for_an_account_and_one_account_for_a_company(
        self, account: CustomerAccount, company: Company, alice: User
    ) -> None:
        second = make_company(founder=alice, name="Second")
        first_token, second_token = mailed(company, alice), mailed(second, alice)
        open_link(first_token)
        load(a_customer("C-2"))

        with refused(CustomerLinked):
            open_link(second_token)
        for one, number in ((second, "C-10042"), (company, "C-2")):
            with refused(CustomerLinked):
                customers.mail_link(
                    company=one, number=number, postal_code="71063", caller=caller(alice), now=NOW
                )
            with refused(CustomerLinked):
                customers.link_company(company=one, number=number, caller=caller(), now=NOW)

    def test_without_an_address_fulfilment_does_it(self, company: Company, alice: User) -> None:
        load(a_customer("C-2", email=""))
        with refused(CustomerWithoutAddress):
            customers.mail_link(
                company=company, number="C-2", postal_code="71063", caller=caller(alice), now=NOW
            )

        call_command("link_customer", "c-2", str(company.pk), stdout=StringIO())

        assert CustomerAccount.objects.get().company == company
        with pytest.raises(CommandError, match="no company"):
            call_command("link_customer", "c-2", "999999")
        with refused(CustomerUnknown):
            customers.link_company(company=company, number="C-9", caller=caller(), now=NOW)

    def test_an_imported_company_s_account_is_free_again(
        self, account: CustomerAccount, company: Company, alice: User
    ) -> None:
        second = make_company(founder=alice, name="Second")
        customers.link_company(company=second, number="C-10042", caller=caller(key="once"), now=NOW)
        with unchanged():
            customers.link_company(company=second, number="C-10042", caller=caller(key="once"), now=NOW)
        wanted = CompanyImport.objects.create(
            source=second, target=company, asked_by=alice, asked_at=NOW, expires_at=NOW + timedelta(days=1)
        )

        company_import.consent_to_import(wanted=wanted, caller=caller(), now=NOW)

        account.refresh_from_db()
        assert account.company is None
