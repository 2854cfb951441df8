"""What only PostgreSQL can hold: SQL for migrations that SQLite passes over.

SQLite gets no triggers: Django rebuilds tables there, and a rebuilt table has lost them without a word.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunSQL
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
