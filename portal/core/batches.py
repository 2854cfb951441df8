"""What an act writes, gathered and sent in one statement at its end (docs/decisions/0036).

On PostgreSQL a table that takes part has a function that inserts rows given as JSON; its plan stays with the
connection. Elsewhere nothing is gathered: rows are inserted as they come.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


class Batch:
    """The rows and changes of one act, from `acts.begin` to `acts.finish`.

    Rows have their primary keys at once, so that others can point to them. Until the batch is sent no query
    sees them: an operation that gathers reads first, decides, and then writes.
    """

    def __init__(self) -> None:
        self._gathers = connection.vendor == "postgresql"
        self._changes: list[tuple[str, Sequence[Any]]] = []
        self._rows: dict[type[models.Model], list[models.Model]] = {}
        self._drawn: dict[type[models.Model], list[int]] = {}

    def keep_ids(self, model: type[models.Model], ids: Iterable[int]) -> None:
        """Primary keys that were drawn for new rows of a model by the way (`KeptSteps.rows`)."""
        self._drawn.setdefault(model, []).extend(ids)

    def forget_ids(self) -> None:
        """Where locks are taken anew: what was waited for would have higher keys than those drawn before."""
        self._drawn.clear()

    def change(self, sql: str, given: Sequence[Any]) -> None:
        """A statement that changes rows. Changes are made before rows are inserted, each in its order."""
        if self._gathers:
            self._changes.append((sql, given))
            return
        with connection.cursor() as cursor:
            cursor.execute(sql, given)

    def insert(self, rows: Iterable[Row]) -> list[Row]:
        """New rows of one model, in tables' order of first use."""
        rows = list(rows)
        if not rows:
            return rows
        model = type(rows[0])
        if not self._gathers:
            return model._default_manager.bulk_create(rows)
        unnamed = [row for row in rows if row.pk is None]
        for row, pk in zip(unnamed, self._draw(model, len(unnamed)), strict=True):
            row.pk = pk
        self._rows.setdefault(model, []).extend(rows)
        return rows

    def send(self) -> None:
        """Everything, in one statement."""
        statements: list[str] = []
        given: list[Any] = []
        for sql, values in self._changes:
            statements.append(sql)
            given += values
        if self._rows:
            calls = [f"{takes_rows(model._meta.db_table)}(%s)" for model in self._rows]
            statements.append(f"SELECT {', '.join(calls)}")
            given += [_as_json(rows) for rows in self._rows.values()]
        if statements:
            with connection.cursor() as cursor:
                cursor.execute("; ".join(statements), given)
        self._changes, self._rows = [], {}

    def _draw(self, model: type[models.Model], count: int) -> list[int]:
        drawn = self._drawn.setdefault(model, [])
        if len(drawn) < count:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT {next_id(model)} FROM generate_series(1, %s)",  # noqa: S608
                    [count - len(drawn)],
                )
                drawn += [pk for (pk,) in cursor.fetchall()]
        taken, self._drawn[model] = drawn[:count], drawn[count:]
        return taken


def write(rows: Iterable[Row], *, batch: Batch | None) -> list[Row]:
    """Insert rows of one model: with the batch, or at once where nothing is gathered."""
    rows = list(rows)
    if batch is not None:
        return batch.insert(rows)
    return type(rows[0])._default_manager.bulk_create(rows) if rows else []


def change(sql: str, given: Sequence[Any], *, batch: Batch | None) -> None:
    """Change rows: with the batch, or at once where nothing is gathered."""
    if batch is not None:
        batch.change(sql, given)
        return
    with connection.cursor() as cursor:
        cursor.execute(sql, given)


def next_id(model: type[models.Model]) -> str:
    """SQL for the next primary key of a table (PostgreSQL)."""
    return f"nextval('{model._meta.db_table}_id_seq')"


def takes_rows(table: str) -> str:
    """The name of the function that inserts rows into a table (`postgresql.taking_rows` makes it)."""
    return f"{table}_rows"


@cache
def _columns(model: type[models.Model]) -> list[tuple[str, str]]:
    return [(str(field.column), str(field.attname)) for field in model._meta.concrete_fields]


def _as_json(rows: Sequence[models.Model]) -> str:
    columns = _columns(type(rows[0]))
    return json.dumps(
        [{column: getattr(row, name) for column, name in columns} for row in rows], default=_in_words
    )


def _in_words(value: object) -> str:
    """As PostgreSQL reads it from a text."""
    if isinstance(value, bytes | memoryview):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    raise TypeError(f"no column of a batch holds {type(value)}")
