"""The key sets that vouch for documents, and the keys that sign now (trust.md 6 and 10)."""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from licenses import jose, key_store, keyset
from licenses.key_store import SigningKeyMissing
from licenses.keyset import KeySetV1
from licenses.models import KeySetVersion
from licenses.signers import Signer
from portal.core.errors import NotFound, Unavailable
from portal.environment import DEMO_MARK

__all__ = [
    "DemoKeys",
    "KeyRing",
    "NoKeySet",
    "NoSuchKeySet",
    "SigningKeyMissing",
    "current",
    "current_version",
    "is_demo_identity",
    "key_set_of",
    "plain_jwks",
    "published",
]


class NoKeySet(Unavailable):
    code = "no-key-set"
    title = _("The portal has no signing keys yet.")
    why = _(
        "Devices believe only what is signed. Without keys the portal cannot give them a license document "
        "that they would install."
    )
    way_out = _(
        "The operator makes them with “manage.py keys publish”. "
        "Ask again then: nothing is lost, or done twice."
    )
    source = "trust.md 6"


class NoSuchKeySet(NotFound):
    code = "no-such-key-set"
    title = _("There is no key set of that version.")
    why = _(
        "Devices follow the key sets one after the other. The portal does not put another one in the place "
        "of the one that was asked for."
    )
    way_out = _("The current one is at /keys/keyset.json.")
    source = "trust.md 6"


class DemoKeys(Unavailable):
    code = "demo-keys"
    title = _("The portal's signing keys are those of a demo.")
    why = _(
        "The private keys of a demo, its roots included, lie in its data folder. Whoever copies them could "
        "make licenses, so nothing real may depend on them."
    )
    way_out = _("The operator gives the portal an identity and a database of its own. Nothing was changed.")
    source = "trust.md 10"


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """A key set, as published and as read, and what it means for documents that are handed out."""

    version: int
    signed: bytes
    key_set: KeySetV1
    chain: tuple[bytes, ...]
    """The earlier key sets at which the roots changed, oldest first: how a device that knows older roots
    gets here."""
    chain_to_next: tuple[bytes, ...]
    """The same for the key set after this one."""
    since: int
    """The first version from which on the keys in use have been those of now."""
    database: str
    """Whose database this is, 16 hexadecimal digits: the same in each of its copies, and for ever."""

    @cached_property
    def signers(self) -> tuple[Signer, ...]:
        """One for each key in use; read once a process and version.

        :raises SigningKeyMissing: a key file is not there, or the passphrase does not open it.
        """
        return tuple(key_store.signer(entry.public_key.kid) for entry in self.key_set.keys if entry.in_use)

    def covers(self, signed_under: int | None) -> bool:
        """Whether all signatures made under that version are by keys in use now."""
        return signed_under is not None and self.since <= signed_under <= self.version


def current() -> KeyRing:
    """The key ring that signs now. One small query; everything else is read once a process and version.

    :raises NoKeySet: none was published yet.
    :raises DemoKeys: it is a demo's, and this is none.
    """
    return of_version(current_version())


def of_version(version: int) -> KeyRing:
    """The key ring of a version that was published.

    :raises DemoKeys: it is a demo's, and this is none.
    """
    ring = _load(version)
    if is_demo_identity(ring.key_set.issuer) and not settings.DEMO:
        raise DemoKeys
    return ring


def current_version() -> int:
    """The version of the current key set.

    :raises NoKeySet: none was published yet.
    """
    version = KeySetVersion.objects.order_by("-version").values_list("version", flat=True).first()
    if version is None:
        raise NoKeySet
    return version


def published(version: int | None = None) -> bytes:
    """A key set as the roots signed it: the current one, or any earlier one.

    :raises NoKeySet: none was published yet.
    :raises NoSuchKeySet: there is none of that version.
    """
    row = KeySetVersion.objects.filter(version=current_version() if version is None else version).first()
    if row is None:
        raise NoSuchKeySet
    return bytes(row.signed)


def key_set_of(version: int) -> KeySetV1:
    """What a published key set says.

    :raises NoSuchKeySet: there is none of that version.
    """
    return _read(published(version))


def plain_jwks() -> dict[str, Any]:
    """The document keys that count, as an RFC 7517 set.

    :raises NoKeySet: none was published yet.
    """
    return keyset.jwks(_read(published()))


def is_demo_identity(identity: str) -> bool:
    """Whether a portal's identity, as in `iss`, is that of a demo."""
    return identity.endswith(DEMO_MARK)


@lru_cache(maxsize=4)
def _load(version: int) -> KeyRing:
    """The key ring of one version. Key sets never change, so that what was read stays true."""
    before: KeySetV1 | None = None
    changes: dict[int, bytes] = {}
    since, first, signed = version, b"", b""
    for row in KeySetVersion.objects.filter(version__lte=version).order_by("version"):
        signed = bytes(row.signed)
        first = first or signed
        here = _read(signed)
        if before is None or _in_use(before) != _in_use(here):
            since = row.version
        if before is not None and set(before.roots) != set(here.roots):
            changes[row.version] = signed
        before = here
    assert before is not None, "the version was published"
    return KeyRing(
        version=version,
        signed=signed,
        key_set=before,
        chain=tuple(link for changed, link in changes.items() if changed < version),
        chain_to_next=tuple(changes.values()),
        since=since,
        database=hashlib.sha256(first).hexdigest()[:16],
    )


def _in_use(key_set: KeySetV1) -> set[str]:
    return {entry.public_key.kid for entry in key_set.keys if entry.in_use}


def _read(signed: bytes) -> KeySetV1:
    # Read, not verified: the roots' signatures are for devices to check. Whoever can write this row holds
    # the document keys as well.
    return KeySetV1.from_payload(jose.parse_general(signed, typ=keyset.TYP).payload)
