"""The bundle: what a fetch answers and a `.lic` file holds (trust.md 4).

Each part was signed and stored on its own. The stored bytes are spliced in as they are, never parsed and
written again: what was signed is what is sent.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from portal.core import base64url

FORMAT = "olp/1"
MAX_BYTES = 262144
"""What a device takes (trust.md 2)."""
ROOM_FOR_KEY_SETS = 128 * 1024
"""The part of it for the key set and the chain that leads to it. The rest holds the largest license document,
receipt and proof."""

_TAG_BYTES = 16
_TAG = re.compile(r"[A-Za-z0-9_-]{1,128}")


class UnfitForBundle(ValueError):
    """A part is no JSON object, the tag has foreign characters, or the whole is larger than devices take."""


def assemble(
    *,
    tag: str,
    license_document: bytes,
    keyset: bytes | None,
    chain: Sequence[bytes] = (),
    receipt: bytes | None = None,
    proof: bytes | None = None,
) -> bytes:
    """Return the bundle as JSON.

    :param keyset: the current key set, or nothing for a device that has it.
    :param chain: earlier key sets at which the roots changed, oldest first.
    :param receipt: the last receipt, until the device has acknowledged what followed it.
    :param proof: the proof that the public log holds the document, once there is one.
    :raises UnfitForBundle: if a part cannot be spliced in, or the bundle would be larger than 256 KiB.
    """
    if not _TAG.fullmatch(tag):
        raise UnfitForBundle("tag")
    parts = [b'{"bundle":"%b","tag":"%b"' % (FORMAT.encode(), tag.encode())]
    parts.append(b'"license":' + _spliced("license", license_document))
    if keyset is not None:
        parts.append(b'"keyset":' + _spliced("keyset", keyset))
    parts.append(b'"chain":[' + b",".join(_spliced("chain", link) for link in chain) + b"]")
    if receipt is not None:
        parts.append(b'"receipt":' + _spliced("receipt", receipt))
    if proof is not None:
        parts.append(b'"proof":' + _spliced("proof", proof))
    bundle = b",".join(parts) + b"}"
    if len(bundle) > MAX_BYTES:
        raise UnfitForBundle(f"{len(bundle)} bytes")
    return bundle


def room_left_for_key_sets(sizes: Iterable[int]) -> int:
    """Return how many bytes more a key set and its chain might have; below 0 they are too large.

    :param sizes: bytes of the key set and of each link of the chain.
    """
    return ROOM_FOR_KEY_SETS - sum(sizes)


def tag_for(*parts: bytes) -> str:
    """Return an opaque tag that changes with any of the parts, their number and their order.

    An absent part is given as empty bytes, which no signed document is.
    """
    digest = hashlib.sha256(b"olp-tag-v1\x00")
    for part in parts:
        # The length in front keeps the parts apart: else a byte could change sides and leave the tag as it
        # is.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return base64url.encode(digest.digest()[:_TAG_BYTES])


def tag_of_stored(
    *, document_sha256: bytes, signed_under: int | None, key_set_version: int, receipt_sha256: bytes
) -> str:
    """The tag of a bundle from what is stored: payload hashes, and under which key sets the parts are signed.

    :param receipt_sha256: of the return whose receipt is in it; empty if none is.
    """
    return tag_for(document_sha256, str(signed_under).encode(), str(key_set_version).encode(), receipt_sha256)


def _spliced(name: str, part: bytes) -> bytes:
    # Only our own stored documents come here; this catches an empty column, not an attack.
    if not (part.startswith(b"{") and part.endswith(b"}")):
        raise UnfitForBundle(name)
    return part
