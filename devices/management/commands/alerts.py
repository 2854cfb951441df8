"""`manage.py alerts [--json]`: what support has to look at."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from devices import queries
from devices.models import Alert


class Command(BaseCommand):
    help = "List the open alerts, the oldest first. They are settled on the staff pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, for scripts")

    def handle(self, **options: Any) -> None:
        alerts = list(queries.open_alerts())
        if options["json"]:
            self.stdout.write(json.dumps([_told(alert) for alert in alerts], indent=2))
            return
        for alert in alerts:
            facts = " ".join(f"{name}={value}" for name, value in sorted(alert.facts.items()))
            self.stdout.write(
                f"{alert.pk}  {alert.at:%Y-%m-%d %H:%M} UTC  {alert.kind}  {alert.device}  {facts}"
            )
        if not alerts:
            self.stdout.write("No open alerts.")


def _told(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "hardware_id": alert.device.hardware_id,
        "at": alert.at.isoformat(),
        "facts": alert.facts,
    }
