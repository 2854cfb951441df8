"""What each process of the portal is started with: the one source of `deploy/by_hand.py`.

`deploy/compose.yaml` and the Dockerfile say the same words in their own files; a test holds them to these.
"""

from collections.abc import Sequence
from pathlib import Path

WEB = "portal.wsgi:application"
DEVICES = "portal.device_wsgi:application"
WEB_WORKERS = 2
BLOCKING_THREADS = 4

SECRETS = {
    "SECRET_KEY": "secret-key",
    "ACTIVATION_CODE_PEPPER": "activation-code-pepper",
    "DELIVERY_KEYS": "delivery-keys",
    "SECOND_FACTOR_KEYS": "second-factor-keys",
    "SIGNING_KEYS_PASSPHRASE": "signing-keys-passphrase",
    "MAIL_PASSWORD": "mail-password",
}
"""Settings of the portal that stand in a file each, and the file's name in secrets/."""

POSTGRES_PASSWORD = "postgres-password"  # noqa: S105 -- the name of its file
"""The file in secrets/ with the password of the database's owner."""


def granian(application: str, *, host: str = "0.0.0.0", port: int = 8000) -> list[str]:  # noqa: S104
    """A pool of web workers. WSGI over HTTP/1 only; a worker that dies is replaced, one that hangs at the end
    is killed. Whoever starts it must end the whole group: a worker outlives its parent and goes on answering.
    """
    return [
        "granian",
        "--interface=wsgi",
        f"--host={host}",
        f"--port={port}",
        "--http=1",
        "--no-ws",
        f"--workers={WEB_WORKERS}",
        f"--blocking-threads={BLOCKING_THREADS}",
        "--respawn-failed-workers",
        "--workers-kill-timeout=30",
        application,
    ]


def migrate() -> list[str]:
    """Bring the tables up to date; a second time it does nothing."""
    return ["python", "manage.py", "migrate", "--no-input"]


def worker() -> list[str]:
    """Works off the outbox whenever it is woken."""
    return ["celery", "-A", "portal", "worker", "--concurrency=2", "--loglevel=INFO"]


def beat(*, schedule: Path = Path("/tmp/schedule")) -> list[str]:  # noqa: S108 -- the container's own
    """Wakes the worker. One only: two would wake everything twice (harmless, but noisy)."""
    return ["celery", "-A", "portal", "beat", f"--schedule={schedule}", "--pidfile=", "--loglevel=INFO"]


def postgres(*more: str, program: str = "postgres") -> list[str]:
    """The database. A transaction that a dead worker left open must not hold its locks for ever. What was in
    a statement that failed is not written into its log: there may be secrets.
    """
    settings = (
        "max_connections=100",
        "idle_in_transaction_session_timeout=60s",
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
        *more,
    )
    return [program, *(word for setting in settings for word in ("-c", setting))]


def redis(configuration: Sequence[str] = ()) -> list[str]:
    """Cache and wake-ups. Losing it loses no job: those are rows in PostgreSQL."""
    return [
        "redis-server",
        *configuration,
        "--save",
        "",
        "--appendonly",
        "no",
        "--maxmemory",
        "256mb",
        "--maxmemory-policy",
        "noeviction",
    ]
