"""The query of licenses/unchanged.py as a function, whose plan a connection keeps (docs/decisions/0017)."""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL


class Migration(migrations.Migration):
    dependencies: ClassVar = [("licenses", "0004_company_imports")]

    operations: ClassVar = [
        RunOnPostgreSQL(
            """
            CREATE FUNCTION licenses_current_bundle(
                given_device_id bigint, given_seq_floor bigint, given_seq_seen bigint, given_now timestamptz
            )
            RETURNS TABLE (
                key_set_version integer, document_sha256 bytea, document_signed_under integer,
                receipt_sha256 bytea, receipt_signed_under integer
            )
            LANGUAGE plpgsql STABLE ROWS 1 AS $$
            #variable_conflict use_column
            BEGIN
                RETURN QUERY
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
    WHERE document.device_id = given_device_id
      AND document.seq = (SELECT MAX(seq) FROM licenses_licensedocument WHERE device_id = document.device_id)
      AND document.seq > given_seq_floor AND document.seq >= given_seq_seen
      AND document.handed_out_at IS NOT NULL
      AND (document.outdated_at IS NULL OR document.outdated_at > given_now);
            END $$;
            """,
            "DROP FUNCTION licenses_current_bundle(bigint, bigint, bigint, timestamptz);",
        ),
    ]
