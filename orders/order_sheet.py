"""Orders out of an uploaded table, and what is wrong with which line of it.

Columns, in any order: `order`, `account`, `reference`, `customer`, `code`, `version`, `quantity`, `keys`.
Lines of one order stand below each other. Nothing is entered here: this only reads, with the catalogue, the
customer list and the orders of now.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from licenses import issuing
from licenses.catalogue_queries import refusal_of_sale
from licenses.issuing import MOST_LINES, OrderLine, WantedOrder
from licenses.models import Order, Product
from orders import sheets, tables
from orders.tables import Row, UnreadableTable
from portal.core import spreadsheets
from portal.core.errors import Invalid

MOST_ROWS = 100_000
MOST_SHORT = 500
LARGEST_SHORT = 200_000
LARGEST_SHORT_UNPACKED = 5_000_000
"""Lines of a list that is checked at once, and bytes of its file as it comes and as it is unpacked."""
NEEDED = ("order", "code", "version", "quantity")
KNOWN = (*NEEDED, "account", "reference", "customer", "keys")
_NUMBERS = ("version", "quantity")
_ACCOUNT = KNOWN.index("account")
KEYS = {"": "order", "order": "order", "per-order": "order", "line": "line", "per-line": "line"}
_NUMBER = re.compile(r"-?[0-9]{1,12}")
_CHUNK = 5000

UNREADABLE: Mapping[str, Any] = {
    "too-large": _("it is larger than 20 MB, or unpacks to more than a table of orders can be"),
    "malformed": _("it is neither a CSV nor an XLSX file that can be read"),
    "encoding": _("it is not encoded in UTF-8"),
    "too-many-columns": _("it has more than %(columns)s columns"),
    "cell-too-long": _("a cell has more than %(characters)s characters"),
    "rounded": _("a number has more than 15 digits, which spreadsheets round: format its column as text"),
    "document-type": _("it declares a document type or entities, which tables have no use for"),
    "no-rows": _("there is no order in it"),
    "too-many-rows": _("it has more than %(rows)s lines"),
    "column-missing": _("the first line must name the columns order, code, version and quantity"),
    "column-unknown": _("the first line names a column that there is not, or one twice"),
}

_BOUNDS = {"columns": tables.MOST_COLUMNS, "characters": tables.LONGEST_CELL, "rows": f"{MOST_ROWS:,}"}

PROBLEMS: Mapping[str, Any] = {
    "formula": _("A cell begins with =, +, -, @ or a tab: a spreadsheet could run it as a formula."),
    "characters": _("A cell has characters that are not printed."),
    "number": _("The order has no number, or one of more than 40 characters."),
    "again": _("The order stands further up already, with other lines in between."),
    "differs": _("Account, reference, customer or keys differ from the first line of the order."),
    "taken": _("There is an order of this number already."),
    "text-too-long": _("Customer or reference is too long: at most 200 and 100 characters."),
    "account": _("The customer list has no such account."),
    "keys": _("“keys” is either “order” or “line”."),
    "version": _("The version is no number."),
    "product": _("The catalogue has no such product in this version."),
    "discontinued": _("The product is no longer sold in this version."),
    "quantity": _("The quantity is no whole number from 1 to the largest allowed."),
    "too-many-lines": _("An order has at most 200 lines."),
}


class OrderSheetUnreadable(Invalid):
    code = "order-sheet-unreadable"
    title = _("The file cannot be read as orders: %(reason)s (line %(line)s).")
    why = _(
        "Orders make licenses. A file that is understood only in part would make some, and nobody knew which."
    )
    way_out = _("Correct the file and upload it again. Nothing was entered.")
    source = "mission rule 8"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with a line: a word of `PROBLEMS`, and the order's number as far as it can be read."""

    line: int
    reason: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What an upload holds: its orders, in the order of the file, and every problem, by line."""

    rows: int
    orders: tuple[WantedOrder, ...]
    problems: tuple[Problem, ...]

    @property
    def keys(self) -> int:
        """How many keys the orders would make."""
        return sum(len(order.lines) if order.keys_per == "line" else 1 for order in self.orders)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list: its cells in the order of `KNOWN`, and what only its place among the others tells.

    place: "again" where its order stands further up already, "too-many-lines" where it has enough; or "".
    plain: whether all its cells are printed.
    """

    line: int
    cells: tuple[str, ...]
    place: str = ""
    plain: bool = True


def read(content: bytes, *, short: bool = False) -> Sheet:
    """Read a table of orders, and check every line of it.

    :param short: read no more than what is checked at once.
    :raises OrderSheetUnreadable: the file is no table of orders at all. Facts `reason`, in words, and `line`.
    :raises UnreadableTable: with the reason "too-large" or "too-many-rows", where a short one was asked for
        and this is a longer one.
    """
    bounds: dict[str, Any] = {"most": MOST_SHORT, "unpacked": LARGEST_SHORT_UNPACKED} if short else {}
    try:
        found = list(lines(content, **bounds))
    except UnreadableTable as error:
        if short and error.reason in ("too-large", "too-many-rows"):
            raise
        raise unreadable(error.reason, error.line) from error
    return check(found)


def unreadable(reason: str, line: int) -> OrderSheetUnreadable:
    """The refusal of a file that is no table of orders, for a reason that `sheets` gives."""
    words = UNREADABLE.get(reason, UNREADABLE["malformed"])
    return OrderSheetUnreadable(reason=str(words) % _BOUNDS, line=line)


def lines(content: bytes, *, most: int = MOST_ROWS, unpacked: int | None = None) -> Iterator[Line]:
    """The lines of a file, one by one, as long as there are no more than `most`.

    :raises UnreadableTable: it is no table of orders; also after some lines.
    """
    rows = sheets.read(content, unpacked=unpacked)
    columns = _columns(next(rows, None))
    seen: set[str] = set()
    count, current, of_this = 0, "", 0
    for row in rows:
        count += 1
        if count > most:
            raise UnreadableTable("too-many-rows", line=row.line)
        cells = tuple(row.cells[at] if at is not None and at < len(row.cells) else "" for at in columns)
        number = cells[0]
        of_this = of_this + 1 if number == current and number in seen else 1
        again = number in seen and number != current
        place = "again" if again else "too-many-lines" if of_this > MOST_LINES else ""
        yield Line(line=row.line, cells=cells, place=place, plain=all(map(str.isprintable, row.cells)))
        seen.add(number)
        current = number
    if not count:
        raise UnreadableTable("no-rows")


def check(found: Sequence[Line]) -> Sheet:
    """What is wrong with lines, and the orders they make. Four queries and one for each 5,000 orders.

    An order does not begin in one sequence of lines and end in another, unless it has too many.
    """
    reader = _Reader.of(found)
    orders: dict[str, WantedOrder] = {}
    first_line: dict[str, int] = {}
    problems: list[Problem] = []
    for line in found:
        order, reason = reader.read(line)
        number = order.number
        earlier = orders.get(number)
        if not reason:
            differs = earlier is not None and replace(earlier, lines=order.lines) != order
            reason = "differs" if differs and line.place != "again" else line.place
        if reason:
            problems.append(Problem(line=line.line, reason=reason, number=number[: issuing.LONGEST_NUMBER]))
        if earlier is None:
            orders[number] = order
        elif len(earlier.lines) < MOST_LINES:
            orders[number] = replace(earlier, lines=earlier.lines + order.lines)
        first_line.setdefault(number, line.line)
    problems.extend(
        Problem(line=first_line[number], reason="taken", number=number) for number in _taken(list(orders))
    )
    problems.sort(key=lambda problem: problem.line)
    return Sheet(rows=len(found), orders=tuple(orders.values()), problems=tuple(problems))


@dataclass
class _Reader:
    products: Mapping[tuple[str, int], Product]
    accounts: set[str]

    @classmethod
    def of(cls, found: Sequence[Line]) -> "_Reader":
        named = list({line.cells[_ACCOUNT].upper() for line in found} - {""})
        known = CustomerAccount.objects.values_list("number", flat=True)
        return cls(
            products={
                (product.code, product.version): product
                for product in Product.objects.select_related("successor")  # a catalogue is small
            },
            accounts={
                number
                for start in range(0, len(named), _CHUNK)
                for number in known.filter(number__in=named[start : start + _CHUNK])
            },
        )

    def read(self, line: Line) -> tuple[WantedOrder, str]:
        """An order of this one line, and the first thing that is wrong with it alone."""
        cells = dict(zip(KNOWN, line.cells, strict=True))
        number, account = cells["order"], cells["account"].upper()
        version, quantity = (_integer(cells[name]) for name in _NUMBERS)
        order = WantedOrder(
            number=number,
            account=account,
            reference=cells["reference"],
            customer=cells["customer"],
            keys_per=KEYS.get(cells["keys"].lower(), ""),
            lines=(OrderLine(code=cells["code"], version=version or 0, quantity=quantity or 0),),
        )
        product = self.products.get((cells["code"], version or 0))
        checks = (
            ("formula", any(_runs(cell, is_number=name in _NUMBERS) for name, cell in cells.items())),
            ("characters", not line.plain),
            ("number", not 0 < len(number) <= issuing.LONGEST_NUMBER),
            (
                "text-too-long",
                len(order.customer) > issuing.LONGEST_CUSTOMER
                or len(order.reference) > issuing.LONGEST_REFERENCE,
            ),
            ("account", account != "" and account not in self.accounts),
            ("keys", order.keys_per == ""),
            ("version", version is None),
            ("product", product is None),
            ("discontinued", product is not None and refusal_of_sale(product) is not None),
            ("quantity", quantity is None or not 1 <= quantity <= settings.LARGEST_QUANTITY),
        )
        return order, next((reason for reason, is_so in checks if is_so), "")


def _columns(head: Row | None) -> list[int | None]:
    """Where each column of `KNOWN` stands, None where it is left out."""
    if head is None:
        raise UnreadableTable("no-rows")
    named = [cell.strip().lower() for cell in head.cells]
    given = [name for name in named if name]
    if any(name not in KNOWN for name in given) or len(set(given)) != len(given):
        raise UnreadableTable("column-unknown", line=head.line)
    if any(name not in given for name in NEEDED):
        raise UnreadableTable("column-missing", line=head.line)
    return [named.index(name) if name in given else None for name in KNOWN]


def _runs(cell: str, *, is_number: bool) -> bool:
    """Whether a spreadsheet could run it. A minus before a quantity is a wrong quantity, and no formula."""
    return cell.startswith("=") if is_number else spreadsheets.would_run(cell)


def _integer(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _taken(numbers: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(numbers), _CHUNK):
        some = numbers[start : start + _CHUNK]
        yield from Order.objects.filter(number__in=some).values_list("number", flat=True)
