"""Orders become activation keys: one or a thousand by the same few statements (mission rule 8).

Runs inside the transaction of an operation. Beside `licenses.ledger`, it fills keys from the issuer: keys
that it has just made, so that nobody else knows their holders and nothing has to be locked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from licenses import activation_code, ledger, transparency
from licenses.catalogue_queries import ProductDiscontinued, refusal_of_sale
from licenses.log_line import LeafType
from licenses.models import ActivationKey, Holder, Holding, KeyDelivery, Order, Product, Transfer
from licenses.queries import NoSuchProduct
from portal.core import acts, audit, outbox
from portal.core.acts import Caller, Entered
from portal.core.errors import Conflict, DomainError, Invalid
from portal.core.models import Act

LONGEST_NUMBER = 40
LONGEST_CUSTOMER = 200
LONGEST_REFERENCE = 100
MOST_LINES = 200


class OrderNeedsLines(Invalid):
    code = "order-needs-lines"
    title = _("The order has no lines, or more than %(most)s.")
    why = _(
        "An activation key holds a whole order. A key over nothing would be a certificate that promises its "
        "buyer nothing."
    )
    way_out = _("Give at least one product with its version and quantity, and at most %(most)s of them.")
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


class OrderNumberTaken(Conflict):
    code = "order-number-taken"
    title = _("There is an order of this number already, and its content is another one.")
    why = _(
        "The number of an order makes it one order, however often it is sent. If its content could change "
        "afterwards, the key in the partner's hands would not hold what the vendor's books say."
    )
    way_out = _("Cancel the order and enter it under a new number, or send it exactly as it was.")
    source = "mission rule 8"


class OrderAccountUnknown(Invalid):
    code = "order-account-unknown"
    title = _("The customer list has no account of this number.")
    why = _(
        "The company that is linked to the account sees the order, and may have a lost key replaced. A wrong "
        "number would show it to somebody else."
    )
    way_out = _("Correct the number, load the customer list first, or leave the account out.")
    source = "mission rule 2"


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """One line of an order: `quantity` units of a product in a version."""

    code: str
    version: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class WantedOrder:
    """An order as the vendor's books have it. `account` is the customer's account number, "" if unknown."""

    number: str
    lines: tuple[OrderLine, ...]
    reference: str = ""
    customer: str = ""
    account: str = ""
    keys_per: str = Order.KeysPer.ORDER

    def given(self) -> dict[str, Any]:
        """What makes it this order and no other one. What is left out says nothing, as it did before there
        were accounts and keys for lines."""
        return {
            "number": self.number,
            "reference": self.reference,
            "customer": self.customer,
            "lines": [[line.code, line.version, line.quantity] for line in self.lines],
            **({"account": self.account} if self.account else {}),
            **({"keys_per": str(self.keys_per)} if self.keys_per != Order.KeysPer.ORDER else {}),
        }


@dataclass(frozen=True, kw_only=True)
class IssuedKey:
    """An activation key and its code in groups; `code` is None once the code is no longer kept."""

    activation_key: ActivationKey
    code: str | None


@dataclass(frozen=True, kw_only=True)
class PlacedOrder:
    """An order with its keys; `is_new` is no part of the answer that repetitions get as well."""

    order: Order
    keys: tuple[IssuedKey, ...]
    is_new: bool = field(default=False, compare=False)


Answer = PlacedOrder | DomainError


def issue_all(*, wanted: Sequence[WantedOrder], caller: Caller, now: datetime) -> list[Answer]:
    """Enter orders and make their keys; for each the order, or why it is refused. No number comes twice.

    The order's number names its act, whoever enters it and however often: an order that is there already is
    answered with its keys. What is refused leaves nothing; the other orders are entered all the same.
    """
    assert connection.in_atomic_block, "orders belong to the transaction of an operation"
    products, accounts = _products(wanted), _accounts(wanted)
    refusals = [refusal_of(order, products=products, accounts=accounts) for order in wanted]
    refusals = _answering_what_is_there(wanted, refusals)
    sound = [order for order, refusal in zip(wanted, refusals, strict=True) if refusal is None]
    entered = acts.begin_all(
        operation="issue-key",
        callers=[caller.naming(scope="orders", key=order.number) for order in sound],
        given=[order.given() for order in sound],
        outcomes=[{"order": order.number} for order in sound],
        now=now,
    )
    by_number = dict(zip((order.number for order in sound), entered, strict=True))
    new = [(order, _act_of(one)) for order, one in zip(sound, entered, strict=True) if one.is_new]
    if new:
        _write(new, products=products, accounts=accounts, caller=caller, now=now)
    placed = placed_orders([order.number for order in sound if by_number[order.number].act])
    answers: list[Answer] = []
    for order, refusal in zip(wanted, refusals, strict=True):
        if refusal is not None:
            answers.append(refusal)
        elif by_number[order.number].act is None:
            answers.append(OrderNumberTaken())
        else:
            found = placed[order.number]
            is_new = by_number[order.number].is_new
            answers.append(PlacedOrder(order=found.order, keys=found.keys, is_new=is_new))
    return answers


def refusal_of(
    order: WantedOrder,
    *,
    products: Mapping[tuple[str, int], Product],
    accounts: Mapping[str, CustomerAccount],
) -> DomainError | None:
    """Why an order cannot be entered, or None. Its number may be taken all the same, and an order that is
    there already stays what it is, though a product of it is no longer sold."""
    if not 0 < len(order.number) <= LONGEST_NUMBER or not order.number.isprintable():
        return OrderNeedsNumber()
    if not 0 < len(order.lines) <= MOST_LINES:
        return OrderNeedsLines(most=MOST_LINES)
    if len(order.customer) > LONGEST_CUSTOMER or len(order.reference) > LONGEST_REFERENCE:
        return OrderTextTooLong()
    if order.account and order.account not in accounts:
        return OrderAccountUnknown()
    for line in order.lines:
        try:
            ledger.require_quantity(line.quantity)
        except ledger.QuantityOutOfRange as refusal:
            return refusal
        if (line.code, line.version) not in products:
            return NoSuchProduct(product=line.code, version=line.version)
        if no_longer_sold := refusal_of_sale(products[line.code, line.version]):
            return no_longer_sold
    return None


def placed_orders(numbers: Iterable[str]) -> dict[str, PlacedOrder]:
    """Orders with all their keys, in the order of the keys, and with the codes that are still kept."""
    orders = {
        order.pk: order for order in Order.objects.filter(number__in=list(numbers)).select_related("account")
    }
    keys: dict[int, list[IssuedKey]] = defaultdict(list)
    with_delivery = ActivationKey.objects.filter(order__in=orders).select_related("delivery").order_by("pk")
    for key in with_delivery:
        keys[key.order_id].append(IssuedKey(activation_key=key, code=code_of(key)))
    return {order.number: PlacedOrder(order=order, keys=tuple(keys[pk])) for pk, order in orders.items()}


def code_of(key: ActivationKey) -> str | None:
    """The code of a key in groups, if it is still kept. Load keys with their `delivery`."""
    delivery: KeyDelivery | None = getattr(key, "delivery", None)
    return _vault().decrypt(bytes(delivery.ciphertext)).decode() if delivery else None


def new_keys(
    orders: Sequence[Order], *, replaces: ActivationKey | None = None, now: datetime
) -> list[IssuedKey]:
    """Make a key with a new code for each of `orders`, which may name an order more than once, and keep the
    codes for delivery (mission rule 8)."""
    codes = [activation_code.generate() for _order in orders]
    canonical = [activation_code.read(code) for code in codes]
    keys = ActivationKey.objects.bulk_create(
        ActivationKey(
            order=order,
            fingerprint=activation_code.fingerprint(code, settings.ACTIVATION_CODE_PEPPER),
            last_four=code[-4:],
            issued_at=now,
            replaces=replaces,
        )
        for order, code in zip(orders, canonical, strict=True)
    )
    vault, kept_until = _vault(), now + settings.ACTIVATION_CODE_KEPT
    KeyDelivery.objects.bulk_create(
        KeyDelivery(activation_key=key, ciphertext=vault.encrypt(code.encode()), kept_until=kept_until)
        for key, code in zip(keys, codes, strict=True)
    )
    outbox.put("forget-activation-code", now=now, due_at=kept_until, key_ids=[key.pk for key in keys])
    return [IssuedKey(activation_key=key, code=code) for key, code in zip(keys, codes, strict=True)]


def _write(
    new: Sequence[tuple[WantedOrder, Act]],
    *,
    products: Mapping[tuple[str, int], Product],
    accounts: Mapping[str, CustomerAccount],
    caller: Caller,
    now: datetime,
) -> None:
    orders = Order.objects.bulk_create(
        Order(
            number=order.number,
            reference=order.reference,
            customer=order.customer or (accounts[order.account].name if order.account else ""),
            account=accounts.get(order.account),
            keys_per=order.keys_per,
            placed_at=now,
        )
        for order, _act in new
    )
    # One entry for each key: whose order it is of, by which act, and the lines it holds.
    wanted = [
        (order, act, lines)
        for order, (given, act) in zip(orders, new, strict=True)
        for lines in _lines_of_keys(given, products)
    ]
    keys = [issued.activation_key for issued in new_keys([order for order, _act, _lines in wanted], now=now)]
    transfers = _fill([(act, key, lines) for key, (_order, act, lines) in zip(keys, wanted, strict=True)])
    told: dict[Act, list[transparency.Told]] = defaultdict(list)
    happened = []
    for key, moved, (order, act, _lines) in zip(keys, transfers, wanted, strict=True):
        told[act] += [transparency.Told(transfer=transfer) for transfer in moved]
        company = order.account.company_id if order.account else None
        facts = {"order": order.number, "key": key.last_four}
        happened.append(audit.Happened(act=act, company_id=company, facts=facts))
    transparency.record_all(leaf_type=LeafType.ORDER, told=list(told.items()), now=now)
    audit.record_all("key-issued", happened, caller=caller, now=now)


def _answering_what_is_there(
    wanted: Sequence[WantedOrder], refusals: Sequence[DomainError | None]
) -> list[DomainError | None]:
    """The refusals without those of orders that were entered while their products were still sold."""
    refused = dict(zip((order.number for order in wanted), refusals, strict=True))
    late = [number for number, refusal in refused.items() if isinstance(refusal, ProductDiscontinued)]
    if late:
        there = Order.objects.filter(number__in=late).values_list("number", flat=True)
        refused |= dict.fromkeys(there)
    return list(refused.values())


def _lines_of_keys(
    order: WantedOrder, products: Mapping[tuple[str, int], Product]
) -> list[list[tuple[Product, int]]]:
    lines = [(products[line.code, line.version], line.quantity) for line in order.lines]
    return [[line] for line in lines] if order.keys_per == Order.KeysPer.LINE else [lines]


def _fill(
    issued: Sequence[tuple[Act, ActivationKey, Sequence[tuple[Product, int]]]],
) -> list[list[Transfer]]:
    """Move the quantities from the issuer into the new keys: the transfers of each, in that order."""
    source = ledger.issuer()
    holders = Holder.objects.bulk_create(
        Holder(kind=Holder.Kind.KEY, activation_key=key) for _act, key, _lines in issued
    )
    balances: dict[tuple[int, int], int] = defaultdict(int)
    for holder, (_act, _key, lines) in zip(holders, issued, strict=True):
        for product, quantity in lines:
            balances[holder.pk, product.pk] += quantity
    # `moved` is the trigger's: it counts the transfers below, and compares at the commit.
    Holding.objects.bulk_create(
        Holding(holder_id=holder_id, product_id=product_id, balance=balance)
        for (holder_id, product_id), balance in balances.items()
    )
    transfers = iter(
        Transfer.objects.bulk_create(
            Transfer(act=act, product=product, quantity=quantity, source=source, destination=holder)
            for holder, (act, _key, lines) in zip(holders, issued, strict=True)
            for product, quantity in lines
        )
    )
    return [[next(transfers) for _line in lines] for _act, _key, lines in issued]


def _products(wanted: Iterable[WantedOrder]) -> dict[tuple[str, int], Product]:
    codes = {line.code for order in wanted for line in order.lines}
    found = Product.objects.filter(code__in=codes).select_related("successor")
    return {(product.code, product.version): product for product in found}


def _accounts(wanted: Iterable[WantedOrder]) -> dict[str, CustomerAccount]:
    numbers = {order.account for order in wanted} - {""}
    return {account.number: account for account in CustomerAccount.objects.filter(number__in=numbers)}


def _act_of(entered: Entered) -> Act:
    assert entered.act is not None, "a new act is there"
    return entered.act


def _vault() -> MultiFernet:
    """Encrypts with the newest key, reads with every one that is still set."""
    return MultiFernet([Fernet(key) for key in settings.DELIVERY_KEYS])
