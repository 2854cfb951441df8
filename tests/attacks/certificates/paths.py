"""The way to the anchor: its order, length and validity, and what the certificates on it may do."""

from dataclasses import replace
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.attacks.certificates.variants import (
    ACCEPTED,
    ANCHORS,
    CA,
    DEVICE,
    HARDWARE_ID,
    NOW,
    ROOT,
    Make,
    Variant,
    chain,
    p256,
)
from tests.pure import certificates
from tests.pure.certificates import Made, anchor, device, device_ca, usage

SECOND = timedelta(seconds=1)
UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
EXPIRED_ROOT, FUTURE_ROOT = replace(ROOT, not_after=NOW - SECOND), replace(ROOT, not_before=NOW + SECOND)
REGION = device_ca(ROOT, "Example Region CA", key=p256(7), path_length=1)
LINE = device_ca(REGION)


def leaf_with(verdict: str, *extensions: tuple[x509.ExtensionType, bool]) -> Make:
    """A device certificate with these extensions in place of those of the same kind."""
    return lambda: chain(DEVICE.with_extensions(*extensions), verdict=verdict)


def under(verdict: str, ca: Made, **options: object) -> Make:
    """A device certificate under another CA of the root."""
    return lambda: chain(device(ca), ca, verdict=verdict, **options)


def ca_with(verdict: str, *extensions: tuple[x509.ExtensionType, bool]) -> Make:
    """A device certificate under a CA with these extensions in place of those of the same kind."""
    return under(verdict, CA.with_extensions(*extensions))


def restricted(verdict: str, *usages: ObjectIdentifier) -> Make:
    """A device certificate that is restricted to these extended usages."""
    return leaf_with(verdict, (x509.ExtendedKeyUsage(usages), False))


def _names(*permitted: x509.GeneralName) -> x509.NameConstraints:
    return x509.NameConstraints(permitted_subtrees=list(permitted), excluded_subtrees=None)


def _one_device_for_another() -> Variant:
    return chain(device(DEVICE, "00-90-33-01-0B-00", key=p256(8)), DEVICE, CA, verdict="issuer")


def _another_root_of_the_same_name() -> Variant:
    root = certificates.root(number=201)
    ca = device_ca(root)
    return chain(device(ca), ca, verdict="not-trusted")


def _the_same_ca_under_another_root() -> Variant:
    """The names and the CA's key are right, but another root of the same name certified it."""
    return chain(DEVICE, device_ca(certificates.root(number=201)), verdict="not-trusted")


def _the_key_of_the_ca_under_another_name() -> Variant:
    return chain(DEVICE, device_ca(ROOT, "Example Other CA"), verdict="chain-order")


def _a_ca_below_the_last() -> Variant:
    below = device_ca(CA, "Example Line CA", key=p256(8))
    return chain(device(below), below, CA, verdict="not-trusted")


def _of_itself() -> Variant:
    own = replace(DEVICE, issuer=None)
    return Variant(chain=[own.der], verdict="root-included")


def _of_its_own_name() -> Variant:
    """Certified by the CA, which took the device's name for it."""
    ca = device_ca(ROOT, HARDWARE_ID)
    leaf = replace(device(ca), subject=((NameOID.COMMON_NAME, HARDWARE_ID),))
    return chain(leaf, ca, verdict="root-included")


VARIANTS: dict[str, Make] = {
    "three below the root": lambda: chain(device(LINE), LINE, REGION, verdict=ACCEPTED),
    "no certificate": lambda: Variant(chain=[], verdict="chain-length"),
    "four certificates": lambda: chain(device(LINE), LINE, REGION, REGION, verdict="chain-length"),
    "the CA is missing": lambda: Variant(chain=[DEVICE.der], verdict="not-trusted"),
    "one in the middle is missing": lambda: chain(device(LINE), REGION, verdict="chain-order"),
    "the root is included": lambda: chain(DEVICE, CA, ROOT, verdict="root-included"),
    "only the root": lambda: chain(ROOT, ROOT, verdict="root-included"),
    "the CA first": lambda: chain(CA, DEVICE, verdict="chain-order"),
    "the CA alone": lambda: Variant(chain=[CA.der], verdict="ca-certificate"),
    "three in wrong order": lambda: chain(device(LINE), REGION, LINE, verdict="chain-order"),
    "the device twice": lambda: chain(DEVICE, DEVICE, verdict="chain-order"),
    "the CA twice": lambda: chain(DEVICE, CA, CA, verdict="chain-order"),
    "self-signed": _of_itself,
    "certified under its own name": _of_its_own_name,
    "certified by another device": _one_device_for_another,
    "another root of the same name": _another_root_of_the_same_name,
    "the same CA under another root": _the_same_ca_under_another_root,
    "the CA's key under another name": _the_key_of_the_ca_under_another_name,
    "a CA more than the path length": _a_ca_below_the_last,
    "an anchor that is expired": lambda: chain(
        DEVICE, verdict="not-trusted", anchors=(anchor(EXPIRED_ROOT),)
    ),
    "an anchor of the future": lambda: chain(DEVICE, verdict="not-trusted", anchors=(anchor(FUTURE_ROOT),)),
    "no anchor": lambda: chain(DEVICE, verdict="not-trusted", anchors=()),
    "the CA is the anchor": lambda: chain(DEVICE, verdict=ACCEPTED, anchors=(anchor(CA),)),
    "device expired": lambda: chain(replace(DEVICE, not_after=NOW - SECOND), verdict="expired"),
    "device in its last second": lambda: chain(replace(DEVICE, not_after=NOW), verdict=ACCEPTED),
    "device not yet valid": lambda: chain(replace(DEVICE, not_before=NOW + SECOND), verdict="not-yet-valid"),
    "CA expired": under("expired", replace(CA, not_after=NOW - SECOND)),
    "CA not yet valid": under("not-yet-valid", replace(CA, not_before=NOW + SECOND)),
    "in the year 9999": lambda: chain(DEVICE, verdict=ACCEPTED, now=DEVICE.not_after),
    "before everything": lambda: chain(DEVICE, verdict="not-yet-valid", now=DEVICE.not_before - SECOND),
    "device is a CA": leaf_with("ca-certificate", (x509.BasicConstraints(ca=True, path_length=0), True)),
    "device without basic constraints": lambda: chain(
        DEVICE.without(x509.BasicConstraints), verdict=ACCEPTED
    ),
    "device without key usage": lambda: chain(DEVICE.without(x509.KeyUsage), verdict="key-usage"),
    "device with an empty key usage": leaf_with("key-usage", (usage(), True)),
    "device with a CA's key usage too": leaf_with(
        "key-usage", (usage(digital_signature=True, cert_sign=True), True)
    ),
    "device with an uncritical key usage": leaf_with("not-trusted", (usage(digital_signature=True), False)),
    "device for clients": restricted(ACCEPTED, ExtendedKeyUsageOID.CLIENT_AUTH),
    "device for servers": restricted("extended-key-usage", ExtendedKeyUsageOID.SERVER_AUTH),
    "device for code signing": restricted("extended-key-usage", ExtendedKeyUsageOID.CODE_SIGNING),
    "device for anything": restricted("extended-key-usage", ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
    "device with an unknown extension": leaf_with(ACCEPTED, (UNKNOWN, False)),
    "device with an unknown critical extension": leaf_with("not-trusted", (UNKNOWN, True)),
    # They say what a CA may certify: on a device they limit nothing.
    "device with name constraints": leaf_with(ACCEPTED, (_names(x509.DNSName("a.example")), True)),
    "device with alternative names": leaf_with(
        ACCEPTED, (x509.SubjectAlternativeName([x509.DNSName("00-90-33-01-0b-00")]), False)
    ),
    "device with 20 kB of extension": leaf_with(
        ACCEPTED, (x509.UnrecognizedExtension(UNKNOWN.oid, bytes(20_000)), False)
    ),
    "CA is no CA": ca_with("issuer", (x509.BasicConstraints(ca=False, path_length=None), True)),
    "CA without basic constraints": under("issuer", CA.without(x509.BasicConstraints)),
    "CA with uncritical basic constraints": ca_with(
        "not-trusted", (x509.BasicConstraints(ca=True, path_length=0), False)
    ),
    "CA without key usage": under("not-trusted", CA.without(x509.KeyUsage)),
    "CA that may not certify": ca_with("not-trusted", (usage(digital_signature=True), True)),
    "CA without the issuer's key identifier": under(ACCEPTED, replace(CA, authority_key_id=False)),
    "CA with an unknown critical extension": ca_with("not-trusted", (UNKNOWN, True)),
    # Names of hosts are limited by it, and a device has none.
    "CA for names of hosts": ca_with(ACCEPTED, (_names(x509.DNSName("a.example")), True)),
    "CA for servers only": ca_with(
        "not-trusted", (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    ),
    "CA for another directory": ca_with(
        "not-trusted",
        (_names(x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "X")]))), True),
    ),
}
__all__ = ["ANCHORS", "VARIANTS"]
