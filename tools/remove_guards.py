"""`python -m tools.remove_guards [--list] [NAME...]`: take out one guard after the other; tests must fail.

Each guard of tools.guards, and each constraint, unique index and trigger that the database has, is removed
from a copy of the checkout, or from a copy of the database, and its tests run there, on a private PostgreSQL.
Prints what caught each removal. Exit code 1 if one stayed green: then nothing proves that the guard does
anything.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tools import processes
from tools.guard import Guard
from tools.guards import GUARDS
from tools.services import PrivateServices, ServiceRefusal

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("accounts", "appliance", "devices", "licenses", "orders", "portal", "support", "tests", "tools")
TEMPLATE, DATABASE = "without_nothing", "test_portal"
OURS = "^(core|accounts|devices|licenses|orders|support)_"
# Django's own tables for permissions, which nothing here uses.
NOT_OURS = "^accounts_user_(groups|user_permissions)$"
PATIENCE = 300
"""Seconds after which a run of tests is given up: a removed lock may let threads wait for ever."""

FIND = f"""
    SELECT 'constraint', conname, conrelid::regclass::text FROM pg_constraint
    WHERE contype IN ('c', 'u') AND conrelid::regclass::text ~ '{OURS}'
    UNION
    SELECT 'index', relname, indrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indisunique AND indrelid::regclass::text ~ '{OURS}'
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
    UNION
    SELECT 'trigger', tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Removal:
    """A guard to take out, and how to run the tests that must miss it."""

    name: str
    take_out: Callable[["Workshop"], None]
    tests: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A copy of the checkout and a database of its own, both good as new for each removal."""

    folder: Path
    services: PrivateServices

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run SQL outside of any transaction."""
        connection = psycopg2.connect(self._url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def fetch(self, query: str, *, database: str) -> list[tuple[str, str, str]]:
        """Read rows."""
        connection = psycopg2.connect(self._url(database))
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                rows: list[tuple[str, str, str]] = cursor.fetchall()
                return rows
        finally:
            connection.close()

    def function(self, name: str) -> str:
        """The statement that makes a function."""
        query = f"SELECT pg_get_functiondef('{name}'::regproc), '', ''"
        [(definition, _, _)] = self.fetch(query, database=DATABASE)
        return definition

    def pytest(self, *arguments: str) -> tuple[int, str]:
        """Run tests in the copy, up to the first failure. Exit code 124: given up."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly"]
        command += ["--no-header", "--tb=line", "--reuse-db", *arguments]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.services.environment(), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return 124, output
        return process.returncode, output

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """A fresh database for what runs inside."""
        self.execute(
            f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)",
            f"CREATE DATABASE {DATABASE} TEMPLATE {TEMPLATE}",
        )
        yield

    @contextmanager
    def edited(self, guard: Guard) -> Iterator[None]:
        """The copy without the guard."""
        path = self.folder / guard.file
        whole = path.read_text(encoding="utf-8")
        try:
            path.write_text(without(guard, whole), encoding="utf-8")
            yield
        finally:
            path.write_text(whole, encoding="utf-8")

    def _url(self, database: str) -> str:
        return re.sub(r"/portal$", f"/{database}", self.services.database_url)


class GuardNotFound(Exception):
    """What tools.guards says stands in a file does not stand there, exactly once."""


def without(guard: Guard, text: str) -> str:
    """Return the text of the guard's file without the guard.

    :raises GuardNotFound: a text to edit is not there exactly once.
    """
    for before, after in guard.edits:
        if text.count(before) != 1:
            raise GuardNotFound(f"{guard.name}: {before!r} is {text.count(before)} times in {guard.file}")
        text = text.replace(before, after)
    return text


def make_workshop(folder: Path, services: PrivateServices) -> Workshop:
    """Copy the checkout, and make the database that all others are copied from."""
    for name in COPIED:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    workshop = Workshop(folder=folder, services=services)
    code, output = workshop.pytest("tests/guards", "-k", "every")
    if code != 0:
        raise ServiceRefusal(f"the tests do not run: {output[-2000:]}")
    workshop.execute(f"ALTER DATABASE {DATABASE} RENAME TO {TEMPLATE}")
    return workshop


def in_database(workshop: Workshop) -> list[Removal]:
    """Every constraint, unique index and trigger, with the test that is named for it."""
    return [
        Removal(
            name=f"{kind}: {name}",
            take_out=lambda shop, kind=kind, name=name, table=table: shop.execute(  # type: ignore[misc]
                {
                    "constraint": f'ALTER TABLE {table} DROP CONSTRAINT "{name}"',
                    "index": f'DROP INDEX "{name}"',
                    "trigger": f'DROP TRIGGER "{name}" ON {table}',
                }[kind],
                database=DATABASE,
            ),
            tests=("tests/guards", "-k", f"test_it_refuses and {name}-"),
        )
        for kind, name, table in workshop.fetch(FIND, database=TEMPLATE)
        if not re.match(NOT_OURS, table)
    ]


def try_without(workshop: Workshop, guard: Guard | Removal) -> tuple[bool, str]:
    """Take a guard out and run its tests: whether one failed, and which, or what went wrong instead."""
    with workshop.renewed():
        if isinstance(guard, Removal):
            guard.take_out(workshop)
            code, output = workshop.pytest(*guard.tests)
        elif guard.in_function:
            workshop.execute(without(guard, workshop.function(guard.in_function)), database=DATABASE)
            code, output = workshop.pytest(*guard.tests)
        else:
            with workshop.edited(guard):
                code, output = workshop.pytest(*guard.tests)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    if code == 1 and failed:
        return True, failed[1].removeprefix("tests/")
    if code == 0:
        return False, "NOTHING: all tests passed"
    return False, f"NOTHING: pytest ended with {code}: {(output.strip().splitlines() or ['no output'])[-1]}"


def chosen(names: Sequence[str], guards: Sequence[Guard | Removal]) -> list[Guard | Removal]:
    """The guards whose name holds one of the words; all without words."""
    return [guard for guard in guards if not names or any(word in guard.name for word in names)]


def run(workshop: Workshop, names: Sequence[str], *, only_list: bool) -> int:
    """Try all chosen guards; 1 if a removal was not caught."""
    guards = chosen(names, [*GUARDS, *in_database(workshop)])
    if only_list:
        print("\n".join(guard.name for guard in guards))
        return 0
    for guard in guards:  # before anything runs: a typing error is found at once
        if isinstance(guard, Guard) and not guard.in_function:
            without(guard, (ROOT / guard.file).read_text(encoding="utf-8"))
    uncaught = 0
    width = max((len(guard.name) for guard in guards), default=0)
    started = time.monotonic()
    for number, guard in enumerate(guards, start=1):
        caught, by = try_without(workshop, guard)
        uncaught += not caught
        left = (time.monotonic() - started) / number * (len(guards) - number)
        print(f"{guard.name:{width}} | {by}   [{number}/{len(guards)}, {left:.0f} s left]", flush=True)
    print(f"{len(guards) - uncaught} of {len(guards)} removals were caught.")
    return 1 if uncaught or not guards else 0


def main(arguments: Sequence[str]) -> int:
    """Exit code 0: every removal was caught; 1: one was not; 2: it could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m tools.remove_guards", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="only guards with one of these words in their name"
    )
    parser.add_argument("--list", action="store_true", help="list the guards and do nothing")
    options = parser.parse_args(arguments)
    processes.unwind_on_signals()
    os.environ.setdefault("DEMO", "1")
    try:
        with (
            PrivateServices() as services,
            tempfile.TemporaryDirectory(prefix="license-portal-guards-") as folder,
        ):
            workshop = make_workshop(Path(folder), services)
            return run(workshop, options.names, only_list=options.list)
    except (ServiceRefusal, GuardNotFound) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
