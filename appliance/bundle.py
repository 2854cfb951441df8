"""The bundle: a `.lic` file, and the answer to a fetch. Each of its members is verified on its own."""

from dataclasses import dataclass
from typing import Any, Final

from appliance import base64url, claims, strict_json
from appliance.refusals import Refusal

FORMAT: Final = "olp/1"
MAX_BYTES: Final = 256 * 1024
_KNOWN: Final = frozenset({"bundle", "tag", "license", "keyset", "chain", "receipt", "proof", "must"})


@dataclass(frozen=True)
class Bundle:
    """A bundle as it came, none of its members verified yet."""

    tag: str
    license: object
    keyset: dict[str, Any] | None
    chain: tuple[object, ...]
    members: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return the bundle as a file. The signed parts are texts inside it and come through unchanged."""
        return strict_json.dumps(self.members)

    def with_keyset(self, keyset: dict[str, Any]) -> "Bundle":
        """Return the bundle with `keyset` in it, so that it can be verified by a device that holds none."""
        members = {**self.members, "keyset": keyset}
        return Bundle(self.tag, self.license, keyset, self.chain, members)


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle; white space around it does not matter.

    :raises Refusal: `too-large`, `malformed`, `unknown-version`, `unknown-must`.
    """
    members = claims.parse(data, max_bytes=MAX_BYTES)
    if claims.text(members, "bundle") != FORMAT:
        raise Refusal("unknown-version", members["bundle"][:20])
    claims.check_must(members, known=_KNOWN)
    keyset, chain = members.get("keyset"), members.get("chain")
    if keyset is not None and not isinstance(keyset, dict):
        raise Refusal("malformed", "keyset is not an object")
    if chain is not None and not isinstance(chain, list):
        raise Refusal("malformed", "chain is not a list")
    return Bundle(
        tag=claims.text(members, "tag"),
        license=members.get("license"),
        keyset=keyset,
        chain=tuple(chain or ()),
        members=members,
    )


def license_payload(bundle: Bundle) -> bytes:
    """Return the payload bytes of the license document of a bundle that was verified when it was installed.

    :raises Refusal: `malformed`.
    """
    value = bundle.license
    if isinstance(value, dict) and isinstance(value.get("payload"), str):
        try:
            return base64url.decode(value["payload"])
        except base64url.NotBase64URL as error:
            raise Refusal("malformed", "a payload that is not base64url") from error
    raise Refusal("malformed", "a bundle without its license document")
