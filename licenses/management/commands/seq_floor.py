"""`manage.py seq_floor show`, `… raise N --reason …`, `… device HWID N --reason …` (trust.md 3)."""

from typing import Any

from django.core.management.base import CommandParser

from devices import queries, seq_floors
from licenses import keyring, last_signed
from licenses.queries import highest_seq
from portal.core import clock
from portal.core.management.operator import OperatorCommand

ROOM = 1000
"""How far above the highest known `seq` the proposed one is: other servers may have signed later ones."""


class Command(OperatorCommand):
    help = "Raise the seq of license documents above what devices have seen, after a restored backup."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("show", help="how far numbers went, and whether this database is older")
        everywhere = actions.add_parser("raise", help="for all devices")
        one = actions.add_parser("device", help="for one device, as an alert about it says")
        one.add_argument("hardware_id")
        for action in (everywhere, one):
            action.add_argument("value", type=int, help="the next documents have a seq above this")
            action.add_argument("--reason", required=True)

    def handle(self, *, action: str, **options: Any) -> None:
        with self.refusals_told():
            if action == "show":
                self._show()
            elif action == "raise":
                self._raise(**options)
            else:
                self._raise_one(**options)

    def _show(self) -> None:
        memory = last_signed.recall(keyring.current().database)
        numbers = {
            "raised for all devices": memory.floor,
            "in this database": highest_seq(),
            "seen by devices, told in open alerts": queries.highest_seq_in_alerts(),
            "signed on this server": memory.last.seq if memory.last else 0,
        }
        for name, number in numbers.items():
            self.stdout.write(f"{number:>16}  {name}")
        if memory.is_missing:
            proposed = max(numbers.values()) + ROOM
            self.stdout.write("This database is older than the documents that this server has signed.")
            self.stdout.write(f"Run: manage.py seq_floor raise {proposed} --reason TEXT")
        else:
            self.stdout.write("This database has the last document that this server has signed.")

    def _raise(self, *, value: int, reason: str, **_options: Any) -> None:
        devices = seq_floors.raise_seq_floor(value=value, caller=self.caller(reason), now=clock.now())
        self.stdout.write(f"The next document of each of {devices} devices has a seq above {value}.")
        if _still_missing():
            self.stdout.write("That is not far enough: manage.py seq_floor show")

    def _raise_one(self, *, hardware_id: str, value: int, reason: str, **_options: Any) -> None:
        device = queries.find_device(hardware_id)
        seq_floors.raise_device_seq(device=device, value=value, caller=self.caller(reason), now=clock.now())
        self.stdout.write(f"The next document of {device} has a seq above {value}.")


def _still_missing() -> bool:
    try:
        return last_signed.recall(keyring.current().database).is_missing
    except keyring.NoKeySet:
        return False
