"""A device fetches its licenses, or a person downloads them as a file (mission rule 13)."""

from datetime import datetime

from devices.models import Device
from licenses import documents, handout, queries, unchanged
from licenses.handout import Bundle
from licenses.models import LicenseDocument
from portal.core.acts import Caller


def fetch(
    *,
    device: Device,
    seq_seen: int,
    have: str | None,
    key_set_held: int | None,
    caller: Caller,
    now: datetime,
) -> Bundle | None:
    """The device fetches its licenses. None: it has the current bundle already.

    :param seq_seen: the highest document the device ever installed.
    :param have: the tag of the bundle the device holds.
    :param key_set_held: the highest key-set version it holds; a current one is not sent again.
    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    if have is not None and unchanged.has_current(device, have=have, seq_seen=seq_seen, now=now):
        return None
    document = handout.hand_out(device, seq_seen=seq_seen, event="document-fetched", caller=caller, now=now)
    return handout.assemble(device, document, have=have, key_set_held=key_set_held)


def download(*, device: Device, caller: Caller, now: datetime) -> Bundle:
    """A person downloads the `.lic` file, complete with the key set.

    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    document = handout.hand_out(device, event="document-downloaded", caller=caller, now=now)
    bundle = handout.assemble(device, document)
    assert bundle is not None, "without a tag to compare there is always a bundle"
    return bundle


def sign_document(*, document_id: int) -> None:
    """Sign a document ahead of the first fetch, unless a newer one has replaced it. Run by the outbox."""
    document = LicenseDocument.objects.select_related("device").get(pk=document_id)
    if document == queries.current_document(document.device):
        documents.sign(document)
