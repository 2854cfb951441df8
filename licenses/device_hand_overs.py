"""Support hands a device over to another company: after its return, or with consent (mission rule 7).

Where the device itself can sign, a claim does this without support (licenses.claims).
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts import scopes, staff
from accounts.models import Project, User
from accounts.permissions import Permission
from accounts.staff import StaffNeeded
from devices import alerts
from devices.models import Alert, Device
from licenses import handing_over, ledger, move_queries, notices, queries
from licenses.handing_over import DeviceBridged, InThisProject
from licenses.models import Grant
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class OfTheSameCompany(Conflict):
    code = "of-the-same-company"
    title = _("The device and the project belong to the same company.")
    why = _("Within a company its own people put a device into another project; the licenses are theirs.")
    way_out = _("Ask somebody who may manage both projects to change the device's project.")
    source = "mission rule 7"


class ConsentNeeded(Conflict):
    code = "consent-needed"
    title = _("The device holds %(quantity)s licenses that %(company)s would lose.")
    why = _(
        "Licenses that can be returned are paid for by the company that has the device. They go along with "
        "it only if that company agrees; otherwise they are returned first."
    )
    way_out = _("Ask an admin of the company, and say who agreed; or wait for the return from the device.")
    source = "mission rule 7"


class ConsentOfAnother(Conflict):
    code = "consent-of-another"
    title = _("Whoever agreed is no admin of %(company)s.")
    why = _("Only an admin can give away what belongs to the company.")
    way_out = _("Ask one of its admins; the list says who they are now.")
    source = "mission rule 7"


@transaction.atomic(durable=True)
def hand_over_device(
    *, device: Device, project: Project, consent_of: User | None, caller: Caller, now: datetime
) -> Device:
    """Put a device into a project of another company, with all its grants. What it returns from then on goes
    there; the license document stays as it is. The admins of both companies are told by mail.

    :param consent_of: the admin of the company that has the device who agreed to lose what can be returned;
        None if the device holds nothing of that kind.
    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises NoSuchDevice: no project has it any more.
    :raises DeviceInMove, DeviceBridged: a move is to be decided first.
    :raises ProjectArchived, InThisProject, OfTheSameCompany: it cannot go there.
    :raises ConsentNeeded: it holds licenses that can be returned. Facts `quantity`, `company`.
    :raises ConsentOfAnother: who agreed is no admin of the company. Fact `company`.
    """
    act = _begin(device, project, consent_of, caller=caller, now=now)
    if act.outcome is not None:
        return Device.objects.select_related("project__company").get(pk=device.pk)
    # The lock lets a return, an assignment and a claim at this moment come wholly before or wholly after.
    device = ledger.lock_device(device)
    move_queries.require_no_move_of(device, now=now)
    project = scopes.hold_project(project)
    earlier = scopes.hold_wherever_it_is(device.project)
    if earlier == project:
        raise InThisProject
    if earlier.company_id == project.company_id:
        raise OfTheSameCompany
    lost = lost_with(list(queries.grants_at(device, now=now)))
    _require_consent(lost, earlier, consent_of)
    claims = _claims_for(device, project)
    device.project = project
    device.save(update_fields=["project"])
    handing_over.settle_test_license(
        device, earlier=earlier, proven=bool(claims), act=act, caller=caller, now=now
    )
    handing_over.hand_over(device, earlier=earlier, later=project, act=act, now=now)
    for claim in claims:
        alerts.settle_by(claim, act=act, caller=caller, now=now)
    for side in (earlier, project):
        audit.record(
            "device-handed-over",
            caller=caller,
            now=now,
            act=act,
            company_id=side.company_id,
            project_id=side.pk,
            hardware_id=device.hardware_id,
            gained=side == project,
            quantity=sum(grant.quantity for grant in lost),
            **({"user": consent_of.pk} if consent_of is not None and side == earlier else {}),
            reason=acts.reason_of(caller),
        )
    notices.device_handed_over(
        device, earlier=earlier, later=project, lost=lost, reason=acts.reason_of(caller), now=now
    )
    acts.finish(act, outcome={})
    return device


def lost_with(grants: Sequence[Grant]) -> list[Grant]:
    """Those of a device's live grants that its company could have returned, and loses with the device.

    :raises DeviceBridged: one is a bridge.
    """
    kept_by = handing_over.keeps_it_in_place(grants)
    if any(grant.license_class == Grant.Class.BRIDGE for grant in kept_by):
        raise DeviceBridged
    return kept_by


def _begin(
    device: Device, project: Project, consent_of: User | None, *, caller: Caller, now: datetime
) -> Act:
    given = {
        "device": device.hardware_id,
        "project": project.pk,
        "consent": consent_of.pk if consent_of else None,
        "reason": acts.reason_of(caller),
    }
    if caller.user_id is None:
        raise StaffNeeded
    staff.require(Permission.HAND_OVER, user_id=caller.user_id)
    return acts.begin(operation="hand-over-device", caller=caller, given=given, now=now)


def _require_consent(lost: Sequence[Grant], earlier: Project, consent_of: User | None) -> None:
    company = earlier.company
    if consent_of is None:
        if lost:
            quantity = sum(grant.quantity for grant in lost)
            raise ConsentNeeded(quantity=quantity, company=company.name)
    elif not accounts.is_admin(company=company, user=consent_of):
        raise ConsentOfAnother(company=company.name)


def _claims_for(device: Device, project: Project) -> list[Alert]:
    """Claims by which the company of the project proved that it has the device."""
    seen = Alert.objects.filter(device=device, kind=Alert.Kind.CLAIM_WITH_SUPPORT)
    return [alert for alert in seen.select_related("device") if alert.facts.get("project") == project.pk]
