"""The queries that nearly every request of a device sends, with plans that are kept (docs/decisions/0017).

PostgreSQL plans a statement anew each time, and planning these costs several times the reading. There each is
a function besides, whose plan a connection keeps; elsewhere the text is sent.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, models

from portal.core.batches import Batch, next_id

Row = TypeVar("Row", bound=models.Model)
LARGEST_ID = 2**63 - 1


def columns_of(model: type[models.Model], *names: str) -> tuple[str, ...]:
    """The names of columns of a model's table, all or these, in the order of its fields."""
    every = tuple(str(field.column) for field in model._meta.concrete_fields)
    assert set(names) <= set(every), f"{model} has no such column"
    return tuple(name for name in every if not names or name in names)


def listed(table: str, columns: Iterable[str]) -> str:
    """Columns of a table in a SELECT."""
    return ", ".join(f'{table}."{column}"' for column in columns)


@dataclass(frozen=True, kw_only=True)
class KeptQuery:
    """A SELECT of at most one row, as text and as a function of PostgreSQL that a migration makes."""

    function: str
    parameters: tuple[str, ...]
    """What the text names as `%(name)s` and the function takes as `given_name`, in the function's order."""
    sql: str

    @property
    def body(self) -> str:
        """The text as the function holds it."""
        return self.sql % {name: f"given_{name}" for name in self.parameters}

    @cached_property
    def call(self) -> str:
        """What is sent to PostgreSQL."""
        places = ", ".join(f"%({name})s" for name in self.parameters)
        return f"SELECT * FROM {self.function}({places})"  # noqa: S608 (the names are our own)

    def row(self, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The row, or None if there is none."""
        with connection.cursor() as cursor:
            cursor.execute(self.call if connection.vendor == "postgresql" else self.sql, given)
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found

    def first_row(self, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The same, sent on a kept connection without asking first whether it still stands.

        A request begins with `SELECT 1` on a kept connection. A query that only reads says as much by itself:
        where the connection turns out to be gone, it is sent once more, on a new one. With another statement
        before it in this request, or a transaction open, that was asked already, and this is `row`.
        """
        kept: Any = connection  # the stubs do not know what Django notes about its health
        if kept.connection is None or kept.health_check_done:
            return self.row(given)
        kept.health_check_done = True
        try:
            return self.row(given)
        except (InterfaceError, OperationalError):
            # A timeout is one of these, too: only a connection that is gone is a reason to try again.
            if connection.is_usable():
                raise
            connection.close()
            return self.row(given)


class Columns:
    """The columns of one row, read from left to right."""

    def __init__(self, row: Sequence[Any], *, after: "Columns | None" = None) -> None:
        self._row = row
        self._place: int = after._place if after else 0

    def values(self, count: int) -> Sequence[Any]:
        """The next ones, as they are."""
        self._place += count
        return self._row[self._place - count : self._place]

    def row(self, model: type[Row], columns: Sequence[str]) -> Row:
        """The next ones as a row of a model, which reads by itself what is not among them.

        :param columns: as `columns_of` orders them.
        """
        values = self.values(len(columns))
        if connection.vendor != "postgresql":
            values = [_from_sqlite(model, name, value) for name, value in zip(columns, values, strict=True)]
        return model.from_db(DEFAULT_DB_ALIAS, columns, values)


def _from_sqlite(model: type[models.Model], column: str, value: Any) -> Any:
    """SQLite knows neither time zones nor UUIDs."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, str) and isinstance(model._meta.get_field(column), models.UUIDField):
        return UUID(value)
    return value


_LOCKS = re.compile(r"\s+FOR (NO KEY UPDATE|KEY SHARE)\b")


@dataclass(frozen=True, kw_only=True)
class KeptSteps:
    """Statements of a transaction that take locks, in this order, and a SELECT of what is there under them:
    sent as one, with plans that are kept.

    Each sees what was committed before it began, as if it were sent by itself. SQLite, where there is one
    writer at a time, is sent the same statements one by one, without the words for row locks.
    """

    function: str
    parameters: tuple[str, ...]
    steps: tuple[str, ...]
    sql: str

    @property
    def body(self) -> str:
        """The text as the function holds it."""
        names = {name: f"given_{name}" for name in self.parameters}
        # In PL/pgSQL a SELECT whose rows nobody wants is called PERFORM.
        steps = [re.sub(r"^\s*SELECT", "PERFORM", step) % names for step in self.steps]
        return "; ".join([*steps, f"RETURN QUERY {self.sql % names}"])

    def rows(
        self, given: Mapping[str, Any], *, batch: Batch, ids_of: Sequence[type[models.Model]] = ()
    ) -> list[tuple[Any, ...]]:
        """What is there, locked until the transaction ends.

        :param ids_of: for each row, a primary key for a new row of each of these models is drawn for `batch`.
        """
        assert connection.in_atomic_block, "locks belong to a transaction"
        with connection.cursor() as cursor:
            if connection.vendor != "postgresql":
                for step in self.steps:
                    cursor.execute(_LOCKS.sub("", step), given)
                cursor.execute(self.sql, given)
                return list(cursor.fetchall())
            places = ", ".join(f"%({name})s" for name in self.parameters)
            drawn = "".join(f", {next_id(model)}" for model in ids_of)
            cursor.execute(f"SELECT found.*{drawn} FROM {self.function}({places}) found", given)  # noqa: S608
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        width = len(ids_of)
        for place, model in enumerate(ids_of):
            batch.keep_ids(model, [row[place - width] for row in rows])
        return [row[:-width] for row in rows] if width else rows
