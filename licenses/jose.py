"""What the portal signs: JWS general JSON with several signatures over one payload (trust.md 4).

Libraries disagree on what "valid" means where there are several signatures. Here: every signature whose key
is known must verify, and the algorithms the reader requires must be among them, so that nothing can be
stripped.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from licenses.signers import BadSignature, PublicKey, Signer
from portal.core import base64url, strict_json

__all__ = [
    "MAX_BYTES",
    "MAX_SIGNATURES",
    "BadSignature",
    "MalformedJWS",
    "MissingSignature",
    "ParsedJWS",
    "parse_general",
    "sign_general",
    "verify_general",
]

MAX_BYTES = 262144
MAX_SIGNATURES = 8

_HEADER_MEMBERS = {"alg", "kid", "typ"}
_MAX_HEADER_BYTES = 1024


class MalformedJWS(ValueError):
    """The bytes are not a signed document as trust.md 2 and 4 want it; the text says where."""


class MissingSignature(BadSignature):
    """All signatures by known keys verify, but not all that are required are there: one was stripped."""


@dataclass(frozen=True, slots=True)
class _Signature:
    alg: str
    kid: str
    signing_input: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ParsedJWS:
    """A signed document that has the right shape; its payload is nobody's word before `verify`."""

    payload: bytes
    signatures: tuple[_Signature, ...]

    def verify(self, keys: Mapping[str, PublicKey]) -> frozenset[str]:
        """Return the `kid` of each key of `keys` that signed.

        :raises BadSignature: if a signature by one of the keys does not verify, or names another algorithm
            than the key's.
        """
        verified = set()
        for signature in self.signatures:
            if (key := keys.get(signature.kid)) is None:
                continue
            if signature.alg != key.alg:
                raise BadSignature("the header names another algorithm than the key's")
            key.verify(signature.signing_input, signature.signature)
            verified.add(signature.kid)
        return frozenset(verified)


def sign_general(payload: bytes, *, typ: str, signers: Sequence[Signer]) -> bytes:
    """Return the signed document: one signature of each signer over `payload`, in the order given.

    :param typ: what the document is; a reader takes it for nothing else.
    :raises ValueError: if there is no signer, more than eight, or one twice.
    """
    if not 1 <= len(signers) <= MAX_SIGNATURES or len({signer.kid for signer in signers}) < len(signers):
        raise ValueError("one to eight different signers are needed")
    payload_text = base64url.encode(payload)
    signatures = []
    for signer in signers:
        header = strict_json.dumps({"alg": signer.alg, "kid": signer.kid, "typ": typ})
        protected = base64url.encode(header)
        signature = signer.sign(f"{protected}.{payload_text}".encode())
        signatures.append({"protected": protected, "signature": base64url.encode(signature)})
    return strict_json.dumps({"payload": payload_text, "signatures": signatures})


def parse_general(data: bytes, *, typ: str, max_bytes: int = MAX_BYTES) -> ParsedJWS:
    """Return the parts of a signed document, nothing of it verified.

    :raises MalformedJWS: if its shape, its size or its `typ` is another.
    """
    try:
        document = strict_json.loads(data, max_bytes=max_bytes)
    except strict_json.MalformedJSON as error:
        raise MalformedJWS(str(error)) from error
    match document:
        case {"payload": str(payload), "signatures": list(members), **others} if not others:
            pass
        case _:
            raise MalformedJWS("not a JWS in general JSON serialization")
    if not 1 <= len(members) <= MAX_SIGNATURES:
        raise MalformedJWS(f"{len(members)} signatures")
    payload_bytes = _decoded(payload)
    signatures = tuple(_parse_signature(member, payload, typ) for member in members)
    if len({signature.kid for signature in signatures}) < len(signatures):
        raise MalformedJWS("two signatures name the same key")
    return ParsedJWS(payload_bytes, signatures)


def verify_general(
    data: bytes,
    *,
    typ: str,
    keys: Mapping[str, PublicKey],
    required: Collection[str],
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """Return the payload of a signed document.

    :param keys: the known public keys by `kid`; signatures by other keys are ignored.
    :param required: the algorithms that must be among the verified signatures; at least one verifies in any
        case.
    :raises MalformedJWS: if its shape, its size or its `typ` is another.
    :raises BadSignature: if a signature by a known key does not verify.
    :raises MissingSignature: if one of the required algorithms is not among them.
    """
    parsed = parse_general(data, typ=typ, max_bytes=max_bytes)
    algorithms = {keys[kid].alg for kid in parsed.verify(keys)}
    if not algorithms or not algorithms.issuperset(required):
        raise MissingSignature("no known key signed with each of the required algorithms")
    return parsed.payload


def _parse_signature(member: object, payload: str, typ: str) -> _Signature:
    match member:
        case {"protected": str(protected), "signature": str(signature), **others} if not others:
            pass
        case _:
            raise MalformedJWS("a signature has other members than protected and signature")
    try:
        header = strict_json.loads(_decoded(protected), max_bytes=_MAX_HEADER_BYTES)
    except strict_json.MalformedJSON as error:
        raise MalformedJWS(f"protected header: {error}") from error
    if header.keys() != _HEADER_MEMBERS or not all(isinstance(value, str) for value in header.values()):
        raise MalformedJWS("a protected header has other members than alg, kid and typ")
    if header["typ"] != typ:
        raise MalformedJWS("a signature is for another typ")
    return _Signature(
        alg=header["alg"],
        kid=header["kid"],
        signing_input=f"{protected}.{payload}".encode(),
        signature=_decoded(signature),
    )


def _decoded(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except base64url.NotBase64URL as error:
        raise MalformedJWS("a part is not base64url") from error
