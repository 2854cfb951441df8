"""`manage.py seq_floor raise N --reason …`, `manage.py seq_floor device HWID N --reason …`."""

from typing import Any

from django.core.management.base import CommandParser

from devices import queries, seq_floors
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Raise the seq of license documents above what devices have seen, after a restored backup."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        everywhere = actions.add_parser("raise", help="for all devices")
        one = actions.add_parser("device", help="for one device, as an alert about it says")
        one.add_argument("hardware_id")
        for action in (everywhere, one):
            action.add_argument("value", type=int, help="the next documents have a seq above this")
            action.add_argument("--reason", required=True)

    def handle(self, *, action: str, value: int, reason: str, **options: Any) -> None:
        with self.refusals_told():
            if action == "raise":
                devices = seq_floors.raise_seq_floor(value=value, caller=self.caller(reason), now=clock.now())
                self.stdout.write(f"The next document of each of {devices} devices has a seq above {value}.")
            else:
                device = queries.find_device(options["hardware_id"])
                seq_floors.raise_device_seq(
                    device=device, value=value, caller=self.caller(reason), now=clock.now()
                )
                self.stdout.write(f"The next document of {device} has a seq above {value}.")
