"""What a device takes along when it changes hands: its grants, told in the log (docs/decisions/0015)."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.models import Project
from devices.models import Device, ProjectChange
from licenses import ledger, queries, transparency, trial_course, trial_queries
from licenses.log_line import LeafType
from licenses.models import Grant
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class InThisProject(Conflict):
    code = "in-this-project"
    title = _("The device is in this project already.")
    why = _(
        "Each change of project is an entry in the history, with its day. One that changes nothing would "
        "only confuse whoever reads it."
    )
    way_out = _("Choose another project.")
    source = "mission rule 7"


class DeviceBridged(Conflict):
    code = "device-bridged"
    title = _("The device holds a bridge: a move to it is not decided yet.")
    why = _(
        "A bridge keeps the customer running on licenses of the broken device until the move is decided. If "
        "its device went elsewhere meanwhile, nobody could say whose they are."
    )
    way_out = _("Wait for support to decide the move, or withdraw it.")
    source = "mission rule 25"


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


def settle_test_license(
    device: Device, *, earlier: Project, proven: bool, act: Act, caller: Caller, now: datetime
) -> None:
    """What waits is withdrawn. What was downloaded by a company that never had the device is revoked, and the
    hardware ID may have another one (mission rule 22); what runs otherwise goes on running.

    :param proven: whether the device's new company proved that it has it.
    """
    trial_course.withdraw_what_waits(device=device, earlier=earlier, act=act, caller=caller, now=now)
    test_license = trial_queries.test_license_of(device)
    if proven and test_license is not None and trial_queries.was_squatted(test_license):
        trial_course.revoke(
            test_license, device=device, tell_also=device.project, act=act, caller=caller, now=now
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
