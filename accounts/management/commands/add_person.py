"""`manage.py add_person`: let somebody in whose address the vendor vouches for."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.permissions import Role
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Add a person without registration; they choose a password by “forgot the password”."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("forename")
        parser.add_argument("surname")
        parser.add_argument(
            "--role",
            action="append",
            choices=Role.values,
            default=[],
            help="a role in the vendor's staff; may be given more than once",
        )
        parser.add_argument(
            "--superuser",
            action="store_true",
            help="somebody of the vendor who gives roles, and may everything",
        )

    def handle(
        self, *, email: str, forename: str, surname: str, role: list[str], superuser: bool, **options: Any
    ) -> None:
        with self.refusals_told():
            user = people.add_person(
                email=email,
                forename=forename,
                surname=surname,
                roles={Role(word) for word in role},
                is_superuser=superuser,
                caller=self.caller(),
                now=clock.now(),
            )
        self.stdout.write(f"{user.get_full_name()} <{user.email}> may sign in once a password is chosen.")
