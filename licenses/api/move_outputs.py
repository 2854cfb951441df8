"""What the doors on moves answer."""

from typing import Any, get_args

from rest_framework import serializers

from accounts.api.outputs import example
from licenses import move_queries
from licenses.models import Move as MoveRow

_EVIDENCE: dict[str, Any] = {
    "name": "power-supply.jpg",
    "media_type": "image/jpeg",
    "size": 184320,
    "added_at": "2026-11-24T12:05:00Z",
}
_OPEN: dict[str, Any] = {
    "id": 12,
    "broken": "00-90-33-01-0A-FF",
    "replacement": "00-90-33-01-0B-07",
    "stage": "bridged",
    "reason": "The power supply burned out.",
    "rma": "RMA-4711",
    "requested_at": "2026-11-24T12:00:00Z",
    "open_until": "2027-01-05T12:00:00Z",
    "bridge_ends_at": "2026-12-08T12:00:00Z",
    "support_first": None,
    "units": 25,
    "ended_at": None,
    "decision_reason": None,
    "hardware": None,
    "evidence": _EVIDENCE,
}


@example(_EVIDENCE)
class Evidence(serializers.Serializer[Any]):
    """The file that shows what happened."""

    name = serializers.CharField(help_text="As it can be saved; its ending is that of its content.")
    media_type = serializers.ChoiceField(["application/pdf", "image/jpeg", "image/png"])
    size = serializers.IntegerField(help_text="Bytes.")
    added_at = serializers.DateTimeField()


@example(_OPEN)
class Move(serializers.Serializer[dict[str, Any]]):
    """A move after hardware failure, as it is at the moment of the answer."""

    id = serializers.IntegerField(source="move.pk")
    broken = serializers.CharField(source="move.broken.hardware_id")
    replacement = serializers.CharField(
        allow_null=True, help_text="Null if it is not known yet, or in a project that you may not see."
    )
    stage = serializers.ChoiceField(
        sorted(get_args(move_queries.Stage)),
        help_text=(
            "While it is open: `needs-replacement`, `bridged`, `bridge-ended`, `with-support` (no bridge "
            "before support has looked), `second-person` (approved once, takes two). Later: how it ended."
        ),
    )
    reason = serializers.CharField(source="move.reason")
    rma = serializers.CharField(source="move.rma", help_text="Empty if there is none.")
    requested_at = serializers.DateTimeField(source="move.requested_at")
    open_until = serializers.DateTimeField(
        source="move.open_until", help_text="If nobody has decided by then, it has expired."
    )
    bridge_ends_at = serializers.DateTimeField(
        allow_null=True, help_text="End of the bridge in effect; each fetch of its last week lengthens it."
    )
    support_first = serializers.ChoiceField(
        MoveRow.SupportFirst.values,
        allow_null=True,
        help_text="Why there is no bridge before support has looked; null where it need not look.",
    )
    units = serializers.IntegerField(help_text="Units that are to move, or did, of all products.")
    ended_at = serializers.DateTimeField(source="move.ended_at", allow_null=True)
    decision_reason = serializers.CharField(allow_null=True, help_text="What support said to its decision.")
    hardware = serializers.ChoiceField(
        MoveRow.Hardware.values,
        allow_null=True,
        help_text="What became of the old hardware of an approved move; until then it counts.",
    )
    evidence = Evidence(allow_null=True, help_text="Null if there is none; it can be added while it is open.")


@example({"moves": [_OPEN]})
class MoveList(serializers.Serializer[Any]):
    moves = Move(many=True)
