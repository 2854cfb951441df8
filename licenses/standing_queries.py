"""How a device stands with its license documents: the newest, what was handed out, what it says it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max, OuterRef, Subquery

from devices.models import Device
from licenses.models import Acknowledged, Grant, LicenseDocument


@dataclass(frozen=True, kw_only=True)
class Standing:
    """document: the one with the highest `seq`, None before the first. carried: the highest `seq` handed out,
    0 for none. next_seq: what the next document gets. acknowledged: None if the device never said anything.
    """

    document: LicenseDocument | None
    carried: int
    next_seq: int
    acknowledged: Acknowledged | None


def standing_of(device: Device) -> Standing:
    """All of it by one statement, for a page."""
    documents = LicenseDocument.objects.filter(device=OuterRef("device"), handed_out_at__isnull=False)
    highest = documents.order_by("-seq").values("seq")[:1]
    newest = (
        LicenseDocument.objects.filter(device=device)
        .select_related("device__acknowledged")
        .annotate(carried=Subquery(highest))
        .order_by("-seq")
        .first()
    )
    return Standing(
        document=newest,
        carried=(newest.carried or 0) if newest else 0,
        next_seq=max(newest.seq if newest else 0, device.seq_floor) + 1,
        acknowledged=getattr(newest.device, "acknowledged", None) if newest else None,
    )


def carried_seq(device: Device) -> int:
    """The highest `seq` of the device that was handed out, 0 for none."""
    documents = LicenseDocument.objects.filter(device=device, handed_out_at__isnull=False)
    return documents.aggregate(highest=Max("seq"))["highest"] or 0


def can_be_undone(grants: Sequence[Grant], *, carried: int) -> set[UUID]:
    """Which of a device's live grants no document handed out has carried yet (mission rule 12).

    :param carried: the highest `seq` handed out to the device.
    """
    return {
        grant.pk
        for grant in grants
        if grant.license_class == Grant.Class.BOUGHT
        and grant.first_seq is not None
        and grant.first_seq > carried
    }
