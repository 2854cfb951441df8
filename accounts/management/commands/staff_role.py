"""`manage.py staff_role`: give roles in the vendor's staff, take them, and say who has which."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import staff_queries, staff_roles
from accounts.permissions import Role
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Give somebody a role in the vendor's staff, take it, or list who has which."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action in ("give", "take"):
            changing = actions.add_parser(action)
            changing.add_argument("email")
            changing.add_argument("role", choices=Role.values)
            changing.add_argument("--reason", required=True, help="why; it stays in the audit")
        actions.add_parser("list")

    def handle(
        self, *, action: str, email: str = "", role: str = "", reason: str = "", **options: Any
    ) -> None:
        if action == "list":
            for one in staff_queries.everybody():
                roles = [held.role for held in staff_queries.roles_of(one)] + ["superuser"] * one.is_superuser
                self.stdout.write(f"{one.email}  {', '.join(roles) or 'no role'}")
            return
        change = staff_roles.give_role if action == "give" else staff_roles.take_role
        with self.refusals_told():
            user = change(email=email, role=Role(role), caller=self.caller(reason), now=clock.now())
        has = [held.role for held in staff_queries.roles_of(user)]
        self.stdout.write(f"{user.get_full_name()} <{user.email}> has {', '.join(has) or 'no role'} now.")
