"""Grants that nobody bought, one at a time: of a test license with one product, and bridges."""

from datetime import timedelta

from devices.models import Device
from licenses import documents, transparency
from licenses.log_line import LeafType
from licenses.models import Grant, Product, TestLicense
from portal.core import acts
from tests.factories import NOW, caller, get_product


def a_test_license(device: Device, code: str = "UC") -> Grant:
    """Two units in the device's document, with their line in the log, as the operation writes it."""
    grant = _grant(device, get_product(code), Grant.Class.TEST, LeafType.TEST, days=90)
    TestLicense.objects.create(
        hardware_id=device.hardware_id,
        device=device,
        project=device.project,
        version=grant.product.version,
        slave=False,
        quantity=2,
        made_by=grant.made_by,
        made_at=NOW,
        started_by=grant.made_by,
        started_in=device.project,
        started_at=NOW,
        ends_at=grant.expires_at,
    )
    return grant


def a_bridge(replacement: Device, over: Grant) -> Grant:
    """A bridge on another device, over the two units of a bought grant."""
    return _grant(replacement, over.product, Grant.Class.BRIDGE, LeafType.BRIDGE, days=14, over=over)


def _grant(
    device: Device,
    product: Product,
    license_class: str,
    leaf: LeafType,
    *,
    days: int,
    over: Grant | None = None,
) -> Grant:
    act = acts.begin(operation=f"make-{license_class}", caller=caller(), given={}, now=NOW)
    seq = documents.next_seq(device)
    grant = Grant.objects.create(
        device=device,
        product=product,
        quantity=2,
        license_class=license_class,
        made_by=act,
        made_at=NOW,
        expires_at=NOW + timedelta(days=days),
        first_seq=seq,
        bridge_of=over,
    )
    document = documents.issue(device=device, seq=seq, act=act, now=NOW)
    transparency.record(
        act=act,
        leaf_type=leaf,
        told=[transparency.Told(grant=grant)],
        document_sha256=bytes(document.payload_sha256),
        now=NOW,
    )
    return grant
