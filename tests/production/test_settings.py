"""The settings of a production: the example does, and each mistake is one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.places import read_settings
from deploy.production import ROOT
from tests.production.site import write_secrets

MISTAKES = {
    "PORTAL_ID": ("", "is missing: the portal's identity"),
    "PORTAL_ORIGINS": ("licenses.example.com", "must be an address that begins with https:// or http://"),
    "DATABASE_URL": ("mysql://portal:secret@host/portal", "must be an address that begins with postgres://"),
    "REDIS_URL": ("http://127.0.0.1:6379", "must be an address that begins with redis://"),
    "SECRET_KEY": ("short", "is too short: at least 32 characters"),
    "SECOND_FACTOR_KEYS": ("no-key-at-all-but-long-enough-for-one", "must hold Fernet keys"),
    "MAIL_PASSWORD_FILE": ("/nowhere", "cannot be read: No such file or directory"),
    "MAIL_SECURITY": ("ssl", "must be one of starttls, tls, none"),
    "MAIL_PORT": ("smtp", "must be a whole number"),
    "TRUSTED_PROXIES": ("-1", "must be a whole number"),
    "SECURE_TLS": ("yes", "must be 1 or 0"),
    "LOG_LEVEL": ("loud", "must be one of DEBUG, INFO, WARNING, ERROR"),
}
# Reads the settings once for each mistake, in one process.
READ = (
    "import json, os, runpy, sys\n"
    "sound = dict(os.environ)\n"
    "said = {}\n"
    "for name, value in json.loads(sys.stdin.read()).items():\n"
    "    os.environ.clear(); os.environ.update({**sound, name: value})\n"
    "    if name == 'SECRET_KEY' or name == 'SECOND_FACTOR_KEYS': del os.environ[name + '_FILE']\n"
    "    try: runpy.run_module('portal.settings')\n"
    "    except SystemExit as mistake: said[name] = str(mistake)\n"
    "json.dump(said, sys.stdout)\n"
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What compose.yaml and its example give a process."""
    files = write_secrets(tmp_path)
    example = read_settings(ROOT / "deploy/portal.env.example")
    return {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "REDIS_URL": "redis://redis:6379/0",
        "TRUSTED_PROXIES": "1",
        **example,
        **{f"{name}_FILE": str(file) for name, file in files.items()},
    }


def run(environment: dict[str, str], *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_passes_the_checks_for_deployment(environment: dict[str, str]) -> None:
    done = run(environment, "manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_each_mistake_is_told_in_one_line_and_what_is_secret_is_not_repeated(
    environment: dict[str, str],
) -> None:
    wrong = {name: value for name, (value, _told) in MISTAKES.items()}

    done = run(environment, "-c", READ, given=json.dumps(wrong))

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said) == set(MISTAKES)
    for name, (_value, told) in MISTAKES.items():
        assert len(said[name].splitlines()) == 1, said[name]
        line = said[name]
        assert line.startswith(f"settings: {name} {told}"), line
    assert "secret@" not in done.stdout
    assert "short" not in said["SECRET_KEY"].replace("too short", "")
