"""Queries whose plans PostgreSQL keeps: the same in both forms, and sound on a connection that died."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from psycopg2.extensions import cursor as psycopg_cursor

from accounts import kept_reads
from devices import kept_devices, standing
from licenses import catalogue_queries, locked_devices, locked_keys, unchanged
from portal.core.kept_queries import KeptQuery, KeptSteps
from tests.factories import NOW

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no functions of ours")

KEPT = [
    standing.QUERY,
    unchanged.QUERY,
    kept_reads.SESSION,
    kept_reads.USER,
    kept_reads.PROJECT,
    kept_devices.OF_PERSON,
    catalogue_queries.PRODUCT,
]
ASKED = {"hardware_id": "00-00-00-00-00-01", "heard_since": NOW}
NOBODY = (0, None, *[None] * 6, False, False, None, None, False)
"""No anchor, and no device."""


@pytest.mark.django_db
@pytest.mark.parametrize("query", KEPT, ids=lambda query: query.function)
class TestAQueryInBothForms:
    def test_is_the_same_text(self, query: KeptQuery) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT prosrc, proargnames[:pronargs] FROM pg_proc WHERE proname = %s", [query.function]
            )
            [(body, parameters)] = cursor.fetchall()

        _, _, returned = body.partition("RETURN QUERY")
        assert " ".join(returned.split()) == f"{' '.join(query.body.split())}; END"
        assert parameters == [f"given_{name}" for name in query.parameters]

    def test_reads_only(self, query: KeptQuery) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT provolatile FROM pg_proc WHERE proname = %s", [query.function])
            assert cursor.fetchall() == [("s",)]


@pytest.mark.django_db
@pytest.mark.parametrize("steps", [locked_keys.STEPS, locked_devices.STEPS], ids=lambda steps: steps.function)
class TestStepsInBothForms:
    def test_are_the_same_text(self, steps: KeptSteps) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT prosrc, proargnames[:pronargs] FROM pg_proc WHERE proname = %s", [steps.function]
            )
            [(body, parameters)] = cursor.fetchall()

        _, _, done = body.partition("BEGIN")
        assert " ".join(done.split()) == f"{' '.join(steps.body.split())}; END"
        assert parameters == [f"given_{name}" for name in steps.parameters]

    def test_see_what_was_committed_while_they_waited(self, steps: KeptSteps) -> None:
        """A function that is STABLE would see what there was before it got its locks."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT provolatile FROM pg_proc WHERE proname = %s", [steps.function])
            assert cursor.fetchall() == [("v",)]


def a_request_begins() -> None:
    """What Django does then with a kept connection."""
    connection.close_if_unusable_or_obsolete()


def end_connection() -> None:
    """As a restart of PostgreSQL does, or whoever is between us and it."""
    process = connection.connection.info.backend_pid

    def end() -> None:
        with connection.cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [process])
            assert other.fetchall() == [(True,)]
        connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        elsewhere.submit(end).result()


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
class TestTheFirstStatementOfARequest:
    @pytest.fixture(autouse=True)
    def _kept(self) -> Iterator[None]:
        connection.ensure_connection()
        yield
        connection.close()

    def test_is_sent_again_where_the_connection_is_gone(self) -> None:
        end_connection()
        a_request_begins()

        assert standing.QUERY.first_row(ASKED) == NOBODY
        assert connection.is_usable()

    def test_is_all_that_is_sent_where_it_stands(self) -> None:
        sent: list[object] = []

        class Recorded(psycopg_cursor):  # type: ignore[misc]
            """Django asks whether a connection stands without a word in its own log of queries."""

            def execute(self, query: Any, given: Any = None) -> None:
                sent.append(query)
                super().execute(query, given)

        connection.connection.cursor_factory = Recorded
        a_request_begins()
        standing.QUERY.first_row(ASKED)

        assert len(sent) == 1, sent

    def test_is_not_sent_again_when_something_else_is_wrong(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 20")
        a_request_begins()
        slow = KeptQuery(function="pg_sleep", parameters=("seconds",), sql="")

        with CaptureQueriesContext(connection) as sent, pytest.raises(OperationalError, match="timeout"):
            slow.first_row({"seconds": 60})

        assert len(sent) == 1

    def test_in_a_transaction_is_not_sent_again_since_half_of_it_would_be_missing(self) -> None:
        a_request_begins()

        @transaction.atomic
        def act() -> None:
            end_connection()
            standing.QUERY.first_row(ASKED)

        with pytest.raises(OperationalError):
            act()

    def test_that_is_not_the_first_is_not_sent_again(self) -> None:
        a_request_begins()
        standing.QUERY.first_row(ASKED)
        end_connection()

        with pytest.raises(OperationalError):
            standing.QUERY.first_row(ASKED)
