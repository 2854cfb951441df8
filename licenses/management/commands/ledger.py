"""`manage.py ledger verify`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from licenses import verification

SHOWN_OF_EACH = 20


class Command(BaseCommand):
    help = "Prove the books: replay transfers, grants, documents and log lines. Exit code 1 if wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *, action: str, json: bool, **options: Any) -> None:
        with verification.one_moment():
            found = {check.holds: self._report(check, say=not json) for check in verification.CHECKS}
        wrong = sum(count for count in found.values())
        if json:
            self.stdout.write(_as_json(found))
        if wrong:
            raise CommandError(f"the books are wrong in {wrong} places", returncode=1)
        if not json:
            self.stdout.write("The books are right.")

    def _report(self, check: verification.Check, *, say: bool) -> int:
        count = 0
        for count, violation in enumerate(check.violations(), start=1):
            if say and count <= SHOWN_OF_EACH:
                self.stdout.write(f"  {violation}")
        if say:
            self.stdout.write(f"{'ok   ' if not count else f'WRONG in {count}:'} {check.holds}")
        return count


def _as_json(found: dict[str, int]) -> str:
    return json.dumps({"right": not any(found.values()), "violations": found})
