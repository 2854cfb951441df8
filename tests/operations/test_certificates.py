"""Certificates of activation keys: what they say, and who gets one (mission rule 8)."""

import stat
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from licenses import activation, activation_code, fulfilment
from licenses.issuing import IssuedKey, OrderLine
from licenses.models import KeyDelivery
from licenses.order_queries import NoSuchOrder
from orders import certificates
from orders.certificates import CodesNotKept
from tests import factories
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, refused
from tests.reading_codes import codes_on, pages_of, text_of

pytestmark = pytest.mark.usefixtures("catalogue")

PAGE = f"{settings.PORTAL_ORIGINS[0]}/activate"
LINES = [
    OrderLine(code="Port", version=14, quantity=10),
    OrderLine(code="ApplicationSharing", version=13, quantity=1),
]


def issue(number: str = "SO-1", lines: list[OrderLine] | None = None, **words: str) -> IssuedKey:
    given = {"reference": "PO 4711", "customer": "Müller & Söhne Straßenfunk GmbH"} | words
    return fulfilment.issue_key(
        number=number, lines=lines or LINES, caller=caller(scope="orders", key=number), now=NOW, **given
    )


def code_of(issued: IssuedKey) -> str:
    assert issued.code is not None
    return issued.code


def words(page: str) -> str:
    return " ".join(page.split())


class TestWhatItSays:
    def test_both_codes_are_read_from_the_printed_page(self, tmp_path: Path) -> None:
        issued = issue()
        [page] = pages_of(certificates.certificate_for([issued], language="en"))

        read = codes_on(page, tmp_path)

        code = code_of(issued)
        assert read == {"QR-Code": f"{PAGE}#{code}", "CODE-128": activation_code.read(code)}

    def test_it_lists_licenses_key_order_reference_and_customer(self) -> None:
        issued = issue()
        [page] = text_of(certificates.certificate_for([issued], language="en"))

        for part in (
            "Activation key certificate",
            "Port 14",
            "10 ports",
            "ApplicationSharing 13",
            "Application Sharing",
            "1 user",
            code_of(issued),
            "SO-1",
            "PO 4711",
            "Müller & Söhne Straßenfunk GmbH",
            f"open {PAGE} and type the key",
        ):
            assert part in words(page)

    def test_it_speaks_the_language_of_the_recipient_whoever_makes_it(self) -> None:
        [page] = text_of(certificates.certificate_for([issue()], language="de"))

        assert "Zertifikat zum Aktivierungsschlüssel" in page
        assert "10 Ports" in words(page)
        assert "24. November 2026" in page
        assert "So aktivieren Sie ihn" in page

    def test_the_same_key_gives_the_same_bytes(self) -> None:
        issued = [issue(), issue("SO-2")]

        first = certificates.certificate_for(issued, language="de")

        assert certificates.certificate_for(issued, language="de") == first

    def test_many_keys_have_a_page_each_with_their_own_codes(self, tmp_path: Path) -> None:
        issued = [issue(f"SO-{number}") for number in range(3)]
        pages = pages_of(certificates.certificate_for(issued, language="en"))

        read = [codes_on(page, tmp_path)["CODE-128"] for page in pages]

        assert read == [activation_code.read(code_of(one)) for one in issued]

    def test_a_long_order_goes_on_overleaf_and_the_key_stands_once(self) -> None:
        lines = [OrderLine(code="ApplicationSharing", version=14, quantity=n) for n in range(1, 41)]
        issued = issue(lines=lines)

        first, *others = text_of(certificates.certificate_for([issued], language="en"))

        assert code_of(issued) in first
        assert not any(code_of(issued) in page for page in others)
        assert "continued" in others[0]
        assert [n for n in range(1, 41) if f"{n} user" not in words(first + "".join(others))] == []
        assert "How to activate it" in others[-1]

    def test_long_names_and_those_of_other_alphabets_stay_on_the_page(self, tmp_path: Path) -> None:
        issued = issue(customer="Ωμέγα Связь Łódź " + "W" * 180, reference="R" * 100)
        pdf = certificates.certificate_for([issued], language="en")

        assert "Ωμέγα Связь Łódź" in words(text_of(pdf)[0])
        [page] = pages_of(pdf)
        white = (255, 255, 255)
        edge = page.convert("RGB").crop((page.width - 150, 0, page.width, page.height))
        assert edge.getcolors() == [(150 * page.height, white)]

    def test_no_property_of_the_file_has_the_key(self) -> None:
        issued = issue()
        code = code_of(issued)

        pdf = certificates.certificate_for([issued], language="en")

        assert code.encode() not in pdf
        assert activation_code.read(code).encode() not in pdf


class TestWhoGetsOne:
    def test_an_order_is_printed_while_its_key_is_kept_and_that_is_recorded(self) -> None:
        issued = issue()
        order = issued.activation_key.order

        pdf = certificates.make_certificates(order=order, language="en", caller=caller(), now=NOW)

        assert pdf == certificates.certificate_for([issued], language="en")
        entry = last_entry()
        assert entry.event == "key-certificate-made"
        assert entry.facts == {"order": "SO-1", "keys": [issued.activation_key.last_four]}

    def test_not_once_its_delivery_is_confirmed(self) -> None:
        issued = issue()
        fulfilment.confirm_delivery(order=issued.activation_key.order, caller=caller(), now=NOW)

        with refused(CodesNotKept):
            certificates.make_certificates(
                order=issued.activation_key.order, language="en", caller=caller(), now=NOW
            )

    def test_not_once_somebody_has_activated_the_key(self) -> None:
        issued = issue()
        company = factories.make_company(founder=factories.make_user())
        activation.activate_key(code=code_of(issued), target=company, caller=caller(), now=NOW)
        assert KeyDelivery.objects.exists()

        with refused(CodesNotKept):
            certificates.make_certificates(
                order=issued.activation_key.order, language="en", caller=caller(), now=NOW
            )

    def test_nobody_prints_a_key_whose_code_is_forgotten(self) -> None:
        issued = issue()

        with refused(CodesNotKept):
            certificates.certificate_for(
                [IssuedKey(activation_key=issued.activation_key, code=None)], language="en"
            )

    def test_there_is_none_of_an_order_that_is_not_there(self) -> None:
        with refused(NoSuchOrder):
            certificates.get_order(4711)


class TestTheCommand:
    def test_it_writes_the_certificate_for_its_user_alone_and_prints_no_key(self, tmp_path: Path) -> None:
        file, printed = tmp_path / "certificate.pdf", StringIO()

        call_command("issue_key", "SO-9", "Port:14:10", customer="Example", certificate=file, stdout=printed)

        read = codes_on(pages_of(file.read_bytes())[0], tmp_path)
        assert factories.find_key(read["CODE-128"]).order.number == "SO-9"
        assert printed.getvalue() == f"The certificate is in {file}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_it_writes_nothing_when_the_code_is_no_longer_kept(self, tmp_path: Path) -> None:
        issued = issue("SO-9", reference="", customer="Example", lines=LINES[:1])
        KeyDelivery.objects.filter(activation_key=issued.activation_key).delete()
        file = tmp_path / "certificate.pdf"

        with pytest.raises(CommandError, match="no longer kept"):
            call_command("issue_key", "SO-9", "Port:14:10", customer="Example", certificate=file)

        assert not file.exists()
