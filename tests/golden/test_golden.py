"""Signed formats hold for ever: what was signed once verifies, and its payload is built again the same."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509

from devices import jose as device_jose
from devices import payloads, pki
from licenses import bundle, jose, keyset
from licenses.document import TYP, LicenseDocumentV1
from licenses.keyset import KeySetV1, Roots
from licenses.log_line import line_hash
from licenses.signers import ALGORITHMS, PublicKey
from portal.core import base64url, strict_json
from tests.golden import make, values
from tests.pure.certificates import HARDWARE_ID

SIGNED_ANEW = {
    "license-document.json",
    "key-set.json",
    "bundle.lic",
}  # ML-DSA signatures are never the same twice


def golden(name: str) -> bytes:
    return (make.FOLDER / name).read_bytes()


def key_set() -> KeySetV1:
    """The golden key set, verified from nothing but the golden roots, as a device does it."""
    pinned = json.loads(golden("roots.json"))
    roots = Roots(tuple(PublicKey.from_jwk(root) for root in pinned["roots"]), pinned["threshold"])
    return keyset.verify_step(roots, golden("key-set.json"))


class TestGoldenFiles:
    @pytest.mark.parametrize("name", sorted(set(make.files()) - SIGNED_ANEW))
    def test_they_are_built_byte_for_byte_by_the_code_of_today(self, name: str) -> None:
        assert make.files()[name] == golden(name)

    def test_they_are_all_there_and_no_others(self) -> None:
        kept = {path.name for path in make.FOLDER.iterdir() if path.suffix not in (".py", "")}
        assert kept == set(make.files())


class TestTheLicenseDocument:
    def test_it_verifies_with_both_algorithms_of_the_key_set(self) -> None:
        keys = key_set().keys_for(TYP)
        for required in (ALGORITHMS, ("Ed25519",), ("ML-DSA-65",)):
            payload = jose.verify_general(
                golden("license-document.json"), typ=TYP, keys=keys, required=required
            )
            assert payload == golden("license-document.payload.json")

    def test_it_is_read_as_the_values_it_was_made_of(self) -> None:
        assert LicenseDocumentV1.from_payload(golden("license-document.payload.json")) == values.DOCUMENT


class TestTheKeySet:
    def test_it_verifies_from_the_roots_and_is_read_as_the_values_it_was_made_of(self) -> None:
        assert key_set() == values.KEY_SET

    def test_it_names_its_keys_by_their_thumbprints(self) -> None:
        listed = json.loads(golden("key-set.payload.json"))["keys"]
        signing = json.loads(golden("license-document.json"))["signatures"]
        headers = [json.loads(base64url.decode(signature["protected"])) for signature in signing]
        assert [header["kid"] for header in headers] == [key["kid"] for key in listed[:2]]


class TestTheBundle:
    def test_it_carries_the_stored_bytes_unchanged(self) -> None:
        document, key_set_bytes = golden("license-document.json"), golden("key-set.json")
        assert golden("bundle.lic") == bundle.assemble(
            tag=bundle.tag_for(document, key_set_bytes), license_document=document, keyset=key_set_bytes
        )

    def test_it_is_strict_json_and_each_part_verifies_on_its_own(self) -> None:
        members = strict_json.loads(golden("bundle.lic"), max_bytes=bundle.MAX_BYTES)
        assert list(members) == ["bundle", "tag", "license", "keyset", "chain"]
        assert strict_json.dumps(members["license"]) == golden("license-document.json")
        assert strict_json.dumps(members["keyset"]) == golden("key-set.json")


class TestTheFetchToken:
    def test_it_is_signed_by_the_device_that_its_chain_proves(self) -> None:
        token = device_jose.parse(golden("fetch.jws"), typ="lic-fetch+jws", online=True)
        anchor = pki.Anchor(
            x509.load_der_x509_certificate(golden("certificate-root.der")), ("00-90-33",), "serialNumber"
        )
        identity = pki.verify_chain(token.chain, [anchor], datetime(2036, 1, 1, tzinfo=UTC))
        device_jose.verify(token, device_jose.verification_key(identity.public_key))
        statement = payloads.parse_fetch(token)
        assert identity.hardware_id == statement.hardware_id == HARDWARE_ID
        assert (statement.seq, statement.fw, statement.have, statement.ks) == (6, "14r2", "dGFn", 1)


class TestTheLog:
    def test_its_leaf_commits_to_the_document_and_the_line(self) -> None:
        digest = hashlib.sha256(golden("license-document.payload.json")).digest()
        leaf = values.leaf(digest, line_hash(values.SALT, golden("log-line.json")))
        assert leaf.to_bytes() == golden("log-leaf.json")
