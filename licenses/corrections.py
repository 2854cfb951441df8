"""An order that was activated by mistake is taken back, as far as its licenses are free (mission rule 10)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.permissions import Permission
from licenses import correction_queries, dead_keys, ledger, notices, transparency
from licenses.correction_queries import Correction
from licenses.ledger import InsufficientLicenses, Line
from licenses.log_line import LeafType
from licenses.models import ActivationKey, Order, ReplacementRequest, Transfer
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class OrderNotActivated(Conflict):
    code = "order-not-activated"
    title = _("No key of this order was activated: there is nothing to take back.")
    why = _("A correction takes licenses out of a customer's balance. Here they are still in the keys.")
    way_out = _("Cancel the order: its keys are dead then, and nobody loses anything.")
    source = "mission rule 10"


class LicensesInUse(Conflict):
    """Facts `product`, `wanted`, `available`."""

    code = "licenses-in-use"
    title = _("Not all of it is free: %(wanted)s of %(product)s were activated, %(available)s are there.")
    why = _(
        "A license that runs on a device cannot be called back from here: the device would go on using it. "
        "So an order is taken back whole, or not at all."
    )
    way_out = _(
        "The page of the order says where the rest is. Let the company return it from its devices or "
        "transfer it back, and try again."
    )
    source = "mission rule 12"


@transaction.atomic(durable=True)
def correct_order(*, order: Order, caller: Caller, now: datetime) -> Order:
    """Take a whole order back: what its activated keys put into balances is retired from there, and keys that
    nobody activated are dead. One act, told in the log as a correction. Again it changes nothing.

    :raises ReasonNeeded: there is no reason, or it is too long.
    :raises RoleMissing: a person calls who may not.
    :raises OrderNotActivated: no key of it was activated.
    :raises LicensesInUse: not all of it is free in the balances where it was activated.
    :raises ProjectArchived, CompanyImported: a balance was closed since; for the latter, try again.
    """
    staff.require(Permission.CORRECT_ORDERS, user_id=caller.user_id)
    reason = acts.reason_of(caller)
    given = {"order": order.pk, "reason": reason}
    act = acts.begin(operation="correct-order", caller=caller, given=given, now=now)
    if act.outcome is not None:
        return Order.objects.get(pk=order.pk)
    # In the order of all that touches orders: the order, its keys, then companies and holdings.
    order = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
    keys = list(ActivationKey.objects.select_for_update(no_key=True).filter(order=order).order_by("pk"))
    if order.canceled_by_id is None:
        if not any(key.state == ActivationKey.State.ACTIVATED for key in keys):
            raise OrderNotActivated
        corrections = correction_queries.corrections_of(order)
        told = _retire(corrections, keys=keys, act=act, now=now)
        order.canceled_by = act
        order.save(update_fields=["canceled_by"])
        _tell(order, corrections, act=act, caller=caller, now=now)
        transparency.record(
            act=act,
            leaf_type=LeafType.CORRECTION,
            told=[transparency.Told(transfer=transfer) for transfer in told],
            now=now,
        )
    acts.finish(act, outcome={})
    return order


def _retire(
    corrections: Sequence[Correction], *, keys: Sequence[ActivationKey], act: Act, now: datetime
) -> list[Transfer]:
    retired = ledger.retired()
    balances = sorted({one.balance for one in corrections}, key=lambda one: (one._meta.model_name, one.pk))
    holders = {balance: ledger.balance_holder(balance) for balance in balances}
    waiting = [key for key in keys if key.state != ActivationKey.State.ACTIVATED and not key.ending]
    try:
        # Checked under the locks of the holdings: an assignment at this moment is wholly before, or after.
        transfers = ledger.transfer(
            act=act,
            lines=[
                Line(
                    product=one.product,
                    quantity=one.wanted,
                    source=holders[one.balance],
                    destination=retired,
                )
                for one in corrections
            ],
        )
    except InsufficientLicenses as short:
        raise LicensesInUse(**short.facts) from short
    if waiting:  # their holdings are nobody's but theirs, and they are locked
        dead_keys.end_keys(
            waiting,
            ending=ActivationKey.Ending.CANCELED,
            goes_to=lambda _key: retired,
            act=act,
            now=now,
        )
    open_requests = ReplacementRequest.objects.filter(activation_key__in=keys, state="open")
    open_requests.update(state=ReplacementRequest.State.REFUSED, decided_by=act)
    return transfers


def _tell(
    order: Order, corrections: Sequence[Correction], *, act: Act, caller: Caller, now: datetime
) -> None:
    """In the history of each balance, and by mail to the admins of each company: they have less now."""
    reason = acts.reason_of(caller)
    for balance in {one.balance: one for one in corrections}:
        there = [one for one in corrections if one.balance == balance]
        audit.record(
            "order-corrected",
            caller=caller,
            now=now,
            act=act,
            company_id=there[0].company.pk,
            project_id=balance.pk if balance != there[0].company else None,
            order=order.number,
            quantity=sum(one.wanted for one in there),
            reason=reason,
        )
        notices.order_corrected(
            order.number,
            balance,
            [(one.product, one.wanted) for one in there],
            reason=reason,
            now=now,
        )
