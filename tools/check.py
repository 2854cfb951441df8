"""Everything that can be said about the code without running it: `python -m tools.check [--fix]`."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import processes

BINARIES = Path(sys.executable).parent
RUFF = [sys.executable, "-m", "ruff"]
MANAGE = [sys.executable, "manage.py"]
CHECKS: dict[str, list[str]] = {
    "ruff check": [*RUFF, "check", "."],
    "ruff format": [*RUFF, "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "import contracts": [str(BINARIES / "lint-imports")],
    "migrations complete": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "migrations careful": [sys.executable, "-m", "tools.migration_rules"],
    "django check": [*MANAGE, "check", "--fail-level", "WARNING"],
}
FIXES: tuple[list[str], ...] = ([*RUFF, "check", "--fix", "."], [*RUFF, "format", "."])


def run_checks() -> bool:
    """Run all checks, whatever the earlier ones say; show a line for each, and the output where one fails."""
    sound = True
    with tempfile.TemporaryDirectory(prefix="license-portal-check-") as folder:
        # The demo's settings need no database and no secrets, and what they write must not reach `make run`.
        environment = {**os.environ, "DEMO": "1", "DATA_DIR": folder}
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment.pop(name, None)
        for name, command in CHECKS.items():
            started = time.monotonic()
            check = subprocess.run(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            seconds = time.monotonic() - started
            sound = sound and check.returncode == 0
            verdict = "ok" if check.returncode == 0 else "FAILED"
            print(f"{verdict:<7} {name:<20} {seconds:5.1f} s", flush=True)
            if check.returncode != 0:
                print(check.stdout.rstrip(), flush=True)
    return sound


def main() -> int:
    """Check, or with --fix put right what can be put right by itself; 1 if something is left."""
    processes.unwind_on_signals()
    try:
        if sys.argv[1:] == ["--fix"]:
            return max(processes.run(command) for command in FIXES)
        return 0 if run_checks() else 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
