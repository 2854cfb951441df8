"""`manage.py remove_second_factors`: let somebody in again who lost telephone and recovery codes."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Remove the second factors of a person, who is told by mail. Make sure first who asks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="who asked, and how it was made sure")

    def handle(self, *, email: str, reason: str, **options: Any) -> None:
        with self.refusals_told():
            people.remove_second_factors(email=email, caller=self.caller(reason), now=clock.now())
        self.stdout.write("The password is enough now. The person is told by mail.")
