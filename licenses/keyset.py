"""The key set: which keys sign licenses and receipts, signed by the offline roots (trust.md 6 and 10).

The rule for changes is that of `licenses.document`.
"""

from dataclasses import dataclass, field
from typing import Any, Self

from licenses import jose
from licenses.signers import PublicKey, UnsupportedKey
from portal.core import strict_json

TYP = "jwk-set+jwt"
SIGNED_TYPS = ("lic+jws", "lic-receipt+jws")
"""What the keys of a key set sign; the key names them itself, so that none can be used for anything else."""
THRESHOLD = 2
"""Signatures of roots that a key set needs: both, one Ed25519 and one ML-DSA-65."""

_MAX_KEYS = 32
_MAX_ROOTS = 8
_MAX_TEXT = 512
_MEMBERS = {"ver", "iss", "version", "iat", "keys", "roots", "threshold", "must"}


class MalformedKeySet(ValueError):
    """The values make no key set, or the payload is none; the text names the member."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The roots that speak for the next key set, and how many of them must.

    :raises MalformedKeySet: if there are none, one twice, or too few for the threshold.
    """

    keys: tuple[PublicKey, ...]
    threshold: int

    def __post_init__(self) -> None:
        _require(len(self.keys) <= _MAX_ROOTS and len(set(self.keys)) == len(self.keys), "roots")
        _require(1 <= self.threshold <= len(self.keys), "threshold")

    def check(self, document: jose.ParsedJWS) -> None:
        """Return if as many of the roots signed `document` as the threshold wants.

        :raises BadSignature: otherwise, or if a signature by one of them does not verify.
        """
        if len(document.verify({key.kid: key for key in self.keys})) < self.threshold:
            raise jose.MissingSignature("fewer roots signed than the threshold")


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key that signs documents; times are POSIX seconds."""

    public_key: PublicKey
    typs: tuple[str, ...]
    not_before: int
    retired_at: int | None = None
    """Since when it makes no more signatures; those it made stay good."""
    compromised_at: int | None = None
    """If it is there, no signature by the key counts, whenever it was made (trust.md 6)."""

    @property
    def in_use(self) -> bool:
        """Whether new signatures are made with the key."""
        return self.retired_at is None and self.compromised_at is None

    def members(self) -> dict[str, Any]:
        """Return the key as the members of its JWK, in their fixed order."""
        members: dict[str, Any] = {
            **_named_jwk(self.public_key),
            "use": "sig",
            "typ": list(self.typs),
            "nbf": self.not_before,
        }
        if self.retired_at is not None:
            members["retired_at"] = self.retired_at
        if self.compromised_at is not None:
            members["compromised_at"] = self.compromised_at
        return members

    @classmethod
    def from_members(cls, members: object) -> Self:
        """Return the key of a JWK of a key set.

        :raises MalformedKeySet: if a member is missing, of another type, or another key's.
        """
        if not isinstance(members, dict):
            raise MalformedKeySet("keys")
        public_key = _public_key(members, "keys")
        typs = members.get("typ")
        _require(isinstance(typs, list) and all(isinstance(typ, str) for typ in typs), "typ")
        _require(members.get("use") == "sig", "use")
        return cls(
            public_key=public_key,
            typs=tuple(members["typ"]),
            not_before=_count(members, "nbf"),
            retired_at=_count(members, "retired_at") if "retired_at" in members else None,
            compromised_at=_count(members, "compromised_at") if "compromised_at" in members else None,
        )


@dataclass(frozen=True, slots=True)
class KeySetV1:
    """One version of the key set.

    :raises MalformedKeySet: if a value is out of range or a key is there twice.
    """

    issuer: str
    """The portal's identity."""
    version: int
    """Rises by one with every key set."""
    issued_at: int
    """POSIX seconds."""
    keys: tuple[KeyEntry, ...]
    roots: tuple[PublicKey, ...]
    threshold: int = field(default=THRESHOLD)

    def __post_init__(self) -> None:
        _require(0 < len(self.issuer) <= _MAX_TEXT, "iss")
        _require(self.version >= 1, "version")
        _require(self.issued_at >= 0, "iat")
        public_keys = {entry.public_key for entry in self.keys}
        _require(1 <= len(self.keys) <= _MAX_KEYS and len(public_keys) == len(self.keys), "keys")
        # A root that also signed documents would have to be online.
        _require(public_keys.isdisjoint(Roots(self.roots, self.threshold).keys), "roots")

    @property
    def root_set(self) -> Roots:
        """The roots that speak for this key set and the next."""
        return Roots(self.roots, self.threshold)

    def keys_for(self, typ: str) -> dict[str, PublicKey]:
        """Return the keys, by `kid`, whose signatures under documents of this `typ` count."""
        return {
            entry.public_key.kid: entry.public_key
            for entry in self.keys
            if typ in entry.typs and entry.compromised_at is None
        }

    def to_payload(self) -> bytes:
        """Return the bytes to sign and keep, members in a fixed order."""
        return strict_json.dumps(
            {
                "ver": 1,
                "iss": self.issuer,
                "version": self.version,
                "iat": self.issued_at,
                "keys": [entry.members() for entry in self.keys],
                "roots": [_named_jwk(root) for root in self.roots],
                "threshold": self.threshold,
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Return the key set that a payload holds; unknown members are ignored unless `must` names them.

        :raises MalformedKeySet: if it is no key set of version 1.
        """
        try:
            members = strict_json.loads(payload, max_bytes=jose.MAX_BYTES)
        except strict_json.MalformedJSON as error:
            raise MalformedKeySet(str(error)) from error
        must, keys, roots = members.get("must", []), members.get("keys"), members.get("roots")
        _require(isinstance(must, list) and all(isinstance(n, str) and n in _MEMBERS for n in must), "must")
        _require(_count(members, "ver") == 1, "ver")
        if not isinstance(keys, list) or not isinstance(roots, list):
            raise MalformedKeySet("keys, roots")
        issuer = members.get("iss")
        if not isinstance(issuer, str):
            raise MalformedKeySet("iss")
        return cls(
            issuer=issuer,
            version=_count(members, "version"),
            issued_at=_count(members, "iat"),
            keys=tuple(KeyEntry.from_members(entry) for entry in keys),
            roots=tuple(_public_key(root, "roots") for root in roots),
            threshold=_count(members, "threshold"),
        )


def verify_step(previous: Roots, data: bytes, *, above: int = 0) -> KeySetV1:
    """Return the key set that `data` holds, if the roots before it and its own roots vouch for it.

    As in The Update Framework: version N+1 is signed by the threshold of the roots of N and of its own
    (trust.md 6).

    :param above: the highest version held; one that is not above it is refused.
    :raises licenses.jose.MalformedJWS: if it is no signed document with the `typ` of a key set.
    :raises MalformedKeySet: if its payload is no key set, or its version not above the one held.
    :raises licenses.signers.BadSignature: if too few roots signed, or a signature does not verify.
    """
    document = jose.parse_general(data, typ=TYP)
    # First the roots we have: nothing in the payload is read before they vouch for it.
    previous.check(document)
    keyset = KeySetV1.from_payload(document.payload)
    keyset.root_set.check(document)
    _require(keyset.version > above, "version")
    return keyset


def jwks(keyset: KeySetV1) -> dict[str, Any]:
    """Return the keys that count as a plain JWK set (RFC 7517), for readers of other makes."""
    return {
        "keys": [
            _named_jwk(entry.public_key) | {"use": "sig"}
            for entry in keyset.keys
            if entry.compromised_at is None
        ]
    }


def _named_jwk(public_key: PublicKey) -> dict[str, Any]:
    return public_key.jwk() | {"kid": public_key.kid, "alg": public_key.alg}


def _public_key(members: object, where: str) -> PublicKey:
    if not isinstance(members, dict):
        raise MalformedKeySet(where)
    try:
        public_key = PublicKey.from_jwk(members)
    except UnsupportedKey as error:
        raise MalformedKeySet(f"{where}: {error}") from error
    named = members.get("kid"), members.get("alg")
    _require(named == (public_key.kid, public_key.alg), f"{where}: kid, alg")
    return public_key


def _count(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedKeySet(name)
    return value


def _require(condition: bool, member: str) -> None:
    if not condition:
        raise MalformedKeySet(member)
