"""What support has to look at. Nothing here refuses or suspends by itself (trust.md 3)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Company
from devices.models import Alert, Device
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class AlertSettledAlready(Conflict):
    code = "alert-settled-already"
    title = _("The alert is settled already.")
    why = _("Each alert is settled once, by one person with one reason, so that the history stays clear.")
    way_out = _("Nothing needs to be done. Load the list again to see what is left.")
    source = "mission rule 38"


def alert(kind: Alert.Kind, *, device: Device, subject: str, now: datetime, **facts: Any) -> bool:
    """Tell support, once for each cause. Part of the caller's transaction. Whether this is the first time."""
    _there, first = Alert.objects.get_or_create(
        device=device, kind=kind, subject=subject, defaults={"at": now, "facts": facts}
    )
    return first


def alert_about_company(
    kind: Alert.Kind, *, company: Company, now: datetime, cause: str = "", **facts: Any
) -> bool:
    """Tell support of what a company does, once for each cause and day (UTC). Part of the caller's
    transaction. Whether this is the first time.

    :param cause: what tells apart two causes of one kind and day.
    """
    subject = f"{now:%Y-%m-%d} {cause}".rstrip()
    _there, first = Alert.objects.get_or_create(
        company=company, kind=kind, subject=subject, defaults={"at": now, "facts": facts}
    )
    return first


def settle_by(told: Alert, *, act: Act, caller: Caller, now: datetime) -> None:
    """Settle what an act has answered, as part of it and for its reason; what somebody settled before stays
    settled by them."""
    # The condition in the UPDATE lets one of two at once win.
    if Alert.objects.filter(pk=told.pk, settled_at__isnull=True).update(settled_at=now, settled_by=act):
        _tell(told, act=act, caller=caller, now=now)


def _tell(settled: Alert, *, act: Act, caller: Caller, now: datetime) -> None:
    # Not in the project's history: what makes support suspicious is for support.
    audit.record(
        "alert-settled",
        caller=caller,
        now=now,
        act=act,
        hardware_id=settled.device.hardware_id if settled.device else "",
        kind=settled.kind,
        subject=settled.subject,
        reason=acts.reason_of(caller),
    )


@transaction.atomic(durable=True)
def settle_alert(*, settled: Alert, caller: Caller, now: datetime) -> None:
    """Put an alert away: somebody looked at it and says what came of it.

    :raises ReasonNeeded: the caller does not say what came of it.
    :raises AlertSettledAlready: somebody else was quicker.
    """
    reason = acts.reason_of(caller)
    act = acts.begin(
        operation="settle-alert", caller=caller, given={"alert": settled.pk, "reason": reason}, now=now
    )
    if act.outcome is not None:
        return
    # The condition in the UPDATE lets one of two at once win, and the other one see it.
    if not Alert.objects.filter(pk=settled.pk, settled_at__isnull=True).update(
        settled_at=now, settled_by=act
    ):
        raise AlertSettledAlready
    _tell(settled, act=act, caller=caller, now=now)
    acts.finish(act, outcome={})
