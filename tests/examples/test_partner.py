"""A partner's program with nothing but curl and a token."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import Company, Project, User
from licenses import verification
from portal.core import base64url
from tests import factories
from tests.examples.conftest import ROOT

HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def token(company: Company, alice: User) -> str:
    return str(factories.make_token("activate", "operate", company=company, maker=alice).secret)


def run(place: Path, portal: str, token: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", str(ROOT / "examples" / "partner.sh"), *words],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PORTAL": portal, "TOKEN": token},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue", "keyring")
class TestPartner:
    def test_from_the_key_to_the_license_file_however_often_it_runs(
        self, live_server: LiveServer, project: Project, token: str, tmp_path: Path
    ) -> None:
        words = (str(project.pk), factories.make_key(lines={"Port": 5}), HARDWARE_ID, "Port", "14", "2")

        for _ in range(2):
            done = run(tmp_path, live_server.url, token, *words)
            assert done.returncode == 0, done.stderr
            assert done.stdout.splitlines()[-1] == f"{HARDWARE_ID}.lic"

        document = json.loads((tmp_path / f"{HARDWARE_ID}.lic").read_bytes())
        listed = json.loads(base64url.decode(document["license"]["payload"]))
        assert listed["sub"] == HARDWARE_ID
        assert factories.free(project) == 3
        assert list(verification.violations()) == []

    def test_a_refusal_stops_it_and_is_shown(
        self, live_server: LiveServer, project: Project, token: str, tmp_path: Path
    ) -> None:
        words = (str(project.pk), factories.make_key(lines={"Port": 5}), HARDWARE_ID, "Port", "14", "6")

        done = run(tmp_path, live_server.url, token, *words)

        assert done.returncode == 1
        assert "insufficient-licenses" in done.stderr
        assert not list(tmp_path.glob("*.lic"))

    def test_the_token_is_not_among_what_it_prints(
        self, live_server: LiveServer, project: Project, token: str, tmp_path: Path
    ) -> None:
        done = run(tmp_path, live_server.url, token, str(project.pk), "wrong", HARDWARE_ID, "Port", "14", "1")

        assert "key-unknown" in done.stderr
        assert token not in done.stdout + done.stderr

    def test_it_says_how_it_is_called(self, live_server: LiveServer, token: str, tmp_path: Path) -> None:
        done = run(tmp_path, live_server.url, token)

        assert done.returncode == 2
        assert "partner.sh PROJECT KEY" in done.stderr
