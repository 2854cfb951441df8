"""What is blocked is listed and counted without reading what is not (support.blocked).

On PostgreSQL only, like the indexes of 0002.
"""

from django.db import migrations

from portal.core.postgresql import RunOnPostgreSQL

INDEXES = (
    ("devices_blocked", "devices_device (blocked_at DESC) WHERE blocked_at IS NOT NULL"),
    ("keys_blocked", "licenses_activationkey (id DESC) WHERE state = 'blocked'"),
    ("people_blocked", "accounts_user (surname, forename) WHERE NOT is_active AND left_at IS NULL"),
    (
        "audit_of_blocked_keys",
        "core_auditentry ((facts -> 'order')) WHERE event = 'activation-key-blocked'",
    ),
)


class Migration(migrations.Migration):
    dependencies = [
        ("support", "0002_guards_and_indexes"),
        ("core", "0006_audit_of_the_catalogue"),
        ("accounts", "0008_reason_templates"),
        ("devices", "0009_new_keys"),
        ("licenses", "0011_evidence"),
    ]

    operations = [
        RunOnPostgreSQL(f"CREATE INDEX {name} ON {what};", f"DROP INDEX {name};") for name, what in INDEXES
    ]
