import pytest

from accounts.models import Project, ProjectRight, User
from devices.models import TrustAnchor
from tests.factories import give_right, make_user
from tests.guards.rows import Rows, make_rows


@pytest.fixture
def rows(project: Project, alice: User, catalogue: None, keyring: object, anchor: TrustAnchor) -> Rows:
    right = give_right(user=make_user(name="Erin"), project=project, level=ProjectRight.Level.VIEW)
    return make_rows(alice, make_user(name="Charlie"), project, right, anchor)
