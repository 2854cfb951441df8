"""The query of devices/standing.py as a function, whose plan a connection keeps (docs/decisions/0017)."""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("devices", "0004_project_changes")]

    operations: ClassVar = [
        RunOnPostgreSQL(
            """
            CREATE FUNCTION devices_standing(given_hardware_id text, given_heard_since timestamptz)
            RETURNS TABLE (
                anchors bigint, last_anchor bigint, id bigint, hardware_id varchar, project_id bigint,
                name varchar, pinned_spki bytea, seq_floor bigint, blocked boolean, pinned_key_blocked boolean,
                heard_lately boolean, firmware varchar
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
    SELECT anchors.number, anchors.last, device.id, device.hardware_id, device.project_id, device.name,
           device.pinned_spki, device.seq_floor,
           device.blocked_at IS NOT NULL,
           EXISTS (SELECT 1 FROM devices_blockedkey blocked WHERE blocked.spki_sha256 = device.pinned_spki),
           contact.last_at > given_heard_since, contact.firmware
    FROM (SELECT COUNT(*) AS number, MAX(id) AS last FROM devices_trustanchor) anchors
    LEFT JOIN devices_device device
      ON device.hardware_id = given_hardware_id AND device.released_at IS NULL
    LEFT JOIN devices_devicecontact contact ON contact.device_id = device.id;
            END $$;
            """,
            "DROP FUNCTION devices_standing(text, timestamptz);",
        ),
    ]
