"""Activation keys that must not be used any more are blocked, and unblocked (mission rule 10)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.permissions import Permission
from licenses.models import ActivationKey
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict


class KeyNotIssued(Conflict):
    """Fact `state`: activated, blocked, canceled or replaced."""

    code = "key-not-issued"
    title = _("Only a key that waits to be activated can be blocked.")
    why = _(
        "Of an activated key the licenses are somewhere else by now: blocking it would stop nothing, and "
        "everybody would feel safe. One that is blocked keeps the name and reason it was blocked with."
    )
    way_out = _("If it was activated by mistake, take its order back. Otherwise nothing needs to be done.")
    source = "mission rule 10"


class KeyNotBlocked(Conflict):
    code = "key-not-blocked"
    title = _("This key is not blocked, or dead for good.")
    why = _(
        "A key that was canceled or replaced holds nothing any more; unblocked, it would promise licenses "
        "that are elsewhere."
    )
    way_out = _("Look at the key's order: it says what became of the key.")
    source = "mission rule 10"


@transaction.atomic(durable=True)
def block_activation_key(*, key: ActivationKey, caller: Caller, now: datetime) -> ActivationKey:
    """Let nobody activate the key, until it is unblocked. What it holds stays in it.

    :raises ReasonNeeded, RoleMissing: the caller gives no reason, or may not.
    :raises KeyNotIssued: it was activated, or is blocked. Fact `state`.
    """
    return _change(key, "block-activation-key", caller=caller, now=now)


@transaction.atomic(durable=True)
def unblock_activation_key(*, key: ActivationKey, caller: Caller, now: datetime) -> ActivationKey:
    """Let the key be activated again.

    :raises ReasonNeeded, RoleMissing: the caller gives no reason, or may not.
    :raises KeyNotBlocked: it is not blocked, or was canceled or replaced.
    """
    return _change(key, "unblock-activation-key", caller=caller, now=now)


def _change(key: ActivationKey, operation: str, *, caller: Caller, now: datetime) -> ActivationKey:
    staff.require(Permission.BLOCK, user_id=caller.user_id)
    reason = acts.reason_of(caller)
    given = {"key": key.pk, "reason": reason}
    act = acts.begin(operation=operation, caller=caller, given=given, now=now)
    # The lock is the one of activations: of both at once, the second finds what the first did.
    keys = ActivationKey.objects.select_for_update(of=("self",), no_key=True)
    key = keys.select_related("order__account").get(pk=key.pk)
    if act.outcome is not None:
        return key
    blocking = operation == "block-activation-key"
    if blocking and key.state != ActivationKey.State.ISSUED:
        raise KeyNotIssued(state=key.ending or key.state)
    if not blocking and (key.state != ActivationKey.State.BLOCKED or key.ending):
        raise KeyNotBlocked
    key.state = ActivationKey.State.BLOCKED if blocking else ActivationKey.State.ISSUED
    key.save(update_fields=["state"])
    audit.record(
        "activation-key-blocked" if blocking else "activation-key-unblocked",
        caller=caller,
        now=now,
        act=act,
        company_id=key.order.account.company_id if key.order.account else None,
        order=key.order.number,
        key=key.last_four,
        reason=reason,
    )
    acts.finish(act, outcome={})
    return key
