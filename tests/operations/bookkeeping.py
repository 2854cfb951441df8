"""What tests of operations look at: refusals that changed nothing, documents as read."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devices.models import Device
from licenses import queries
from licenses.document import LicenseDocumentV1
from licenses.models import LicenseDocument, LogLeaf
from portal.core.errors import DomainError
from portal.core.models import AuditEntry
from tests.rows import everything


@contextmanager
def refused(refusal: type[DomainError], **facts: object) -> Iterator[None]:
    """What is done inside is refused as `refusal`, with these facts among its own, and changes nothing."""
    before = everything()
    with pytest.raises(refusal) as caught:
        yield
    assert caught.type is refusal
    assert {name: caught.value.facts[name] for name in facts} == facts
    assert caught.value.headline
    assert caught.value.detail
    assert everything() == before


@contextmanager
def unchanged() -> Iterator[None]:
    """What is done inside is accepted and changes nothing."""
    before = everything()
    yield
    assert everything() == before


def read(document: LicenseDocument) -> LicenseDocumentV1:
    """What a stored document says."""
    return LicenseDocumentV1.from_payload(bytes(document.payload))


def latest(device: Device) -> LicenseDocumentV1:
    """What the device's current document says."""
    document = queries.current_document(device)
    assert document is not None, "the device has a document"
    return read(document)


def listed(device: Device) -> list[tuple[str, int, int]]:
    """Product code, version and quantity of each item of the device's current document."""
    return [(item.product, item.version, item.qty) for item in latest(device).items]


def last_entry() -> AuditEntry:
    """The newest entry of the history."""
    entry = AuditEntry.objects.order_by("-pk").first()
    assert entry is not None, "something was recorded"
    return entry


def last_leaf() -> LogLeaf:
    """The newest leaf of the public log."""
    leaf = LogLeaf.objects.order_by("-pk").first()
    assert leaf is not None, "something was logged"
    return leaf
