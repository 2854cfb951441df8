"""How a device stands with its license documents: the newest, what was handed out, what it says it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, Subquery

from devices.models import BlockedKey, Device
from licenses.models import Acknowledged, Grant, LicenseDocument, Move, Return, TestLicense


@dataclass(frozen=True, kw_only=True)
class Rare:
    """What most devices do not have. A page asks for it before it asks what it is, which takes longer.

    move: a part in a move, as the broken device or as the replacement. test_license: one that counts for its
    hardware ID. last_return: name and time of the latest return that was taken while the device was in its
    present project. key_is_blocked: certificates of the key it is known by count for nothing (trust.md 1).
    """

    move: bool
    test_license: bool
    last_return: Mapping[str, Any] | None
    key_is_blocked: bool


def rare_of(device: Device) -> Rare:
    """All of it by one statement."""
    returns = Return.objects.filter(device=OuterRef("pk"), act__outcome__project=device.project_id)
    returns = returns.order_by("-pk")
    mine = Device.objects.filter(pk=device.pk)
    found = mine.values_list(
        Exists(Move.objects.filter(Q(broken=OuterRef("pk")) | Q(replacement=OuterRef("pk")))),
        Exists(TestLicense.objects.filter(hardware_id=OuterRef("hardware_id"), void="")),
        Subquery(returns.values("jti")[:1]),
        Subquery(returns.values("received_at")[:1]),
        Exists(BlockedKey.objects.filter(spki_sha256=OuterRef("pinned_spki"))),
    )
    move, test_license, jti, received_at, key_is_blocked = found.get()
    return Rare(
        move=move,
        test_license=test_license,
        last_return={"jti": jti, "received_at": received_at} if jti else None,
        key_is_blocked=key_is_blocked,
    )


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
