"""Certificates and signatures that are not taken. Each refusal has its code and changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import AnchorPrefix, Device, TrustAnchor
from portal.core import base64url
from tests import factories
from tests.device_api.conftest import DEVICE_CA, HARDWARE_ID, ROOT, MakeSigner, good_device
from tests.device_api.devices import Signer
from tests.pure import certificates
from tests.pure.certificates import Made

OTHER = "00-90-33-01-0B-00"
FOREIGN = "00-90-34-01-0A-FF"


def encoded(data: bytes) -> bytes:
    return base64url.encode(data).encode()


def with_serial_numbers(*serial_numbers: str) -> Made:
    subject = [(NameOID.COMMON_NAME, HARDWARE_ID)]
    subject += [(NameOID.SERIAL_NUMBER, serial_number) for serial_number in serial_numbers]
    return replace(good_device(), subject=tuple(subject))


def under_a_ca_of_another_name() -> Made:
    return certificates.device(certificates.device_ca(certificates.root("Foreign Root", 201)), HARDWARE_ID)


def of_an_impostor() -> Made:
    """Under a CA that has the right names and another key."""
    return replace(good_device(), signed_by=certificates.p256(666))


CERTIFICATES: dict[str, tuple[Callable[[], Made], str]] = {
    "expired": (lambda: replace(good_device(), not_after=factories.NOW - timedelta(seconds=1)), "expired"),
    "not yet valid": (
        lambda: replace(good_device(), not_before=factories.NOW + timedelta(days=1)),
        "not-yet-valid",
    ),
    "signed by somebody else": (of_an_impostor, "not-trusted"),
    "CA:TRUE": (
        lambda: good_device().with_extensions((x509.BasicConstraints(ca=True, path_length=None), True)),
        "ca-certificate",
    ),
    "key usage of a CA": (
        lambda: good_device().with_extensions(
            (certificates.usage(digital_signature=True, cert_sign=True), True)
        ),
        "key-usage",
    ),
    "no key usage": (lambda: good_device().without(x509.KeyUsage), "key-usage"),
    "two serial numbers": (lambda: with_serial_numbers(HARDWARE_ID, OTHER), "hardware-id"),
    "the same serial number twice": (lambda: with_serial_numbers(HARDWARE_ID, HARDWARE_ID), "hardware-id"),
    "no serial number": (with_serial_numbers, "hardware-id"),
    "serial number in small letters": (lambda: with_serial_numbers(HARDWARE_ID.lower()), "hardware-id"),
    "two hardware IDs": (lambda: with_serial_numbers(OTHER), "hardware-id"),
    "a prefix of somebody else": (lambda: certificates.device(DEVICE_CA, FOREIGN), "prefix"),
}


class TestCertificate:
    @pytest.mark.parametrize(("certificate", "reason"), CERTIFICATES.values(), ids=list(CERTIFICATES))
    def test_it_is_rejected_with_the_reason(
        self, made: MakeSigner, device: Device, certificate: Callable[[], Made], reason: str
    ) -> None:
        signer = made(certificate())

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == reason

    def test_a_foreign_ca_counts_for_nothing(self, made: MakeSigner, device: Device) -> None:
        leaf = under_a_ca_of_another_name()
        assert leaf.issuer is not None
        signer = made(leaf, leaf.issuer)

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == "not-trusted"

    def test_a_weak_key_is_rejected(self, made: MakeSigner, device: Device) -> None:
        weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - what is refused here
        signer = made(certificates.device(DEVICE_CA, HARDWARE_ID, key=weak), alg="RS256")

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == "key-size"

    def test_a_curve_outside_the_list_is_rejected(self, made: MakeSigner, device: Device) -> None:
        other_curve = certificates.device(DEVICE_CA, HARDWARE_ID, key=ec.generate_private_key(ec.SECP521R1()))
        signer = made(other_curve)

        problem = signer.refuse(
            b".".join((*signer.sign(signer.header()).split(b".")[:2], b"AAAA")),
            status=401,
            code="certificate-rejected",
        )

        assert problem["reason"] == "key-type"

    def test_the_root_is_left_out_of_the_chain(self, made: MakeSigner, device: Device) -> None:
        signer = made(good_device(), DEVICE_CA, ROOT)

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == "root-included"

    def test_a_chain_without_its_ca_proves_nothing(self, made: MakeSigner, device: Device) -> None:
        signer = made(good_device())
        signer.chain = signer.chain[:1]

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == "not-trusted"

    def test_der_that_is_no_certificate_is_rejected(self, made: MakeSigner, device: Device) -> None:
        signer = made(good_device())
        signer.chain = [b"\x30\x03\x02\x01\x01"]

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == "not-a-certificate"

    def test_a_device_speaks_for_itself_only(
        self, signer: Signer, device: Device, authority: Authority
    ) -> None:
        factories.make_device(project=device.project, hardware_id=OTHER)

        problem = signer.refuse(
            signer.sign(claims=signer.claims(iss=OTHER, sub=OTHER)), status=401, code="certificate-rejected"
        )

        assert problem["reason"] == "hardware-id"

    def test_a_made_one_with_nothing_wrong_is_taken(self, made: MakeSigner, device: Device) -> None:
        assert made(good_device()).fetch().status_code == 200

    def test_without_an_anchor_nobody_is_trusted(self, signer: Signer, device: Device) -> None:
        AnchorPrefix.objects.all().delete()
        TrustAnchor.objects.all().delete()

        problem = signer.refuse(signer.sign(), status=401, code="certificate-rejected")

        assert problem["reason"] == "not-trusted"


class TestSignature:
    @pytest.mark.parametrize("part", [1, 2])
    def test_a_flipped_bit_is_refused(self, signer: Signer, device: Device, part: int) -> None:
        segments = signer.sign().split(b".")
        data = bytearray(base64url.decode(segments[part].decode()))
        # In the payload, a digit of the hardware ID or so must stay JSON: the last character of `jti` it is.
        place = data.index(b'"jti"') + 9 if part == 1 else len(data) // 2
        data[place] ^= 1
        segments[part] = encoded(bytes(data))

        signer.refuse(b".".join(segments), status=401, code="bad-signature")

    def test_another_key_than_the_certificate_s_is_refused(
        self, signer: Signer, device: Device, authority: Authority
    ) -> None:
        thief = make_identity(authority, OTHER, kind="P-256", now=factories.NOW)
        signer.key = thief.key

        signer.refuse(signer.sign(), status=401, code="bad-signature")

    @pytest.mark.parametrize("alg", ["ES384", "RS256", "PS256", "Ed25519", "EdDSA"])
    def test_the_algorithm_follows_from_the_key(self, signer: Signer, device: Device, alg: str) -> None:
        signer.refuse(signer.sign(signer.header(alg=alg)), status=401, code="bad-signature")

    def test_a_signature_of_zeros_is_refused(self, signer: Signer, device: Device) -> None:
        head, payload, _ = signer.sign().split(b".")

        signer.refuse(b".".join((head, payload, encoded(bytes(64)))), status=401, code="bad-signature")

    def test_a_signature_in_der_is_refused(self, signer: Signer, device: Device) -> None:
        head, payload, _ = signer.sign().split(b".")
        der = b"\x30\x44\x02\x20" + bytes(32) + b"\x02\x20" + bytes(32)

        signer.refuse(b".".join((head, payload, encoded(der))), status=401, code="bad-signature")
