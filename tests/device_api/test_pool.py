"""The pool of the devices' doors is a program of its own, with settings of its own (architecture.md)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASK = """
from wsgiref.util import setup_testing_defaults
from portal.device_wsgi import application
for path in ("/device/v1/directory", "/device/v1/new-nonce", "/", "/accounts/"):
    environ = {"PATH_INFO": path, "HTTP_HOST": "localhost:8000"}
    setup_testing_defaults(environ)
    application(environ, lambda status, headers, *rest: print(path, status[:3]))
"""


class TestThePool:
    def test_it_starts_without_what_is_for_people_and_serves_devices_only(self, tmp_path: Path) -> None:
        """In a process of its own: within this one, everything is imported already."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            cwd=ROOT,
            env={**environment, "DEMO": "1", "DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        answers = [line for line in done.stdout.splitlines() if line.startswith("/")]
        assert answers == ["/device/v1/directory 200", "/device/v1/new-nonce 204", "/ 404", "/accounts/ 404"]
