"""The console's page for the certificate of an order."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.permissions import Role
from licenses import fulfilment
from licenses.models import ActivationKey
from tests import factories
from tests.factories import NOW, caller
from tests.reading_codes import text_of
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def clerk(signed_in: SignedIn, db: None) -> Client:
    """Somebody in fulfilment."""
    return signed_in(factories.make_user(name="Fay", is_staff=True, roles=[Role.FULFILMENT]))


@pytest.fixture
def key(db: None) -> ActivationKey:
    return factories.find_key(factories.make_key(number="SO/7 ü"))


def test_it_is_a_download_named_by_the_order_that_nobody_stores(clerk: Client, key: ActivationKey) -> None:
    address = reverse("staff-certificate", args=[key.order_id])
    assert f"…{key.last_four}" in clerk.get(address).text

    answer = clerk.post(address, {"language": "de"})

    assert answer.headers["Content-Disposition"] == 'attachment; filename="certificate-SO-7.pdf"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Zertifikat zum Aktivierungsschlüssel" in text_of(answer.content)[0]


def test_it_says_why_there_is_none_once_the_key_is_delivered(clerk: Client, key: ActivationKey) -> None:
    fulfilment.confirm_delivery(order=key.order, caller=caller(), now=NOW)
    address = reverse("staff-certificate", args=[key.order_id])

    assert "No key of this order can be printed" in clerk.get(address).text
    answer = clerk.post(address, {"language": "de"})

    assert answer.status_code == 409
    assert "The key of this order can no longer be printed." in answer.text
