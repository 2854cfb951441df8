"""The embedded worker as a process of its own, which sends to a mail server on loopback and can be killed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from django.db import connection
from django.db.models import F

from portal.core.models import OutboxJob
from tests.mail_server import MailServer

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = timedelta(days=1)


def database_url() -> str:
    """The database of the tests, for another process."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    who = f"{given['USER']}:{quote(given['PASSWORD'])}" if given["PASSWORD"] else given["USER"]
    return f"postgres://{who}@{quote(str(given['HOST']), safe='')}:{given['PORT']}/{given['NAME']}"


def start_worker(server: MailServer, folder: Path) -> subprocess.Popen[bytes]:
    """A worker in a process group of its own, working off the outbox of the tests."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DEMO": "1",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url(),
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PORT": str(server.port),
        "MAIL_SECURITY": "none",
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "work", "--pause", "0.05"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(worker: subprocess.Popen[bytes]) -> None:
    """As a power cut would: nothing of it runs any more."""
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def time_passes(*, worker_is_dead: bool = False) -> None:
    """Whatever waits for its next try is due; of a worker that is dead, the lease has run out as well."""
    waiting = OutboxJob.objects.filter(handler="send-mail")
    waiting.filter(leased_until=None).update(due_at=F("created_at"))
    if worker_is_dead:
        waiting.exclude(leased_until=None).update(leased_until=F("created_at") - LONG_AGO)
