import re

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, User
from licenses import activation
from licenses.models import ActivationKey
from portal.core.models import Act, AuditEntry
from tests import factories
from tests.web.conftest import SignedIn

SEVERAL = "/activate/several"


def activate(number: str, target: Company | Project, user: User, **lines: int) -> None:
    activation.activate_key(
        code=factories.make_key(number=number, lines=lines),
        target=target,
        caller=factories.caller(user),
        now=factories.NOW,
    )


@pytest.fixture
def client(signed_in: SignedIn, alice: User) -> Client:
    return signed_in(alice)


class TestKeysOfACompany:
    @pytest.fixture(autouse=True)
    def keys(self, company: Company, project: Project, alice: User, charlie: User) -> None:
        activate("SO-1", company, alice, Port=5, UC=2)
        activate("SO-2", project, alice, Fax=3)
        activate("SO-3", factories.first_project(charlie.memberships.get().company), charlie, Fax=9)

    def numbers(self, client: Client, company: Company, **given: str) -> list[str]:
        page = client.get(reverse("company-keys", args=[company.pk]), given)
        return [key.order.number for key, _project, _lines in page.context["rows"]]

    def test_it_says_what_each_brought_in_when_by_whom_and_into_which_balance(
        self, client: Client, company: Company, project: Project, alice: User
    ) -> None:
        page = client.get(reverse("company-keys", args=[company.pk]))
        assert [
            (key.order.number, into, [(line.product.code, line.quantity) for line in lines])
            for key, into, lines in page.context["rows"]
        ] == [("SO-2", project, [("Fax", 3)]), ("SO-1", None, [("Port", 5), ("UC", 2)])]
        assert page.text.count(alice.get_full_name()) >= 2
        assert '<time datetime="2026-11-24T12:00:00Z"' in page.text

    def test_it_is_narrowed_by_order_reference_and_last_characters(
        self, client: Client, company: Company
    ) -> None:
        last = ActivationKey.objects.get(order__number="SO-1").last_four
        assert self.numbers(client, company, q="so-1") == ["SO-1"]
        assert self.numbers(client, company, q="reference of SO-2") == ["SO-2"]
        assert "SO-1" in self.numbers(client, company, q=last)
        assert self.numbers(client, company, q="SO-3") == []

    def test_a_member_sees_no_key_of_a_project_that_is_closed_to_them(
        self, signed_in: SignedIn, company: Company, bob: User
    ) -> None:
        assert self.numbers(signed_in(bob), company) == ["SO-1"]

    def test_it_shows_fifty_at_a_time_in_few_queries(
        self,
        client: Client,
        company: Company,
        alice: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(51):
            activate(f"SO-1{number}", company, alice, Port=1)
        with django_assert_max_num_queries(12):
            page = client.get(reverse("company-keys", args=[company.pk]))
        assert len(page.context["rows"]) == 50
        assert 'href="?page=2"' in page.text


class TestSeveralKeys:
    def test_each_is_looked_at_and_activated_once_when_that_is_confirmed(
        self, client: Client, company: Company
    ) -> None:
        codes = [factories.make_key(lines={"Port": 5}), factories.make_key(lines={"Port": 2, "UC": 1})]
        used = factories.make_key()
        activation.activate_key(code=used, target=company, caller=factories.caller(), now=factories.NOW)
        typed = f"{codes[0].lower()}\n\nnonsense\n{codes[1]}\n{codes[1]}\n{used}"
        page = client.post(SEVERAL, {"codes": typed, "target": f"company:{company.pk}", "act_key": "k1"})
        assert page.status_code == 200
        assert [one.number for one in page.context["good"]] == [1, 4]
        assert [(one.number, one.refusal.code) for one in page.context["wrong"]] == [
            (3, "key-unknown"),
            (6, "key-already-activated"),
        ]
        assert factories.free(company) == 5
        confirmed = {
            "codes": page.context["codes"],
            "target": f"company:{company.pk}",
            "act_key": "k1",
            "confirm": "1",
        }
        for _ in range(2):
            done = client.post(SEVERAL, confirmed)
            assert len(done.context["done"]) == 2
            assert done.context["wrong"] == []
            assert "2 keys activated" in done.text
        assert (factories.free(company), factories.free(company, "UC")) == (12, 1)
        assert Act.objects.filter(operation="activate-key", key__startswith="k1.").count() == 2

    def test_one_that_was_used_meanwhile_keeps_no_other_from_it(
        self, client: Client, company: Company
    ) -> None:
        codes = [factories.make_key(), factories.make_key()]
        activation.activate_key(code=codes[0], target=company, caller=factories.caller(), now=factories.NOW)
        done = client.post(
            SEVERAL,
            {
                "codes": "\n".join(codes),
                "target": f"company:{company.pk}",
                "act_key": "k1",
                "confirm": "1",
            },
        )
        assert [one.refusal.code for one in done.context["wrong"]] == ["key-already-activated"]
        assert "1 key activated" in done.text
        assert factories.free(company) == 10

    def test_the_codes_are_in_the_form_of_the_confirmation_and_nowhere_else(
        self, client: Client, company: Company, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = factories.make_key()
        given = {"codes": code, "target": f"company:{company.pk}", "act_key": "k1"}
        page = client.post(SEVERAL, given)
        assert page.text.count(code) == 1
        done = client.post(SEVERAL, {**given, "confirm": "1"})
        written = done.text + "".join(capsys.readouterr())
        written += str(list(AuditEntry.objects.values())) + str(list(Act.objects.values()))
        assert code not in written
        assert code[:11] not in written

    def test_it_wants_one_to_fifty(self, client: Client, company: Company) -> None:
        for codes in ("\n".join(["x"] * 51), " \n "):
            page = client.post(SEVERAL, {"codes": codes, "target": f"company:{company.pk}", "act_key": "k1"})
            assert page.status_code == 400
        assert AuditEntry.objects.filter(event="key-looked-at").count() == 0

    def test_too_many_looks_are_refused(
        self, client: Client, company: Company, settings: LazySettings
    ) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 2
        codes = "\n".join(factories.make_key() for _ in range(3))
        page = client.post(SEVERAL, {"codes": codes, "target": f"company:{company.pk}", "act_key": "k1"})
        assert page.status_code == 429
        assert page.headers["Retry-After"]


class TestCamera:
    def test_only_the_pages_for_keys_may_use_it(self, client: Client, company: Company) -> None:
        for address in ("/activate", SEVERAL):
            page = client.get(address)
            assert "camera=(self)" in page.headers["Permissions-Policy"]
            assert re.search(r'src="[^"]*portal/scanner[^"]*\.js"', page.text)
        for address in ("/", reverse("company", args=[company.pk]), "/nowhere", "/terms"):
            assert "camera=()" in client.get(address).headers["Permissions-Policy"]
