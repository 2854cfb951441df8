"""Who may use the device's page: one password, kept as a hash, and sessions that end when it is changed.

All of it is in a file of its own beside the vault: no backup carries it, and a damaged vault locks nobody out
of the page that says so.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from appliance import base64url, claims
from appliance.home import ACCESS
from appliance.refusals import Refusal
from appliance.store import Store

SHORTEST_PASSWORD: Final = 8
SESSION_SECONDS: Final = 12 * 60 * 60
"""A working day: after it the page asks for the password again."""
_COST: Final = {"n": 2**14, "r": 8, "p": 1}
_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class Secret:
    """The hash of the password with its salt, and the key that signs sessions."""

    salt: bytes
    digest: bytes
    session_key: bytes

    def is_password(self, typed: str) -> bool:
        """Say whether `typed` is the password, in the same time for every wrong one."""
        return hmac.compare_digest(_hash(typed, self.salt), self.digest)

    def session(self, now: int) -> str:
        """Return the token of a session that begins at `now`, POSIX seconds."""
        said = f"{now + SESSION_SECONDS}.{base64url.encode(secrets.token_bytes(12))}"
        return f"{said}.{self._signature(said)}"

    def is_session(self, token: str, now: int) -> bool:
        """Say whether `token` was made here, by the password of now, and has not ended."""
        said, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(said).encode()):
            return False
        return now < int(said.partition(".")[0])

    def _signature(self, said: str) -> str:
        return base64url.encode(hmac.digest(self.session_key, said.encode(), "sha256"))


def read_secret(home: Path) -> Secret | None:
    """Return the secret of a device, None if no password was set yet.

    :raises Refusal: `damaged-state`, `no-home`.
    """
    return _read(Store(home).read(ACCESS))


def set_password(home: Path, password: str, *, only_first: bool = False) -> Secret:
    """Set the password. All sessions end: they were signed with another key.

    :param only_first: whoever opens the page of a new device may do so once.
    :raises Refusal: `password-too-short`, `password-set`, `no-home`, `damaged-state`.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise Refusal("password-too-short")
    store = Store(home)
    with store.locked():
        if only_first and store.read(ACCESS) is not None:
            raise Refusal("password-set")
        salt = secrets.token_bytes(_SALT_BYTES)
        secret = Secret(salt, _hash(password, salt), secrets.token_bytes(_KEY_BYTES))
        store.write(
            ACCESS,
            {
                "format": 1,
                "salt": base64url.encode(secret.salt),
                "digest": base64url.encode(secret.digest),
                "session_key": base64url.encode(secret.session_key),
            },
        )
    return secret


def _read(value: dict[str, Any] | None) -> Secret | None:
    if value is None:
        return None
    try:
        if claims.integer(value, "format") != 1:
            raise Refusal("unknown-version", f"format {value['format']}")
        salt, digest, key = (claims.text(value, name) for name in ("salt", "digest", "session_key"))
        return Secret(base64url.decode(salt), base64url.decode(digest), base64url.decode(key))
    except (Refusal, base64url.NotBase64URL) as error:
        raise Refusal("damaged-state", f"{ACCESS}: {error}") from error


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=_KEY_BYTES, **_COST)
