"""The keys that sign documents, and the key sets that vouch for them (trust.md 6 and 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from licenses import jose, keyset, transparency
from licenses.keyset import KeyEntry, KeySetV1
from licenses.log_line import LeafType
from licenses.models import KeySetVersion
from licenses.signers import (
    Ed25519Signer,
    FileSigner,
    MLDSA65Signer,
    PublicKey,
    UnreadableKeyFile,
    UnsupportedKey,
    read_key_file,
    write_key_file,
)
from portal.core import acts, audit, clock
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound, Unavailable

DOCUMENT_ALGORITHMS = ("Ed25519", "ML-DSA-65")


class NoKeySet(Unavailable):
    code = "no-key-set"
    title = _("The portal has no signing keys yet.")
    way_out = _("The operator makes them with “manage.py keys publish”. Nothing was changed.")


class SigningKeyMissing(Unavailable):
    code = "signing-key-missing"
    title = _("A signing key of the current key set is not on this server.")
    way_out = _("The operator puts the key file back. Nothing was changed.")


class NoSuchKeySet(NotFound):
    code = "no-such-key-set"
    title = _("There is no key set of that version.")
    way_out = _("The current one is at /keys/keyset.json.")


class KeySetExists(Conflict):
    code = "key-set-exists"
    title = _("There is a key set already.")
    way_out = _("Rotate its keys instead of making a first one.")


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """The current key set, as published and as read, and the signers it names."""

    version: int
    signed: bytes
    key_set: KeySetV1
    signers: tuple[FileSigner, ...]


def current() -> KeyRing:
    """The key ring that signs now. One small query; files are read once a process and version.

    :raises NoKeySet: none was published yet.
    :raises SigningKeyMissing: a key file is not there, or the passphrase does not open it.
    """
    version = current_version()
    return _load(version)


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


def plain_jwks() -> dict[str, Any]:
    """The document keys that count, as an RFC 7517 set.

    :raises NoKeySet: none was published yet.
    """
    return keyset.jwks(_read_key_set(published()))


def make_document_keys() -> list[FileSigner]:
    """Make one document key for each algorithm, as encrypted files of mode 0600 named after their `kid`."""
    folder = Path(settings.SIGNING_KEYS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[FileSigner] = [Ed25519Signer.generate(), MLDSA65Signer.generate()]
    for signer in made:
        write_key_file(_file_of(signer.kid), signer, settings.SIGNING_KEYS_PASSPHRASE)
    return made


@transaction.atomic(durable=True)
def publish_first_key_set(
    *, roots: Sequence[FileSigner], signers: Sequence[FileSigner], caller: Caller, now: datetime
) -> KeySetVersion:
    """Publish key set 1: the document keys `signers`, vouched for by both roots (trust.md 6).

    :raises KeySetExists: there is one already.
    """
    act = acts.begin(
        operation="publish-key-set",
        caller=caller,
        given={"roots": [root.kid for root in roots], "keys": [signer.kid for signer in signers]},
        now=now,
    )
    if act.outcome is not None:
        return KeySetVersion.objects.get(pk=act.outcome["version"])
    if KeySetVersion.objects.exists():
        raise KeySetExists
    key_set = KeySetV1(
        issuer=settings.PORTAL_ID,
        version=1,
        issued_at=clock.posix(now),
        keys=tuple(
            KeyEntry(
                public_key=PublicKey.from_jwk(signer.public_jwk()),
                typs=keyset.SIGNED_TYPS,
                not_before=clock.posix(now),
            )
            for signer in signers
        ),
        roots=tuple(PublicKey.from_jwk(root.public_jwk()) for root in roots),
    )
    signed = jose.sign_general(key_set.to_payload(), typ=keyset.TYP, signers=roots)
    row = KeySetVersion.objects.create(version=1, signed=signed, made_at=now)
    transparency.record(
        act=act,
        leaf_type=LeafType.KEY_SET,
        told=[],
        document_sha256=transparency.sha256(key_set.to_payload()),
        now=now,
    )
    audit.record("key-set-published", caller=caller, now=now, act=act, version=row.version)
    acts.finish(act, outcome={"version": row.version})
    return row


@lru_cache(maxsize=4)
def _load(version: int) -> KeyRing:
    signed = published(version)
    # Read, not verified: the roots' signatures are for devices to check. Whoever can write this row holds
    # the document keys as well.
    key_set = _read_key_set(signed)
    in_use = [
        entry.public_key.kid
        for entry in key_set.keys
        if entry.retired_at is None and entry.compromised_at is None
    ]
    return KeyRing(
        version=version, signed=signed, key_set=key_set, signers=tuple(_read(kid) for kid in in_use)
    )


def _read_key_set(signed: bytes) -> KeySetV1:
    return KeySetV1.from_payload(jose.parse_general(signed, typ=keyset.TYP).payload)


def _read(kid: str) -> FileSigner:
    try:
        return read_key_file(_file_of(kid), settings.SIGNING_KEYS_PASSPHRASE)
    except (OSError, UnreadableKeyFile, UnsupportedKey) as error:
        raise SigningKeyMissing(kid=kid) from error


def _file_of(kid: str) -> Path:
    return Path(settings.SIGNING_KEYS_DIR) / f"{kid}.pem"
