"""What activations and assignments lock and read, and the rows that acts write, each in one statement.

Docs/decisions/0036; the texts are those of licenses/locked_keys.py, licenses/locked_devices.py and
licenses/catalogue_queries.py.
"""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL, taking_rows


class Migration(migrations.Migration):
    dependencies: ClassVar = [("licenses", "0011_evidence"), ("core", "0008_rows_of_acts"), ("devices", "0010_device_of_person")]

    operations: ClassVar = [
        taking_rows("licenses_transfer"),
        taking_rows("licenses_grant"),
        taking_rows("licenses_licensedocument"),
        taking_rows("licenses_logleaf"),
        taking_rows("licenses_logline"),
        RunOnPostgreSQL(
            """
            CREATE FUNCTION licenses_locked_key(
                given_fingerprint bytea, given_company_id bigint, given_into_company bigint, given_into_project bigint, given_user_id bigint
            )
            RETURNS TABLE (
                key_id bigint, key_order_id bigint, key_last_four varchar, key_state varchar,
                key_activated_by_id uuid, giver bigint, giver_log bytea, taker bigint,
                taker_kind varchar, taker_log bytea, company_imported_into bigint,
                project_name varchar, project_archived_at timestamptz, others boolean,
                line_quantity bigint, product_id bigint, product_code varchar, product_version integer,
                product_name varchar, product_kind varchar, product_returnable boolean,
                product_unit varchar, there bigint, there_balance bigint, here bigint,
                here_balance bigint
            )
            LANGUAGE plpgsql AS $$
            #variable_conflict use_column
            BEGIN
PERFORM 1 FROM licenses_activationkey WHERE fingerprint = given_fingerprint FOR NO KEY UPDATE; PERFORM 1 FROM accounts_company WHERE id = given_company_id FOR KEY SHARE; 
        INSERT INTO licenses_holding (holder_id, product_id, balance, moved)
        SELECT place.holder_id, place.product_id, 0, 0
        FROM (
            SELECT line.destination_id AS holder_id, line.product_id
            FROM licenses_activationkey key
            JOIN licenses_holder source ON source.activation_key_id = key.id
            JOIN licenses_transfer line ON line.destination_id = source.id
            WHERE key.fingerprint = given_fingerprint AND key.state = 'issued'
              AND EXISTS (
    SELECT id FROM licenses_holder WHERE company_id = given_into_company
    UNION ALL
    SELECT holder.id
    FROM licenses_holder holder JOIN accounts_project project ON project.id = holder.project_id
    WHERE project.id = given_into_project AND project.company_id = given_company_id
)
            UNION
            SELECT destination.id, line.product_id
            FROM licenses_activationkey key
            JOIN licenses_holder source ON source.activation_key_id = key.id
            JOIN licenses_transfer line ON line.destination_id = source.id,
            (
    SELECT id FROM licenses_holder WHERE company_id = given_into_company
    UNION ALL
    SELECT holder.id
    FROM licenses_holder holder JOIN accounts_project project ON project.id = holder.project_id
    WHERE project.id = given_into_project AND project.company_id = given_company_id
) destination
            WHERE key.fingerprint = given_fingerprint AND key.state = 'issued'
        ) place
        WHERE true
        ORDER BY 1, 2
        ON CONFLICT (holder_id, product_id) DO UPDATE SET balance = licenses_holding.balance
        ; RETURN QUERY 
    SELECT key."id", key."order_id", key."last_four", key."state", key."activated_by_id", source.id, source.log_id,
           destination.id, destination.kind, destination.log_id,
           company.imported_into_id, project.name, project.archived_at,
           EXISTS (
               SELECT 1 FROM accounts_membership admin
               WHERE admin.company_id = given_company_id AND admin.role = 'admin'
                 AND admin.user_id <> given_user_id
           ),
           line.quantity, product."id", product."code", product."version", product."name", product."kind", product."returnable", product."unit",
           there.id, there.balance, here.id, here.balance
    FROM licenses_activationkey key
    JOIN licenses_holder source ON source.activation_key_id = key.id
    JOIN accounts_company company ON company.id = given_company_id
    JOIN licenses_transfer line ON line.destination_id = source.id
    JOIN licenses_product product ON product.id = line.product_id
    LEFT JOIN licenses_holder destination ON destination.id = (
    SELECT id FROM licenses_holder WHERE company_id = given_into_company
    UNION ALL
    SELECT holder.id
    FROM licenses_holder holder JOIN accounts_project project ON project.id = holder.project_id
    WHERE project.id = given_into_project AND project.company_id = given_company_id
)
    LEFT JOIN accounts_project project ON project.id = destination.project_id
    LEFT JOIN licenses_holding there ON there.holder_id = source.id AND there.product_id = product.id
    LEFT JOIN licenses_holding here ON here.holder_id = destination.id AND here.product_id = product.id
    WHERE key.fingerprint = given_fingerprint
    ORDER BY line.id;
            END $$;
            """,
            "DROP FUNCTION licenses_locked_key(bytea, bigint, bigint, bigint, bigint);",
        ),
        RunOnPostgreSQL(
            """
            CREATE FUNCTION licenses_locked_device(
                given_device_id bigint, given_company_id bigint, given_product_id bigint, given_now timestamptz
            )
            RETURNS TABLE (
                device_id bigint, device_hardware_id varchar, device_project_id bigint,
                device_name varchar, device_pinned_spki bytea, device_seq_floor bigint,
                device_released_at timestamptz, project_id bigint, project_company_id bigint,
                project_name varchar, project_archived_at timestamptz, giver bigint, giver_log bytea,
                taker bigint, taker_log bytea, free bigint, free_balance bigint, has bigint,
                has_balance bigint, highest_seq bigint, in_move boolean, has_test boolean,
                grant_id uuid, grant_product_id bigint, grant_quantity bigint,
                grant_license_class varchar, grant_made_at timestamptz, grant_expires_at timestamptz,
                product_id bigint, product_code varchar, product_version integer,
                product_returnable boolean
            )
            LANGUAGE plpgsql AS $$
            #variable_conflict use_column
            BEGIN
PERFORM 1 FROM devices_device WHERE id = given_device_id FOR NO KEY UPDATE; PERFORM 1 FROM accounts_company WHERE id = given_company_id FOR KEY SHARE; 
        INSERT INTO licenses_holding (holder_id, product_id, balance, moved)
        SELECT holder.id, given_product_id, 0, 0
        FROM devices_device device
        JOIN licenses_holder taker ON taker.device_id = device.id
        JOIN licenses_holder giver ON giver.project_id = device.project_id
        JOIN licenses_holder holder ON holder.id IN (taker.id, giver.id)
        WHERE device.id = given_device_id AND device.released_at IS NULL
        ORDER BY 1
        ON CONFLICT (holder_id, product_id) DO UPDATE SET balance = licenses_holding.balance
        ; RETURN QUERY 
    SELECT device."id", device."hardware_id", device."project_id", device."name", device."pinned_spki", device."seq_floor", device."released_at",
           project."id", project."company_id", project."name", project."archived_at",
           giver.id, giver.log_id, taker.id, taker.log_id, free.id, free.balance, has.id, has.balance,
           (SELECT MAX(seq) FROM licenses_licensedocument WHERE device_id = device.id),
           EXISTS (SELECT 1 FROM licenses_move WHERE broken_id = device.id AND state = 'open'),
           EXISTS (SELECT 1 FROM licenses_testlicense WHERE device_id = device.id AND started_at IS NULL),
           held."id", held."product_id", held."quantity", held."license_class", held."made_at", held."expires_at",
           product."id", product."code", product."version", product."returnable"
    FROM devices_device device
    JOIN accounts_project project ON project.id = device.project_id
    LEFT JOIN licenses_holder giver ON giver.project_id = device.project_id
    LEFT JOIN licenses_holder taker ON taker.device_id = device.id
    LEFT JOIN licenses_holding free ON free.holder_id = giver.id AND free.product_id = given_product_id
    LEFT JOIN licenses_holding has ON has.holder_id = taker.id AND has.product_id = given_product_id
    LEFT JOIN licenses_grant held
      ON held.device_id = device.id AND held.state = 'live'
     AND (held.expires_at IS NULL OR held.expires_at > given_now)
    LEFT JOIN licenses_product product ON product.id = held.product_id
    WHERE device.id = given_device_id;
            END $$;
            """,
            "DROP FUNCTION licenses_locked_device(bigint, bigint, bigint, timestamptz);",
        ),
        RunOnPostgreSQL(
            """
            CREATE FUNCTION licenses_product_named(
                given_code varchar, given_version integer
            )
            RETURNS TABLE (
                product_id bigint, product_code varchar, product_version integer, product_name varchar,
                product_kind varchar, product_returnable boolean, product_user_assignable boolean,
                product_unit varchar, product_weight integer, product_in_test_set boolean,
                product_test_quantity integer, product_successor_id bigint,
                product_discontinued_at timestamptz
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
    SELECT product."id", product."code", product."version", product."name", product."kind", product."returnable", product."user_assignable", product."unit", product."weight", product."in_test_set", product."test_quantity", product."successor_id", product."discontinued_at" FROM licenses_product product
    WHERE product.code = given_code AND product.version = given_version;
            END $$;
            """,
            "DROP FUNCTION licenses_product_named(varchar, integer);",
        ),
    ]
