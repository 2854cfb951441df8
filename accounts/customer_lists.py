"""The vendor's customer list as a file: checked first, with faults by their lines, then taken whole (rule 2).

Accounts are added and brought up to date, never removed: a company stays linked to its account.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from io import StringIO
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import CustomerAccount, CustomerLink
from accounts.permissions import Permission
from portal.core import acts, audit, spreadsheets
from portal.core.acts import Caller
from portal.core.errors import Invalid, TooLarge

MOST_BYTES = 10_000_000
MOST_LINES = 100_000
MOST_TOLD = 200
"""Faults, and linked companies, that are listed one by one; the others are counted."""
_CHUNK = 1000

REASONS: Mapping[str, Any] = {
    "columns": _("it does not have the six columns"),
    "number": _("the account number is missing or longer than 40 characters"),
    "postal_code": _("the postal code is missing or longer than 20 characters"),
    "name, town": _("the name is missing, or name or town are too long (200 and 100 characters)"),
    "country": _("the country is no code of two letters, like DE"),
    "email": _("the e-mail address is none, or longer than 254 characters"),
    "formula": _("a field begins like a formula (=, +, - or @), or has characters that are not printed"),
    "twice": _("the account number stands in the list twice"),
}


class CustomerListMalformed(Invalid):
    code = "customer-list-malformed"
    title = _("Line %(line)s of the customer list cannot be read: %(reason)s.")
    why = _(
        "The list decides who can link a company to which account. Loaded in part, it would mix old and new "
        "customers without anybody noticing."
    )
    way_out = _("Correct the line and load the whole list again. Nothing was changed.")
    source = "mission rule 2"


class CustomerListUnreadable(Invalid):
    code = "customer-list-unreadable"
    title = _("This is not a customer list as CSV.")
    why = _(
        "Guessing the encoding or the order of the columns would put names and postal codes where they do "
        "not belong, and customers could no longer be found."
    )
    way_out = _("Save it as CSV in UTF-8 with commas or semicolons; the first line must be %(columns)s.")
    source = "mission rule 2"


class CustomerListTooLarge(TooLarge):
    code = "customer-list-too-large"
    title = _("The customer list is too large: at most %(lines)s lines and %(megabytes)s MB.")
    why = _("The list is taken whole or not at all, so it must be checked and written in one go.")
    way_out = _("Split it: accounts that a file does not name stay as they are.")
    source = "mission rule 2"


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A line of the customer list. `country` is ISO 3166-1 alpha-2; `email` may be empty."""

    number: str
    postal_code: str
    name: str
    town: str
    country: str
    email: str

    def tidy(self) -> "Customer":
        """The same as it is kept: without blanks around, numbers and countries in capitals."""
        return Customer(
            number=self.number.strip().upper(),
            postal_code=self.postal_code.strip(),
            name=self.name.strip(),
            town=self.town.strip(),
            country=self.country.strip().upper(),
            email=self.email.strip().lower(),
        )


COLUMNS = [column.name for column in fields(Customer)]
_KEPT = [column for column in COLUMNS if column != "number"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A line that cannot be taken: its number in the file, from 1, and a word of `REASONS`."""

    line: int
    reason: str


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


def read(content: bytes) -> tuple[list[Customer], list[Fault]]:
    """The customers of a file, as they are kept, and the lines that cannot be taken.

    :raises CustomerListUnreadable: it is no CSV in UTF-8 with the columns of a customer list.
    :raises CustomerListTooLarge: it has too many bytes or lines.
    """
    text, delimiter = _as_text(content)
    customers: list[Customer] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    next(rows)
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            faults.append(Fault(line=rows.line_num, reason="columns"))
            continue
        if row is None:
            return customers, faults
        if not row:
            continue  # an empty line, as editors leave one at the end
        if len(customers) + len(faults) >= MOST_LINES:
            raise _too_large()
        customer = (
            Customer(**dict(zip(COLUMNS, row, strict=True))).tidy() if len(row) == len(COLUMNS) else None
        )
        reason = "columns" if customer is None else wrong_with(customer)
        if customer is not None and not reason and customer.number in seen:
            reason = "twice"
        if customer is None or reason:
            faults.append(Fault(line=rows.line_num, reason=reason))
        else:
            seen.add(customer.number)
            customers.append(customer)


def _as_text(content: bytes) -> tuple[str, str]:
    """The text of a file, and what stands between its columns."""
    if len(content) > MOST_BYTES:
        raise _too_large()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CustomerListUnreadable(columns=",".join(COLUMNS)) from error
    head = text.partition("\n")[0].strip("\r")
    delimiter = ";" if head == ";".join(COLUMNS) else ","
    if head != delimiter.join(COLUMNS):
        raise CustomerListUnreadable(columns=",".join(COLUMNS))
    return text, delimiter


def load_list(*, content: bytes, caller: Caller, now: datetime) -> int:
    """Load a file that was checked; whole, or not at all. Says how many customers it has.

    :raises: as `check` and `load_customers`.
    """
    customers, faults = read(content)
    if faults:
        raise CustomerListMalformed(line=faults[0].line, reason=str(REASONS[faults[0].reason]))
    return load_customers(customers=customers, caller=caller, now=now)


@transaction.atomic(durable=True)
def load_customers(*, customers: Iterable[Customer], caller: Caller, now: datetime) -> int:
    """Enter customers; known numbers are brought up to date, none is removed. Says how many there were.

    Where the address of an account changes, links that were mailed to the old one end.

    :raises RoleMissing: the caller is a person who may not change the customer list.
    :raises CustomerListMalformed: one cannot be taken. Facts `line`, from 1, and `reason`.
    """
    staff.require(Permission.CUSTOMERS, user_id=caller.user_id)
    listed: dict[str, Customer] = {}
    for line, given in enumerate(customers, start=1):
        customer = given.tidy()
        reason = wrong_with(customer) or ("twice" if customer.number in listed else "")
        if reason:
            raise CustomerListMalformed(line=line, reason=str(REASONS[reason]))
        listed[customer.number] = customer
    content = hashlib.sha256(repr(sorted(listed.items())).encode()).hexdigest()
    act = acts.begin(operation="load-customers", caller=caller, given={"list": content}, now=now)
    if act.outcome is not None:
        return int(act.outcome["lines"])
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
    acts.finish(act, outcome={"lines": len(listed)})
    return len(listed)


def wrong_with(customer: Customer) -> str:
    """Why a customer cannot be taken: a word of `REASONS`, or nothing. Give it tidied."""
    for reason, fits in (
        ("number", 0 < len(customer.number) <= 40),
        ("postal_code", 0 < len(customer.postal_code) <= 20),
        ("name, town", 0 < len(customer.name) <= 200 and len(customer.town) <= 100),
        ("country", len(customer.country) == 2 and customer.country.isascii() and customer.country.isalpha()),
        ("email", not customer.email or ("@" in customer.email and len(customer.email) <= 254)),
        ("formula", not any(_dangerous(value) for value in asdict(customer).values())),
    ):
        if not fits:
            return reason
    return ""


def _dangerous(value: str) -> bool:
    # Spreadsheets that fulfilment works with would calculate it.
    return spreadsheets.would_run(value) or not value.isprintable()


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


def _too_large() -> CustomerListTooLarge:
    return CustomerListTooLarge(lines=MOST_LINES, megabytes=MOST_BYTES // 1_000_000)


def find_customers(text: str) -> QuerySet[CustomerAccount]:
    """Accounts by number, with the companies linked to them; `text` is the beginning of a number, or part of
    a name or town."""
    accounts = CustomerAccount.objects.select_related("company").order_by("number")
    if not text:
        return accounts
    return accounts.filter(
        Q(number__startswith=text.upper()) | Q(name__icontains=text) | Q(town__icontains=text)
    )
