"""`manage.py application_role NAME`: what the portal's processes may do in the database, and no more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from portal.core import postgresql


class Command(BaseCommand):
    help = (
        "Make a role of PostgreSQL for the portal's processes, or bring its rights up to date after a "
        "migration: it cannot change or delete rows that are never changed. Run it as the tables' owner."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the role; give it a password and LOGIN yourself, once")
        parser.add_argument("--show", action="store_true", help="only print the statements")

    def handle(self, *, name: str, show: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles.")
        if not name.isidentifier() or not name.isascii() or name != name.lower():
            raise CommandError("The name of a role is of small letters, digits and underscores here.")
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in postgresql.rights_of_application(cursor, role=name):
                if show:
                    self.stdout.write(f"{statement};")
                else:
                    cursor.execute(statement)
        if not show:
            self.stdout.write(f"{name} may read and add everywhere, and change what may change.")
