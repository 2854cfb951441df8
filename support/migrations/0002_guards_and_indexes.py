"""Looks stay as they are; and what the console searches for has an index (support.search, support.trail).

On PostgreSQL only: SQLite has neither triggers that last nor a million devices.
"""

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL, never

# Name, table, what is indexed. The last digits of a hardware ID are the first ones of it backwards.
INDEXES = (
    ("devices_by_last_digits", "devices_device", "(reverse(hardware_id)) text_pattern_ops"),
    ("devices_by_first_digits", "devices_device", "hardware_id varchar_pattern_ops"),
    ("orders_by_number", "licenses_order", "(upper(number)) text_pattern_ops"),
    ("orders_by_reference", "licenses_order", "(upper(reference)) text_pattern_ops"),
    ("people_by_address", "accounts_user", "(upper(email)) text_pattern_ops"),
    ("people_by_forename", "accounts_user", "(upper(forename)) text_pattern_ops"),
    ("people_by_surname", "accounts_user", "(upper(surname)) text_pattern_ops"),
    ("audit_by_time", "core_auditentry", "at DESC, id DESC"),
    ("audit_of_an_actor", "core_auditentry", "actor_id, at DESC"),
    ("audit_about_a_person", "core_auditentry", "((facts -> 'user')) WHERE (facts -> 'user') IS NOT NULL"),
)


def index(name: str, table: str, what: str) -> RunOnPostgreSQL:
    columns, where, condition = what.partition(" WHERE ")
    return RunOnPostgreSQL(
        f"CREATE INDEX {name} ON {table} ({columns}){where}{condition};", f"DROP INDEX {name};"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("support", "0001_initial"),
        ("core", "0004_schedule"),
        ("accounts", "0006_staff_roles"),
        ("devices", "0007_moves"),
        ("licenses", "0008_moves"),
    ]

    operations = [
        never("UPDATE OR DELETE", table="support_look"),
        *(index(*one) for one in INDEXES),
    ]
