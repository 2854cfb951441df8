"""Orders in the console, and a linked company's own (mission rules 2, 8 and 10)."""

import io
import re
from typing import Any

import pytest
import pyzipper
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Project, User, VendorToken
from accounts.permissions import Role
from licenses import activation
from licenses.models import ActivationKey, Order, ReplacementRequest
from portal.core import (
    acts,
    outbox,
    tasks,  # noqa: F401 - registers the worker's handlers
)
from tests import factories
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn
from tests.web.letters import arrived

pytestmark = pytest.mark.usefixtures("today", "catalogue")

_CODE = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}\b")
HEAD = "order;code;version;quantity\n"


def codes_in(text: str) -> list[str]:
    """The activation keys in a text, each once: a page has each beside its copy button as well."""
    return list(dict.fromkeys(_CODE.findall(text)))


@pytest.fixture
def clerk(signed_in: SignedIn, db: None) -> Client:
    """Somebody in fulfilment."""
    return signed_in(factories.make_user(name="Fay", is_staff=True, roles=[Role.FULFILMENT]))


def send(client: Client, name: str, /, *args: Any, **body: Any) -> Any:
    """A form, as a browser sends it, and the page it leads to."""
    given = {"act_key": acts.new_key(), **body}
    return client.post(reverse(name, args=args), given, follow=True)


def upload(client: Client, content: bytes, **body: Any) -> Any:
    return send(client, "staff-order-upload", file=SimpleUploadedFile("list.csv", content), **body)


class TestOneOrder:
    def test_from_the_form_to_the_delivery(self, clerk: Client) -> None:
        lines = "Port 14 10\nUC, 14, 5\n"
        page = send(
            clerk, "staff-order-enter", number="SO/17", customer="Example", lines=lines, keys_per="line"
        )
        order = Order.objects.get(number="SO/17")
        assert page.redirect_chain[-1][0] == reverse("staff-order", args=[order.pk])
        assert codes_in(page.text) == []

        shown = send(clerk, "staff-order", order.pk, do="show")

        codes = codes_in(shown.text)
        assert {factories.find_key(code) for code in codes} == {*order.activation_keys.all()}
        assert "no-store" in shown.headers["Cache-Control"]
        assert codes_in(send(clerk, "staff-order", order.pk, do="show").text) == codes
        done = send(clerk, "staff-order", order.pk, do="delivered")
        assert "The delivery is confirmed" in done.text
        assert codes_in(send(clerk, "staff-order", order.pk, do="show").text) == []

    @pytest.mark.parametrize("lines", ["Port", "Port 14", "14 Port 10", "Port 14 10 20", "Port 14 ten"])
    def test_a_line_that_cannot_be_read_is_named(self, clerk: Client, lines: str) -> None:
        page = send(clerk, "staff-order-enter", number="SO-1", lines=f"UC 14 1\n\n{lines}", keys_per="order")

        assert page.status_code == 400
        assert "Line 3 cannot be read" in page.text
        assert not Order.objects.exists()

    def test_a_refusal_comes_back_to_the_form(self, clerk: Client) -> None:
        factories.make_key(number="SO-1")

        page = send(clerk, "staff-order-enter", number="SO-1", lines="Port 14 1", keys_per="order")

        assert (page.status_code, "order-number-taken" in page.text) == (409, True)

    def test_it_is_canceled_with_a_reason(self, clerk: Client) -> None:
        order = factories.find_key(factories.make_key(number="SO-1")).order

        page = send(clerk, "staff-order-cancel", order.pk, reason="The customer withdrew.")

        assert "is canceled" in page.text
        assert "The customer withdrew." in page.text
        assert ActivationKey.objects.get().ending == "canceled"

    def test_its_page_leads_to_the_certificate_and_once_it_is_activated_to_the_correction(
        self, clerk: Client, project: Project
    ) -> None:
        code = factories.make_key(number="SO/1")
        key = factories.find_key(code)
        certificate = reverse("staff-certificate", args=[key.order_id])
        correction = reverse("staff-order-correct", args=["SO/1"])
        pages = [reverse("staff-order", args=[key.order_id]), reverse("staff-key", args=[key.pk])]

        def links() -> list[list[bool]]:
            texts = [clerk.get(page).text for page in pages]
            return [[f'href="{way}"' in text for way in (certificate, correction)] for text in texts]

        assert links() == [[True, False], [True, False]]
        activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
        assert links() == [[False, True], [False, True]]

    def test_the_page_of_a_canceled_key_offers_nothing_more(self, clerk: Client) -> None:
        key = factories.find_key(factories.make_key())
        send(clerk, "staff-order-cancel", key.order_id, reason="The customer withdrew.")

        page = clerk.get(reverse("staff-key", args=[key.pk])).text

        assert ">Canceled<" in page
        assert reverse("staff-key-block", args=[key.pk]) not in page
        assert reverse("staff-certificate", args=[key.order_id]) not in page

    def test_they_are_found_and_narrowed(self, clerk: Client) -> None:
        for number in ("SO-1", "SO-2"):
            factories.make_key(number=number)

        address = reverse("staff-orders")
        assert [name in clerk.get(address).text for name in ("SO-1", "SO-2")] == [True, True]
        found = clerk.get(address, {"q": "so-2"}).text
        assert [f">{name}<" in found for name in ("SO-1", "SO-2")] == [False, True]
        assert "No order like this" in clerk.get(address, {"state": "canceled"}).text

    def test_whoever_only_looks_sees_no_key(self, signed_in: SignedIn) -> None:
        order = factories.find_key(factories.make_key()).order
        auditor = signed_in(factories.make_user(name="Ada", is_staff=True, roles=[Role.AUDITOR]))

        assert order.number in auditor.get(reverse("staff-order", args=[order.pk])).text
        assert send(auditor, "staff-order", order.pk, do="show").status_code == 403


class TestLists:
    def test_a_short_list_from_the_check_to_the_file_of_keys(self, clerk: Client) -> None:
        page = upload(clerk, f"{HEAD}A;Port;14;1\nB;Port;14;2\n".encode())
        address = page.redirect_chain[-1][0]
        assert "everything can be entered" in page.text
        assert not Order.objects.exists()

        entered = clerk.post(address, {"act_key": acts.new_key(), "do": "confirm"}, follow=True)

        assert Order.objects.count() == 2
        passphrase = entered.context["passphrase"]
        assert passphrase in entered.text
        answer: Any = clerk.post(f"{address}/keys", {"act_key": acts.new_key(), "passphrase": passphrase})
        assert answer.headers["Content-Type"] == "application/zip"
        with pyzipper.AESZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
            archive.setpassword(passphrase.encode())
            assert len(codes_in(archive.read("keys.csv").decode())) == 2
        done = clerk.post(address, {"act_key": acts.new_key(), "do": "delivered"}, follow=True)
        assert "The delivery was confirmed" in done.text

    def test_what_is_wrong_is_said_line_by_line_page_by_page_and_as_a_file(self, clerk: Client) -> None:
        wrong = "".join(f"B{number};Port;14;-1\n" for number in range(200))
        page = upload(clerk, f"{HEAD}A;Port;14;1\n=B;Port;14;1\n{wrong}".encode())

        assert "201 lines cannot be entered" in page.text
        assert [line for line, _number, _words in page.context["problems"]] == list(range(3, 203))
        assert "no whole number" in page.text
        address = page.redirect_chain[-1][0]
        second = clerk.get(address, {"page": "2"})
        assert [line for line, _number, _words in second.context["problems"]] == [203]
        report: Any = clerk.get(f"{address}/problems.csv")
        lines = b"".join(report.streaming_content).decode().splitlines()
        assert (len(lines), lines[1].split(",")[:3]) == (202, ["3", "'=B", "formula"])
        refused = clerk.post(address, {"act_key": acts.new_key(), "do": "confirm"})
        assert (refused.status_code, "upload-has-problems" in refused.text) == (409, True)
        assert not Order.objects.exists()

    @pytest.mark.parametrize("content", [b"\xff\xfe\xff", b"PK\x03\x04 no", b"hello", b"a;b\n\xfc"])
    def test_a_file_that_is_none_is_refused(self, clerk: Client, content: bytes) -> None:
        page = upload(clerk, content)

        assert (page.status_code, "order-sheet-unreadable" in page.text) == (400, True)

    def test_a_long_list_is_checked_and_entered_in_the_background(self, clerk: Client) -> None:
        lines = "".join(f"B-{number:04};Port;14;1\n" for number in range(501))
        page = upload(clerk, f"{HEAD}{lines}".encode())
        address = page.redirect_chain[-1][0]
        assert ("Being checked" in page.text, "<progress" in page.text) == (True, True)
        early = clerk.post(address, {"act_key": acts.new_key(), "do": "confirm"})
        assert (early.status_code, "upload-not-checked" in early.text) == (409, True)
        while outbox.work_off(clock=lambda: NOW):
            pass
        assert "everything can be entered" in clerk.get(address).text

        page = clerk.post(address, {"act_key": acts.new_key(), "do": "confirm"}, follow=True)
        assert "<progress" in page.text
        while outbox.work_off(clock=lambda: NOW):
            pass

        assert Order.objects.count() == 501
        assert "Download the keys" in clerk.get(address).text

    def test_a_long_file_that_is_no_list_is_told_as_such(self, clerk: Client) -> None:
        page = upload(clerk, b"order;code\n" + b"A;Port\n" * 40_000)
        while outbox.work_off(clock=lambda: NOW):
            pass

        page = clerk.get(page.redirect_chain[-1][0])
        assert "the first line must name the columns order, code, version and quantity" in page.text
        assert "cannot be entered" in clerk.get(reverse("staff-order-upload")).text

    def test_it_is_nobody_else_s(self, clerk: Client, signed_in: SignedIn) -> None:
        address = upload(clerk, f"{HEAD}A;Port;14;1\n".encode()).redirect_chain[-1][0]
        other = signed_in(factories.make_user(name="Fred", is_staff=True, roles=[Role.FULFILMENT]))

        assert other.get(address).status_code == 404
        assert other.get(f"{address}/problems.csv").status_code == 404
        assert other.post(f"{address}/keys", {"passphrase": "x"}).status_code == 404


class TestALostKey:
    def test_an_admin_asks_and_fulfilment_replaces(
        self, clerk: Client, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        account = factories.make_customer(number="C-10042", postal_code="1")
        account.company, account.linked_at = company, NOW
        account.save()
        key = factories.find_key(factories.make_key(number="SO-1"))
        Order.objects.update(account=account)
        admin = signed_in(alice)
        listed = admin.get(reverse("company-orders", args=[company.pk]), {"q": "so-1"}).text
        lost = reverse("company-lost-key", args=[company.pk, key.order_id, key.pk])
        assert lost in listed

        asked = admin.post(lost, {"act_key": acts.new_key(), "reason": "It never came."}, follow=True)

        assert "replacement asked for" in asked.text
        assert "It never came." in clerk.get(reverse("staff-orders")).text
        page = send(clerk, "staff-key-replace", key.order_id, key.pk, reason="The letter was lost.")
        assert "The key is replaced" in page.text
        new = ActivationKey.objects.get(replaces=key)
        assert ReplacementRequest.objects.get().state == "replaced"
        [mail] = [one for one in arrived() if one.subject == "Another key for order SO-1"]
        assert new.last_four in mail.body
        assert codes_in(str(mail.body)) == []
        [code] = codes_in(send(clerk, "staff-order", key.order_id, do="show").text)
        assert factories.find_key(code) == new

    def test_fulfilment_may_refuse(
        self, clerk: Client, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        account = factories.make_customer(number="C-10042", postal_code="1")
        account.company, account.linked_at = company, NOW
        account.save()
        key = factories.find_key(factories.make_key(number="SO-1"))
        Order.objects.update(account=account)
        send(signed_in(alice), "company-lost-key", company.pk, key.order_id, key.pk, reason="Lost.")

        page = send(clerk, "staff-key-replace", key.order_id, key.pk, reason="Delivered today.", do="refuse")

        assert "stays as it is" in page.text
        assert not ActivationKey.objects.filter(replaces=key).exists()

    def test_without_an_account_there_are_no_orders(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        key = factories.find_key(factories.make_key(number="SO-1"))
        admin = signed_in(alice)

        assert "not linked" in admin.get(reverse("company-orders", args=[company.pk])).text
        lost = reverse("company-lost-key", args=[company.pk, key.order_id, key.pk])
        assert admin.get(lost).status_code == 404


class TestTokens:
    def test_one_is_made_shown_once_and_revoked(self, clerk: Client) -> None:
        page = send(clerk, "staff-vendor-tokens", name="ERP", scopes="orders")

        [secret] = re.findall(r"olpv_[A-Za-z0-9_-]{43}", page.text)[:1]
        assert secret not in clerk.get(reverse("staff-vendor-tokens")).text
        token = VendorToken.objects.get()
        gone = send(clerk, "staff-vendor-token-revoke", token.pk)
        assert "is revoked" in gone.text
        token.refresh_from_db()
        assert token.revoked_at == NOW
