"""A lost key: an admin of the linked company asks, fulfilment gives another one for the same order (mission
rules 2 and 10). The lost one is dead; neither is shown in full once it was delivered."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import Company, User
from accounts.permissions import Permission
from licenses import dead_keys, issuing, ledger, notices
from licenses.issuing import IssuedKey
from licenses.models import ActivationKey, Order, ReplacementRequest
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class KeyNotReplaceable(Conflict):
    code = "key-not-replaceable"
    title = _("This key was activated, canceled or replaced already: there is nothing in it to replace.")
    why = _(
        "A replacement takes over what the lost key holds. A key that holds nothing any more would become a "
        "second one over the same licenses."
    )
    way_out = _(
        "Look at the order: it shows what became of each key. If nobody of yours did that, tell support."
    )
    source = "mission rule 10"


class ReplacementAsked(Conflict):
    code = "replacement-asked"
    title = _("A replacement of this key was asked for already, and is not decided yet.")
    why = _("Fulfilment decides about each lost key once. A second request would not make it quicker.")
    way_out = _("Wait for the answer: it comes by mail, and stands on the page of the order.")
    source = "mission rule 2"


@transaction.atomic(durable=True)
def ask_for_replacement(
    *, activation_key: ActivationKey, company: Company, user: User, caller: Caller, now: datetime
) -> ReplacementRequest:
    """Ask fulfilment for another key; the caller says what happened to the lost one.

    The company is linked to the account of the key's order, and the user is an admin of it
    (licenses.order_queries).

    :raises ReasonNeeded: there is no reason, or it is too long.
    :raises KeyNotReplaceable: the key holds nothing any more.
    :raises ReplacementAsked: somebody asked already.
    """
    reason = acts.reason_of(caller)
    act = acts.begin(
        operation="ask-for-replacement", caller=caller, given={"key": activation_key.pk}, now=now
    )
    if act.outcome is not None:
        return ReplacementRequest.objects.get(pk=act.outcome["request"])
    key = _lock(activation_key)
    if ReplacementRequest.objects.filter(activation_key=key, state="open").exists():
        raise ReplacementAsked
    asked = ReplacementRequest.objects.create(
        activation_key=key, company=company, asked_by=user, asked_at=now, reason=reason
    )
    _record("key-replacement-asked", key, act=act, caller=caller, now=now, reason=reason)
    acts.finish(act, outcome={"request": asked.pk})
    return asked


@transaction.atomic(durable=True)
def replace_key(*, activation_key: ActivationKey, caller: Caller, now: datetime) -> IssuedKey:
    """Make another key for the order, which takes over all that the lost one holds, as fulfilment.

    :raises RoleMissing: a person calls who has no right to.
    :raises ReasonNeeded: there is no reason, or it is too long.
    :raises KeyNotReplaceable: the key holds nothing any more.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    reason = acts.reason_of(caller)
    act = acts.begin(operation="replace-key", caller=caller, given={"key": activation_key.pk}, now=now)
    if act.outcome is not None:
        made = ActivationKey.objects.select_related("delivery", "order").get(pk=act.outcome["key"])
        return IssuedKey(activation_key=made, code=issuing.code_of(made))
    key = _lock(activation_key)
    [issued] = issuing.new_keys([key.order], replaces=key, now=now)
    new = ledger.key_holder(issued.activation_key)
    dead_keys.end_keys(
        [key], ending=ActivationKey.Ending.REPLACED, goes_to=lambda _key: new, act=act, now=now
    )
    ReplacementRequest.objects.filter(activation_key=key, state="open").update(
        state=ReplacementRequest.State.REPLACED, decided_by=act
    )
    _record(
        "key-replaced",
        key,
        act=act,
        caller=caller,
        now=now,
        reason=reason,
        new=issued.activation_key.last_four,
    )
    company = key.order.account.company if key.order.account else None
    if company is not None:
        notices.key_replaced(key, issued.activation_key, company=company, caller=caller, now=now)
    acts.finish(act, outcome={"key": issued.activation_key.pk})
    return issued


@transaction.atomic(durable=True)
def refuse_replacement(*, request: ReplacementRequest, caller: Caller, now: datetime) -> ReplacementRequest:
    """Refuse to replace a key, as fulfilment; the caller says why. A decided request stays as it is.

    :raises RoleMissing: a person calls who has no right to.
    :raises ReasonNeeded: there is no reason, or it is too long.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    reason = acts.reason_of(caller)
    act = acts.begin(operation="refuse-replacement", caller=caller, given={"request": request.pk}, now=now)
    requests = ReplacementRequest.objects.select_related("activation_key__order__account", "company")
    if act.outcome is None:
        # The condition in the UPDATE lets one of two that decide at once win.
        if ReplacementRequest.objects.filter(pk=request.pk, state="open").update(
            state=ReplacementRequest.State.REFUSED, decided_by=act
        ):
            key = requests.get(pk=request.pk).activation_key
            _record("key-replacement-refused", key, act=act, caller=caller, now=now, reason=reason)
            notices.replacement_refused(key, company=request.company, reason=reason, caller=caller, now=now)
        acts.finish(act, outcome={})
    return requests.get(pk=request.pk)


def _lock(activation_key: ActivationKey) -> ActivationKey:
    """:raises KeyNotReplaceable: the key holds nothing any more."""
    # The order first, as whoever cancels it does; then the key, as whoever activates it.
    Order.objects.select_for_update(no_key=True).get(pk=activation_key.order_id)
    locking = ActivationKey.objects.select_for_update(of=("self",), no_key=True)
    key = locking.select_related("order__account__company").get(pk=activation_key.pk)
    if key.state == ActivationKey.State.ACTIVATED or key.ending:
        raise KeyNotReplaceable
    return key


def _record(event: str, key: ActivationKey, *, act: Act, caller: Caller, now: datetime, **facts: Any) -> None:
    account = key.order.account
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=account.company_id if account else None,
        order=key.order.number,
        key=key.last_four,
        **facts,
    )
