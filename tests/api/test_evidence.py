"""The evidence file of a move over REST (mission rule 24)."""

import pytest
from django.conf import LazySettings

from accounts.models import Project, User
from devices.models import Device
from licenses.models import Evidence, Move
from tests import factories
from tests.api.conftest import Api, ApiOf, Multipart
from tests.api.scenes import HARDWARE_ID, viewer
from tests.operations import moving
from tests.pictures import JPEG, PDF

pytestmark = pytest.mark.usefixtures("catalogue", "today", "keyring")


@pytest.fixture
def move(device: Device, project: Project) -> Move:
    factories.activated(project, {"Port": 5})
    factories.assigned(device, 2)
    return moving.asked(device)


def path_of(move: Move) -> str:
    return f"devices/{HARDWARE_ID}/moves/{move.pk}/evidence"


def test_it_is_added_shown_with_the_move_and_saved(api: ApiOf, erin: User, move: Move) -> None:
    program = api(erin)

    added = program.post(path_of(move), Multipart.of(file=("../report.html", PDF)), status=201)

    assert added == {
        "name": "report.pdf",
        "media_type": "application/pdf",
        "size": len(PDF),
        "added_at": "2026-11-24T12:00:00Z",
    }
    assert program.get(f"devices/{HARDWARE_ID}/moves/{move.pk}")["evidence"] == added
    saved = program.send("GET", path_of(move), b"")
    assert bytes(saved.content) == PDF
    assert saved.headers["Content-Type"] == "application/pdf"
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="report.pdf"')
    assert saved.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_no_evidence_is_refused(api: ApiOf, erin: User, move: Move, settings: LazySettings) -> None:
    program = api(erin)

    def refuse(body: Multipart, status: int, code: str) -> None:
        program.refuse("POST", path_of(move), body, status=status, code=code)

    refuse(Multipart.of(file=("report.pdf", b"<html>")), 400, "evidence-not-allowed")
    refuse(Multipart.of(file=("report.pdf", b"")), 400, "evidence-not-allowed")
    refuse(Multipart.of(other=("report.pdf", PDF)), 400, "invalid-input")
    refuse(Multipart(b"--no multipart"), 400, "invalid-input")
    settings.EVIDENCE_KIB = 1
    refuse(Multipart.of(file=("a.jpg", JPEG[:-2] + bytes(2000) + JPEG[-2:])), 413, "evidence-too-large")
    refuse(Multipart.of(file=("a.jpg", bytes(30_000))), 413, "evidence-too-large")
    program.refuse("POST", path_of(move), {"file": "x"}, status=415, code="media-type-not-supported")
    program.refuse("GET", path_of(move), status=404, code="no-evidence")
    assert not Evidence.objects.exists()


def test_only_who_may_operate_adds_one_and_only_once(
    api: ApiOf, erin: User, project: Project, move: Move
) -> None:
    body = Multipart.of(file=("a.jpg", JPEG))
    onlooker: Api = api(viewer(project))
    onlooker.refuse("POST", path_of(move), body, status=403, code="right-missing")

    api(erin).post(path_of(move), body, status=201)

    api(erin).refuse("POST", path_of(move), body, status=409, code="evidence-there")
    assert onlooker.send("GET", path_of(move), b"").status_code == 200
