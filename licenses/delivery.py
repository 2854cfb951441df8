"""Handing out the license document: over REST to the device, or as a file to a person (mission rule 13)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from devices.models import Device
from licenses import bundle, documents, keyring, ledger, queries
from licenses.models import LicenseDocument
from portal.core import audit
from portal.core.acts import Caller


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The bytes of a bundle, the tag by which the holder asks for the next one, and the document's `seq`."""

    tag: str
    seq: int
    content: bytes


def fetch(
    *, device: Device, have: str | None, key_set_held: int | None, caller: Caller, now: datetime
) -> Bundle | None:
    """The device fetches its licenses. None: it has the current bundle already.

    :param have: the tag of the bundle the device holds.
    :param key_set_held: the highest key-set version it holds; a current one is not sent again.
    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    document = _hand_out(device, event="document-fetched", caller=caller, now=now)
    version = keyring.current_version()
    if have is not None and have == _tag(document, version):
        return None
    return _assemble(document, version, with_key_set=key_set_held is None or key_set_held < version)


def download(*, device: Device, caller: Caller, now: datetime) -> Bundle:
    """A person downloads the `.lic` file, complete with the key set.

    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    document = _hand_out(device, event="document-downloaded", caller=caller, now=now)
    return _assemble(document, keyring.current_version(), with_key_set=True)


def sign_document(*, document_id: int) -> None:
    """Sign a document ahead of the first fetch, unless a newer one has replaced it. Run by the outbox."""
    document = LicenseDocument.objects.select_related("device").get(pk=document_id)
    if document == queries.current_document(document.device):
        documents.sign(document)


def _hand_out(device: Device, *, event: str, caller: Caller, now: datetime) -> LicenseDocument:
    """The device's current document, signed, and marked as handed out."""
    document = queries.current_document(device)
    while True:
        if document is None or documents.is_outdated(document, now=now):
            document = _issue_current(device=device, now=now)
        if document.signed is not None and document.handed_out_at is not None:
            return document
        documents.sign(document)
        document = _mark_handed_out(document=document, event=event, caller=caller, now=now)


@transaction.atomic(durable=True)
def _issue_current(*, device: Device, now: datetime) -> LicenseDocument:
    """Build the next document because there is none, or because an item of the last one has ended."""
    device = ledger.lock_device(device)
    document = queries.current_document(device)
    # Looked at again under the lock: another fetch may have been here first.
    if document is None or documents.is_outdated(document, now=now):
        document = documents.issue(device=device, seq=documents.next_seq(device), act=None, now=now)
    return document


@transaction.atomic(durable=True)
def _mark_handed_out(
    *, document: LicenseDocument, event: str, caller: Caller, now: datetime
) -> LicenseDocument:
    """Remember that the document left the house, before it does; the newer one if there is one by now.

    From here on its assignments cannot be undone any more (mission rule 12).
    """
    # The lock is the one an undo holds: it either sees this mark, or was first and its document is newer.
    device = ledger.lock_device(document.device)
    current = queries.current_document(device)
    assert current is not None, "a document never vanishes"
    if current.signed is not None and current.handed_out_at is None:
        current.handed_out_at = now
        current.save(update_fields=["handed_out_at"])
        audit.record(
            event,
            caller=caller,
            now=now,
            company_id=device.project.company_id,
            project_id=device.project_id,
            hardware_id=device.hardware_id,
            seq=current.seq,
        )
    return current


def _assemble(document: LicenseDocument, version: int, *, with_key_set: bool) -> Bundle:
    tag = _tag(document, version)
    assert document.signed is not None, "only signed documents are handed out"
    content = bundle.assemble(
        tag=tag,
        license_document=bytes(document.signed),
        keyset=keyring.published(version) if with_key_set else None,
    )
    return Bundle(tag=tag, seq=document.seq, content=content)


def _tag(document: LicenseDocument, key_set_version: int) -> str:
    """Changes with any part of the bundle, whether or not the part is sent this time (trust.md 4)."""
    return bundle.tag_for(
        bytes(document.payload_sha256), str(document.signed_under).encode(), str(key_set_version).encode()
    )
