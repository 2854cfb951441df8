"""Durable JSON files: each write is whole or has not happened, and one process at a time does them."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from appliance import strict_json
from appliance.refusals import Refusal

MAX_BYTES: Final = 4 * 1024 * 1024
"""Room for two bundles written as text, one of them in effect."""


def _go_on(_step: str) -> None:
    """Do nothing between the steps of a write."""


class Store:
    """The JSON files of a home folder.

    :param before_step: called with the name of every step that reaches the disk, before it is taken. A test
        ends the process there, to prove that no step leaves a state that cannot be read.
    """

    def __init__(self, home: Path, *, before_step: Callable[[str], None] = _go_on) -> None:
        self._home = home
        self._before_step = before_step

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes and threads out of the home folder.

        :raises Refusal: `no-home` if there is no such folder.
        """
        try:
            # A descriptor of its own for every holder: flock then parts threads, too.
            descriptor = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Refusal("no-home", str(self._home)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the object in the file `name`, or None if there is no such file.

        :raises Refusal: `damaged-state`.
        """
        try:
            data = (self._home / name).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return strict_json.loads(data, max_bytes=MAX_BYTES)
        except strict_json.NotStrictJSON as error:
            raise Refusal("damaged-state", f"{name}: {error}") from error

    def write(self, name: str, value: dict[str, Any]) -> None:
        """Replace the file `name`; when this returns, the new content survives a loss of power."""
        self.write_file(self._home / name, strict_json.dumps(value))

    def write_file(self, path: Path, data: bytes) -> None:
        """Replace a file as a whole, durably, wherever it is."""
        name, temporary = path.name, path.with_name(f"{path.name}.new")
        self._before_step(f"create {name}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # In two parts, so that a test can end the process over half a file.
            file.write(data[: len(data) // 2])
            file.flush()
            self._before_step(f"fill {name}")
            file.write(data[len(data) // 2 :])
            file.flush()
            self._before_step(f"sync {name}")
            os.fsync(file.fileno())
        self._before_step(f"rename {name}")
        temporary.replace(path)
        self._before_step(f"sync folder of {name}")
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
