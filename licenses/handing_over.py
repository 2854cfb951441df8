"""What a device takes along when it changes hands: its grants, told in the log (docs/decisions/0015)."""

from collections.abc import Sequence
from datetime import datetime

from accounts.models import Project
from devices.models import Device, ProjectChange
from licenses import ledger, queries, transparency
from licenses.log_line import LeafType
from licenses.models import Grant
from portal.core.models import Act


def hand_over(
    device: Device, *, earlier: Project | None, later: Project | None, act: Act, now: datetime
) -> None:
    """Write down that a device left a project, came into one, or both. The device is locked.

    Its grants go with it. Between companies that is a leaf: one line for each live grant, from the one
    company to the other, or from and to nobody where the device was released. Holdings do not change: what
    is on a device is held by the device.
    """
    ProjectChange.objects.create(device=device, earlier=earlier, later=later, act=act, at=now)
    # Asked for first: from here on neither of the two companies can be imported or close the project.
    source, destination = (ledger.project_holder(one) if one else None for one in (earlier, later))
    if source and destination and bytes(source.log_id) == bytes(destination.log_id):
        return
    grants = list(queries.grants_at(device, now=now))
    if not grants:
        return
    transparency.record(
        act=act,
        leaf_type=LeafType.HAND_OVER,
        told=[transparency.Told(grant=grant, source=source, destination=destination) for grant in grants],
        now=now,
    )


def keeps_it_in_place(grants: Sequence[Grant]) -> list[Grant]:
    """Those of a device's live grants for which it cannot go to another company (mission rule 7).

    Returnable ones must be returned first; a bridge waits for a move to be decided. What stays with the
    hardware goes with it, and a test license counts as none (rule 23).
    """
    return [grant for grant in grants if not _goes_along(grant)]


def _goes_along(grant: Grant) -> bool:
    if grant.license_class == Grant.Class.TEST:
        return True
    return grant.license_class == Grant.Class.BOUGHT and not grant.product.returnable
