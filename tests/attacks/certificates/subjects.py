"""Whose certificate it is: the hardware ID in the subject, missing, twice, disguised or out of place."""

from collections.abc import Callable
from dataclasses import replace

from cryptography.x509.oid import NameOID

from devices.pki import Anchor
from tests.attacks.certificates import der
from tests.attacks.certificates.variants import (
    ACCEPTED,
    CA,
    DEVICE,
    HARDWARE_ID,
    ROOT,
    Make,
    Variant,
    chain,
)
from tests.pure import certificates

OTHER_ID = "00-90-33-01-0B-00"
ID = HARDWARE_ID.encode()
IN_COMMON_NAME = (Anchor(ROOT.certificate, certificates.PREFIXES, "CN"),)
BY_THE_CA = (certificates.anchor(CA, prefixes=("00-90-33-FF",)),)
BOTH_ATTRIBUTES = ((NameOID.COMMON_NAME, HARDWARE_ID), (NameOID.SERIAL_NUMBER, HARDWARE_ID))


def named(verdict: str, *values: tuple[object, str], **options: object) -> Make:
    """A device certificate with these attributes as its subject."""
    return lambda: chain(replace(DEVICE, subject=values), verdict=verdict, **options)  # type: ignore[arg-type]


def numbered(verdict: str, text: str, **options: object) -> Make:
    """A device certificate with this text as its serialNumber, in UTF-8: the builder wants it printable."""
    subject = der.name((der.COMMON_NAME, der.UTF8, b"Gateway"), (der.SERIAL_NUMBER, der.UTF8, text.encode()))
    return cut(verdict, lambda opened: setattr(opened, "subject", subject), **options)


def spelled(verdict: str, *attributes: tuple[bytes, int, bytes]) -> Make:
    """A device certificate with a subject of these types, tags and bytes."""
    return cut(verdict, lambda opened: setattr(opened, "subject", der.name(*attributes)))


def cut(verdict: str, change: Callable[[der.Opened], object], **options: object) -> Make:
    """A device certificate with its signed part changed."""
    return lambda: chain(der.operated(DEVICE, change), verdict=verdict, **options)


def _several_in_one(opened: der.Opened) -> None:
    values = [
        der.sequence(der.Node(der.OID, kind), der.Node(der.UTF8, ID))
        for kind in (der.COMMON_NAME, der.SERIAL_NUMBER)
    ]
    opened.subject = der.sequence(der.Node(der.SET, parts=values))


def _nothing(opened: der.Opened) -> None:
    opened.subject = der.sequence()


def _foreign() -> Variant:
    """The other manufacturer's own, for hardware of the first."""
    root = certificates.root("Other Root", 201)
    ca = certificates.device_ca(root, "Other CA", key=certificates.p256(202))
    anchors = (certificates.anchor(ROOT), certificates.anchor(root, prefixes=("00-11-22",)))
    return chain(certificates.device(ca), ca, verdict="prefix", anchors=anchors)


VARIANTS: dict[str, Make] = {
    "nothing is wrong": lambda: chain(DEVICE, verdict=ACCEPTED),
    "no serial number": named("hardware-id", (NameOID.COMMON_NAME, HARDWARE_ID)),
    "the same serial number twice": named("hardware-id", *BOTH_ATTRIBUTES, BOTH_ATTRIBUTES[1]),
    "two serial numbers": named("hardware-id", *BOTH_ATTRIBUTES, (NameOID.SERIAL_NUMBER, OTHER_ID)),
    "serial number without common name": named(ACCEPTED, BOTH_ATTRIBUTES[1]),
    "small letters": numbered("hardware-id", HARDWARE_ID.lower()),
    "colons": numbered("hardware-id", HARDWARE_ID.replace("-", ":")),
    "dots": numbered("hardware-id", HARDWARE_ID.replace("-", ".")),
    "no separators": numbered("hardware-id", HARDWARE_ID.replace("-", "")),
    "a blank behind": numbered("hardware-id", f"{HARDWARE_ID} "),
    "a blank before": numbered("hardware-id", f" {HARDWARE_ID}"),
    "a line feed behind": numbered("hardware-id", f"{HARDWARE_ID}\n"),
    "an EUI-64": numbered("hardware-id", f"{HARDWARE_ID}-00-01"),
    "five octets": numbered("hardware-id", HARDWARE_ID[:-3]),
    "two in one text": numbered("hardware-id", f"{HARDWARE_ID},{OTHER_ID}"),
    "a wildcard": numbered("hardware-id", "00-90-33-*"),
    "Cyrillic А": numbered("hardware-id", HARDWARE_ID.replace("A", "\u0410")),
    "full-width F": numbered("hardware-id", HARDWARE_ID.replace("F", "\uff26")),
    "Arabic digits": numbered("hardware-id", HARDWARE_ID.replace("0", "\u0660")),
    "a dash of Unicode": numbered("hardware-id", HARDWARE_ID.replace("-", "\u2010")),
    "an invisible blank": numbered("hardware-id", HARDWARE_ID + "\u200b"),
    "a NUL behind": numbered("hardware-id", f"{HARDWARE_ID}\x00"),
    "a NUL, and another ID behind it": numbered("hardware-id", f"{HARDWARE_ID}\x00{OTHER_ID}"),
    "the common name is a model": numbered(ACCEPTED, HARDWARE_ID),
    "the common name is another ID": named(
        "hardware-id", (NameOID.COMMON_NAME, OTHER_ID), (NameOID.SERIAL_NUMBER, HARDWARE_ID)
    ),
    "the organization is another ID": named(
        "hardware-id", *BOTH_ATTRIBUTES, (NameOID.ORGANIZATION_NAME, OTHER_ID)
    ),
    "the common name is the ID in small letters": named(
        ACCEPTED, (NameOID.COMMON_NAME, HARDWARE_ID.lower()), (NameOID.SERIAL_NUMBER, HARDWARE_ID)
    ),
    "CN anchor, ID in CN": named(
        ACCEPTED,
        (NameOID.COMMON_NAME, HARDWARE_ID),
        (NameOID.SERIAL_NUMBER, "4711"),
        anchors=IN_COMMON_NAME,
    ),
    "CN anchor, ID in serialNumber only": numbered("hardware-id", HARDWARE_ID, anchors=IN_COMMON_NAME),
    "CN anchor, ID as part of CN": named(
        "hardware-id", (NameOID.COMMON_NAME, f"Gateway {HARDWARE_ID}"), anchors=IN_COMMON_NAME
    ),
    "CN anchor, CN twice": named(
        "hardware-id", BOTH_ATTRIBUTES[0], BOTH_ATTRIBUTES[0], anchors=IN_COMMON_NAME
    ),
    "serialNumber anchor, ID in CN only": named(
        "hardware-id", (NameOID.COMMON_NAME, HARDWARE_ID), (NameOID.SERIAL_NUMBER, "4711")
    ),
    "a prefix of nobody": numbered("prefix", "00-90-34-01-0A-FF", hardware_id="00-90-34-01-0A-FF"),
    "a prefix of the root only": lambda: chain(
        DEVICE, verdict="prefix", anchors=(*BY_THE_CA, certificates.anchor(ROOT))
    ),
    "a prefix of another manufacturer": _foreign,
    "an empty subject": cut("hardware-id", _nothing),
    "both attributes in one RDN": cut(ACCEPTED, _several_in_one),
    "an empty serial number": spelled("hardware-id", (der.SERIAL_NUMBER, der.UTF8, b"")),
    "PrintableString": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.PRINTABLE, ID)),
    "IA5String": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.IA5, ID)),
    "VisibleString": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.VISIBLE, ID)),
    "TeletexString": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.TELETEX, ID)),
    "BMPString": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.BMP, HARDWARE_ID.encode("utf-16-be"))),
    "UniversalString": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.UNIVERSAL, HARDWARE_ID.encode("utf-32-be"))),
    "PrintableString that is not": spelled(
        "not-a-certificate", (der.SERIAL_NUMBER, der.PRINTABLE, ID + b"*")
    ),
    # The CA vouches for the characters; by which of the many kinds of text it does is its own matter.
    "NumericString with letters": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.NUMERIC, ID)),
    "BMPString of half a character": spelled("not-a-certificate", (der.SERIAL_NUMBER, der.BMP, ID[:-2])),
    "UTF8String that is no UTF-8": spelled("not-a-certificate", (der.SERIAL_NUMBER, der.UTF8, ID + b"\xff")),
    "an octet string": spelled(ACCEPTED, (der.SERIAL_NUMBER, der.OCTET_STRING, ID)),
    "a bit string": spelled("not-a-certificate", (der.SERIAL_NUMBER, der.BIT_STRING, b"\x00" + ID)),
}
