"""`manage.py trust_anchor add FILE …`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from devices import trust_anchors
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.errors import DomainError


class Command(BaseCommand):
    help = "Accept a manufacturer's CA certificate for a range of hardware IDs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["add"])
        parser.add_argument("certificate", type=Path, help="the CA certificate as PEM")
        parser.add_argument("--manufacturer", required=True)
        parser.add_argument("--prefix", action="append", required=True, help="like 00-90-33; may be repeated")
        parser.add_argument("--hardware-id-in", choices=["serialNumber", "CN"], default="serialNumber")

    def handle(self, *, certificate: Path, manufacturer: str, prefix: list[str], **options: Any) -> None:
        try:
            anchor = trust_anchors.add_trust_anchor(
                certificate=certificate.read_bytes(),
                manufacturer=manufacturer,
                prefixes=prefix,
                hardware_id_in=options["hardware_id_in"],
                caller=Caller(scope="command", key=acts.new_key(), name="command trust_anchor"),
                now=clock.now(),
            )
        except OSError as error:
            raise CommandError(f"{certificate}: {error.strerror}") from error
        except DomainError as error:
            raise CommandError(f"{error.headline} {error.detail} [{error.code}]") from error
        self.stdout.write(f"Accepted {anchor} for {', '.join(prefix)}.")
