"""Certificate chains as attackers and careless factories make them: what each comes to, with the reason.

In the manner of x509-limbo, for certificates of devices (trust.md 1). The chains are generated; the verdicts
are written down beside them.
"""

import base64
import functools
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from devices import jose, pki
from devices.models import Device
from devices.pki import CertificateRejected
from tests import rows
from tests.attacks.certificates import encodings, keys, paths, subjects
from tests.attacks.certificates.variants import ACCEPTED, ANCHORS, NOW, Variant
from tests.device_api.conftest import MakeSigner, good_device
from tests.device_api.devices import Signer
from tests.pure import statements
from tests.pure.certificates import PrivateKey, p256

GROUPS = {
    "subject": subjects.VARIANTS,
    "key": keys.VARIANTS,
    "path": paths.VARIANTS,
    "encoding": encodings.VARIANTS,
}
VARIANTS = {f"{group}: {name}": make for group, members in GROUPS.items() for name, make in members.items()}
FEWEST = 60

DER = good_device().der
TEXT = base64.b64encode(DER).decode()

FEWEST_AT_THE_DOOR = 30

# `cryptography` warns of serial numbers that a later release refuses.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")


@functools.cache
def variant(name: str) -> Variant:
    """Made once: some keys take long to find."""
    return VARIANTS[name]()


def verdict_of(variant: Variant) -> str:
    try:
        identity = pki.verify_chain(variant.chain, variant.anchors, variant.now)
    except CertificateRejected as rejected:
        return rejected.reason
    assert identity.hardware_id == variant.hardware_id
    return ACCEPTED


class TestEachVariant:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_comes_to_its_verdict(self, name: str) -> None:
        made = variant(name)

        assert verdict_of(made) == made.verdict


def alg_of(key: PrivateKey) -> str | None:
    """The algorithm a device with this key signs by; None if there is none."""
    match key:
        case ec.EllipticCurvePrivateKey(curve=ec.SECP256R1()):
            return "ES256"
        case ec.EllipticCurvePrivateKey(curve=ec.SECP384R1()):
            return "ES384"
        case rsa.RSAPrivateKey():
            return "RS256"
        case ed25519.Ed25519PrivateKey():
            return "Ed25519"
    return None


class TestAtTheDoor:
    @pytest.mark.parametrize("group", GROUPS)
    def test_they_come_to_the_same(self, made: MakeSigner, device: Device, group: str) -> None:
        signer = made(good_device())
        tried = [
            name for name in VARIANTS if name.startswith(f"{group}: ") and is_for_the_door(variant(name))
        ]
        assert len(tried) >= FEWEST_AT_THE_DOOR

        for name in tried:
            before = rows.everything()
            assert at_the_door(signer, variant(name)) == variant(name).verdict, name
            if variant(name).verdict == ACCEPTED:
                # The next one has another key: nothing shall be known of this one.
                Device.objects.update(pinned_spki=None, pinned_at=None)
            else:
                assert rows.everything() == before, name


def is_for_the_door(variant: Variant) -> bool:
    """Anchors and time are the portal's there: one anchor, for serialNumber, at noon."""
    return (variant.anchors, variant.now) == (ANCHORS, NOW)


def at_the_door(signer: Signer, variant: Variant) -> str:
    """The verdict on a fetch with the variant's chain, signed with its key."""
    alg = alg_of(variant.key)
    # A key that no device has by trust.md 2 cannot sign: then somebody else does.
    signer.key, signer.alg = (variant.key, alg) if alg else (p256(8), "ES256")
    signer.chain, signer.hardware_id = variant.chain, variant.hardware_id
    response = signer.fetch()
    if response.status_code == 200:
        return ACCEPTED
    problem = json.loads(response.content)
    if problem["code"] == "malformed":  # a number of certificates that is seen before any is read
        return "chain-length"
    assert problem["code"] == "certificate-rejected"
    return str(problem["reason"])


class TestTheChainInTheHeader:
    """Before it is a chain it is JSON and base64."""

    @pytest.mark.parametrize(
        "x5c",
        [
            [],
            [""],
            [TEXT, ""],
            [TEXT] * 4,
            [TEXT.rstrip("=") if TEXT.endswith("=") else TEXT[:-1]],
            [TEXT.replace("+", "-").replace("/", "_") + "-"],
            [TEXT + "\n"],
            [f" {TEXT}"],
            [base64.encodebytes(DER).decode()],
            [TEXT + "===="],
            [list(DER[:10])],
            [None],
            [True],
            [{"der": TEXT}],
            [[TEXT]],
            {"0": TEXT},
            TEXT,
            None,
            7,
            ["é"],
            ["Zm9vMh=="],
        ],
        ids=lambda value: repr(value)[:16],
    )
    def test_it_is_a_list_of_one_to_three_in_base64(self, x5c: object) -> None:
        header = statements.header("ES256", [DER], x5c=x5c)
        token = statements.compact(header, statements.payload(), p256(103), "ES256")

        with pytest.raises(jose.MalformedToken, match="x5c"):
            jose.parse(token, typ="lic-fetch+jws", online=True)


class TestTheVariants:
    def test_they_are_many(self, record_property: Callable[[str, object], None]) -> None:
        record_property("certificate variants", len(VARIANTS))

        assert len(VARIANTS) == sum(map(len, GROUPS.values())) >= FEWEST

    def test_they_cover_every_reason_for_which_a_chain_is_rejected(self) -> None:
        verdicts = {variant(name).verdict for name in VARIANTS}

        assert verdicts == {
            ACCEPTED,
            "ca-certificate",
            "chain-length",
            "chain-order",
            "expired",
            "extended-key-usage",
            "hardware-id",
            "issuer",
            "key-size",
            "key-type",
            "key-usage",
            "not-a-certificate",
            "not-trusted",
            "not-yet-valid",
            "prefix",
            "root-included",
        }
