"""docs/api.md: each of its commands is run, as it stands there."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import Company, Project, User
from accounts.permissions import Role
from licenses.models import Order
from tests import factories
from tests.examples.conftest import ROOT

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SCOPES = ("activate", "operate", "transfer")


@pytest.mark.skipif(shutil.which("jq") is None, reason="the guide's commands use jq")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue", "keyring")
def test_every_command_of_the_guide_does_what_it_says(
    live_server: LiveServer, company: Company, project: Project, alice: User, tmp_path: Path
) -> None:
    token = factories.make_token(*SCOPES, company=company, maker=alice).secret
    clerk = factories.make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])
    script = "\necho\n".join(re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PORTAL": live_server.url,
            "TOKEN": str(token),
            "VENDOR_TOKEN": str(factories.make_vendor_token(clerk, scopes=["orders", "customers"]).secret),
            "CODE": factories.make_key(lines={"Port": 10}),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert '"code"' not in done.stdout, done.stdout  # no problem document among the answers
    assert Order.objects.get(number="SO-2026/17").canceled_by is not None
    files = list(tmp_path.glob("*.lic"))
    assert [json.loads(file.read_bytes())["bundle"] for file in files] == ["olp/1"] * 2
    assert project.devices.get().test_licenses.get().started_at is not None
    device = project.devices.get()
    assert (factories.free(company), factories.free(project), factories.free(device)) == (4, 2, 4)
