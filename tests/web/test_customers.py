"""The customer list on pages and over REST."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import customer_lists
from accounts.customer_rows import Customer
from accounts.models import Company, CustomerAccount, User
from portal.core import acts
from tests import rows
from tests.api.conftest import Api
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.usefixtures("today")
GIVEN = {"number": "C-10042", "postal_code": "71063"}


@pytest.fixture(autouse=True)
def account(db: None) -> CustomerAccount:
    listed = Customer(
        number="C-10042",
        postal_code="71063",
        name="Example Telecom GmbH",
        town="Sindelfingen",
        country="DE",
        email="office@example.com",
    )
    customer_lists.load_customers(customers=[listed], caller=caller(), now=NOW)
    return CustomerAccount.objects.get()


class TestLookingUp:
    def test_it_fills_in_the_name_and_creates_nothing(self, signed_in: SignedIn, dora: User) -> None:
        browser = signed_in(dora)
        assert browser.get(reverse("company-new")).status_code == 200
        before = rows.everything()

        page = browser.post(reverse("company-new"), {"act_key": "k", "look-up": "1", **GIVEN})

        assert 'value="Example Telecom GmbH"' in page.text
        assert "office@example.com" not in page.text
        assert rows.everything() == before

    def test_a_mismatch_is_said_in_the_form(self, signed_in: SignedIn, dora: User) -> None:
        page = signed_in(dora).post(
            reverse("company-new"), {"act_key": "k", "look-up": "1", **GIVEN, "postal_code": "1"}
        )

        assert page.status_code == 404
        assert "customer-unknown" in page.text

    def test_over_rest(self, dora: User) -> None:
        assert Api(dora).post("customers/look-up", GIVEN) == {
            "number": "C-10042",
            "name": "Example Telecom GmbH",
            "town": "Sindelfingen",
            "country": "DE",
        }
        Api(dora).refuse(
            "POST", "customers/look-up", {**GIVEN, "number": "C-1"}, status=404, code="customer-unknown"
        )


class TestLinking:
    def test_from_the_form_to_the_mail_to_the_link(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        browser = signed_in(alice)
        address = reverse("company-customer", args=[company.pk])
        browser.post(address, {"act_key": "k", **GIVEN})
        link = link_in(letter("office@example.com"))
        somebody = Client()

        assert company.name in somebody.get(link).text
        somebody.post(link, {"act_key": acts.new_key()})

        assert CustomerAccount.objects.get().company == company
        assert "C-10042" in browser.get(address).text
        assert somebody.get(link).status_code == 404

    def test_over_rest(self, alice: User, company: Company) -> None:
        path = f"companies/{company.pk}/customer"

        sent = Api(alice).post(path, GIVEN, key="once")

        assert Api(alice).post(path, GIVEN, key="once") == sent
        assert company.name in letter("office@example.com").subject
