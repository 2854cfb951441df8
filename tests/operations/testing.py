"""Test licenses as the tests of several modules make them."""

from datetime import datetime

from devices import enrollment
from devices.models import Device
from licenses import delivery, trial_queries, trials
from licenses.models import TestLicense
from tests.factories import NOW, caller

GATEWAYS = {"BRI": 4, "Channels": 30, "DECT": 5, "Gatekeeper": 50, "PRI": 1}
PBX = (
    "App",
    "ApplicationSharing",
    "Fax",
    "Mobility",
    "Reporting",
    "Service",
    "UC",
    "Video",
    "Voicemail",
    "myPBX",
)


def contents(*, quantity: int | None) -> dict[str, int]:
    """What the starting catalogue puts into a test license: quantities by product code."""
    return GATEWAYS | (dict.fromkeys(PBX, quantity) if quantity else {})


def created(
    device: Device,
    *,
    version: int = 14,
    slave: bool = False,
    quantity: int | None = 5,
    key: str | None = None,
    now: datetime = NOW,
) -> TestLicense:
    return trials.create_test_license(
        device=device,
        version=version,
        slave=slave,
        quantity=None if slave else quantity,
        caller=caller(key=key),
        now=now,
    )


def downloaded(device: Device, *, now: datetime = NOW) -> TestLicense:
    """Downloaded by a person; what counts afterwards."""
    delivery.download_test_license(device=device, caller=caller(), now=now)
    return trial_queries.get_test_license(device)


def fetched(device: Device, *, now: datetime = NOW, have: str | None = None) -> str | None:
    """The device fetches; the tag of what it got."""
    got = delivery.fetch(
        device=device,
        seq_seen=0,
        have=have,
        key_set_held=None,
        caller=caller(scope=f"device:{device.hardware_id}"),
        now=now,
    )
    return got.tag if got else None


def spoke(device: Device, *, now: datetime = NOW) -> None:
    """The device said something signed in the project that has it."""
    enrollment.record_first_word(device=device, now=now)
