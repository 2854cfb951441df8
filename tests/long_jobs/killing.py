"""A worker of long jobs in a process of its own, which is killed where it stands still."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from django.db.models import F

from portal.core.models import OutboxJob
from tests.notices.killing import ROOT, database_url, kill


def worker(
    program: str, folder: Path, place: str = "", number: int = 0, *, settings: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `tests.long_jobs.<program>.work(place, number)`; it says "here" where it stands still.

    :param settings: of the portal, beside those that every worker of the suite gets.
    """
    module = f"tests.long_jobs.{program}"
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url(),
        "LOG_LEVEL": "ERROR",
        **(settings or {}),
    }
    start = f"import django; django.setup(); import {module}; {module}.work({place!r}, {number})"
    return subprocess.Popen(
        [sys.executable, "-c", start],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def kill_at_its_place(started: subprocess.Popen[bytes]) -> None:
    """Kill a worker where it stands still; then its lease runs out."""
    with started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"here\n"
        kill(started)
    OutboxJob.objects.exclude(leased_until=None).update(leased_until=F("created_at") - timedelta(days=1))
