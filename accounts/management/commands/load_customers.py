"""`manage.py load_customers FILE`: bring the vendor's customer list up to date."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import customers
from accounts.customers import Customer
from portal.core import clock
from portal.core.management.operator import OperatorCommand

COLUMNS = ["number", "postal_code", "name", "town", "country", "email"]


class Command(OperatorCommand):
    help = f"Load the customer list: CSV in UTF-8 with the columns {', '.join(COLUMNS)}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        with file.open(encoding="utf-8-sig", newline="") as text, self.refusals_told():
            lines = csv.DictReader(text)
            if lines.fieldnames != COLUMNS:
                raise CommandError(f"The first line must be: {','.join(COLUMNS)}")
            count = customers.load_customers(
                customers=(Customer(**{name: line[name] or "" for name in COLUMNS}) for line in lines),
                caller=self.caller(),
                now=clock.now(),
            )
        self.stdout.write(f"{count} customers loaded")
