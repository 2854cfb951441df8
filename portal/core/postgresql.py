"""What only PostgreSQL can hold: SQL for migrations that SQLite passes over.

SQLite gets no triggers: Django rebuilds tables there, and a rebuilt table has lost them without a word.
"""

from typing import Any

from django.contrib.postgres import operations as postgres
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, RunSQL
from django.db.migrations.state import ProjectState


class RunOnPostgreSQL(RunSQL):
    """RunSQL, on PostgreSQL only."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddIndexConcurrently(postgres.AddIndexConcurrently):
    """An index that keeps no writer out while it is made. In a migration of its own, with `atomic = False`.

    SQLite makes it as ever: one process writes there at a time anyway.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        plain = schema_editor.connection.vendor != "postgresql"
        kind = AddIndex if plain else postgres.AddIndexConcurrently
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        plain = schema_editor.connection.vendor != "postgresql"
        kind = AddIndex if plain else postgres.AddIndexConcurrently
        kind.database_backwards(self, app_label, schema_editor, from_state, to_state)


class AddConstraintNotValid(postgres.AddConstraintNotValid):
    """A CHECK that holds for what is written from now on, without a look at the rows that are there."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        plain = schema_editor.connection.vendor != "postgresql"
        kind = AddConstraint if plain else postgres.AddConstraintNotValid
        kind.database_forwards(self, app_label, schema_editor, from_state, to_state)


class ValidateConstraint(postgres.ValidateConstraint):
    """Looks at the rows that were there before such a CHECK; they can be changed meanwhile."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def never(operations: str, *, table: str, when: str = "") -> RunOnPostgreSQL:
    """Refuse `operations` ("UPDATE OR DELETE", "UPDATE", …) on rows of a table, all or those for which
    `when` holds, as an integrity error. Needs the function of core's migration 0002."""
    name = f"{table}_never_{operations.lower().replace(' ', '_')}"
    condition = f"WHEN ({when}) " if when else ""
    return RunOnPostgreSQL(
        f"CREATE TRIGGER {name} BEFORE {operations} ON {table} FOR EACH ROW {condition}"
        "EXECUTE FUNCTION core_refuse_change();",
        f"DROP TRIGGER {name} ON {table};",
    )


def taking_rows(table: str) -> RunOnPostgreSQL:
    """Make the function that inserts rows into a table, given as a JSON array (portal.core.batches).

    It names no column: a table that gets another one needs no other function.
    """
    return RunOnPostgreSQL(
        f"""
        CREATE FUNCTION {table}_rows(given jsonb) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, given);
        END $$;
        """,  # noqa: S608 (the name is a table's)
        f"DROP FUNCTION {table}_rows(jsonb);",
    )


# Bits of pg_trigger.tgtype.
_ON_DELETE, _ON_UPDATE = 8, 16


def rights_of_application(cursor: Any, *, role: str) -> list[str]:
    """The statements that let a role do what the portal does, and nothing that the guards refuse anyway.

    Which tables are never changed, the database itself says: by the triggers of `never()` that hold for every
    row. So the role needs no list that somebody could forget to lengthen. It is no owner, and so can neither
    take a trigger away nor empty a table.

    :param role: a name that needs no quoting.
    """
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
    tables = [name for (name,) in cursor.fetchall()]
    cursor.execute(
        """
        SELECT tgrelid::regclass::text, bit_or(tgtype) FROM pg_trigger
        JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE proname = 'core_refuse_change' AND tgqual IS NULL GROUP BY 1
        """
    )
    refused = dict(cursor.fetchall())
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    statements = [] if cursor.fetchone() else [f"CREATE ROLE {role}"]
    cursor.execute("SELECT current_schema()")
    [(schema,)] = cursor.fetchall()
    statements += [
        f'GRANT USAGE ON SCHEMA "{schema}" TO {role}',
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM {role}',
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO {role}',
    ]
    for table in tables:
        if table == "django_migrations":  # only the owner migrates
            rights = ["SELECT"]
        else:
            rights = ["SELECT", "INSERT"]
            rights += [] if refused.get(table, 0) & _ON_UPDATE else ["UPDATE"]
            rights += [] if refused.get(table, 0) & _ON_DELETE else ["DELETE"]
        statements.append(f'GRANT {", ".join(rights)} ON "{table}" TO {role}')
    return statements
