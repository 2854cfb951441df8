"""`manage.py block device HWID --reason …`, `manage.py block key SHA256 --reason …`."""

from django.core.management.base import CommandParser

from devices import blocking, queries
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Stop listening to a device, or to a public key whichever device uses it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["device", "key"])
        parser.add_argument("name", help="the hardware ID, or the SHA-256 of the key in hexadecimal")
        parser.add_argument("--reason", required=True)

    def handle(self, *, what: str, name: str, reason: str, **options: object) -> None:
        with self.refusals_told():
            if what == "device":
                device = queries.find_device(name)
                blocking.block_device(device=device, caller=self.caller(reason), now=clock.now())
                self.stdout.write(f"Blocked the device {device}.")
            else:
                blocking.block_key(key_hash=name, caller=self.caller(reason), now=clock.now())
                self.stdout.write("Blocked the key.")
