"""What a device's request is held against, in one statement (trust.md 1).

Most requests are fetches that change nothing, and most of their cost is the statements they send: the
device, its last contact, its blocks and which anchors there are come in one, instead of four by the ORM.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from devices.models import Device
from portal.core.kept_queries import KeptQuery

# Named as Device names them; what is not read here is read when it is asked for.
_COLUMNS = ("id", "hardware_id", "project_id", "name", "pinned_spki", "seq_floor")
QUERY = KeptQuery(
    function="devices_standing_2",
    parameters=("hardware_id", "heard_since"),
    sql=f"""
    SELECT anchors.number, anchors.last, {", ".join(f"device.{column}" for column in _COLUMNS)},
           device.blocked_at IS NOT NULL,
           EXISTS (SELECT 1 FROM devices_blockedkey blocked WHERE blocked.spki_sha256 = device.pinned_spki),
           contact.last_at > %(heard_since)s, contact.firmware,
           EXISTS (
               SELECT 1 FROM devices_firstword word
               WHERE word.device_id = device.id AND word.project_id = device.project_id
           )
    FROM (SELECT COUNT(*) AS number, MAX(id) AS last FROM devices_trustanchor) anchors
    LEFT JOIN devices_device device
      ON device.hardware_id = %(hardware_id)s AND device.released_at IS NULL
    LEFT JOIN devices_devicecontact contact ON contact.device_id = device.id
    """,  # noqa: S608 (the columns are the constants above)
)
"""A change of it is a migration as well: PostgreSQL has it as a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """Which trust anchors there are. They are added and removed, never changed: their number and the last one
    say it."""

    number: int
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The anchors that count now, and the device of a hardware ID, if a project has it."""

    anchors: Anchors
    device: Device | None = None
    blocked: bool = False
    pinned_key_blocked: bool = False
    heard_lately: bool = False
    """Whether it was heard of since the moment that was asked for."""
    firmware: str | None = None
    """What it ran when it was last heard of."""
    spoke_here: bool = False
    """Whether it said something signed since its project has it."""


def standing_of(hardware_id: str, *, heard_since: datetime) -> Standing:
    """What is known of a hardware ID. It may be anything that is text without NUL; nothing is proven yet."""
    given = {
        "hardware_id": hardware_id,
        "heard_since": connection.ops.adapt_datetimefield_value(heard_since),
    }
    found = QUERY.first_row(given)
    assert found is not None, "the anchors are counted, with or without a device"
    number, last, *row = found
    anchors = Anchors(number=number, last=last)
    values: list[Any] = row[: len(_COLUMNS)]
    blocked, key_blocked, heard_lately, firmware, spoke_here = row[len(_COLUMNS) :]
    if values[0] is None:
        return Standing(anchors=anchors)
    return Standing(
        anchors=anchors,
        device=Device.from_db(DEFAULT_DB_ALIAS, _COLUMNS, values),
        blocked=bool(blocked),
        pinned_key_blocked=bool(key_blocked),
        heard_lately=bool(heard_lately),
        firmware=firmware,
        spoke_here=bool(spoke_here),
    )
