"""The vendor's customer list as a file: checked first, with faults by their lines, then taken whole (rule 2).

Accounts are added and brought up to date, never removed: a company stays linked to its account.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.customer_rows import COLUMNS, Customer, CustomerListMalformed, Fault, read, wrong_with
from accounts.models import CustomerAccount, CustomerLink
from accounts.permissions import Permission
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import NotFound

_CHUNK = 1000
_KEPT = [column for column in COLUMNS if column != "number"]


class CustomerNotListed(NotFound):
    code = "customer-not-listed"
    title = _("The customer list has no account of this number.")
    why = _("An account is found by its whole number: a part of it would hit another customer.")
    way_out = _("Compare the number with your books, or add the account to the list.")
    source = "mission rule 2"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What loading a list did, or would do, in accounts: added, brought up to date, and left as they were."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    @property
    def lines(self) -> int:
        """How many customers the list has."""
        return self.new + self.changed + self.unchanged


@dataclass(frozen=True, kw_only=True)
class LinkedChange:
    """What a list changes about an account that a company is linked to: field, before, after."""

    number: str
    company: str
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What loading a list would do, or why it cannot be loaded.

    `missing` counts accounts that are not in the list and stay; `missing_linked` are those of them that a
    company is linked to, as number and company.
    """

    lines: int
    faults: tuple[Fault, ...]
    new: int
    changed: int
    unchanged: int
    linked: tuple[LinkedChange, ...]
    missing: int
    missing_linked: tuple[tuple[str, str], ...]


def check(content: bytes) -> Report:
    """Say what a list would do; nothing is changed.

    :raises CustomerListUnreadable: it is no CSV in UTF-8 with the columns of a customer list.
    :raises CustomerListTooLarge: it has too many bytes or lines.
    """
    customers, faults = read(content)
    numbers = {customer.number for customer in customers}
    new = changed = 0
    linked: list[LinkedChange] = []
    for chunk in _chunks(customers):
        known = _known(chunk)
        for customer in chunk:
            account = known.get(customer.number)
            if account is None:
                new += 1
            elif changes := _changes(account, customer):
                changed += 1
                if account.company is not None:
                    linked.append(
                        LinkedChange(number=account.number, company=account.company.name, changes=changes)
                    )
    rest = CustomerAccount.objects.values_list("number", "company__name")
    missing = [(number, company) for number, company in rest.iterator() if number not in numbers]
    return Report(
        lines=len(customers) + len(faults),
        faults=tuple(faults),
        new=new,
        changed=changed,
        unchanged=len(customers) - new - changed,
        linked=tuple(linked),
        missing=len(missing),
        missing_linked=tuple((number, company) for number, company in missing if company),
    )


def load_list(*, content: bytes, caller: Caller, now: datetime) -> int:
    """Load a file that was checked; whole, or not at all. Says how many customers it has.

    :raises: as `check` and `load_customers`.
    """
    customers, faults = read(content)
    if faults:
        raise CustomerListMalformed.of(faults)
    return load_customers(customers=customers, caller=caller, now=now).lines


@transaction.atomic(durable=True)
def load_customers(*, customers: Iterable[Customer], caller: Caller, now: datetime) -> Loaded:
    """Enter customers; known numbers are brought up to date, none is removed.

    Where the address of an account changes, links that were mailed to the old one end.

    :raises RoleMissing: the caller is a person who may not change the customer list.
    :raises CustomerListMalformed: one cannot be taken. Facts `line`, from 1, and `reason` of the first one,
        and `problems` with those of all.
    """
    staff.require(Permission.CUSTOMERS, user_id=caller.user_id)
    listed: dict[str, Customer] = {}
    faults = []
    for line, given in enumerate(customers, start=1):
        customer = given.tidy()
        reason = wrong_with(customer) or ("twice" if customer.number in listed else "")
        if reason:
            faults.append(Fault(line=line, reason=reason))
        listed[customer.number] = customer
    if faults:
        raise CustomerListMalformed.of(faults)
    content = hashlib.sha256(repr(sorted(listed.items())).encode()).hexdigest()
    act = acts.begin(operation="load-customers", caller=caller, given={"list": content}, now=now)
    if act.outcome is not None:
        return Loaded(**act.outcome)
    loaded = compare(listed.values())
    # In the order of their numbers, so that two lists at once cannot wait for each other.
    for chunk in _chunks([customer for _number, customer in sorted(listed.items())]):
        _end_links_to_old_addresses(chunk, now=now)
        CustomerAccount.objects.bulk_create(
            (CustomerAccount(**asdict(customer)) for customer in chunk),
            update_conflicts=True,
            unique_fields=["number"],
            update_fields=_KEPT,
        )
    audit.record("customer-list-loaded", caller=caller, now=now, act=act, lines=len(listed))
    acts.finish(act, outcome=asdict(loaded))
    return loaded


def compare(customers: Iterable[Customer]) -> Loaded:
    """How many of these accounts are new, others than they are kept, or the same."""
    new = changed = unchanged = 0
    for chunk in _chunks([customer.tidy() for customer in customers]):
        known = _known(chunk)
        for customer in chunk:
            account = known.get(customer.number)
            if account is None:
                new += 1
            elif _changes(account, customer):
                changed += 1
            else:
                unchanged += 1
    return Loaded(new=new, changed=changed, unchanged=unchanged)


def _changes(account: CustomerAccount, customer: Customer) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (name, getattr(account, name), getattr(customer, name))
        for name in _KEPT
        if getattr(account, name) != getattr(customer, name)
    )


def _end_links_to_old_addresses(chunk: Sequence[Customer], *, now: datetime) -> None:
    emails = {customer.number: customer.email for customer in chunk}
    moved = [number for number, account in _known(chunk).items() if account.email != emails[number]]
    open_links = Q(used_at=None, expires_at__gt=now, account__number__in=moved)
    CustomerLink.objects.filter(open_links).update(expires_at=now)


def _known(chunk: Sequence[Customer]) -> dict[str, CustomerAccount]:
    accounts = CustomerAccount.objects.select_related("company")
    return accounts.in_bulk([customer.number for customer in chunk], field_name="number")


def _chunks(customers: Sequence[Customer]) -> Iterable[Sequence[Customer]]:
    return (customers[start : start + _CHUNK] for start in range(0, len(customers), _CHUNK))


def find_customers(text: str) -> QuerySet[CustomerAccount]:
    """Accounts by number, with the companies linked to them; `text` is the beginning of a number, or part of
    a name or town."""
    accounts = CustomerAccount.objects.select_related("company").order_by("number")
    if not text:
        return accounts
    return accounts.filter(
        Q(number__startswith=text.upper()) | Q(name__icontains=text) | Q(town__icontains=text)
    )


def get_customer(number: str) -> CustomerAccount:
    """The account of this number, with the company linked to it; case does not matter.

    :raises CustomerNotListed: there is none.
    """
    found = CustomerAccount.objects.select_related("company").filter(number=number.strip().upper()).first()
    if found is None:
        raise CustomerNotListed
    return found
