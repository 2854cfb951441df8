"""From a request to the caller of an operation."""

import pytest
from django.test import RequestFactory

from accounts import companies, requests
from accounts.models import Company, User
from accounts.requests import IdempotencyKeyMalformed
from portal.core.acts import Caller
from portal.core.models import Act
from tests.factories import NOW


def caller_of(user: User, *, company: Company | None = None, key: str = "") -> Caller:
    request = RequestFactory().post("/")
    request.user = user
    return requests.caller(request, company=company, key=key)


class TestCallers:
    def test_acts_are_named_within_the_company_they_concern(self, alice: User, company: Company) -> None:
        assert caller_of(alice, company=company, key="a").scope == f"company:{company.pk}"
        assert caller_of(alice, key="a").scope == f"user:{alice.pk}"

    def test_without_a_key_every_call_is_a_new_one(self, alice: User) -> None:
        assert caller_of(alice).key != caller_of(alice).key

    @pytest.mark.parametrize("key", ["x" * 101, "ключ", "a\nb", "\x00"])
    def test_a_key_is_printable_and_has_an_end(self, alice: User, key: str) -> None:
        with pytest.raises(IdempotencyKeyMalformed):
            caller_of(alice, key=key)

    def test_the_longest_names_fit_into_what_an_act_keeps(self, alice: User) -> None:
        alice.forename, alice.surname = "a" * 100, "b" * 100
        alice.save()

        caller = caller_of(alice)

        assert len(caller.name) == Act._meta.get_field("actor_name").max_length
        companies.create_company(name="Acme", founder=alice, caller=caller, now=NOW)
