"""`?dry_run=1`: what an operation would change, from the operation itself (portal.core.acts.rehearse)."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.inputs import Input
from accounts.api.outputs import example
from accounts.models import Company, Project
from devices.models import Device
from licenses import queries


class Asked(Input):
    """Query parameters, hence texts."""

    dry_run = serializers.ChoiceField(
        ["0", "1"],
        required=False,
        default="0",
        help_text="`1`: say what would change, by the same rules, and change nothing.",
    )


def is_asked_by(request: Request) -> bool:
    """Whether the request only asks what would change.

    :raises ValidationError: `dry_run` is neither 0 nor 1, or there is another query parameter.
    """
    return bool(Asked.read(request.query_params.dict())["dry_run"] == "1")


class BalanceChange(serializers.Serializer[Any]):
    """How many units of a product a company, a project or a device would hold."""

    company = serializers.IntegerField(allow_null=True)
    project = serializers.IntegerField(allow_null=True)
    device = serializers.CharField(allow_null=True, help_text="Its hardware ID.")
    product = serializers.CharField()
    version = serializers.IntegerField()
    before = serializers.IntegerField(help_text="Units held now.")
    after = serializers.IntegerField(help_text="Units held if it were done.")


@example(
    {
        "dry_run": True,
        "changes": [
            {
                "company": None,
                "project": 1,
                "device": None,
                "product": "Port",
                "version": 14,
                "before": 0,
                "after": 10,
            }
        ],
    }
)
class DryRun(serializers.Serializer[Any]):
    """What would change: nothing was changed."""

    dry_run = serializers.BooleanField(help_text="Always true.")
    changes = BalanceChange(many=True)


def told(tried: tuple[queries.Units, queries.Units]) -> dict[str, Any]:
    """What was seen before and after a rehearsal, in the shape of `DryRun`."""
    before, after = tried
    changes = [
        {
            "company": owner.pk if isinstance(owner, Company) else None,
            "project": owner.pk if isinstance(owner, Project) else None,
            "device": owner.hardware_id if isinstance(owner, Device) else None,
            "product": product.code,
            "version": product.version,
            "before": before.get((owner, product), 0),
            "after": after.get((owner, product), 0),
        }
        for owner, product in dict.fromkeys((*before, *after))
    ]
    return {"dry_run": True, "changes": [row for row in changes if row["before"] != row["after"]]}
