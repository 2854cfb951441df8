"""Whether a device has what a fetch would bring, in one statement: so are most fetches (trust.md 9, 204)."""

from datetime import datetime

from django.db import connection

from devices.models import Device
from licenses import bundle, keyring
from portal.core.kept_queries import KeptQuery

QUERY = KeptQuery(
    function="licenses_current_bundle_2",
    parameters=("device_id", "seq_floor", "seq_seen", "now"),
    sql="""
    SELECT (SELECT MAX(version) FROM licenses_keysetversion),
           document.payload_sha256, document.signed_under, receipt.payload_sha256, receipt.signed_under
    FROM licenses_licensedocument document
    LEFT JOIN licenses_return receipt
      ON receipt.id = (SELECT MAX(id) FROM licenses_return WHERE device_id = document.device_id)
     AND NOT EXISTS (
             SELECT 1 FROM licenses_acknowledged acknowledged
             WHERE acknowledged.device_id = document.device_id
               AND acknowledged.installed_seq >= receipt.next_seq
         )
    WHERE document.device_id = %(device_id)s
      AND document.seq = (SELECT MAX(seq) FROM licenses_licensedocument WHERE device_id = document.device_id)
      AND document.seq > %(seq_floor)s AND document.seq >= %(seq_seen)s
      AND document.handed_out_at IS NOT NULL
      AND (document.outdated_at IS NULL OR document.outdated_at > %(now)s)
      AND NOT EXISTS (
              SELECT 1 FROM licenses_testlicense waiting
              WHERE waiting.device_id = document.device_id
                AND waiting.void = '' AND waiting.started_at IS NULL
          )
    """,
)
"""A change of it is a migration as well: PostgreSQL has it as a function."""


def has_current(device: Device, *, have: str, seq_seen: int, now: datetime) -> bool:
    """Whether `have` is the tag of the bundle that the device would get, with nothing to sign or to note.

    False says nothing: then `licenses.handout` looks. The conditions are those of `documents.is_outdated`;
    beside them, a test license that waits starts with this fetch (mission rule 21).

    :raises DemoKeys: the keys are a demo's, and this is none.
    """
    given = {
        "device_id": device.pk,
        "seq_floor": device.seq_floor,
        "seq_seen": seq_seen,
        "now": connection.ops.adapt_datetimefield_value(now),
    }
    row = QUERY.row(given)
    if row is None:
        return False
    version, document_sha256, signed_under, receipt_sha256, receipt_signed_under = row
    ring = keyring.of_version(version)
    if not ring.covers(signed_under) or (receipt_sha256 and not ring.covers(receipt_signed_under)):
        return False
    return have == bundle.tag_of_stored(
        document_sha256=bytes(document_sha256),
        signed_under=signed_under,
        key_set_version=version,
        receipt_sha256=bytes(receipt_sha256 or b""),
    )
