"""Browsers without a browser: Django's test client, signed in as one of the cast."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.core.errors import DomainError
from portal.core.forms import PortalForm
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _products(catalogue: None) -> None:
    """Every page may meet the catalogue."""


@pytest.fixture(autouse=True)
def _refusals_lead_to_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever page of these tests comes back from a form that was refused, it links the help page."""
    refused: list[PortalForm] = []
    refuse, request = PortalForm.refuse, Client.request

    def seen(form: PortalForm, refusal: DomainError, *, field: str | None = None) -> None:
        refuse(form, refusal, field=field)
        refused.append(form)

    def asked(client: Client, **given: Any) -> Any:
        refused.clear()
        response = request(client, **given)
        for form in refused:
            assert form.refusal is not None
            assert f'<a href="{reverse("problem", args=[form.refusal.code])}"' in response.text
        return response

    monkeypatch.setattr(PortalForm, "refuse", seen)
    monkeypatch.setattr(Client, "request", asked)


@pytest.fixture
def signed_in() -> SignedIn:
    """A function that gives a client in which the user is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def dora(db: None) -> User:
    """Somebody who has just registered: no company, no project."""
    return factories.make_user(name="Dora")


@pytest.fixture
def staff(signed_in: SignedIn, sam: User) -> Client:
    """Sam's browser, on the staff side."""
    return signed_in(sam)
