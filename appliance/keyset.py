"""The key set: which keys may sign, as the roots say; and the walk from one generation of roots on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from appliance import claims, public_keys
from appliance.jose import SignedDocument, read_general, verified_signers
from appliance.public_keys import PublicKey
from appliance.refusals import Refusal

TYP: Final = "jwk-set+jwt"
MAX_BYTES: Final = 256 * 1024
_KNOWN: Final = frozenset({"ver", "iss", "version", "iat", "keys", "roots", "threshold", "must"})


@dataclass(frozen=True)
class Roots:
    """The root keys a device trusts, by thumbprint, and how many of them must sign."""

    keys: Mapping[str, PublicKey]
    threshold: int


@dataclass(frozen=True)
class DocumentKey:
    """A key of the key set: what it may sign, and whether it was compromised."""

    key: PublicKey
    typ: frozenset[str]
    compromised: bool


@dataclass(frozen=True)
class KeySet:
    """The payload of a key set. Times are POSIX seconds."""

    issuer: str
    version: int
    issued_at: int
    keys: tuple[DocumentKey, ...]
    roots: Roots

    def keys_for(self, typ: str, *, compromised: bool = False) -> dict[str, PublicKey]:
        """Return the keys that may sign documents of `typ`, by thumbprint: the good or the compromised ones.

        `nbf` and `retired_at` do not count: a stored payload is signed again with later keys, and what a
        retired key signed stays good (trust.md 6).
        """
        return {
            entry.key.kid: entry.key
            for entry in self.keys
            if typ in entry.typ and entry.compromised is compromised
        }


@dataclass(frozen=True)
class Walk:
    """Where a device stands: the roots it trusts, and the version and payload of the key set it holds."""

    roots: Roots
    version: int
    payload: bytes | None


def read_roots(members: dict[str, Any]) -> Roots:
    """Read `roots` and `threshold`, of a roots file or of a key set.

    :raises Refusal: `malformed`.
    """
    keys = {}
    jwks = claims.objects(members, "roots")
    for jwk in jwks:
        key = _known_key(jwk)
        if key is not None:
            keys[key.kid] = key
    threshold = claims.integer(members, "threshold", least=1)
    if threshold > len(jwks):
        raise Refusal("malformed", "a threshold above the number of roots")
    return Roots(keys, threshold)


def read_keyset(payload: bytes) -> KeySet:
    """Read the payload of a key set; whether it is signed is another question.

    :raises Refusal: `malformed`, `unknown-version`, `unknown-must`.
    """
    members = claims.read_payload(payload, known=_KNOWN, max_bytes=MAX_BYTES)
    keys = []
    for jwk in claims.objects(members, "keys"):
        key = _known_key(jwk)
        if key is not None:
            keys.append(DocumentKey(key, _typ(jwk), compromised=jwk.get("compromised_at") is not None))
    if len({entry.key.kid for entry in keys}) != len(keys):
        raise Refusal("malformed", "a key twice in the key set")
    return KeySet(
        issuer=claims.text(members, "iss"),
        version=claims.integer(members, "version", least=1),
        issued_at=claims.integer(members, "iat"),
        keys=tuple(keys),
        roots=read_roots(members),
    )


def walk_chain(start: Walk, chain: Sequence[object], *, require: Collection[str]) -> Walk:
    """Walk the earlier key sets at which the roots changed, oldest first, and return where that leads.

    Key sets up to the last one that introduces the very roots held lie behind the device and are passed over;
    that gives them no say.

    :raises Refusal: `malformed`, `wrong-type`, `bad-signature`, `unknown-roots` and what reading raises.
    """
    steps = [read_general(element, typ=TYP) for element in chain]
    keysets = [read_keyset(step.payload) for step in steps]
    behind = 0
    for position, keyset in enumerate(keysets, start=1):
        if keyset.roots.keys.keys() == start.roots.keys.keys():
            behind = position
    here = start
    for step, keyset in zip(steps[behind:], keysets[behind:], strict=True):
        if keyset.version <= here.version:
            raise Refusal("malformed", "the chain of key sets does not rise")
        _check_step(here.roots, step, keyset, require)
        here = Walk(keyset.roots, keyset.version, step.payload)
    return here


def verify_keyset(here: Walk, value: object, *, require: Collection[str]) -> tuple[KeySet, bytes]:
    """Verify the key set of a bundle with the roots reached, and return it with its payload bytes.

    :raises Refusal: `older-key-set`, `key-set-conflict`, `unknown-roots`, and what reading raises.
    """
    document = read_general(value, typ=TYP)
    # Read before its signatures are known to be good, since its own roots must have signed it too; nothing
    # of it is believed until _check_step has returned.
    keyset = read_keyset(document.payload)
    _check_step(here.roots, document, keyset, require)
    if keyset.version < here.version:
        raise Refusal("older-key-set", f"version {keyset.version}, held {here.version}")
    if keyset.version == here.version and document.payload != here.payload:
        raise Refusal("key-set-conflict", f"version {keyset.version}")
    return keyset, document.payload


def _check_step(before: Roots, step: SignedDocument, keyset: KeySet, require: Collection[str]) -> None:
    # As in The Update Framework: the roots before hand over, and the new ones show that they can sign.
    for roots in (before, keyset.roots):
        signers = verified_signers(step, roots.keys)
        if not signers:
            raise Refusal("unknown-roots", f"key set version {keyset.version}")
        if not _is_signed_by(roots, signers, require):
            raise Refusal("stripped-signature", f"key set version {keyset.version}")


def _is_signed_by(roots: Roots, signers: Sequence[PublicKey], require: Collection[str]) -> bool:
    """Say whether the threshold is met, counting the algorithms the firmware requires (trust.md 6)."""
    counted = [key for key in roots.keys.values() if key.alg in require]
    counting = [key for key in signers if key.alg in require]
    every_algorithm = set(require) <= {key.alg for key in signers}
    return every_algorithm and len(counting) >= min(roots.threshold, len(counted))


def _known_key(jwk: dict[str, Any]) -> PublicKey | None:
    try:
        return public_keys.from_jwk(jwk)
    except public_keys.UnknownKind:
        return None
    except public_keys.BadKey as error:
        raise Refusal("malformed", str(error)) from error


def _typ(jwk: dict[str, Any]) -> frozenset[str]:
    values = jwk.get("typ")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refusal("malformed", "a key without the types it may sign")
    return frozenset(values)
