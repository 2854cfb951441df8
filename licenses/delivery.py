"""A device fetches its licenses, or a person downloads them as a file (mission rule 13)."""

from datetime import datetime

from django.conf import settings

from devices.models import Device
from licenses import documents, handout, queries, room, trial_course, trial_queries, unchanged
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

    A test license that waits starts with this (mission rule 21).

    :param seq_seen: the highest document the device ever installed.
    :param have: the tag of the bundle the device holds.
    :param key_set_held: the highest key-set version it holds; a current one is not sent again.
    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    if have is not None and unchanged.has_current(device, have=have, seq_seen=seq_seen, now=now):
        return None
    document = handout.hand_out(
        device, seq_seen=seq_seen, starts_test=True, event="document-fetched", caller=caller, now=now
    )
    return handout.assemble(device, document, have=have, key_set_held=key_set_held)


def download(*, device: Device, caller: Caller, now: datetime) -> Bundle:
    """A person downloads the `.lic` file, complete with the key set. What waits as a test goes on waiting.

    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    document = handout.hand_out(device, event="document-downloaded", caller=caller, now=now)
    bundle = handout.assemble(device, document)
    assert bundle is not None, "without a tag to compare there is always a bundle"
    return bundle


def download_test_license(*, device: Device, caller: Caller, now: datetime) -> Bundle:
    """The same file with the test license in it: its clock starts now, unless it has started before.

    :raises NoSuchTestLicense: the device has none.
    :raises TestLicenseUsed: it has ended.
    :raises DeviceIsFull: the device's document has no room for it.
    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    test_license = trial_queries.get_test_license(device)
    if test_license.ends_at is not None and test_license.ends_at <= now:
        raise trial_course.used(test_license)
    document = handout.hand_out(device, starts_test=True, event="document-downloaded", caller=caller, now=now)
    if trial_queries.waiting_test_license(device) is not None:
        raise room.DeviceIsFull(most=settings.GRANTS_PER_DEVICE)
    bundle = handout.assemble(device, document)
    assert bundle is not None, "without a tag to compare there is always a bundle"
    return bundle


def sign_document(*, document_id: int) -> None:
    """Sign a document ahead of the first fetch, unless a newer one has replaced it. Run by the outbox."""
    document = LicenseDocument.objects.select_related("device").get(pk=document_id)
    if document == queries.current_document(document.device):
        documents.sign(document)
