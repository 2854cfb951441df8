"""Claims: a device proves in whose hands it is, and changes project if it is free to (mission rule 7).

An act that touches grants, so it lives here although it reads like devices.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Project, User
from accounts.queries import OPERATE, projects_of
from devices import accepting, alerts, enrollment, payloads
from devices.models import Alert, Device
from licenses import handing_over, ledger, move_queries, notices, queries
from licenses.activation_code import ALPHABET
from licenses.models import ClaimCode
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound
from portal.core.models import Act

GOOD_FOR = timedelta(hours=24)
CODE_LENGTH = 16  # 80 bits: it is also bound to a hardware ID and to a day

Result = Literal["changed", "with-support"]


class DeviceNotTaken(Conflict):
    code = "device-not-taken"
    title = _("No project has the hardware ID %(hardware_id)s: there is nothing to claim.")
    why = _(
        "A claim settles who has a device when two want it. As long as nobody has it, there is nobody to "
        "take it from, and no proof is needed."
    )
    way_out = _("Add the device to your project.")
    source = "mission rule 7"


class ClaimCodeUnknown(NotFound):
    code = "claim-code-unknown"
    title = _("The claim code is not known for this device, was used, or is older than 24 hours.")
    why = _(
        "A claim can take a device from another company. So its code is good for one device, once and for a "
        "day: an old one that somebody finds cannot be used against you."
    )
    way_out = _("Make a new claim code in the portal and sign that one on the device.")
    source = "mission rule 7"


@dataclass(frozen=True, kw_only=True)
class MadeCode:
    """A claim code as it is shown, once, and until when it is good."""

    code: str
    expires_at: datetime


@transaction.atomic(durable=True)
def make_claim_code(
    *, project: Project, hardware_id: str, user: User, caller: Caller, now: datetime
) -> MadeCode:
    """Make a code for the device to sign: good once, 24 hours, for this user, project and hardware ID.

    :raises HardwareIDMalformed: the text is no hardware ID.
    :raises DeviceNotTaken: no project has the device; it can simply be added.
    :raises DeviceAlreadyAdded: it is in this project already.
    """
    canonical = enrollment.canonical_hardware_id(hardware_id)
    device = Device.objects.filter(hardware_id=canonical, released_at=None).first()
    if device is None:
        raise DeviceNotTaken(hardware_id=canonical)
    if device.project_id == project.pk:
        raise enrollment.DeviceAlreadyAdded(hardware_id=canonical)
    act = acts.begin(
        operation="make-claim-code",
        caller=caller,
        given={"project": project.pk, "hardware_id": canonical, "user": user.pk},
        now=now,
    )
    # A code is shown once: whoever asks again gets a new one, under the same act.
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    expires_at = now + GOOD_FOR
    ClaimCode.objects.create(
        code_sha256=_hash(code),
        user=user,
        project=project,
        hardware_id=canonical,
        expires_at=expires_at,
    )
    if act.outcome is None:
        audit.record(
            "claim-code-made",
            caller=caller,
            now=now,
            act=act,
            company_id=project.company_id,
            project_id=project.pk,
            wanted=canonical,
        )
        acts.finish(act, outcome={})
    return MadeCode(code="-".join(code[i : i + 4] for i in range(0, CODE_LENGTH, 4)), expires_at=expires_at)


@transaction.atomic(durable=True)
def claim_device(
    *, device: Device, statement: payloads.Claim, payload_sha256: bytes, caller: Caller, now: datetime
) -> Result:
    """Move a device to the project its claim code was made for, or leave that to support.

    What could be released changes project: a device without returnable licenses, open move or bridge. The
    licenses that stay with a device go with it, as a hand-over in books and log (mission rule 7).

    :raises ClaimCodeUnknown: no such code for this device, or it was used, or it is too old, or its user may
        not operate its project any more.
    :raises JTIConflict: the statement's name was used before, with another payload.
    """
    act = accepting.begin(operation="claim-device", payload_sha256=payload_sha256, caller=caller, now=now)
    if act.outcome is not None:
        result: Result = act.outcome["result"]
        return result
    # The lock keeps assignments out while it is decided whether the device is free to go.
    device = ledger.lock_device(device)
    accepting.note_counter(device=device, ctr=statement.ctr, payload_sha256=payload_sha256, now=now)
    code = (
        ClaimCode.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project__company", "user")
        .filter(
            code_sha256=_hash(statement.code),
            hardware_id=device.hardware_id,
            used_by__isnull=True,
            expires_at__gt=now,
        )
        .first()
    )
    if code is None or not _user_still_may(code):
        raise ClaimCodeUnknown
    code.used_by = act
    code.save(update_fields=["used_by"])
    grants = list(queries.grants_at(device, now=now))
    stays = handing_over.keeps_it_in_place(grants) or move_queries.has_open_move(device, now=now)
    result = "with-support" if stays else "changed"
    if result == "changed":
        _hand_over(device, to=code.project, act=act, caller=caller, now=now)
    else:
        # For the newcomer only: to whom the device belongs now learns it from support, if it comes to that.
        audit.record(
            "claim-with-support",
            caller=caller,
            now=now,
            act=act,
            company_id=code.project.company_id,
            project_id=code.project_id,
            wanted=device.hardware_id,
        )
        alerts.alert(
            Alert.Kind.CLAIM_WITH_SUPPORT,
            device=device,
            subject=str(act.pk),
            now=now,
            project=code.project_id,
            by=caller.kept_name,
        )
    acts.finish(act, outcome={"result": result})
    return result


def _user_still_may(code: ClaimCode) -> bool:
    """Whoever made the code got the device for a project they may operate: that may be over by now."""
    return projects_of(code.user, right=OPERATE).filter(pk=code.project_id).exists()


def _hand_over(device: Device, *, to: Project, act: Act, caller: Caller, now: datetime) -> None:
    earlier = device.project
    device.project = to
    device.save(update_fields=["project"])
    if earlier.company_id != to.company_id:
        handing_over.settle_test_license(
            device, earlier=earlier, proven=True, act=act, caller=caller, now=now
        )
    handing_over.hand_over(device, earlier=earlier, later=to, act=act, now=now)
    notices.device_claimed_away(device, earlier=earlier, later=to, now=now)
    for project in (earlier, to):
        audit.record(
            "device-claimed",
            caller=caller,
            now=now,
            act=act,
            company_id=project.company_id,
            project_id=project.pk,
            hardware_id=device.hardware_id,
            gained=project == to,
        )


def _hash(code: str) -> bytes:
    """Codes are typed: case, blanks and dashes do not matter, nor do letters that look like digits."""
    text = "".join(code.split()).replace("-", "").upper().translate(str.maketrans("ILO", "110"))
    return hashlib.sha256(b"olp-claim-v1\x00" + text.encode()).digest()
