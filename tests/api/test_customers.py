"""The customer list as the vendor's ERP keeps it (mission rule 2)."""

from typing import Any

import pytest
from django.conf import LazySettings

from accounts import customers
from accounts.models import Company, CustomerAccount, User
from accounts.permissions import Role
from portal.core.models import Act
from tests import factories, rows
from tests.api.conftest import Api, ApiOf
from tests.factories import NOW
from tests.operations.bookkeeping import last_entry
from tests.web.codes import second_factor

ONE: dict[str, Any] = {
    "number": "c-10042 ",
    "postal_code": "71063",
    "name": "Häberle GmbH",
    "town": "Ulm",
    "country": "de",
    "email": "Office@example.com",
}
TWO = {"number": "C/2", "postal_code": "1", "name": "Two", "country": "CH"}
COUNTS = {"new": 0, "changed": 0, "unchanged": 0}


@pytest.fixture
def clerk(db: None) -> User:
    user = factories.make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])
    second_factor(user)
    return user


@pytest.fixture
def erp(clerk: User) -> Api:
    """A program of the vendor's that keeps the customer list."""
    return Api(token=str(factories.make_vendor_token(clerk, "ERP", scopes=["customers"]).secret))


class TestLoading:
    def test_what_is_new_is_added_and_what_is_there_brought_up_to_date(self, erp: Api) -> None:
        assert erp.post("customers", {"customers": [ONE, TWO]}) == {**COUNTS, "loaded": 2, "new": 2}

        moved = {**ONE, "town": "Bonn"}
        answer = erp.post("customers", {"customers": [moved, TWO, {**TWO, "number": "C-3"}]})

        assert answer == {"loaded": 3, "new": 1, "changed": 1, "unchanged": 1}
        assert erp.get("customers/C-10042") == {
            "number": "C-10042",
            "postal_code": "71063",
            "name": "Häberle GmbH",
            "town": "Bonn",
            "country": "DE",
            "email": "office@example.com",
            "company": None,
            "linked_at": None,
        }
        assert last_entry().event == "customer-list-loaded"
        assert Act.objects.latest("at").actor_name == "vendor token ERP"

    def test_sent_again_it_changes_no_customer_and_under_the_same_name_nothing_at_all(self, erp: Api) -> None:
        made = erp.post("customers", {"customers": [ONE]}, key="once")
        before = rows.everything()

        assert erp.post("customers", {"customers": [ONE]}, key="once") == made
        assert rows.everything() == before
        assert erp.post("customers", {"customers": [ONE]}) == {**COUNTS, "loaded": 1, "unchanged": 1}
        erp.refuse(
            "POST", "customers", {"customers": [TWO]}, key="once", status=409, code="idempotency-key-reused"
        )

    def test_a_link_stays_whatever_the_list_says(self, erp: Api, company: Company) -> None:
        erp.post("customers", {"customers": [ONE]})
        customers.link_company(company=company, number="C-10042", caller=factories.caller(), now=NOW)

        erp.post("customers", {"customers": [{**ONE, "name": "Other"}]})

        found = erp.get("customers/c-10042")
        assert (found["name"], found["company"]) == ("Other", company.name)
        assert found["linked_at"] is not None

    def test_a_rehearsal_says_what_would_be_done_and_does_nothing(self, erp: Api) -> None:
        erp.post("customers", {"customers": [TWO]})
        before = {table: found for table, found in rows.everything().items() if "Cache" not in table}

        answer = erp.post("customers?dry_run=1", {"customers": [ONE, {**TWO, "town": "Bern"}]})

        assert answer == {"dry_run": True, "new": 1, "changed": 1, "unchanged": 0}
        assert {table: rows.everything()[table] for table in before} == before

    @pytest.mark.parametrize("query", ["", "?dry_run=1"])
    def test_every_wrong_customer_is_named_and_none_is_taken(self, erp: Api, query: str) -> None:
        wrong = [
            ONE,
            {**TWO, "number": " "},
            {**TWO, "number": "C-3", "country": "GER"},
            {**TWO, "number": "C-4", "name": "=HYPERLINK(1)"},
            {**TWO, "number": "C-5", "email": "nobody"},
            {**ONE, "number": "C-10042"},
            {**TWO, "number": "C-6", "name": "x" * 201},
        ]

        problem = erp.refuse(
            "POST", f"customers{query}", {"customers": wrong}, status=400, code="customer-list-malformed"
        )

        assert problem["problems"] == [
            {"line": 2, "reason": "number"},
            {"line": 3, "reason": "country"},
            {"line": 4, "reason": "formula"},
            {"line": 5, "reason": "email"},
            {"line": 6, "reason": "twice"},
            {"line": 7, "reason": "name, town"},
        ]
        assert problem["line"] == 2
        assert not CustomerAccount.objects.exists()

    @pytest.mark.parametrize(
        "listed",
        [[], [ONE] * 201, [{**ONE, "number": 7}], [{**ONE, "surprise": ""}], [{"number": "C-1"}], "C-1"],
        ids=["none", "too many", "a number", "unknown member", "members missing", "a text"],
    )
    def test_what_is_no_list_is_refused(self, erp: Api, listed: Any) -> None:
        erp.refuse("POST", "customers", {"customers": listed}, status=400, code="invalid-input")

    def test_too_many_a_minute_are_refused_but_not_their_repetitions(
        self, erp: Api, settings: LazySettings, today: Any
    ) -> None:
        settings.CUSTOMER_LISTS_PER_MINUTE = 1
        erp.post("customers", {"customers": [ONE]}, key="once")
        erp.post("customers", {"customers": [ONE]}, key="once")

        erp.refuse("POST", "customers", {"customers": [TWO]}, status=429, code="rate-limited")


class TestReading:
    def test_the_list_comes_in_pages_and_is_searched(self, erp: Api) -> None:
        erp.post("customers", {"customers": [ONE, TWO, {**TWO, "number": "C-3", "name": "Three"}]})

        first = erp.get("customers", {"limit": 2})
        second = erp.get("customers", {"limit": 2, "after": first["next"]})

        numbers = sorted(one["number"] for part in (first, second) for one in part["customers"])
        assert (numbers, second["next"]) == (["C-10042", "C-3", "C/2"], None)
        assert [one["number"] for one in erp.get("customers", {"q": "three"})["customers"]] == ["C-3"]
        assert erp.get("customers/C/2")["name"] == "Two"
        erp.refuse("GET", "customers/C", status=404, code="customer-not-listed")


class TestWhoMay:
    def test_a_token_opens_the_doors_it_was_made_for(self, erp: Api, clerk: User) -> None:
        shop = Api(token=str(factories.make_vendor_token(clerk, "Shop", scopes=["orders"]).secret))

        for other, path, scope in ((shop, "customers", "customers"), (erp, "orders", "orders")):
            assert other.refuse("GET", path, status=403, code="scope-missing")["needed"] == scope
            assert other.refuse("POST", path, {}, status=403, code="scope-missing")["needed"] == scope
        both = Api(token=str(factories.make_vendor_token(clerk, scopes=["customers", "orders"]).secret))
        both.get("customers")
        both.get("orders")

    def test_fulfilment_may_by_session_and_nobody_else(self, api: ApiOf, clerk: User, alice: User) -> None:
        api(clerk).post("customers", {"customers": [ONE]})
        supporter = factories.make_user(name="Sue", is_staff=True)

        for user in (alice, supporter):
            api(user).refuse("GET", "customers", status=403, code="role-missing")
            api(user).refuse("POST", "customers", {"customers": [TWO]}, status=403, code="role-missing")
