"""What is blocked is listed and counted without reading what is not (support.blocked); and what stands in the
middle of a hardware ID or a company's name is found by an index (support.search).

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

# All groups of four digits of a hardware ID, and of three letters of a name: what contains a text has all groups
# of it. The functions call nothing but PostgreSQL's own, so that a dump can be restored under any search path.
PIECES = """
CREATE FUNCTION support_digits(hardware_id text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(substr(replace(hardware_id, '-', ''), place, 4)), '{}')
    FROM generate_series(1, char_length(replace(hardware_id, '-', '')) - 3) AS place
$$;
CREATE FUNCTION support_letters(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(upper(name), place, 3)), '{}')
    FROM generate_series(1, char_length(upper(name)) - 2) AS place
$$;
CREATE INDEX devices_by_digits ON devices_device USING gin (support_digits(hardware_id));
CREATE INDEX companies_by_letters ON accounts_company USING gin (support_letters(name));
CREATE INDEX companies_by_name ON accounts_company ((upper(name)) text_pattern_ops);
"""
NO_PIECES = """
DROP INDEX companies_by_name; DROP INDEX companies_by_letters; DROP INDEX devices_by_digits;
DROP FUNCTION support_letters(text); DROP FUNCTION support_digits(text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("support", "0002_guards_and_indexes"),
        ("core", "0006_audit_of_the_catalogue"),
        ("accounts", "0008_reason_templates"),
        ("devices", "0009_new_keys"),
        ("licenses", "0011_evidence"),
    ]

    operations = [
        RunOnPostgreSQL(PIECES, NO_PIECES),
        *(RunOnPostgreSQL(f"CREATE INDEX {name} ON {what};", f"DROP INDEX {name};") for name, what in INDEXES),
    ]
