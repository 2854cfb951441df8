"""From an order to activation keys in the customer's hands (mission rule 8)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.permissions import Permission
from licenses import dead_keys, issuing, ledger
from licenses.issuing import IssuedKey, OrderLine, PlacedOrder, WantedOrder
from licenses.models import ActivationKey, KeyDelivery, Order, ReplacementRequest
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, DomainError
from portal.core.models import Act


class OrderActivated(Conflict):
    code = "order-activated"
    title = _("A key of this order was activated: the order can no longer be canceled.")
    why = _(
        "Activated licenses are in somebody's balance or on devices. Taking them back from there is a "
        "correction, which needs a look at where they are."
    )
    way_out = _("Tell support: they can correct what was activated.")
    source = "mission rule 10"


class OrderCanceled(Conflict):
    code = "order-canceled"
    title = _("This order was canceled; its keys are dead for good.")
    why = _("What was canceled is in nobody's hands any more. A code handed out now would be worth nothing.")
    way_out = _("Enter the order again, under a new number.")
    source = "mission rule 10"


@transaction.atomic(durable=True)
def place_order(*, order: WantedOrder, caller: Caller, now: datetime) -> PlacedOrder:
    """Enter an order and make its activation keys: one for all lines, or one for each.

    The order's number names the act: the same order again gets the same codes, as long as they are kept.

    :raises RoleMissing: a person calls who has no right to.
    :raises OrderNeedsNumber: the number is empty, too long, or has characters that are not printed.
    :raises OrderNeedsLines: there is nothing in the order, or too much.
    :raises OrderTextTooLong: the customer or the reference does not fit.
    :raises OrderAccountUnknown: the customer list has no such account.
    :raises QuantityOutOfRange: a quantity is below 1 or above the largest allowed.
    :raises NoSuchProduct: a line names no product of the catalogue.
    :raises ProductDiscontinued: a line names a product that is no longer sold.
    :raises OrderNumberTaken: the number is taken by an order with other content.
    """
    return _place(order, caller=caller, now=now)


@transaction.atomic(durable=True)
def issue_key(
    *, number: str, reference: str, customer: str, lines: Sequence[OrderLine], caller: Caller, now: datetime
) -> IssuedKey:
    """Enter an order of an unknown account, with one key for all its lines.

    :raises: as `place_order`.
    """
    order = WantedOrder(number=number, reference=reference, customer=customer, lines=tuple(lines))
    return _place(order, caller=caller, now=now).keys[0]


@transaction.atomic(durable=True)
def show_codes(*, order: Order, caller: Caller, now: datetime) -> PlacedOrder:
    """The codes of an order that are still kept, for whoever hands them over. That they were shown is told.

    :raises RoleMissing: a person calls who has no right to.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    placed = issuing.placed_orders([order.number])[order.number]
    audit.record("key-codes-shown", caller=caller, now=now, order=order.number)
    return placed


@transaction.atomic(durable=True)
def confirm_delivery(*, order: Order, caller: Caller, now: datetime) -> Order:
    """Forget the codes of an order: the customer has them (mission rule 8). Again changes nothing.

    :raises RoleMissing: a person calls who has no right to.
    :raises OrderCanceled: the order was canceled.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    act = acts.begin(operation="confirm-delivery", caller=caller, given={"order": order.pk}, now=now)
    if act.outcome is not None:
        return Order.objects.get(pk=order.pk)
    locked = _lock(order)
    if locked.canceled_by_id is not None:
        raise OrderCanceled
    kept = KeyDelivery.objects.filter(activation_key__order=order)
    if kept.exists() or locked.delivered_at is None:
        kept.delete()
        locked.delivered_at = now
        locked.save(update_fields=["delivered_at"])
        _record("key-delivery-confirmed", locked, act=act, caller=caller, now=now)
    acts.finish(act, outcome={})
    return locked


@transaction.atomic(durable=True)
def cancel_order(*, order: Order, caller: Caller, now: datetime) -> Order:
    """Take an order back before anything of it was activated: all its keys are dead, and hold nothing.

    The caller says why. Canceling again changes nothing.

    :raises RoleMissing: a person calls who has no right to.
    :raises ReasonNeeded: there is no reason, or it is too long.
    :raises OrderActivated: a key of the order was activated.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    reason = acts.reason_of(caller)
    act = acts.begin(operation="cancel-order", caller=caller, given={"order": order.pk}, now=now)
    if act.outcome is not None:
        return Order.objects.get(pk=order.pk)
    locked = _lock(order)
    if locked.canceled_by_id is None:
        # Under the locks that activations take: what is issued now cannot be activated meanwhile.
        keys = list(ActivationKey.objects.select_for_update(no_key=True).filter(order=order).order_by("pk"))
        if any(key.state == ActivationKey.State.ACTIVATED for key in keys):
            raise OrderActivated
        retired = ledger.retired()
        dead_keys.end_keys(
            [key for key in keys if not key.ending],
            ending=ActivationKey.Ending.CANCELED,
            goes_to=lambda _key: retired,
            act=act,
            now=now,
        )
        ReplacementRequest.objects.filter(activation_key__in=keys, state="open").update(
            state=ReplacementRequest.State.REFUSED, decided_by=act
        )
        locked.canceled_by = act
        locked.save(update_fields=["canceled_by"])
        _record("order-canceled", locked, act=act, caller=caller, now=now, reason=reason)
    acts.finish(act, outcome={})
    return locked


@transaction.atomic(durable=True)
def forget_codes(*, key_ids: Sequence[int], now: datetime) -> None:
    """Delete the codes whose seven days are over. Run by the outbox, any number of times."""
    KeyDelivery.objects.filter(activation_key__in=key_ids, kept_until__lte=now).delete()


def _place(order: WantedOrder, *, caller: Caller, now: datetime) -> PlacedOrder:
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    plain = replace(order, number=order.number.strip(), account=order.account.strip().upper())
    [answer] = issuing.issue_all(wanted=[plain], caller=caller, now=now)
    if isinstance(answer, DomainError):
        raise answer
    return answer


def _lock(order: Order) -> Order:
    """Of two that change an order at once the second one waits here."""
    return (
        Order.objects.select_for_update(of=("self",), no_key=True).select_related("account").get(pk=order.pk)
    )


def _record(event: str, order: Order, *, act: Act, caller: Caller, now: datetime, **facts: Any) -> None:
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=order.account.company_id if order.account else None,
        order=order.number,
        **facts,
    )
