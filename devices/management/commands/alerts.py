"""`manage.py alerts [--json]`, `manage.py alerts --settle ID --reason …`: what support has to look at."""

import json
from typing import Any

from django.core.management.base import CommandParser

from devices import alerts, queries
from devices.models import Alert
from portal.core import clock
from portal.core.management.operator import OperatorCommand


class Command(OperatorCommand):
    help = "List the open alerts, the oldest first, or settle one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, for scripts")
        parser.add_argument("--settle", type=int, metavar="ID", help="put this one away")
        parser.add_argument("--reason", default="", help="what came of it")

    def handle(self, *, settle: int | None, reason: str, **options: Any) -> None:
        if settle is not None:
            with self.refusals_told():
                settled = queries.get_alert(settle)
                alerts.settle_alert(settled=settled, caller=self.caller(reason), now=clock.now())
            self.stdout.write(f"Settled alert {settle}.")
            return
        found = list(queries.open_alerts())
        if options["json"]:
            self.stdout.write(json.dumps([_told(alert) for alert in found], indent=2))
            return
        for alert in found:
            facts = " ".join(f"{name}={value}" for name, value in sorted(alert.facts.items()))
            self.stdout.write(
                f"{alert.pk}  {alert.at:%Y-%m-%d %H:%M} UTC  {alert.kind}  {alert.about}  {facts}"
            )
        if not found:
            self.stdout.write("No open alerts.")


def _told(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "hardware_id": alert.device.hardware_id if alert.device else None,
        "company": alert.company.name if alert.company else None,
        "at": alert.at.isoformat(),
        "facts": alert.facts,
    }
