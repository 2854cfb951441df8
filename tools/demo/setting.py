"""What the demo stands on: a data folder with database, secrets, keys, a factory and a device."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.demo.story import HARDWARE_ID, DemoData

PREFIX = "00-90-33"
OBJECTS = Path(__file__).with_name("objects.json")  # users and config templates of the demo's device
OTHER_ROOTS = 3  # exit code of `appliance init`


class SettingRefusal(Exception):
    """The demo cannot be set up; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Folders, ports and the environment of the demo's processes."""

    root: Path
    data: Path
    portal_port: int
    appliance_port: int

    @property
    def portal_origin(self) -> str:
        """Where the demo's own programs call: a bare machine may not know the name localhost."""
        return f"http://127.0.0.1:{self.portal_port}"

    @property
    def appliance_origin(self) -> str:
        """Where the demo asks whether the device's page is up."""
        return f"http://127.0.0.1:{self.appliance_port}"

    @property
    def portal_address(self) -> str:
        """What people type."""
        return f"http://localhost:{self.portal_port}"

    @property
    def appliance_address(self) -> str:
        """What people type."""
        return f"http://localhost:{self.appliance_port}"

    @property
    def home(self) -> Path:
        """The appliance."""
        return self.data / "appliance"

    @property
    def mails(self) -> Path:
        """Where the worker puts what it sends: the demo has no mail server."""
        return self.data / "mails"

    @property
    def environment(self) -> dict[str, str]:
        """For every process of the demo. SQLite, no Redis and no mail server, whatever the shell says."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "MAIL_HOST"}
        }
        return inherited | {
            "DEMO": "1",
            "DATA_DIR": str(self.data),
            "PORTAL_ORIGINS": f"{self.portal_origin} {self.portal_address}",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }

    def prepare(self, *, fresh_appliance: bool) -> DemoData:
        """Make what is missing, and leave what is there as it is.

        :raises SettingRefusal: a step failed, or the appliance belongs to another portal.
        """
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.mails.mkdir(exist_ok=True)
        factory = self.data / "factory"
        if not (factory / "root.pem").exists():
            self._python("-m", "appliance.factory", "ca", str(factory), "--manufacturer", "Demo Devices")
        identities = self.data / "identities"
        if not (identities / HARDWARE_ID / "chain.pem").exists():
            first = ("--count", "1", "--first", HARDWARE_ID)
            self._python(
                "-m",
                "appliance.factory",
                "devices",
                str(factory),
                "--out",
                str(identities),
                "--prefix",
                PREFIX,
                *first,
            )
        loaded = self._python(
            "manage.py", "load_demo", "--anchor", str(factory / "root.pem"), "--prefix", PREFIX
        )
        demo = DemoData(**json.loads(loaded))
        roots = self.data / "roots.json"
        roots.write_text(self._python("manage.py", "keys", "roots"))
        self._make_appliance(identities / HARDWARE_ID, roots, fresh=fresh_appliance)
        self._furnish_appliance(demo.password)
        return demo

    def appliance(self, *words: str) -> str:
        """Run a command of the appliance and return what it says.

        :raises SettingRefusal: it refused.
        """
        return self._python("-m", "appliance", "--home", str(self.home), *words)

    def _make_appliance(self, identity: Path, roots: Path, *, fresh: bool) -> None:
        init = ["init", "--identity", str(identity), "--roots", str(roots), "--portal", self.portal_origin]
        if fresh or not self.home.exists():
            self.appliance(*init, *(["--fresh"] if self.home.exists() else []))
            return
        # There is one: it is only asked whether it trusts this portal's roots.
        asked = self._run(["-m", "appliance", "--home", str(self.home), *init])
        if asked.returncode == OTHER_ROOTS:
            raise SettingRefusal(
                f"The appliance in {self.home} trusts the keys of another portal, not this one's.\n"
                "Make a fresh one with: make run ARGS=--fresh-appliance"
            )
        self.appliance("portal", self.portal_origin)

    def _furnish_appliance(self, password: str) -> None:
        # What somebody has made of it since then stays.
        if not (self.home / "access.json").exists():
            self._python("-m", "appliance", "--home", str(self.home), "password", typed=f"{password}\n")
        if not (self.home / "objects.json").exists():
            self.appliance("objects", str(OBJECTS))

    def _python(self, *words: str, typed: str = "") -> str:
        done = self._run(words, typed=typed)
        if done.returncode != 0:
            raise SettingRefusal(f"{' '.join(words[:3])} failed:\n{done.stderr.strip()}")
        return done.stdout

    def _run(self, words: Sequence[str], *, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
