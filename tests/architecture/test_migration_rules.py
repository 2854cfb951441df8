"""The linter of migrations refuses what breaks the running release, and lets through what does not."""

from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now

from portal.core.postgresql import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from tools import migration_rules


def state(*, table: str | None = None) -> ProjectState:
    """One model of an app called shelves, as the release before has it."""
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("note", models.CharField(max_length=20, null=True)),
    ]
    made = ProjectState()
    made.add_model(ModelState("shelves", "Book", fields, options={"db_table": table} if table else {}))
    return made


def refused(*given: Operation, table: str | None = None) -> list[str]:
    migration = type("Given", (Migration,), {"operations": list(given)})("0002_x", "shelves")
    return [breach.what for breach in migration_rules.check(migration, before=state(table=table))]


CHECK = models.CheckConstraint(condition=~models.Q(name=""), name="a_book_has_a_name")
UNIQUE = models.UniqueConstraint(fields=["name"], name="names_are_unique")
INDEX = models.Index(fields=["name"], name="by_name")
TEXT = models.CharField(max_length=20)


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (operations.DeleteModel("Book"), "deletes the table"),
        (operations.RenameModel("Book", "Volume"), "renames the table"),
        (operations.AlterModelTable("Book", "volumes"), "renames the table"),
        (operations.RemoveField("Book", "name"), "drops the column book.name"),
        (operations.RenameField("Book", "name", "title"), "renames the column book.name"),
        (operations.AddField("Book", "size", models.IntegerField(default=0)), "NOT NULL without a default"),
        (
            operations.AddField("Book", "size", models.IntegerField(null=True, db_index=True)),
            "makes an index with book.size",
        ),
        (operations.AlterField("Book", "note", TEXT), "makes book.note NOT NULL"),
        (operations.AlterField("Book", "name", models.TextField()), "changes the type of book.name"),
        (operations.AlterField("Book", "name", models.CharField(max_length=9)), "changes the type"),
        (
            operations.AlterField("Book", "name", models.CharField(max_length=20, unique=True)),
            "makes an index on book.name",
        ),
        (
            operations.AlterField("Book", "name", models.CharField(max_length=20, db_column="title")),
            "renames the column book.name",
        ),
        (operations.AddIndex("Book", INDEX), "makes the index by_name"),
        (operations.AddConstraint("Book", UNIQUE), "makes the constraint names_are_unique"),
        (operations.AddConstraint("Book", CHECK), "checks a_book_has_a_name on all rows"),
        (operations.RunPython(operations.RunPython.noop), "runs Python"),
        (operations.RunSQL("ALTER TABLE books DROP COLUMN name"), "drops what"),
        (operations.RunSQL([("DROP FUNCTION standing_1", None)]), "drops what"),
        (operations.RunSQL("alter table books rename to volumes"), "renames what"),
        (operations.RunSQL("CREATE UNIQUE INDEX x ON books (name)"), "makes an index"),
        (operations.RunSQL("ALTER TABLE books ALTER note SET NOT NULL"), "NOT NULL"),
        (operations.RunSQL("ALTER TABLE books ADD CONSTRAINT c CHECK (true)"), "looks at all rows"),
        (
            operations.SeparateDatabaseAndState([operations.RemoveField("Book", "name")]),
            "drops the column",
        ),
    ],
    ids=lambda given: "" if isinstance(given, str) else type(given).__name__,
)
def test_what_breaks_the_running_release_is_refused(operation: Operation, says: str) -> None:
    [told] = refused(operation)

    assert says in told


@pytest.mark.parametrize(
    "given",
    [
        [operations.AddField("Book", "size", models.IntegerField(null=True))],
        [operations.AddField("Book", "at", models.DateTimeField(db_default=Now()))],
        [operations.AlterField("Book", "name", models.CharField(max_length=40))],
        [operations.AlterField("Book", "name", models.CharField(max_length=20, null=True))],
        [AddIndexConcurrently("Book", INDEX)],
        [AddConstraintNotValid("Book", CHECK)],
        [operations.RunSQL("CREATE INDEX CONCURRENTLY x ON books (name)")],
        [operations.RunSQL("ALTER TABLE books ADD CONSTRAINT c CHECK (true) NOT VALID")],
        [operations.RunSQL("CREATE OR REPLACE FUNCTION standing_2() RETURNS int LANGUAGE sql AS '1'")],
        [operations.SeparateDatabaseAndState(state_operations=[operations.RemoveField("Book", "name")])],
        [
            operations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True)), ("name", TEXT)]),
            operations.AddIndex("Shelf", models.Index(fields=["name"], name="shelves_by_name")),
            operations.AddConstraint(
                "Shelf", models.UniqueConstraint(fields=["name"], name="shelves_are_unique")
            ),
        ],
    ],
)
def test_what_both_releases_can_live_with_is_let_through(given: list[Operation]) -> None:
    assert refused(*given) == []


def test_a_model_may_have_another_name_where_its_table_keeps_it() -> None:
    assert refused(operations.RenameModel("Book", "Volume"), table="books") == []


def test_no_default_is_counted_on_where_rows_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_rules, "TAKE_ROWS", {"shelves.book"})

    [told] = refused(operations.AddField("Book", "at", models.DateTimeField(db_default=Now())))

    assert "takes rows as JSON" in told
    assert refused(operations.AddField("Book", "size", models.IntegerField(null=True))) == []


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite takes rows as the ORM sends them")
def test_the_tables_that_take_rows_as_json_are_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE '%\\_rows'"
            " AND pg_get_function_identity_arguments(oid) = 'given jsonb'"
        )
        there = {name.removesuffix("_rows").replace("_", ".", 1) for (name,) in cursor.fetchall()}

    assert there == migration_rules.TAKE_ROWS


def test_the_project_s_own_migrations_keep_the_rules() -> None:
    assert [str(breach) for breach in migration_rules.breaches()] == []


def test_a_migration_of_the_project_s_own_that_breaks_one_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_rules, "FIRST_RELEASE", {})

    told = "\n".join(str(breach) for breach in migration_rules.breaches())

    assert "licenses.0009_orders" in told or "licenses.0008_moves" in told


@pytest.mark.django_db(transaction=True)
class TestWhatTheyUseInstead:
    """Both databases take the operations that the linter names as the way out."""

    def test_indexes_and_constraints_are_made_and_taken_back(self) -> None:
        before = state()
        app = "shelves"
        with connection.schema_editor() as editor:
            editor.create_model(before.apps.get_model(app, "Book"))
        done: list[tuple[Operation, ProjectState, ProjectState]] = []
        steps: list[Operation] = [
            AddIndexConcurrently("Book", INDEX),
            AddConstraintNotValid("Book", CHECK),
            ValidateConstraint("Book", CHECK.name),
        ]
        for operation in steps:
            after = before.clone()
            operation.state_forwards(app, after)
            concurrently = isinstance(operation, postgres.AddIndexConcurrently)
            with connection.schema_editor(atomic=not concurrently) as editor:
                operation.database_forwards(app, editor, before, after)
            done.append((operation, before, after))
            before = after
        table = before.apps.get_model(app, "Book")._meta.db_table
        with connection.cursor() as cursor:
            names = connection.introspection.get_constraints(cursor, table)
        assert {"by_name", "a_book_has_a_name"} <= set(names)

        for undone, earlier, later in reversed(done):
            concurrently = isinstance(undone, postgres.AddIndexConcurrently)
            with connection.schema_editor(atomic=not concurrently) as editor:
                undone.database_backwards(app, editor, later, earlier)
        with connection.schema_editor() as editor:
            editor.delete_model(state().apps.get_model(app, "Book"))
