"""Makes `.venv` and installs a requirements file into it: `python3 -m tools.environment requirements.txt`.

Runs on the system's Python before anything is installed, so it uses the standard library only and keeps to
syntax that an older Python can read: that one is told which version is needed, not handed a SyntaxError.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
LOG = VENV / "install.log"
OLDEST = (3, 11)
TOO_NEW = (3, 14)
# Everything in the first file is pinned alike in the second, so the second serves for both.
BASE, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
COVERS = {BASE: [BASE], DEVELOPMENT: [BASE, DEVELOPMENT]}
# Share of an installation that pip spends on collecting, as seen; the rest it spends on unpacking.
COLLECTING = 0.7


class EnvironmentRefusal(Exception):
    """The environment cannot be had; the message is one line that says why and what to do."""


def ensure(name: str) -> Path:
    """Return the Python of `.venv`, with everything of the requirements file `name` installed.

    Installs only if the file, or this Python's version, changed since the last time.

    :raises EnvironmentRefusal: the Python is too old or too new, `venv` is missing, or pip failed.
    """
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        raise EnvironmentRefusal(
            "Python %d.%d is here, but 3.11 to 3.13 is needed; name one with `make PYTHON=python3.11 ...`."
            % sys.version_info[:2]
        )
    # One `make run` and one `make test` may be typed at the same time on a fresh checkout.
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        return _ensure_locked(name)
    finally:
        os.close(folder)


def _ensure_locked(name: str) -> Path:
    python = VENV / "bin" / "python"
    wanted = {covered: hashlib.sha256((ROOT / covered).read_bytes()).hexdigest() for covered in COVERS[name]}
    installed = _read_stamp()
    if installed.get(name) == wanted[name] and _is_usable(python, installed.get("python", "")):
        return python
    if not _is_usable(python, installed.get("python", _version())):
        _make(python)
    _install(python, name)
    # A file that was installed earlier and differs now is no longer what stands in .venv: drop its entry.
    STAMP.write_text(json.dumps({"python": _version(), **wanted}), encoding="utf-8")
    return python


def _read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # No stamp, or one that was cut short: install again, which is quick if all is there.
        return {}
    return {str(key): str(value) for key, value in stamp.items()}


def _version() -> str:
    return "%d.%d" % sys.version_info[:2]


def _is_usable(python: Path, version: str) -> bool:
    """Tell whether `python` starts, has pip and is of this version (a distribution upgrade breaks it)."""
    script = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def _make(python: Path) -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise EnvironmentRefusal(
            "Python's venv module is missing; on Debian: apt-get install -y python3-venv."
        )
    _say("making .venv with Python %s" % _version())
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0 or not python.exists():
        raise EnvironmentRefusal(
            "cannot make .venv: %s" % _last_line(made.stderr or made.stdout, "python3 -m venv failed")
        )


def _install(python: Path, name: str) -> None:
    total = len(re.findall(r"^[A-Za-z0-9]", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
    _say("installing %d packages of %s (about a minute)" % (total, name))
    # The file names everything, so pip has nothing to resolve. Left to resolve, it takes the newest release
    # of a package that another one wants with an extra, and then refuses it for not being the pinned one.
    command = [str(python), "-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "-r", str(ROOT / name)]
    started = time.monotonic()
    with LOG.open("w", encoding="utf-8") as log:
        pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert pip.stdout is not None
        collected = 0
        for line in pip.stdout:
            log.write(line)
            collected += line.startswith(("Collecting ", "Requirement already satisfied"))
            _show_progress(min(collected, total), total, time.monotonic() - started)
        code = pip.wait()
    _clear_progress()
    if code != 0:
        raise EnvironmentRefusal(_explain(LOG.read_text(encoding="utf-8"), name))
    _say("ready after %d s" % round(time.monotonic() - started))


def _explain(log: str, name: str) -> str:
    where = " (%s has it all)" % LOG.relative_to(ROOT)
    unreachable = "the Python package index cannot be reached, or lacks what is pinned; is there a network?"
    if "No space left on device" in log:
        return "cannot install %s: the disk is full." % name
    if "DO NOT MATCH THE HASHES" in log:
        return "cannot install %s: a downloaded package does not have the pinned hash%s." % (name, where)
    if "NewConnectionError" in log or "(from versions: none)" in log:
        return "cannot install %s: %s%s" % (name, unreachable, where)
    errors = "\n".join(line for line in log.splitlines() if line.startswith("ERROR:"))
    return "cannot install %s: %s%s" % (name, _last_line(errors or log, "pip failed"), where)


def _last_line(text: str, otherwise: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else otherwise


def _say(line: str) -> None:
    print("Environment: " + line, flush=True)


def _show_progress(collected: int, total: int, elapsed: float) -> None:
    """Show packages and time left in one line that is written over; a log file gets none of it."""
    if not sys.stdout.isatty() or collected == 0:
        return
    share = COLLECTING * collected / total
    left = round(elapsed / share - elapsed)
    line = "%d of %d packages, about %d s left" % (collected, total, left)
    print("\rEnvironment: %-60s" % line, end="", flush=True)


def _clear_progress() -> None:
    if sys.stdout.isatty():
        print("\r" + " " * 74 + "\r", end="", flush=True)


def main(arguments: list[str]) -> int:
    """Ensure the named requirements file; 0 when it is there, 2 with one line when it cannot be had."""
    if len(arguments) != 1 or arguments[0] not in COVERS:
        print("usage: python3 -m tools.environment %s|%s" % (BASE, DEVELOPMENT), file=sys.stderr)
        return 2
    try:
        ensure(arguments[0])
    except EnvironmentRefusal as refusal:
        print("Environment: %s" % refusal, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
