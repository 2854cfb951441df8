"""`manage.py issue_key`: an order becomes an activation key."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from licenses import fulfilment
from licenses.issuing import OrderLine
from orders import certificates
from portal.core import clock
from portal.core.acts import Caller
from portal.core.errors import DomainError


class Command(BaseCommand):
    help = "Turn an order into an activation key. The same order again prints the same key, for seven days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", help="the order's number in your books")
        parser.add_argument("lines", nargs="+", metavar="PRODUCT:VERSION:QUANTITY", help="like Port:14:10")
        parser.add_argument("--customer", required=True)
        parser.add_argument("--reference", default="", help="the customer's own reference")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--certificate", type=Path, metavar="FILE", help="write the PDF there instead of printing the key"
        )
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES], default="en")

    def handle(self, *, number: str, lines: list[str], customer: str, reference: str, **options: Any) -> None:
        try:
            issued = fulfilment.issue_key(
                number=number,
                reference=reference,
                customer=customer,
                lines=[_line(text) for text in lines],
                caller=Caller(scope="orders", key=number, name="command issue_key"),
                now=clock.now(),
            )
        except DomainError as error:
            raise CommandError(f"{error.headline} {error.detail} [{error.code}]") from error
        file: Path | None = options["certificate"]
        if file is not None and issued.code is not None:
            pdf = certificates.certificate_for([issued], language=options["language"])
            _write_for_me_alone(file, pdf)
        if options["json"]:
            self.stdout.write(json.dumps({"order": number, "code": issued.code}))
        elif issued.code is None:
            raise CommandError("The key of this order was issued before, and its code is no longer kept.")
        elif file is not None:
            self.stdout.write(f"The certificate is in {file}")
        else:
            self.stdout.write(issued.code)


def _line(text: str) -> OrderLine:
    try:
        code, version, quantity = text.split(":")
        return OrderLine(code=code, version=int(version), quantity=int(quantity))
    except ValueError as error:
        raise CommandError(f"{text}: must be PRODUCT:VERSION:QUANTITY, like Port:14:10") from error


def _write_for_me_alone(file: Path, content: bytes) -> None:
    # Whoever can read the file can activate the key.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        output.write(content)
