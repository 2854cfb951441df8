"""The queries that nearly every request of a device sends, with plans that are kept (docs/decisions/0017).

PostgreSQL plans a statement anew each time, and planning these costs several times the reading. There each is
a function besides, whose plan a connection keeps; elsewhere the text is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import InterfaceError, OperationalError, connection


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
