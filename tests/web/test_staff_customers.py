"""The console's pages of the customer list: checked, read, and then loaded."""

import re

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import customers
from accounts.customer_rows import COLUMNS
from accounts.models import Company, CustomerAccount
from accounts.permissions import Role
from tests import factories, rows
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def clerk(signed_in: SignedIn, db: None) -> Client:
    """Somebody in fulfilment."""
    return signed_in(factories.make_user(name="Fay", is_staff=True, roles=[Role.FULFILMENT]))


def check(client: Client, *lines: str) -> str:
    file = SimpleUploadedFile("list.csv", "\n".join([",".join(COLUMNS), *lines]).encode())
    return client.post(reverse("staff-customers-check"), {"file": file}).text


def confirm(client: Client, page: str) -> str:
    sent = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("checked", "act_key")}
    given = {name: found[1] for name, found in sent.items() if found}
    return client.post(reverse("staff-customers-load"), given, follow=True).text


def test_a_list_is_checked_says_what_it_touches_and_is_loaded_once(clerk: Client, company: Company) -> None:
    confirm(clerk, check(clerk, "C-1,71063,Häberle,Ulm,DE,", "C-3,1,Three,Ulm,DE,"))
    customers.link_company(company=company, number="C-1", caller=caller(), now=NOW)

    before = rows.everything()
    page = check(clerk, "C-1,71063,Häberle,Bonn,DE,", "C-2,1,Two,Ulm,DE,")
    assert rows.everything() == before
    assert "Town: Ulm → Bonn" in page
    assert company.name in page

    assert "The customer list is loaded: 2 accounts." in confirm(clerk, page)
    assert "The customer list is loaded: 2 accounts." in confirm(clerk, page)
    assert sorted(CustomerAccount.objects.values_list("number", "town")) == [
        ("C-1", "Bonn"),
        ("C-2", "Ulm"),
        ("C-3", "Ulm"),
    ]
    gone = check(clerk, "C-2,1,Two,Ulm,DE,")
    assert "Companies whose account is not in the list" in gone
    listed = clerk.get(reverse("staff-customers"), {"q": "bon"}).text
    assert "C-1" in listed
    assert "C-2" not in listed


def test_wrong_lines_are_told_and_cannot_be_confirmed(clerk: Client) -> None:
    page = check(clerk, "C-1,71063,,Ulm,DE,", "C-2,1,Two,Ulm,DE,", "=C-3,1,Three,Ulm,DE,")

    assert "2 lines cannot be taken" in page
    assert re.search(r'<td class="number">2</td><td>the name is missing', page)
    assert re.search(r'<td class="number">4</td><td>a field begins like a formula', page)
    assert "Load the list" not in page


def test_a_list_that_is_no_longer_kept_is_chosen_again(clerk: Client) -> None:
    page = check(clerk, "C-1,71063,Häberle,Ulm,DE,")
    cache.clear()

    assert "The customer list that you checked is no longer kept." in confirm(clerk, page)
    assert not CustomerAccount.objects.exists()


def test_what_is_no_list_is_refused_beside_the_field(clerk: Client) -> None:
    file = SimpleUploadedFile("list.xlsx", b"PK\x03\x04")

    answer = clerk.post(reverse("staff-customers-check"), {"file": file})

    assert answer.status_code == 400
    assert "This is not a customer list as CSV." in answer.text
