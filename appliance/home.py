"""The home folder of an appliance: how it is made, and what in it never changes afterwards."""

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from appliance import claims
from appliance.identity import CHAIN_FILE, KEY_FILE, Identity, read_identity
from appliance.installation import Trust
from appliance.keyset import Roots, read_roots
from appliance.public_keys import ALGORITHMS
from appliance.refusals import Refusal
from appliance.state import Vault
from appliance.state_files import vault_to_json
from appliance.store import Store, sync_folder

IDENTITY: Final = "identity"
ROOTS: Final = "roots.json"
SETTINGS: Final = "device.json"
VAULT: Final = "vault.json"
CONFIGURATION: Final = "configuration.json"
OPERATION: Final = "operation.json"
OBJECTS: Final = "objects.json"
ACCESS: Final = "access.json"
_MAX_ROOTS_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Manufacture:
    """What an appliance is made with: portal address, firmware major version, algorithms it requires."""

    portal: str
    firmware: int
    require: frozenset[str]


@dataclass(frozen=True)
class Home:
    """An existing home folder, read: identity, pinned roots and settings."""

    identity: Identity
    roots: Roots
    manufacture: Manufacture

    @property
    def trust(self) -> Trust:
        """What documents are verified against."""
        return Trust(self.identity.hardware_id, self.roots, self.manufacture.require)


def make_home(home: Path, *, identity: Path, roots: Path, manufacture: Manufacture, fresh: bool) -> Home:
    """Make an appliance in the folder `home`; it appears there whole, or not at all.

    :param fresh: replace an appliance that is there, with everything it remembers.
    :raises Refusal: `home-exists`, `other-roots` (what is there trusts other roots), `not-a-home`,
        `damaged-identity`, `damaged-roots`, `bad-address`, `no-home`.
    """
    read_identity(identity)
    given_roots = _read_roots_file(roots)
    check_address(manufacture.portal)
    exists = (home / SETTINGS).exists()
    if exists and not fresh:
        same = given_roots.keys.keys() == _read_roots_file(home / ROOTS).keys.keys()
        raise Refusal("home-exists" if same else "other-roots", str(home))
    if not exists and home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise Refusal("not-a-home", str(home))
    home.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        _fill(making, identity=identity, roots=roots, manufacture=manufacture)
        _put_in_place(making, home)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return read_home(home)


def read_home(home: Path) -> Home:
    """Read what never changes in a home folder.

    :raises Refusal: `no-home`, `damaged-state`, `damaged-identity`, `damaged-roots`.
    """
    settings = Store(home).read(SETTINGS)
    if settings is None:
        raise Refusal("no-home", str(home))
    try:
        manufacture = Manufacture(
            portal=claims.text(settings, "portal"),
            firmware=claims.integer(settings, "firmware", least=1),
            require=frozenset(settings["require"]),
        )
    except (Refusal, KeyError, TypeError) as error:
        raise Refusal("damaged-state", f"{SETTINGS}: {error}") from error
    return Home(read_identity(home / IDENTITY), _read_roots_file(home / ROOTS), manufacture)


def settings_to_json(manufacture: Manufacture) -> dict[str, Any]:
    """Return the settings of an appliance as JSON."""
    require = sorted(manufacture.require)
    return {"portal": manufacture.portal, "firmware": manufacture.firmware, "require": require}


def check_address(address: str) -> None:
    """Refuse what is not an http or https address.

    :raises Refusal: `bad-address`.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refusal("bad-address", address[:100])


def check_algorithms(names: Collection[str]) -> frozenset[str]:
    """Return the algorithms a firmware may require.

    :raises ValueError: no names, or one this firmware cannot verify.
    """
    if not names or not set(names) <= set(ALGORITHMS):
        raise ValueError(f"choose from {', '.join(ALGORITHMS)}")
    return frozenset(names)


def _fill(making: Path, *, identity: Path, roots: Path, manufacture: Manufacture) -> None:
    folder = making / IDENTITY
    folder.mkdir(mode=0o700)
    for name in (KEY_FILE, CHAIN_FILE):
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes((identity / name).read_bytes())
    (making / ROOTS).write_bytes(roots.read_bytes())
    store = Store(making)
    store.write(VAULT, vault_to_json(Vault()))
    store.write(SETTINGS, settings_to_json(manufacture))


def _put_in_place(making: Path, home: Path) -> None:
    old = home.with_name(f".{home.name}-replaced")
    shutil.rmtree(old, ignore_errors=True)
    if home.exists():
        home.rename(old)
    making.rename(home)
    sync_folder(home.parent)
    shutil.rmtree(old, ignore_errors=True)


def _read_roots_file(path: Path) -> Roots:
    try:
        roots = read_roots(claims.parse(path.read_bytes(), max_bytes=_MAX_ROOTS_BYTES))
    except (OSError, Refusal) as error:
        raise Refusal("damaged-roots", f"{path}: {error}") from error
    if not roots.keys:
        raise Refusal("damaged-roots", f"{path} names no key this firmware knows")
    return roots
