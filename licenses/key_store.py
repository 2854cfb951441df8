"""Where the private document keys are: encrypted files of mode 0600, named after their `kid` (trust.md 10).

The one place that knows. What it gives is a `Signer`, which is asked for signatures and never for its key: a
hardware module (PKCS#11) moves in by other bodies for `make` and `signer`, and nothing else changes.
"""

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from licenses import signers
from licenses.signers import (
    Ed25519Signer,
    FileSigner,
    MLDSA65Signer,
    Signer,
    UnreadableKeyFile,
    UnsupportedKey,
)
from portal.core.errors import Unavailable

DOCUMENT_ALGORITHMS = signers.ALGORITHMS
"""What this release signs documents with: one key in use for each (trust.md 4)."""

_SUFFIX = ".pem"


class SigningKeyMissing(Unavailable):
    code = "signing-key-missing"
    title = _("A signing key of the current key set is not on this server.")
    why = _(
        "Devices accept only documents with all of their signatures. The portal rather gives none than one "
        "that a device would refuse."
    )
    way_out = _("The operator puts the key file back. Ask again then: nothing is lost, or done twice.")
    source = "trust.md 10"


def make(alg: str) -> Signer:
    """Make a new document key and keep it.

    :param alg: one of `DOCUMENT_ALGORITHMS`.
    """
    made: FileSigner = Ed25519Signer.generate() if alg == signers.ED25519 else MLDSA65Signer.generate()
    assert made.alg == alg, "made for each algorithm of this release"
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    signers.write_key_file(_file_of(made.kid), made, settings.SIGNING_KEYS_PASSPHRASE)
    return made


def signer(kid: str) -> Signer:
    """What signs with the document key `kid`.

    :raises SigningKeyMissing: it is not kept here, or the passphrase does not open it.
    """
    try:
        return signers.read_key_file(
            _file_of(kid), settings.SIGNING_KEYS_PASSPHRASE, *settings.SIGNING_KEYS_PASSPHRASES_BEFORE
        )
    except (OSError, UnreadableKeyFile, UnsupportedKey) as error:
        raise SigningKeyMissing(kid=kid) from error


def encrypt_anew() -> list[str]:
    """Encrypt the files that only an earlier passphrase opens by the newest one. Returns their `kid`s.

    :raises SigningKeyMissing: no passphrase opens a file; those before it are done.
    """
    done = []
    for kid in sorted(kept()):
        path = _file_of(kid)
        try:
            signers.read_key_file(path, settings.SIGNING_KEYS_PASSPHRASE)
        except UnreadableKeyFile:
            try:
                read = signers.read_key_file(path, *settings.SIGNING_KEYS_PASSPHRASES_BEFORE)
            except UnreadableKeyFile as error:
                raise SigningKeyMissing(kid=kid) from error
            signers.replace_key_file(path, read, settings.SIGNING_KEYS_PASSPHRASE)
            done.append(kid)
    return done


def kept() -> set[str]:
    """The `kid` of each key that is kept here, whether the passphrase opens it or not."""
    return {path.stem for path in _folder().glob(f"*{_SUFFIX}") if not path.name.startswith(".")}


def _folder() -> Path:
    return Path(settings.SIGNING_KEYS_DIR)


def _file_of(kid: str) -> Path:
    return _folder() / f"{kid}{_SUFFIX}"
