"""Browsers without a browser: Django's test client, signed in as one of the cast."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _products(catalogue: None) -> None:
    """Every page may meet the catalogue."""


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
