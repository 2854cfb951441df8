"""`manage.py unblock device HWID --reason …`, `manage.py unblock key SHA256 --reason …`."""

from django.core.management.base import CommandParser

from devices import blocking, queries
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Listen again to a device, or to a public key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["device", "key"])
        parser.add_argument("name", help="the hardware ID, or the SHA-256 of the key in hexadecimal")
        parser.add_argument("--reason", required=True)

    def handle(self, *, what: str, name: str, reason: str, **options: object) -> None:
        with self.refusals_told():
            if what == "device":
                device = queries.find_device(name)
                blocking.unblock_device(device=device, caller=self.caller(reason), now=clock.now())
                self.stdout.write(f"Unblocked the device {device}.")
            else:
                blocking.unblock_key(key_hash=name, caller=self.caller(reason), now=clock.now())
                self.stdout.write("Unblocked the key.")
