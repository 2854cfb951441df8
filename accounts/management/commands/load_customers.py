"""`manage.py load_customers FILE`: bring the vendor's customer list up to date."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import customer_lists
from accounts.customer_rows import COLUMNS, MOST_TOLD, REASONS
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = f"Load the customer list: CSV in UTF-8 with the columns {', '.join(COLUMNS)}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="only say what loading it would do")

    def handle(self, *, file: Path, check: bool, **options: Any) -> None:
        content = file.read_bytes()
        with self.refusals_told():
            report = customer_lists.check(content)
            for fault in report.faults[:MOST_TOLD]:
                self.stderr.write(f"line {fault.line}: {REASONS[fault.reason]}")
            if report.faults:
                raise CommandError(f"{len(report.faults)} lines cannot be taken. Nothing was changed.")
            if check:
                self.stdout.write(
                    f"{report.new} new, {report.changed} changed ({len(report.linked)} of linked companies), "
                    f"{report.unchanged} as before; {report.missing} are not in the list and stay"
                )
                return
            count = customer_lists.load_list(content=content, caller=self.caller(), now=clock.now())
        self.stdout.write(f"{count} customers loaded")
