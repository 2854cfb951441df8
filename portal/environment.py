"""Reads the environment: each setting once, each mistake as one clear line."""

import base64
import binascii
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

DEMO_MARK = "/not-for-production"
"""How the identity of every demo ends: its roots lie beside its document keys (trust.md 10)."""


class SettingsMistake(SystemExit):
    """Ends the start with one line a mistake; exit code 78 (EX_CONFIG)."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(f"settings: {mistake}" for mistake in mistakes))


class Environment:
    """The settings as given, or the demo's own where DEMO=1. `check()` reports all mistakes at once."""

    def __init__(self, given: Mapping[str, str] = os.environ) -> None:
        self._given = given
        self._mistakes: list[str] = []
        self.demo = given.get("DEMO", "") == "1"

    def text(self, name: str, default: str) -> str:
        """A setting that may be left out everywhere."""
        return self._given.get(name) or default

    def required(self, name: str, *, demo: str, means: str) -> str:
        """A setting that only the demo may leave out."""
        value = self._given.get(name, "")
        if not value and not self.demo:
            self._mistakes.append(f"{name} is missing: {means}")
        return value or demo

    def identity(self, name: str, *, demo: str, means: str) -> str:
        """The portal's identity. A demo's, whose roots anybody with its data folder can use, starts no other
        portal."""
        value = self.required(name, demo=demo, means=means)
        if value.endswith(DEMO_MARK) and self._given.get(name) and not self.demo:
            self._mistakes.append(f"{name} is the identity of a demo: choose one of your own")
        return value

    def words(self, name: str, *, demo: list[str], means: str) -> list[str]:
        """A required setting of several words, parted by blanks or commas."""
        return self.required(name, demo=" ".join(demo), means=means).replace(",", " ").split()

    def addresses(self, name: str, given: Sequence[str], *schemes: str) -> bool:
        """Whether each of what was given is an address with one of these schemes and, but for a file, a host.

        What stands in it is not repeated: there may be a password.
        """
        for address in given:
            parts = urlsplit(address)
            if parts.scheme not in schemes or not (parts.netloc or parts.scheme in {"sqlite", "unix"}):
                self._mistakes.append(f"{name} must be an address that begins with {_either(schemes)}")
                return False
        return True

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self._given.get(name, "")
        if (value and not value.isascii()) or (value and not value.isdigit()):
            self._mistakes.append(f"{name} must be a whole number, not {value!r}")
            return default
        return int(value) if value else default

    def flag(self, name: str, *, default: bool) -> bool:
        """1 or 0."""
        value = self._given.get(name, "")
        if value not in {"", "0", "1"}:
            self._mistakes.append(f"{name} must be 1 or 0, not {value!r}")
        return default if value == "" else value == "1"

    def secret(self, name: str, *, folder: Path, means: str) -> str:
        """A secret, from NAME, from the file named in NAME_FILE, or in the demo from a file made once.

        The demo's secrets live in its data folder, so that a second start reads what the first one wrote.
        """
        if file := self._given.get(f"{name}_FILE", ""):
            try:
                value = Path(file).read_text().strip()
            except OSError as error:
                self._mistakes.append(f"{name}_FILE cannot be read: {error.strerror}")
                return ""
        else:
            value = self._given.get(name, "")
        if not value and self.demo:
            value = _demo_secret(folder / "secrets" / name.lower().replace("_", "-"))
        elif not value:
            self._mistakes.append(f"{name} (or {name}_FILE) is missing: {means}")
        elif any(len(word) < 32 for word in value.split()):
            self._mistakes.append(f"{name} is too short: at least 32 characters")
        return value

    def secrets(self, name: str, *, folder: Path, means: str) -> list[str]:
        """One or more secrets, parted by blanks: the newest, which is used, and those it took the place of,
        which are still understood."""
        return self.secret(name, folder=folder, means=means).split() or [""]

    def byte_secrets(self, name: str, *, folder: Path, means: str) -> list[bytes]:
        """The same, for what is a key of bytes."""
        return [secret.encode() for secret in self.secrets(name, folder=folder, means=means)]

    def password(self, name: str) -> str:
        """A password that somebody else chose, from NAME or the file named in NAME_FILE; it may be empty."""
        file = self._given.get(f"{name}_FILE", "")
        if not file:
            return self._given.get(name, "")
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            self._mistakes.append(f"{name}_FILE cannot be read: {error.strerror}")
            return ""

    def one_of(self, name: str, default: str, *words: str) -> str:
        """One of a few words."""
        value = self._given.get(name) or default
        if value not in words:
            self._mistakes.append(f"{name} must be one of {', '.join(words)}, not {value!r}")
            return default
        return value

    def fernet_keys(self, name: str, *, folder: Path, means: str) -> list[str]:
        """One or more Fernet keys, the newest first, parted by blanks."""
        keys = self.secret(name, folder=folder, means=means).split()
        for key in keys:
            try:
                sound = len(base64.urlsafe_b64decode(key)) == 32
            except (binascii.Error, ValueError):
                sound = False
            if not sound:
                self._mistakes.append(f"{name} must hold Fernet keys: 32 bytes each, as URL-safe base64")
                break
        return keys

    def check(self) -> None:
        """:raises SettingsMistake: if anything was missing or wrong."""
        if self._mistakes:
            raise SettingsMistake(self._mistakes)


def _either(schemes: Sequence[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in schemes)


def _demo_secret(path: Path) -> str:
    """Read the file, or make it. Two processes that start at once agree on one: link() refuses the second."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        mine.touch(mode=0o600)
        mine.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text()
