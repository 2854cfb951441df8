"""Turning an order into an activation key (mission rule 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from licenses import activation_code, catalogue_queries, ledger, transparency
from licenses.ledger import Line
from licenses.log_line import LeafType
from licenses.models import ActivationKey, KeyDelivery, Order, Product
from portal.core import acts, audit, outbox
from portal.core.acts import Caller
from portal.core.errors import Invalid


class OrderNeedsLines(Invalid):
    code = "order-needs-lines"
    title = _("The order has no lines.")
    why = _(
        "An activation key holds a whole order. A key over nothing would be a certificate that promises its "
        "buyer nothing."
    )
    way_out = _("Give at least one product with its version and quantity.")
    source = "mission rule 8"


class OrderNeedsNumber(Invalid):
    code = "order-needs-number"
    title = _("The order needs a number of at most 40 characters.")
    why = _(
        "By the number, the vendor's books and the portal's can be compared. And an order sent twice is "
        "recognized by it, and gives one key."
    )
    way_out = _("Give the number the order has in your books; it names the order here too.")
    source = "mission rule 8"


class OrderTextTooLong(Invalid):
    code = "order-text-too-long"
    title = _("The customer or the reference of the order is too long.")
    why = _("Customer and reference are printed on the key's certificate, and must fit there.")
    way_out = _("Use at most 200 characters for the customer and 100 for the reference.")
    source = "mission rule 8"


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """One line of an order: `quantity` units of a product in a version."""

    code: str
    version: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class IssuedKey:
    """An activation key and its code in groups; `code` is None once the code is no longer kept."""

    activation_key: ActivationKey
    code: str | None


@transaction.atomic(durable=True)
def issue_key(
    *, number: str, reference: str, customer: str, lines: Sequence[OrderLine], caller: Caller, now: datetime
) -> IssuedKey:
    """Enter an order and make the activation key that holds it.

    The order's number names the act: the same order again gets the same code, as long as that is kept.

    :raises OrderNeedsNumber: the number is empty or too long.
    :raises OrderNeedsLines: there is nothing in the order.
    :raises OrderTextTooLong: the customer or the reference does not fit.
    :raises QuantityOutOfRange: a quantity is below 1 or above the largest allowed.
    :raises NoSuchProduct: a line names no product of the catalogue.
    :raises ProductDiscontinued: a line names a product that is no longer sold.
    :raises IdempotencyKeyReused: the number is taken by an order with other content.
    """
    number = number.strip()
    if not 0 < len(number) <= 40:
        raise OrderNeedsNumber
    if not lines:
        raise OrderNeedsLines
    if len(customer) > 200 or len(reference) > 100:
        raise OrderTextTooLong
    for line in lines:
        ledger.require_quantity(line.quantity)
    act = acts.begin(
        operation="issue-key",
        # Whoever enters the order, and however often: its number is what makes it one order.
        caller=caller.naming(scope="orders", key=number),
        given={
            "number": number,
            "reference": reference,
            "customer": customer,
            "lines": [[line.code, line.version, line.quantity] for line in lines],
        },
        now=now,
    )
    if act.outcome is not None:
        return _issued_before(act.outcome["key"])
    code = activation_code.generate()
    canonical = activation_code.read(code)
    order = Order.objects.create(number=number, reference=reference, customer=customer, placed_at=now)
    key = ActivationKey.objects.create(
        order=order,
        fingerprint=activation_code.fingerprint(canonical, settings.ACTIVATION_CODE_PEPPER),
        last_four=canonical[-4:],
        issued_at=now,
    )
    issuer, holder = ledger.issuer(), ledger.key_holder(key)
    transfers = ledger.transfer(
        act=act,
        lines=[
            Line(product=product, quantity=line.quantity, source=issuer, destination=holder)
            for line, product in zip(lines, _products_of(lines), strict=True)
        ],
    )
    transparency.record(
        act=act,
        leaf_type=LeafType.ORDER,
        told=[transparency.Told(transfer=transfer) for transfer in transfers],
        now=now,
    )
    kept_until = now + settings.ACTIVATION_CODE_KEPT
    KeyDelivery.objects.create(
        activation_key=key, ciphertext=_vault().encrypt(code.encode()), kept_until=kept_until
    )
    outbox.put("forget-activation-code", now=now, due_at=kept_until, key_id=key.pk)
    audit.record("key-issued", caller=caller, now=now, act=act, order=number, key=key.last_four)
    acts.finish(act, outcome={"key": key.pk})
    return IssuedKey(activation_key=key, code=code)


@transaction.atomic(durable=True)
def confirm_delivery(*, activation_key: ActivationKey, caller: Caller, now: datetime) -> None:
    """Forget the code: the customer has it (mission rule 8). Confirming again changes nothing."""
    act = acts.begin(operation="confirm-delivery", caller=caller, given={"key": activation_key.pk}, now=now)
    if act.outcome is not None:
        return
    KeyDelivery.objects.filter(activation_key=activation_key).delete()
    audit.record("key-delivery-confirmed", caller=caller, now=now, act=act, key=activation_key.last_four)
    acts.finish(act, outcome={})


@transaction.atomic(durable=True)
def forget_code(*, key_id: int, now: datetime) -> None:
    """Delete a code whose seven days are over. Run by the outbox, any number of times."""
    KeyDelivery.objects.filter(activation_key_id=key_id, kept_until__lte=now).delete()


def _products_of(lines: Sequence[OrderLine]) -> list[Product]:
    return [catalogue_queries.get_product_for_sale(code=line.code, version=line.version) for line in lines]


def kept_code(key: ActivationKey) -> str | None:
    """The code of a key in its groups, while it is kept for its delivery; None afterwards."""
    delivery = KeyDelivery.objects.filter(activation_key=key).first()
    return _vault().decrypt(bytes(delivery.ciphertext)).decode() if delivery else None


def _issued_before(key_id: int) -> IssuedKey:
    key = ActivationKey.objects.get(pk=key_id)
    return IssuedKey(activation_key=key, code=kept_code(key))


def _vault() -> MultiFernet:
    """Encrypts with the newest key, reads with every one that is still set."""
    return MultiFernet([Fernet(key) for key in settings.DELIVERY_KEYS])
