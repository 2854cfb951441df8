"""What the doors on histories and activated keys answer."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.outputs import NEXT, example
from licenses.records import facts_of
from portal.core.models import AuditEntry

_TIME = "2026-11-24T12:00:00Z"
_KEY: dict[str, Any] = {
    "id": 1,
    "last_four": "3PAZ",
    "order": "SO-000042",
    "reference": "Town hall, phase 2",
    "activated_at": _TIME,
    "into_project": 1,
}


class ListedKey(serializers.Serializer[Any]):
    """An activation key that was activated."""

    id = serializers.IntegerField()
    last_four = serializers.CharField()
    order = serializers.CharField(source="order.number")
    reference = serializers.CharField(source="order.reference")
    activated_at = serializers.DateTimeField(source="activated_by.at")
    into_project = serializers.IntegerField(
        allow_null=True, help_text="The project whose balance it filled; null: the company's."
    )


@example({"keys": [_KEY], "next": None})
class KeyList(serializers.Serializer[Any]):
    keys = ListedKey(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class HistoryEntry(serializers.Serializer[AuditEntry]):
    """One event: who, what, when."""

    at = serializers.DateTimeField()
    event = serializers.CharField(help_text="What happened, like `licenses-assigned`.")
    by = serializers.CharField(source="who", help_text="The person, program, device or command that did it.")
    project = serializers.IntegerField(source="project_id", allow_null=True)
    hardware_id = serializers.CharField(help_text="The device concerned; empty without one.")
    facts = serializers.SerializerMethodField()

    @extend_schema_field(
        serializers.DictField(
            help_text="Numbers and names that belong to the event. To an end customer, and to a token of one "
            "project, other balances are not named: null."
        )
    )
    def get_facts(self, entry: AuditEntry) -> dict[str, Any]:
        """As the reader may see them. The context says `only_known` (licenses.records)."""
        return facts_of(entry, only_known=self.context["only_known"])


@example(
    {
        "history": [
            {
                "at": _TIME,
                "event": "licenses-assigned",
                "by": "token ERP",
                "project": 1,
                "hardware_id": "00-90-33-01-0A-FF",
                "facts": {"product": "Port 14", "quantity": 2, "seq": 4},
            }
        ],
        "next": None,
    }
)
class History(serializers.Serializer[Any]):
    history = HistoryEntry(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)
