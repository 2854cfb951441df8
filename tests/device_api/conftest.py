"""A device of the factory's in Alice's project, with ten ports in its balance, at a fixed time."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding

from accounts.models import Project
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices import trust_anchors
from devices.models import Device
from tests import factories
from tests.device_api.devices import Signer
from tests.pure import certificates
from tests.pure.certificates import Made

HARDWARE_ID = "00-90-33-01-0A-FF"
ROOT = certificates.root()
DEVICE_CA = certificates.device_ca(ROOT)

MakeSigner = Callable[..., Signer]


def good_device() -> Made:
    """A device certificate that nothing is wrong with."""
    return certificates.device(DEVICE_CA, HARDWARE_ID)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, and it stays noon unless the test moves on."""
    with time_machine.travel(factories.NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def signer(authority: Authority) -> Signer:
    """The device, as the factory made it."""
    return Signer.of(make_identity(authority, HARDWARE_ID, kind="P-256", now=factories.NOW))


@pytest.fixture
def device(project: Project, catalogue: None, keyring: object, anchor: object) -> Device:
    """The portal's side of it, with two ports assigned and eight left."""
    factories.activated(project, {"Port": 10})
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
    factories.assigned(device, 2)
    return device


@pytest.fixture
def made(db: None) -> MakeSigner:
    """Makes signers from certificates of any kind. Their root is trusted, whatever they are themselves."""
    trust_anchors.add_trust_anchor(
        certificate=ROOT.certificate.public_bytes(Encoding.PEM),
        manufacturer="Example Networks",
        prefixes=["00-90-33"],
        hardware_id_in="serialNumber",
        caller=factories.caller(),
        now=factories.NOW,
    )

    def make(leaf: Made, *above: Made, alg: str = "ES256", hardware_id: str = HARDWARE_ID) -> Signer:
        chain = [certificate.der for certificate in (leaf, *(above or (DEVICE_CA,)))]
        return Signer(hardware_id=hardware_id, key=leaf.key, chain=chain, alg=alg)

    return make
