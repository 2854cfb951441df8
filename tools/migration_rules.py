"""What a migration may not do while the release before it is still running (docs/decisions/0034).

An upgrade without a break migrates first and then replaces the processes, so for some minutes the old release
works on the new tables. `check()` looks at the operations of each migration, not at SQL: what they do is
known without a database, and the same for both.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

FIRST_RELEASE: Mapping[str, str] = {
    "accounts": "0010",
    "core": "0008",
    "devices": "0010",
    "licenses": "0014",
    "orders": "0004",
    "support": "0003",
}
"""Up to these, migrations make the tables of the first release: no release before it runs beside them."""

TAKE_ROWS = frozenset(
    {
        "core.auditentry",
        "core.outboxjob",
        "licenses.transfer",
        "licenses.grant",
        "licenses.licensedocument",
        "licenses.logleaf",
        "licenses.logline",
    }
)
"""Models whose rows are sent as JSON (docs/decisions/0036): what is not sent gets no default."""

ACCEPTED: Mapping[tuple[str, str], str] = {}
"""Migrations that break a rule and may, each with the reason and what makes it safe."""


@dataclass(frozen=True, kw_only=True)
class Breach:
    """An operation of a migration that would break the running release, and the way out."""

    app: str
    migration: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.app}.{self.migration}: {self.what}. {self.way_out}"


def breaches() -> list[Breach]:
    """What the project's own migrations do that they may not."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    own = {config.label for config in apps.get_app_configs() if _is_own(config.path)}
    found: list[Breach] = []
    for app, name in sorted(loader.disk_migrations):
        if app not in own or name[:4] <= FIRST_RELEASE.get(app, "0000") or (app, name) in ACCEPTED:
            continue
        migration = loader.disk_migrations[app, name]
        found += check(migration, before=loader.project_state((app, name), at_end=False))
    return found


def check(migration: Migration, *, before: ProjectState) -> Iterator[Breach]:
    """What the operations of one migration do that they may not.

    :param before: the models as the migration finds them.
    """
    state = before.clone()
    made: set[str] = set()
    for operation in migration.operations:
        for what, way_out in _wrong_with(operation, migration.app_label, state, made):
            yield Breach(app=migration.app_label, migration=migration.name, what=what, way_out=way_out)
        if isinstance(operation, operations.CreateModel):
            made.add(operation.name_lower)
        operation.state_forwards(migration.app_label, state)


_LATER = "Stop using it in this release, and remove it in the next one"
_CONCURRENTLY = "Use postgresql.AddIndexConcurrently, in a migration of its own with atomic = False"
# What hand-written SQL says, and what is wrong with it. Functions: docs/decisions/0017.
_SQL = {
    r"DROP\s+(TABLE|COLUMN|FUNCTION|VIEW)": ("it drops what the running release may use", _LATER),
    r"\bRENAME\b": ("it renames what the running release may use", "Keep the name"),
    r"CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)": (
        "it makes an index and keeps writers out",
        _CONCURRENTLY,
    ),
    r"SET\s+NOT\s+NULL": (
        "it makes a column NOT NULL under an exclusive lock",
        "Add a CHECK that is not valid yet",
    ),
    r"ADD\s+CONSTRAINT(?!.*(NOT\s+VALID|USING\s+INDEX))": (
        "it adds a constraint and looks at all rows under a lock",
        "Add it NOT VALID, and validate it in the migration after it",
    ),
}


def _wrong_with(
    operation: Operation, app: str, state: ProjectState, made: set[str]
) -> Iterator[tuple[str, str]]:
    """:param made: models that the migration itself makes: they are empty, and nobody uses them yet."""
    model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    if model in made:
        return
    yield from _taken_away(operation, app, model, state)
    yield from _done_to_rows(operation, model)
    match operation:
        case operations.AddField():
            yield from _added(operation.field, f"{model}.{operation.name}")
            if f"{app}.{model}" in TAKE_ROWS and not operation.field.null:
                yield (
                    f"it adds {model}.{operation.name}, NOT NULL, to a table that takes rows as JSON",
                    "No default is given there to what the old release does not send: give it null=True",
                )
        case operations.AlterField():
            old = state.models[app, model].fields[operation.name]
            yield from _altered(old, operation.field, f"{model}.{operation.name}")
        case operations.SeparateDatabaseAndState():
            for part in operation.database_operations:
                yield from _wrong_with(part, app, state, made)


def _taken_away(operation: Operation, app: str, model: str, state: ProjectState) -> Iterator[tuple[str, str]]:
    match operation:
        case operations.DeleteModel():
            yield f"it deletes the table of {operation.name}", _LATER
        case operations.RenameModel() if not _keeps_its_table(state, app, operation.old_name):
            yield f"it renames the table of {operation.old_name}", "Keep the table's name (Meta.db_table)"
        case operations.AlterModelTable():
            yield f"it renames the table of {operation.name}", "Keep the table's name"
        case operations.RemoveField():
            yield f"it drops the column {model}.{operation.name}", _LATER
        case operations.RenameField():
            yield (
                f"it renames the column {model}.{operation.old_name}",
                "Keep the column's name (db_column), or add another and fill both for a release",
            )


def _done_to_rows(operation: Operation, model: str) -> Iterator[tuple[str, str]]:
    match operation:
        case operations.AddIndex() if type(operation) is operations.AddIndex:
            yield f"it makes the index {operation.index.name} and keeps writers of {model} out", _CONCURRENTLY
        case operations.AddConstraint() if isinstance(operation.constraint, models.UniqueConstraint):
            yield (
                f"it makes the constraint {operation.constraint.name} and keeps writers of {model} out",
                "Make a unique index CONCURRENTLY, then the constraint USING it (SeparateDatabaseAndState)",
            )
        case operations.AddConstraint() if type(operation) is operations.AddConstraint:
            yield (
                f"it checks {operation.constraint.name} on all rows of {model} and keeps everybody out",
                "Use postgresql.AddConstraintNotValid, and ValidateConstraint in the migration after it",
            )
        case operations.RunPython():
            yield "it runs Python over rows that the running release changes", "Make it a command or a job"
        case operations.RunSQL():
            text = _text_of(operation.sql)
            for pattern, told in _SQL.items():
                if re.search(pattern, text, re.IGNORECASE | re.DOTALL):
                    yield told


def _text_of(sql: Any) -> str:
    # One text, or statements, each of them a text or a pair of a text and its parameters.
    if isinstance(sql, str):
        return sql
    return ";".join(one if isinstance(one, str) else one[0] for one in sql)


def _added(field: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(field, models.ManyToManyField) or field.null:
        pass
    elif not field.has_db_default():
        # Django gives rows that are there its default, and takes it from the column again at once.
        yield (
            f"it adds {name}, NOT NULL without a default that stays: the old release cannot insert",
            "Give it null=True or a db_default",
        )
    if field.unique or (field.db_index and not isinstance(field, models.ForeignKey)):
        yield f"it makes an index with {name} and keeps writers out", _CONCURRENTLY


def _altered(old: Any, new: Any, name: str) -> Iterator[tuple[str, str]]:
    if old.null and not new.null:
        yield (
            f"it makes {name} NOT NULL, which the old release may still leave empty",
            "Add a CHECK (AddConstraintNotValid) once no running release leaves it empty",
        )
    if old.get_internal_type() != new.get_internal_type() or _is_shorter(old, new):
        yield f"it changes the type of {name}", "Add another column, and fill both for a release"
    if (new.unique and not old.unique) or (new.db_index and not old.db_index):
        yield f"it makes an index on {name} and keeps writers out", _CONCURRENTLY
    if old.db_column != new.db_column:
        yield f"it renames the column {name}", "Keep the column's name (db_column)"


def _is_shorter(old: Any, new: Any) -> bool:
    if new.max_length is None:
        return False
    return old.max_length is None or new.max_length < old.max_length


def _keeps_its_table(state: ProjectState, app: str, name: str) -> bool:
    return "db_table" in state.models[app, name.lower()].options


def _is_own(path: str) -> bool:
    return Path(path).resolve().is_relative_to(Path(__file__).resolve().parent.parent) and ".venv" not in path


def main() -> int:
    """Say what is wrong; 1 if anything is. Run by tools.check."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    found = breaches()
    for breach in found:
        print(breach)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
