"""Whatever an operation did or refused: afterwards the books are right."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection

from accounts.models import Company, CustomerAccount, Project, User
from devices.models import Device
from licenses import verification
from licenses.models import Move
from tests import factories
from tests.factories import NOW, assigned, make_customer, make_device, make_user
from tests.operations.moving import asked


@pytest.fixture(autouse=True)
def _books_are_right(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    yield
    if "plants_faults" not in request.fixturenames:
        assert list(verification.violations()) == []


@pytest.fixture
def device(project: Project, catalogue: None) -> Device:
    """A device in the project, which has 10 Port, 5 UC and 3 Channels of version 14 free."""
    factories.activated(project, {"Port": 10, "UC": 5, "Channels": 3})
    return factories.make_device(project=project)


@pytest.fixture
def plants_faults(db: None) -> Callable[[], AbstractContextManager[None]]:
    """Write past the operations and past PostgreSQL's triggers, as one can at the database's own prompt."""

    @contextmanager
    def past_the_guards() -> Iterator[None]:
        if connection.vendor != "postgresql":  # there are none
            yield
            return
        with connection.cursor() as cursor:
            # What was written so far is checked now: afterwards the deferred guard would find the fault.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")

    return past_the_guards


# --- Moves ---


@pytest.fixture
def broken(device: Device) -> Device:
    """It holds 4 Port in two grants, and 1 Channels, which stays with the hardware otherwise."""
    assigned(device, 3)
    assigned(device, 1)
    assigned(device, 1, "Channels")
    return device


@pytest.fixture
def replacement(project: Project) -> Device:
    return make_device(project=project)


@pytest.fixture
def move(broken: Device, replacement: Device) -> Move:
    """Open, with a bridge."""
    return asked(broken, replacement)


@pytest.fixture
def sam(db: None) -> User:
    return make_user(name="Sam", is_staff=True)


@pytest.fixture
def olga(db: None) -> User:
    return make_user(name="Olga", is_staff=True)


@pytest.fixture
def account(company: Company) -> CustomerAccount:
    """The account of the customer list that the company is linked to."""
    found = make_customer(number="C-10042", postal_code="71063")
    found.company, found.linked_at = company, NOW
    found.save()
    return found
