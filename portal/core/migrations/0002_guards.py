"""Acts and audit entries tell what happened: they are written once (mission rule 38)."""

from typing import ClassVar

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL, never


class Migration(migrations.Migration):
    dependencies: ClassVar = [("core", "0001_initial")]

    operations: ClassVar = [
        RunOnPostgreSQL(
            """
            CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% in % is never changed like that', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            """,
            "DROP FUNCTION core_refuse_change();",
        ),
        never("UPDATE OR DELETE", table="core_auditentry"),
        # The outcome is written once, at the end of the operation.
        never("UPDATE", table="core_act", when="OLD.outcome IS NOT NULL"),
        never("DELETE", table="core_act"),
    ]
