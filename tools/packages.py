"""The Debian packages that the suite needs: `python3 -m tools.packages` finds or installs them.

Runs on the system's Python, before the environment is made, so that a missing package is told at once.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Statement triggers with transition tables and the rest of what the migrations use are tested on this one.
OLDEST_POSTGRESQL = 15
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_ASIDE = Path("/usr/sbin/policy-rc.d.before-license-portal")
# invoke-rc.d asks this file first; 101 means "action forbidden", so no installed daemon is started.
POLICY_TEXT = "#!/bin/sh\n# License Portal: no service starts while its packages are installed.\nexit 101\n"


class PackageRefusal(Exception):
    """A package cannot be had; the message is one line that says which and what to do."""


def postgresql_binaries() -> Path | None:
    """Return the folder with `initdb` and `postgres` of the highest version from 15 on, or None."""
    found = [(_major(folder), folder) for folder in _postgresql_folders()]
    fitting = [entry for entry in found if entry[0] >= OLDEST_POSTGRESQL]
    return max(fitting)[1] if fitting else None


def _postgresql_folders() -> list[Path]:
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    return [*folders, Path(on_path).resolve().parent] if on_path else folders


def _major(folder: Path) -> int:
    if not (folder / "initdb").exists():
        return 0
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"(\d+)", answer.stdout)
    return int(version[1]) if version else 0


def redis_binary() -> str | None:
    """Return the path of `redis-server`, or None."""
    return shutil.which("redis-server") or _existing("/usr/bin/redis-server")


def chromium_binary() -> str | None:
    """Return the path of `chromium`, or None."""
    return shutil.which("chromium") or _existing("/usr/bin/chromium")


def qr_reader_binary() -> str | None:
    """Return the path of `zbarimg`, which reads the QR codes of pages as a phone would, or None."""
    return shutil.which("zbarimg") or _existing("/usr/bin/zbarimg")


def nginx_binary() -> str | None:
    """Return the path of `nginx`, which stands in front of a production that a test starts, or None."""
    return shutil.which("nginx") or _existing("/usr/sbin/nginx")


def _existing(path: str) -> str | None:
    return path if Path(path).exists() else None


def missing_packages() -> list[str]:
    """Return the names of the Debian packages whose programs are not here."""
    # Only Debian 12 has the versioned name; later releases have the same server under the plain one.
    postgresql = "postgresql-15" if _debian_release() in ("12", None) else "postgresql"
    programs = (
        (postgresql, postgresql_binaries()),
        ("redis-server", redis_binary()),
        ("chromium", chromium_binary()),
        ("zbar-tools", qr_reader_binary()),
        ("nginx-light", nginx_binary()),
    )
    return [package for package, program in programs if program is None]


def _debian_release() -> str | None:
    """Return "12" on Debian 12 and so on, "" on a Debian without a number, None where it is not Debian."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return fields.get("VERSION_ID", "") if fields.get("ID") == "debian" else None


def ensure() -> None:
    """Have PostgreSQL, Redis, Chromium, zbarimg and nginx here; as root install what is missing.

    :raises PackageRefusal: something is missing and this user or system cannot install it.
    """
    missing = missing_packages()
    if not missing:
        return
    if _debian_release() is None:
        raise PackageRefusal(
            "Missing: %s (Debian's names); install PostgreSQL %d or later, redis-server, chromium, "
            "zbarimg and nginx the way this system does." % (", ".join(missing), OLDEST_POSTGRESQL)
        )
    if os.geteuid() != 0:
        raise PackageRefusal("sudo apt-get install -y --no-install-recommends " + " ".join(missing))
    _install(missing)
    still_missing = missing_packages()
    if still_missing:
        raise PackageRefusal("Packages: installed, but not found afterwards: " + " ".join(still_missing))


def _install(packages: list[str]) -> None:
    print("Packages: installing %s (a minute or two)" % " ".join(packages), flush=True)
    with _no_service_starts():
        _apt_get("update")
        _apt_get("install", "-y", "--no-install-recommends", *packages)
    print("Packages: ready", flush=True)


def _apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    run = subprocess.run(
        ["/usr/bin/apt-get", "-q", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if run.returncode != 0:
        lines = [line for line in run.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("E:")]
        reason = (errors or lines or ["no message"])[-1]
        raise PackageRefusal("Packages: apt-get %s failed: %s" % (arguments[0], reason))


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Forbid service starts while packages are installed, and put back what stood there before."""
    # A run that was killed here left its own file, and perhaps the earlier one set aside: both are known.
    if POLICY.is_symlink() or (POLICY.exists() and POLICY.read_text(encoding="utf-8") != POLICY_TEXT):
        POLICY.rename(POLICY_ASIDE)
    POLICY.write_text(POLICY_TEXT, encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if POLICY_ASIDE.is_symlink() or POLICY_ASIDE.exists():
            POLICY_ASIDE.replace(POLICY)
        else:
            POLICY.unlink()


def main() -> int:
    """Ensure the packages; 0 when they are here, 2 with one line when they cannot be had."""
    # By default SIGTERM would end the process at once and leave the policy file behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        ensure()
    except PackageRefusal as refusal:
        print(refusal, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
