"""What is no certificate, or is one by other rules than DER and X.509 version 3."""

import ssl
from collections.abc import Callable

from tests.attacks.certificates import der
from tests.attacks.certificates.subjects import cut
from tests.attacks.certificates.variants import ACCEPTED, CA, DEVICE, Make, Variant, chain

REJECTED = "not-a-certificate"


def instead(data: bytes, verdict: str = REJECTED) -> Make:
    """These bytes where the device's certificate belongs."""
    return lambda: chain(data, verdict=verdict)


def above(data: bytes) -> Make:
    """These bytes where the CA's certificate belongs."""
    return lambda: chain(DEVICE, data, verdict=REJECTED)


def version(number: int) -> Callable[[der.Opened], None]:
    def change(opened: der.Opened) -> None:
        opened.tbs.parts[0].parts[0].data = bytes([number])

    return change


def serial(data: bytes) -> Callable[[der.Opened], None]:
    def change(opened: der.Opened) -> None:
        opened.serial.data = data

    return change


def until(tag: int, text: bytes) -> Callable[[der.Opened], None]:
    def change(opened: der.Opened) -> None:
        opened.validity.parts[1] = der.Node(tag, text)

    return change


def since(tag: int, text: bytes) -> Callable[[der.Opened], None]:
    def change(opened: der.Opened) -> None:
        opened.validity.parts[0] = der.Node(tag, text)

    return change


def _version_1(opened: der.Opened) -> None:
    del opened.tbs.parts[7], opened.tbs.parts[0]


def _no_extensions(opened: der.Opened) -> None:
    del opened.tbs.parts[7]


def _an_extension_twice(opened: der.Opened) -> None:
    opened.extensions.append(opened.extensions[-1])


def _an_extension_cut_off(opened: der.Opened) -> None:
    value = opened.extensions[-1].parts[-1]
    value.data = value.data[:-1]


def _more_in_the_signed_part(opened: der.Opened) -> None:
    opened.tbs.parts.append(der.Node(der.NULL))


def _more_in_the_certificate() -> Variant:
    cert = der.read(DEVICE.der)
    cert.parts.append(der.Node(der.NULL))
    return chain(cert.write(), verdict=REJECTED)


def _long_length() -> Variant:
    """A length in three octets where two do: BER lets it pass, DER does not."""
    content = DEVICE.der[4:]
    return chain(b"\x30\x83\x00" + len(content).to_bytes(2, "big") + content, verdict=REJECTED)


def _endless_length() -> Variant:
    return chain(b"\x30\x80" + DEVICE.der[4:] + b"\x00\x00", verdict=REJECTED)


def _a_ca_of_the_year_0() -> Variant:
    return chain(DEVICE, der.operated(CA, until(der.GENERALIZED_TIME, b"00000101000000Z")), verdict=REJECTED)


PEM = ssl.DER_cert_to_PEM_cert(DEVICE.der).encode()

VARIANTS: dict[str, Make] = {
    "PEM": instead(PEM),
    "PEM of the CA": above(ssl.DER_cert_to_PEM_cert(CA.der).encode()),
    "base64 of DER": instead(b"".join(PEM.splitlines()[1:-1])),
    "one NUL": instead(b"\x00"),
    "an empty sequence": instead(b"\x30\x00"),
    "an integer": instead(b"\x02\x01\x01"),
    "nested a thousand deep": instead(b"\x30\x80" * 1000),
    "a length beyond the end": instead(b"\x30\x84\xff\xff\xff\xff"),
    "noise above": above(b"not a certificate"),
    "cut off": instead(DEVICE.der[:-1]),
    "half": instead(DEVICE.der[: len(DEVICE.der) // 2]),
    "a byte behind": instead(DEVICE.der + b"\x00"),
    "a byte behind the CA": above(CA.der + b"\x00"),
    "two certificates in one": instead(DEVICE.der + CA.der),
    "a byte before": instead(b"\x00" + DEVICE.der),
    "more in the certificate": _more_in_the_certificate,
    "more in the signed part": cut(REJECTED, _more_in_the_signed_part),
    "a length in more octets than it needs": _long_length,
    "a length that is not told": _endless_length,
    "version 1": cut("key-usage", _version_1),
    "version 3 without extensions": cut("key-usage", _no_extensions),
    "version 2 with extensions": cut(REJECTED, version(1)),
    "version 4": cut(REJECTED, version(3)),
    "version 128": cut(REJECTED, version(127)),
    # RFC 5280, 4.1.2.2: who reads a certificate is to be prepared for it.
    "serial number 0": cut(ACCEPTED, serial(b"\x00")),
    "serial number below 0": cut("not-trusted", serial(b"\x80\x00")),
    "serial number of 20 octets": cut(ACCEPTED, serial(b"\x7f" + b"\xff" * 19)),
    "serial number of 22 octets": cut("not-trusted", serial(b"\x7f" + b"\xff" * 21)),
    "serial number of 4000 octets": cut("not-trusted", serial(b"\x7f" + b"\xff" * 3999)),
    "serial number of no octets": cut(REJECTED, serial(b"")),
    "serial number with a zero before": cut(REJECTED, serial(b"\x00\x01")),
    "an extension twice": cut(REJECTED, _an_extension_twice),
    "an extension cut off": cut(REJECTED, _an_extension_cut_off),
    "an end on 30 February": cut(REJECTED, until(der.GENERALIZED_TIME, b"20300230000000Z")),
    "an end without a zone": cut(REJECTED, until(der.GENERALIZED_TIME, b"99991231235959")),
    "an end with fractions": cut(REJECTED, until(der.GENERALIZED_TIME, b"99991231235959.9Z")),
    "an end in another zone": cut(REJECTED, until(der.UTC_TIME, b"300101000000+0100")),
    "an end in the 20th century": cut("expired", until(der.UTC_TIME, b"500101000000Z")),
    "a beginning in the year 0": cut(REJECTED, since(der.GENERALIZED_TIME, b"00000101000000Z")),
    "an end in the year 0": cut(REJECTED, until(der.GENERALIZED_TIME, b"00000101000000Z")),
    "a CA's end in the year 0": _a_ca_of_the_year_0,
    "an end of the wrong kind of time": cut("not-trusted", until(der.GENERALIZED_TIME, b"20300101000000Z")),
}
