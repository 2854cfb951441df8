"""Customers as a list names them, what is wrong with a line, and the CSV file they come in (rule 2)."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO
from typing import Any

from django.utils.translation import gettext_lazy as _

from portal.core import spreadsheets
from portal.core.errors import Invalid, TooLarge

MOST_BYTES = 10_000_000
MOST_LINES = 100_000
MOST_TOLD = 200
"""Faults, and linked companies, that are listed one by one; the others are counted."""

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

    @classmethod
    def of(cls, faults: Sequence["Fault"]) -> "CustomerListMalformed":
        """The refusal of a list with these faults: the first one in words, and for programs the first 200
        of them, each as `line` and `reason`."""
        told = [{"line": fault.line, "reason": fault.reason} for fault in faults[:MOST_TOLD]]
        return cls(line=faults[0].line, reason=str(REASONS[faults[0].reason]), problems=told)


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


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A line that cannot be taken: its number in the file, from 1, and a word of `REASONS`."""

    line: int
    reason: str


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


def _too_large() -> CustomerListTooLarge:
    return CustomerListTooLarge(lines=MOST_LINES, megabytes=MOST_BYTES // 1_000_000)
