"""What several doors on devices are tried with."""

from typing import Any

from accounts.models import Project, ProjectRight, User
from tests import factories, rows
from tests.api.conftest import Api

HARDWARE_ID = "00-90-33-01-0A-FF"
# Forms in which people type it, the right form with something around it, and what no address holds.
NOT_CANONICAL = [
    "0090330 10AFF",
    "00903301 0AFF",
    "00-90-33-01-0a-ff",
    "00:90:33:01:0A:FF",
    "x",
    "%00",
    "é" * 17,
]


def viewer(project: Project) -> User:
    user = factories.make_user(name="Vera")
    factories.give_right(user=user, project=project, level=ProjectRight.Level.VIEW)
    return user


def refused_alike(stranger: Api, method: str, path: str, body: Any = None) -> None:
    """See that a device of others and a missing one are refused alike, and that nothing was changed."""
    before = rows.everything()
    theirs = stranger.refuse(method, path.format(HARDWARE_ID), body, status=404, code="no-such-device")
    missing = stranger.refuse(
        method, path.format("00-90-33-FF-FF-FF"), body, status=404, code="no-such-device"
    )
    assert theirs == missing
    for text in NOT_CANONICAL:
        stranger.refuse(method, path.format(text), body, status=404, code="no-such-device")
    assert rows.everything() == before
