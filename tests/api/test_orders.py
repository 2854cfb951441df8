"""Orders as the vendor's ERP sends them (mission rule 8)."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import LazySettings

from accounts.models import Company, Project, User, VendorToken
from accounts.permissions import Role
from licenses import activation
from licenses.models import ActivationKey, Order
from portal.core.models import Act
from tests import factories, rows
from tests.api.conftest import Api, ApiOf
from tests.factories import NOW
from tests.web.codes import second_factor

pytestmark = pytest.mark.usefixtures("catalogue")

LINES = [
    {"product": "Port", "version": 14, "quantity": 10},
    {"product": "UC", "version": 14, "quantity": 5},
]
BODY: dict[str, Any] = {"number": "SO-2026/17", "reference": "PO 4711", "customer": "Example", "lines": LINES}


@pytest.fixture
def clerk() -> User:
    """Somebody of fulfilment."""
    user = factories.make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])
    second_factor(user)
    return user


@pytest.fixture
def erp(clerk: User) -> Api:
    """The vendor's ERP, with its token."""
    return Api(token=str(factories.make_vendor_token(clerk, "ERP").secret))


class TestEntering:
    def test_the_answer_has_the_keys_in_full(self, erp: Api, project: Project) -> None:
        made = erp.post("orders", BODY, status=201)

        [key] = made["keys"]
        assert (made["number"], made["state"], made["lines"]) == ("SO-2026/17", "issued", LINES)
        assert (key["state"], key["lines"]) == ("issued", LINES)
        activation.activate_key(code=key["code"], target=project, caller=factories.caller(), now=NOW)
        assert erp.get("orders/SO-2026/17")["state"] == "activated"

    def test_a_key_for_each_line(self, erp: Api) -> None:
        made = erp.post("orders", {**BODY, "keys": "per-line"}, status=201)

        assert [key["lines"] for key in made["keys"]] == [[line] for line in LINES]

    def test_sent_again_it_is_the_same_order_with_the_same_keys_whatever_the_request_is_called(
        self, erp: Api
    ) -> None:
        first = erp.post("orders", BODY, key="one", status=201)
        before = rows.everything()

        assert erp.post("orders", BODY, key="two", status=201) == first
        assert erp.post("orders", BODY, status=201) == first
        assert rows.everything() == before

    def test_with_other_content_it_is_a_named_conflict(self, erp: Api) -> None:
        erp.post("orders", BODY, status=201)

        other = {**BODY, "reference": "PO 4712"}
        erp.refuse("POST", "orders", other, status=409, code="order-number-taken")

    def test_it_is_of_the_account(self, erp: Api, company: Company) -> None:
        account = factories.make_customer(number="C-10042", postal_code="71063")

        made = erp.post("orders", {"number": "SO-1", "account": "C-10042", "lines": LINES}, status=201)

        assert (made["account"], made["customer"]) == ("C-10042", account.name)

    def test_a_rehearsal_says_how_many_keys_there_would_be(self, erp: Api) -> None:
        erp.get("orders")  # that the token was used is written down
        before = {table: found for table, found in rows.everything().items() if "Cache" not in table}
        asked = {**BODY, "keys": "per-line"}

        answer = erp.post("orders?dry_run=1", asked)

        assert answer == {"dry_run": True, "keys_before": 0, "keys_after": 2}
        assert {table: rows.everything()[table] for table in before} == before
        erp.post("orders", asked, status=201)
        assert erp.post("orders?dry_run=1", asked)["keys_before"] == 2

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"number": ""}, 400, "order-needs-number"),
            ({"lines": []}, 400, "order-needs-lines"),
            ({"reference": "x" * 101}, 400, "order-text-too-long"),
            ({"account": "C-1"}, 400, "order-account-unknown"),
            ({"lines": [{**LINES[0], "quantity": -1}]}, 400, "quantity-out-of-range"),
            ({"lines": [{**LINES[0], "quantity": 10**12}]}, 400, "quantity-out-of-range"),
            ({"lines": [{**LINES[0], "product": "Teleporter"}]}, 400, "no-such-product"),
            ({"lines": [{**LINES[0], "quantity": "10"}]}, 400, "invalid-input"),
            ({"lines": [{**LINES[0], "surprise": 1}]}, 400, "invalid-input"),
            ({"lines": LINES * 101}, 400, "invalid-input"),
            ({"keys": "per-box"}, 400, "invalid-input"),
        ],
        ids=str,
    )
    def test_what_cannot_be_an_order_is_refused(
        self, erp: Api, change: dict[str, Any], status: int, code: str
    ) -> None:
        erp.refuse("POST", "orders", {**BODY, **change}, status=status, code=code)

        assert not Order.objects.exists()

    def test_too_many_a_minute_are_refused_but_not_their_repetitions(
        self, erp: Api, settings: LazySettings, today: Any
    ) -> None:
        settings.ORDERS_PER_MINUTE = 2
        for number in ("SO-1", "SO-2", "SO-2"):
            erp.post("orders", {**BODY, "number": number}, status=201)

        erp.refuse("POST", "orders", {**BODY, "number": "SO-3"}, status=429, code="rate-limited")


class TestAfterwards:
    def test_once_delivery_is_confirmed_nobody_gets_the_codes(self, erp: Api) -> None:
        erp.post("orders", BODY, status=201)

        told = erp.post("orders/SO-2026/17/confirm-delivery", {})

        assert told["delivered_at"] is not None
        assert [key["code"] for key in erp.post("orders", BODY, status=201)["keys"]] == [None]

    def test_an_order_is_canceled_with_a_reason(self, erp: Api) -> None:
        erp.post("orders", BODY, status=201)
        erp.refuse("POST", "orders/SO-2026/17/cancel", {"reason": " "}, status=400, code="reason-needed")

        told = erp.post("orders/SO-2026/17/cancel", {"reason": "The customer withdrew."})

        assert (told["state"], [key["state"] for key in told["keys"]]) == ("canceled", ["canceled"])
        assert Act.objects.get(operation="cancel-order").actor_name == "vendor token ERP"
        erp.refuse("POST", "orders/SO-2026/17/confirm-delivery", {}, status=409, code="order-canceled")

    def test_not_once_it_was_activated(self, erp: Api, project: Project) -> None:
        [key] = erp.post("orders", BODY, status=201)["keys"]
        activation.activate_key(code=key["code"], target=project, caller=factories.caller(), now=NOW)

        erp.refuse("POST", "orders/SO-2026/17/cancel", {"reason": "late"}, status=409, code="order-activated")

    def test_there_is_no_order_of_another_number(self, erp: Api) -> None:
        for method, path, body in (
            ("GET", "orders/SO-1", None),
            ("POST", "orders/SO-1/confirm-delivery", {}),
            ("POST", "orders/SO-1/cancel", {"reason": "x"}),
        ):
            erp.refuse(method, path, body, status=404, code="no-such-order")


class TestLooking:
    def test_no_code_is_read_anywhere(self, erp: Api) -> None:
        [key] = erp.post("orders", BODY, status=201)["keys"]

        assert key["code"] not in str(erp.get("orders"))
        assert key["code"] not in str(erp.get("orders/SO-2026/17"))

    def test_the_list_is_paged_and_narrowed(self, erp: Api) -> None:
        for number in ("SO-1", "SO-2", "SO-3"):
            erp.post("orders", {**BODY, "number": number}, status=201)
        erp.post("orders/SO-2/cancel", {"reason": "withdrawn"})

        first = erp.get("orders", {"limit": 2})
        second = erp.get("orders", {"limit": 2, "after": first["next"]})

        assert [one["number"] for one in first["orders"] + second["orders"]] == ["SO-3", "SO-2", "SO-1"]
        assert second["next"] is None
        assert [one["number"] for one in erp.get("orders", {"state": "canceled"})["orders"]] == ["SO-2"]
        assert [one["number"] for one in erp.get("orders", {"number": "SO-1"})["orders"]] == ["SO-1"]
        assert erp.get("orders", {"until": "2020-01-01T00:00:00Z"})["orders"] == []


class TestWhoMay:
    def test_no_company_and_none_of_its_tokens(self, api: ApiOf, alice: User, company: Company) -> None:
        every = ("read", "operate", "activate", "transfer", "manage")
        token = factories.make_token(*every, company=company, maker=alice)

        api(alice).refuse("POST", "orders", BODY, status=403, code="role-missing")
        problem = Api(token=str(token.secret)).refuse(
            "POST", "orders", BODY, status=403, code="scope-missing"
        )
        assert problem["needed"] == "orders"

    def test_a_vendor_s_token_opens_no_other_door(self, erp: Api, company: Company) -> None:
        for path in ("me", f"companies/{company.pk}/balance", "projects", "token"):
            erp.refuse("GET", path, status=401, code="api-token-not-valid")

    def test_a_clerk_may_with_a_second_factor(self, api: ApiOf, clerk: User, settings: LazySettings) -> None:
        settings.STAFF_SECOND_FACTOR = True
        api(clerk).post("orders", BODY, status=201)

        Authenticator.objects.filter(user=clerk).delete()
        api(clerk).refuse("GET", "orders", status=403, code="second-factor-needed")

    def test_a_revoked_token_is_none(self, erp: Api) -> None:
        VendorToken.objects.update(revoked_at=NOW)

        erp.refuse("GET", "orders", status=401, code="vendor-token-not-valid")
        for invented in ("olpv_", "olpv_" + "A" * 43, "olpv_" + "A" * 42 + "é"):
            Api(token=invented.encode().decode("latin-1")).refuse(
                "GET", "orders", status=401, code="vendor-token-not-valid"
            )
        assert not ActivationKey.objects.exists()

    def test_its_use_is_written_down(self, erp: Api) -> None:
        erp.get("orders")

        assert VendorToken.objects.get().last_used_at is not None
