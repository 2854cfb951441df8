"""A device as a person stands to it, as a function (docs/decisions/0017); the text is devices/kept_devices.py's."""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("devices", "0009_new_keys"), ("accounts", "0009_kept_plans")]

    operations: ClassVar = [
        RunOnPostgreSQL(
            """
            CREATE FUNCTION devices_device_of_person(
                given_hardware_id varchar, given_user_id bigint
            )
            RETURNS TABLE (
                role varchar, level varchar, project_id bigint, project_company_id bigint,
                project_name varchar, project_description text, project_created_at timestamptz,
                project_archived_at timestamptz, company_id bigint, company_name varchar,
                company_created_at timestamptz, company_imported_into_id bigint,
                company_imported_at timestamptz, device_id bigint, device_hardware_id varchar,
                device_project_id bigint, device_name varchar, device_added_at timestamptz,
                device_pinned_spki bytea, device_pinned_at timestamptz, device_seq_floor bigint,
                device_blocked_at timestamptz, device_released_at timestamptz,
                contact_device_id bigint, contact_last_at timestamptz, contact_firmware varchar
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
    SELECT 
           (SELECT role FROM accounts_membership
            WHERE user_id = given_user_id AND company_id = project.company_id),
           (SELECT level FROM accounts_projectright
            WHERE user_id = given_user_id AND project_id = project.id)
,
           project."id", project."company_id", project."name", project."description", project."created_at", project."archived_at", company."id", company."name", company."created_at", company."imported_into_id", company."imported_at",
           device."id", device."hardware_id", device."project_id", device."name", device."added_at", device."pinned_spki", device."pinned_at", device."seq_floor", device."blocked_at", device."released_at", contact."device_id", contact."last_at", contact."firmware"
    FROM devices_device device
    JOIN accounts_project project ON project.id = device.project_id
    JOIN accounts_company company ON company.id = project.company_id
    LEFT JOIN devices_devicecontact contact ON contact.device_id = device.id
    WHERE device.hardware_id = given_hardware_id AND device.released_at IS NULL;
            END $$;
            """,
            "DROP FUNCTION devices_device_of_person(varchar, bigint);",
        ),
    ]
