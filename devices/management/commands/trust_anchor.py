"""`manage.py trust_anchor add FILE …`, `list`, `remove FINGERPRINT`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from devices import queries, trust_anchors
from devices.models import TrustAnchor
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "Accept a manufacturer's CA certificate for a range of hardware IDs, list them, or remove one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="accept a CA certificate")
        add.add_argument("certificate", type=Path, help="the CA certificate as PEM")
        add.add_argument("--manufacturer", required=True)
        add.add_argument("--prefix", action="append", required=True, help="like 00-90-33; may be repeated")
        add.add_argument("--hardware-id-in", choices=["serialNumber", "CN"], default="serialNumber")
        lists = actions.add_parser("list", help="list what is accepted")
        lists.add_argument("--json", action="store_true", help="as JSON, for scripts")
        remove = actions.add_parser("remove", help="stop accepting one")
        remove.add_argument("fingerprint", help="the first 8 or more digits of its SHA-256")
        remove.add_argument("--reason", required=True)

    def handle(self, *, action: str, **options: Any) -> None:
        with self.refusals_told():
            match action:
                case "add":
                    self._add(**options)
                case "list":
                    self._list(as_json=options["json"])
                case "remove":
                    self._remove(fingerprint=options["fingerprint"], reason=options["reason"])

    def _add(self, *, certificate: Path, manufacturer: str, prefix: list[str], **options: Any) -> None:
        try:
            pem = certificate.read_bytes()
        except OSError as error:
            raise CommandError(f"{certificate}: {error.strerror}") from error
        anchor = trust_anchors.add_trust_anchor(
            certificate=pem,
            manufacturer=manufacturer,
            prefixes=prefix,
            hardware_id_in=options["hardware_id_in"],
            caller=self.caller(),
            now=clock.now(),
        )
        self.stdout.write(f"Accepted {anchor} for {', '.join(prefix)}.")

    def _list(self, *, as_json: bool) -> None:
        anchors = [_told(anchor) for anchor in queries.trust_anchors()]
        if as_json:
            self.stdout.write(json.dumps(anchors, indent=2))
            return
        for anchor in anchors:
            self.stdout.write(
                f"{anchor['sha256'][:16]}  {anchor['manufacturer']}  {' '.join(anchor['prefixes'])}  "
                f"hardware ID in {anchor['hardware_id_in']}"
            )

    def _remove(self, *, fingerprint: str, reason: str) -> None:
        anchor = queries.find_anchor(fingerprint)
        trust_anchors.remove_trust_anchor(
            sha256=bytes(anchor.sha256), caller=self.caller(reason), now=clock.now()
        )
        self.stdout.write(f"Removed {anchor}.")


def _told(anchor: TrustAnchor) -> dict[str, Any]:
    return {
        "sha256": bytes(anchor.sha256).hex(),
        "manufacturer": anchor.manufacturer,
        "prefixes": sorted(prefix.prefix for prefix in anchor.prefixes.all()),
        "hardware_id_in": anchor.hardware_id_in,
        "added_at": anchor.added_at.isoformat(),
    }
