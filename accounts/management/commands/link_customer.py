"""`manage.py link_customer NUMBER COMPANY`: fulfilment says that a company is a customer."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import customers
from accounts.models import Company
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Link a company to an account of the customer list."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", help="the account number in the customer list")
        parser.add_argument("company", type=int, help="the number of the company")

    def handle(self, *, number: str, company: int, **options: Any) -> None:
        found = Company.objects.filter(pk=company).first()
        if found is None:
            raise CommandError(f"There is no company {company}.")
        with self.refusals_told():
            account = customers.link_company(
                company=found, number=number, caller=self.caller(), now=clock.now()
            )
        self.stdout.write(f"{found.name} is customer {account.number}, {account.name}.")
