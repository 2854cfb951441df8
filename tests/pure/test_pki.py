import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from devices import pki
from devices.pki import Anchor, CertificateRejected, DeviceIdentity, UnusableAnchor
from tests.pure.certificates import (
    END,
    HARDWARE_ID,
    NOW,
    PREFIXES,
    Made,
    anchor,
    device,
    device_ca,
    p256,
    root,
    usage,
)

ROOT = root()
CA = device_ca(ROOT)
DEVICE = device(CA)
ANCHORS = (anchor(ROOT),)
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def verify(*chain: Made, anchors: tuple[Anchor, ...] = ANCHORS, now: datetime = NOW) -> DeviceIdentity:
    return pki.verify_chain([made.der for made in chain], anchors, now)


def refusal(*chain: Made, anchors: tuple[Anchor, ...] = ANCHORS, now: datetime = NOW) -> str:
    with pytest.raises(CertificateRejected) as caught:
        verify(*chain, anchors=anchors, now=now)
    return caught.value.reason


def named(*subject: tuple[x509.ObjectIdentifier, str]) -> Made:
    return replace(DEVICE, subject=subject)


class TestVerifyChain:
    def test_it_names_the_device_and_its_key(self) -> None:
        identity = verify(DEVICE, CA)
        spki = DEVICE.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert identity.hardware_id == HARDWARE_ID
        assert identity.public_key == DEVICE.key.public_key()
        assert identity.spki_sha256 == hashlib.sha256(spki).digest()
        assert identity.certificate_sha256 == hashlib.sha256(DEVICE.der).digest()

    def test_it_takes_the_issuing_ca_as_anchor_with_or_without_it_in_the_chain(self) -> None:
        assert verify(DEVICE, anchors=(anchor(CA),)) == verify(DEVICE, CA, anchors=(anchor(CA),))

    def test_it_takes_three_certificates_below_the_root(self) -> None:
        middle = device_ca(ROOT, "Example Region CA", key=p256(7), path_length=1)
        below = device_ca(middle)
        assert verify(device(below), below, middle).hardware_id == HARDWARE_ID

    @pytest.mark.parametrize(
        "key",
        [
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
            rsa.generate_private_key(65537, 2048),
            ed25519.Ed25519PrivateKey.generate(),
        ],
    )
    def test_it_takes_the_four_kinds_of_device_keys(self, key: ec.EllipticCurvePrivateKey) -> None:
        made = device(CA, key=key)
        assert verify(made, CA).public_key == key.public_key()

    def test_it_takes_a_ca_with_a_p384_key(self) -> None:
        ca = device_ca(ROOT, key=ec.generate_private_key(ec.SECP384R1()))
        assert verify(device(ca), ca).hardware_id == HARDWARE_ID

    def test_it_chooses_the_anchor_that_signed_among_several(self) -> None:
        other = root("Other Root", number=9)
        anchors = (anchor(other, prefixes=("00-11-22",)), *ANCHORS)
        assert verify(DEVICE, CA, anchors=anchors).hardware_id == HARDWARE_ID

    @pytest.mark.parametrize("now", [CA.not_before, END])
    def test_it_takes_the_first_and_the_last_moment_of_validity(self, now: datetime) -> None:
        assert verify(DEVICE, CA, now=now).hardware_id == HARDWARE_ID


class TestTheChain:
    def test_it_has_one_to_three_certificates(self) -> None:
        assert refusal() == "chain-length"
        assert refusal(DEVICE, CA, CA, CA) == "chain-length"

    def test_it_leaves_the_root_out(self) -> None:
        assert refusal(DEVICE, CA, ROOT) == "root-included"
        assert refusal(replace(DEVICE, issuer=None, signed_by=DEVICE.key)) == "root-included"

    def test_it_has_the_device_first_and_each_certified_by_the_next(self) -> None:
        assert refusal(CA, DEVICE) == "chain-order"
        assert refusal(DEVICE, DEVICE) == "chain-order"

    def test_it_ends_at_an_anchor(self) -> None:
        assert refusal(DEVICE) == "not-trusted"
        assert refusal(DEVICE, CA, anchors=()) == "not-trusted"

    def test_it_is_not_of_a_foreign_ca(self) -> None:
        foreign = device_ca(root("Example Root", number=9), key=p256(8))
        assert refusal(device(foreign), foreign) == "not-trusted"
        assert refusal(replace(DEVICE, signed_by=p256(8)), CA) == "not-trusted"
        assert refusal(DEVICE, replace(CA, signed_by=p256(8))) == "not-trusted"

    def test_it_is_not_made_with_another_device_in_the_place_of_the_ca(self) -> None:
        assert refusal(device(DEVICE, "00-90-33-01-0B-00", key=p256(8)), DEVICE, CA) == "issuer"

    def test_it_keeps_the_path_length_of_the_ca(self) -> None:
        below = device_ca(CA, "Example Line CA", key=p256(8))
        assert refusal(device(below), below, CA) == "not-trusted"

    def test_its_cas_may_sign_certificates(self) -> None:
        ca = CA.with_extensions((usage(digital_signature=True), True))
        assert refusal(device(ca), ca) == "not-trusted"
        ca = CA.without(x509.BasicConstraints)
        assert refusal(device(ca), ca) == "issuer"

    def test_its_cas_have_p256_or_p384_keys(self) -> None:
        for key in (rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()):
            ca = device_ca(ROOT, key=key)
            assert refusal(device(ca), ca) == "issuer"

    @pytest.mark.parametrize("part", ["device", "ca"])
    def test_it_is_valid_now(self, part: str) -> None:
        second = timedelta(seconds=1)
        changes: tuple[tuple[str, Callable[[Made], Made]], ...] = (
            ("expired", lambda made: replace(made, not_after=NOW - second)),
            ("not-yet-valid", lambda made: replace(made, not_before=NOW + second)),
        )
        for reason, change in changes:
            ca = change(CA) if part == "ca" else CA
            assert refusal(device(ca) if part == "ca" else change(DEVICE), ca) == reason

    def test_it_does_not_end_at_an_expired_anchor(self) -> None:
        expired = replace(ROOT, not_after=NOW - timedelta(seconds=1))
        assert refusal(DEVICE, CA, anchors=(anchor(expired),)) == "not-trusted"

    @pytest.mark.parametrize(
        "der", [b"", b"\x30", b"\x30\x03\x02\x01\x00", b"not a certificate", b"\x00" * 1000]
    )
    def test_it_is_made_of_certificates(self, der: bytes) -> None:
        for chain in ([der], [DEVICE.der, der], [der, CA.der]):
            with pytest.raises(CertificateRejected) as caught:
                pki.verify_chain(chain, ANCHORS, NOW)
            assert caught.value.reason == "not-a-certificate"

    def test_it_has_nothing_behind_its_certificates(self) -> None:
        with pytest.raises(CertificateRejected):
            pki.verify_chain([DEVICE.der + b"\x00", CA.der], ANCHORS, NOW)

    # `cryptography` warns of serial numbers that a later release refuses; refused they are either way.
    @pytest.mark.filterwarnings("ignore:Parsed a serial number")
    def test_it_is_refused_with_any_byte_changed(self) -> None:
        chain = [DEVICE.der, CA.der]
        for position in range(2):
            for place in range(len(chain[position])):
                changed = bytearray(chain[position])
                changed[place] ^= 1 << place % 8
                tampered = [bytes(changed) if index == position else der for index, der in enumerate(chain)]
                with pytest.raises(CertificateRejected):
                    pki.verify_chain(tampered, ANCHORS, NOW)

    def test_it_is_known_by_the_key_and_not_by_the_bytes_of_its_certificate(self) -> None:
        # The last bit of an even signature may be declared unused: other bytes, same certificate.
        made = next(
            m for m in (device(CA, key=p256(n)) for n in range(1, 99)) if m.certificate.signature[-1] % 2 == 0
        )
        rewritten = bytearray(made.der)
        rewritten[-len(made.certificate.signature) - 1] = 1
        identity, again = verify(made, CA), pki.verify_chain([bytes(rewritten), CA.der], ANCHORS, NOW)
        assert again.certificate_sha256 != identity.certificate_sha256
        assert again.spki_sha256 == identity.spki_sha256

    def test_it_may_be_noise(self) -> None:
        for length in range(1, 200):
            with pytest.raises(CertificateRejected):
                pki.verify_chain([os.urandom(length)], ANCHORS, NOW)


class TestTheDeviceCertificate:
    def test_it_is_no_ca(self) -> None:
        made = DEVICE.with_extensions(
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (usage(digital_signature=True, cert_sign=True), True),
        )
        assert refusal(made, CA) == "ca-certificate"
        assert refusal(CA, anchors=(anchor(ROOT),)) == "ca-certificate"

    def test_it_needs_no_basic_constraints(self) -> None:
        assert verify(DEVICE.without(x509.BasicConstraints), CA).hardware_id == HARDWARE_ID

    def test_it_has_the_key_usage_of_a_signer_and_of_no_ca(self) -> None:
        assert refusal(DEVICE.without(x509.KeyUsage), CA) == "key-usage"
        assert refusal(DEVICE.with_extensions((usage(), True)), CA) == "key-usage"
        both = usage(digital_signature=True, cert_sign=True)
        assert refusal(DEVICE.with_extensions((both, True)), CA) == "key-usage"

    def test_it_marks_the_key_usage_as_critical(self) -> None:
        assert refusal(DEVICE.with_extensions((usage(digital_signature=True), False)), CA) == "not-trusted"

    def test_it_names_the_key_of_its_issuer(self) -> None:
        assert refusal(replace(DEVICE, authority_key_id=False), CA) == "not-trusted"

    def test_it_is_for_clients_if_it_is_restricted(self) -> None:
        client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
        for good in ([client], [server, client]):
            made = DEVICE.with_extensions((x509.ExtendedKeyUsage(good), False))
            assert verify(made, CA).hardware_id == HARDWARE_ID
        for bad in (
            [server],
            [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE],
            [ExtendedKeyUsageOID.CODE_SIGNING],
        ):
            made = DEVICE.with_extensions((x509.ExtendedKeyUsage(bad), False))
            assert refusal(made, CA) == "extended-key-usage"

    def test_it_may_have_a_subject_alternative_name_that_is_not_looked_at(self) -> None:
        made = DEVICE.with_extensions(
            (x509.SubjectAlternativeName([x509.DNSName("00-11-22-33-44-55")]), False)
        )
        assert verify(made, CA).hardware_id == HARDWARE_ID

    def test_it_may_have_unknown_extensions_unless_they_are_critical(self) -> None:
        assert verify(DEVICE.with_extensions((UNKNOWN_EXTENSION, False)), CA).hardware_id == HARDWARE_ID
        assert refusal(DEVICE.with_extensions((UNKNOWN_EXTENSION, True)), CA) == "not-trusted"

    @pytest.mark.parametrize(
        ("key", "reason"),
        [
            (rsa.generate_private_key(65537, 1024), "key-size"),  # noqa: S505 - what is refused here
            (ec.generate_private_key(ec.SECP521R1()), "key-type"),
            (ec.generate_private_key(ec.SECP256K1()), "key-type"),
            (mldsa.MLDSA65PrivateKey.generate(), "key-type"),
        ],
    )
    def test_it_has_a_key_of_an_allowed_kind_and_size(
        self, key: ec.EllipticCurvePrivateKey, reason: str
    ) -> None:
        assert refusal(device(CA, key=key), CA) == reason


class TestTheHardwareID:
    def test_it_is_in_the_serial_number_or_in_the_common_name_as_the_anchor_says(self) -> None:
        in_common_name = (Anchor(ROOT.certificate, PREFIXES, "CN"),)
        made = named((NameOID.COMMON_NAME, HARDWARE_ID), (NameOID.SERIAL_NUMBER, "4711"))
        assert verify(made, CA, anchors=in_common_name).hardware_id == HARDWARE_ID
        assert refusal(made, CA) == "hardware-id"
        made = named((NameOID.COMMON_NAME, "Gateway"), (NameOID.SERIAL_NUMBER, HARDWARE_ID))
        assert verify(made, CA).hardware_id == HARDWARE_ID
        assert refusal(made, CA, anchors=in_common_name) == "hardware-id"

    def test_it_is_there_once(self) -> None:
        twice = (NameOID.SERIAL_NUMBER, HARDWARE_ID)
        other = (NameOID.SERIAL_NUMBER, "00-90-33-01-0B-00")
        assert refusal(named(twice, twice), CA) == "hardware-id"
        assert refusal(named(twice, other), CA) == "hardware-id"
        assert refusal(named((NameOID.COMMON_NAME, HARDWARE_ID)), CA) == "hardware-id"

    def test_it_is_the_only_one_in_the_subject(self) -> None:
        made = named((NameOID.COMMON_NAME, "00-90-33-01-0B-00"), (NameOID.SERIAL_NUMBER, HARDWARE_ID))
        assert refusal(made, CA) == "hardware-id"

    @pytest.mark.parametrize(
        "text", ["00:90:33:01:0A:FF", "00-90-33-01-0a-ff", "009033010AFF", "00-90-33-01-0A-FF "]
    )
    def test_it_is_canonical(self, text: str) -> None:
        assert refusal(device(CA, text), CA) == "hardware-id"

    @pytest.mark.parametrize(
        ("prefixes", "identity", "accepted"),
        [
            (("00-90-33",), "00-90-33-00-00-00", True),
            (("00-90-34",), "00-90-33-00-00-00", False),
            (("00-11-22", "00-90-33"), "00-90-33-00-00-00", True),
            (("00-90-33-01",), "00-90-33-01-FF-FF", True),
            (("00-90-33-01",), "00-90-33-02-00-00", False),
            (("00-90-33-01-0A-FF",), "00-90-33-01-0A-FF", True),
            (("00-90-33-01-0A-FE",), "00-90-33-01-0A-FF", False),
        ],
    )
    def test_it_is_under_a_prefix_of_the_anchor(
        self, prefixes: tuple[str, ...], identity: str, accepted: bool
    ) -> None:
        anchors = (anchor(ROOT, prefixes=prefixes),)
        if accepted:
            assert verify(device(CA, identity), CA, anchors=anchors).hardware_id == identity
        else:
            assert refusal(device(CA, identity), CA, anchors=anchors) == "prefix"

    def test_it_is_not_under_the_prefix_of_another_manufacturer(self) -> None:
        other_root = root("Other Root", number=9)
        other_ca = device_ca(other_root, "Other CA", key=p256(8))
        anchors = (*ANCHORS, anchor(other_root, prefixes=("00-11-22",)))
        assert refusal(device(other_ca), other_ca, anchors=anchors) == "prefix"
        assert refusal(device(CA, "00-11-22-00-00-01"), CA, anchors=anchors) == "prefix"

    def test_it_is_under_the_prefix_of_the_nearer_of_two_anchors(self) -> None:
        anchors = (*ANCHORS, anchor(CA, prefixes=("00-90-33-FF",)))
        assert refusal(DEVICE, CA, anchors=anchors) == "prefix"


class TestAnchor:
    @pytest.mark.parametrize(
        "prefixes",
        [
            (),
            ("",),
            ("00-90",),
            ("00-90-3",),
            ("00-90-33-",),
            ("00-90-3g",),
            ("00:90:33",),
            ("00-90-33", "00"),
            ("00-90-33-01-0A-FF-00",),
            ("00-90-ab",),
        ],
    )
    def test_it_speaks_for_whole_octets_and_at_least_three(self, prefixes: tuple[str, ...]) -> None:
        with pytest.raises(UnusableAnchor):
            anchor(ROOT, prefixes=prefixes)

    def test_it_is_the_certificate_of_a_ca_with_an_allowed_key(self) -> None:
        with_rsa_key = replace(ROOT, key=rsa.generate_private_key(65537, 2048))
        for made in (DEVICE, with_rsa_key, ROOT.without(x509.BasicConstraints)):
            with pytest.raises(UnusableAnchor, match="CA"):
                anchor(made)

    def test_it_says_in_which_attribute_the_hardware_id_is(self) -> None:
        with pytest.raises(UnusableAnchor, match="serialNumber or CN"):
            Anchor(ROOT.certificate, PREFIXES, "OU")  # type: ignore[arg-type]

    def test_it_is_given_once(self) -> None:
        with pytest.raises(UnusableAnchor, match="two anchors"):
            verify(DEVICE, CA, anchors=(*ANCHORS, anchor(ROOT, prefixes=("00-11-22",))))


def test_the_builder_makes_the_same_certificates_again() -> None:
    assert device(device_ca(root())).der == DEVICE.der
    assert DEVICE.certificate.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
