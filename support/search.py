"""The console's search: one box for whatever somebody on the phone reads out.

Everything is found by indexes, so that it is as quick among a million devices as among a thousand (migrations
0002 and 0003). Digits from the middle of a hardware ID are looked for only where its ends found nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import F, Func, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Replace, Reverse, Upper

from accounts.models import Company, CustomerAccount, User
from devices.models import Device
from licenses.models import ActivationKey, Order

LIMIT = 20
SHORTEST = 2
LETTERS = 3
"""From so many on a part of a company's name is found wherever it stands."""
SHORTEST_OF_A_HARDWARE_ID = 4
LARGEST_NUMBER = 2**63 - 1
_HEX = re.compile(r"[0-9A-F]{4,12}")
_LAST_OF_A_KEY = re.compile(r"[0-9A-Z]{4,5}")

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Found:
    """At most `LIMIT` of each sort; `more` says whether there was more of any."""

    devices: Sequence[Device] = ()
    keys: Sequence[ActivationKey] = ()
    companies: Sequence[Company] = ()
    people: Sequence[User] = ()
    more: bool = False

    @property
    def only(self) -> Device | ActivationKey | Company | User | None:
        """What was found, if it is one thing."""
        everything: list[Device | ActivationKey | Company | User] = [
            *self.devices,
            *self.keys,
            *self.companies,
            *self.people,
        ]
        return everything[0] if len(everything) == 1 else None

    def __bool__(self) -> bool:
        return bool(self.devices or self.keys or self.companies or self.people)


def find(text: str) -> Found:
    """Devices by four digits of their hardware ID or more, released ones too; keys by their last characters,
    order number or reference; companies by part of their name, their number or their account in the customer
    list; people by the beginning of their address or name.

    :param text: as it was typed; fewer than `SHORTEST` characters find nothing.
    """
    text = text.strip().replace("\x00", "")
    if len(text) < SHORTEST:
        return Found()
    devices, more_devices = _devices(text)
    keys, more_keys = _keys(text)
    companies, more_companies = _first(companies_called(text))
    people, more_people = _first(people_called(text))
    return Found(
        devices=devices,
        keys=keys,
        companies=companies,
        people=people,
        more=more_devices or more_keys or more_companies or more_people,
    )


def by_the_ends(digits: str) -> QuerySet[Device]:
    """Devices whose hardware ID begins or ends with these digits (4 to 12, upper case, nothing between)."""
    pairs_from_left = "-".join(digits[place : place + 2] for place in range(0, len(digits), 2))
    backwards = digits[::-1]
    pairs_from_right = "-".join(backwards[place : place + 2] for place in range(0, len(backwards), 2))
    ends = Q(backwards__startswith=pairs_from_right) | Q(hardware_id__startswith=pairs_from_left)
    return _listed(Device.objects.alias(backwards=Reverse("hardware_id")).filter(ends))


def orders_called(text: str) -> QuerySet[Order]:
    """Orders whose number, or the customer's reference, begins with the text, whatever its case."""
    return Order.objects.alias(upper_number=Upper("number"), upper_reference=Upper("reference")).filter(
        Q(upper_number__startswith=text.upper()) | Q(upper_reference__startswith=text.upper())
    )


def _devices(text: str) -> tuple[list[Device], bool]:
    digits = re.sub(r"[-:.\s…]", "", text).upper()
    if not _HEX.fullmatch(digits):
        return [], False
    found, more = _first(by_the_ends(digits))
    if found:
        return found, more
    return _first(in_the_middle(digits))


def in_the_middle(digits: str) -> QuerySet[Device]:
    """Devices with these digits anywhere in their hardware ID (4 to 12, upper case, nothing between)."""
    plain = Replace("hardware_id", Value("-"), Value(""))
    found = Device.objects.alias(plain=plain).filter(plain__contains=digits)
    return _listed(_with_pieces(found, "support_digits", "hardware_id", digits))


def companies_with(text: str) -> QuerySet[Company]:
    """Companies with the text in their name; less than three letters have to be its beginning."""
    if len(text) < LETTERS:
        return Company.objects.alias(upper=Upper("name")).filter(upper__startswith=text.upper())
    found = Company.objects.filter(name__icontains=text)
    return _with_pieces(found, "support_letters", "name", text)


def _with_pieces(found: QuerySet[Row], function: str, column: str, text: str) -> QuerySet[Row]:
    """The same rows, by an index over the pieces of a column: what contains the text has all pieces of it."""
    if connection.vendor != "postgresql":  # neither has SQLite the index nor a million rows
        return found
    of_column, of_text = (_pieces(function, one) for one in (F(column), Value(text)))
    narrowed: Any = found.alias(pieces=of_column).filter(pieces__contains=of_text)
    rows: QuerySet[Row] = narrowed
    return rows


def _pieces(function: str, of: Any) -> Any:
    return Func(of, function=function, output_field=ArrayField(TextField()))


def _keys(text: str) -> tuple[list[ActivationKey], bool]:
    # Never by a whole code: that is a secret, and belongs into no search.
    last = re.sub(r"[-\s…]", "", text).upper()
    by_end: list[ActivationKey] = []
    more = False
    if _LAST_OF_A_KEY.fullmatch(last):
        by_end, more = _first(_with_orders(ActivationKey.objects.filter(last_four=last[-4:])))
    by_order, more_of_orders = _first(
        _with_orders(ActivationKey.objects.filter(order__in=orders_called(text).values("pk")))
    )
    both = {key.pk: key for key in [*by_order, *by_end]}
    return list(both.values())[:LIMIT], more or more_of_orders or len(both) > LIMIT


def companies_called(text: str) -> QuerySet[Company]:
    """Companies with the text in their name or at the beginning of their account; or of this number. At most
    `LIMIT` of each sort, and one more."""
    # Each by its own index; in one condition with "or" they would be looked for among all companies.
    wanted = set(companies_with(text).order_by("name", "pk").values_list("pk", flat=True)[: LIMIT + 1])
    accounts = CustomerAccount.objects.filter(company__isnull=False, number__startswith=text)
    wanted |= set(accounts.order_by("number").values_list("company", flat=True)[: LIMIT + 1])
    if text.isascii() and text.isdecimal() and int(text) <= LARGEST_NUMBER:
        wanted.add(int(text))
    return Company.objects.filter(pk__in=wanted).order_by("name", "pk")


def people_called(text: str) -> QuerySet[User]:
    """People whose address, forename or surname begins with the text; or both names with its two words."""
    whole = text.upper()
    wanted = Q(upper_email__startswith=whole) | Q(upper_forename__startswith=whole)
    wanted |= Q(upper_surname__startswith=whole)
    first, _blank, rest = whole.partition(" ")
    if rest.strip():
        wanted |= Q(upper_forename__startswith=first, upper_surname__startswith=rest.strip())
    uppers: dict[str, Any] = {f"upper_{name}": Upper(name) for name in ("email", "forename", "surname")}
    return (
        User.objects.alias(**uppers)
        .filter(wanted, left_at=None)
        .prefetch_related("memberships__company")
        .order_by("surname", "forename", "pk")
    )


def _listed(devices: QuerySet[Device]) -> QuerySet[Device]:
    return devices.select_related("project__company", "contact").order_by("hardware_id")


def _with_orders(keys: QuerySet[ActivationKey]) -> QuerySet[ActivationKey]:
    return keys.select_related("order", "activated_by").order_by("-pk")


def _first(rows: QuerySet[Row]) -> tuple[list[Row], bool]:
    """The first rows, and whether there are more."""
    found = list(rows[: LIMIT + 1])
    return found[:LIMIT], len(found) > LIMIT
