"""What became of what was sold: charts, the tables behind them, and both as CSV (mission rule 38)."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import staff_only
from licenses import queries
from licenses.models import ActivationKey, Product
from orders import bar_chart, outcomes
from orders.outcomes import KINDS, Outcomes
from portal.core import clock
from portal.core.spreadsheets import harmless

LABELS = {
    "issued": gettext_lazy("Issued"),
    "canceled": gettext_lazy("Canceled"),
    "activated": gettext_lazy("Activated"),
    "assigned": gettext_lazy("Assigned"),
    "undone": gettext_lazy("Assignment undone"),
    "returned": gettext_lazy("Returned"),
    "moved": gettext_lazy("Moved"),
}
CHARTS = (
    (gettext_lazy("Sold and activated"), ("issued", "activated")),
    (gettext_lazy("On devices"), ("assigned", "returned", "moved")),
)


class OutcomesForm(forms.Form):
    months = forms.TypedChoiceField(
        label=gettext_lazy("Months"),
        choices=[("6", "6"), ("12", "12"), ("24", "24")],
        coerce=int,
        empty_value="12",
        required=False,
    )
    product = forms.ChoiceField(label=gettext_lazy("Product"), required=False)

    def __init__(self, data: Any, *, products: Sequence[Product]) -> None:
        super().__init__(data)
        choices = [("", gettext_lazy("All products")), *((str(one.pk), str(one)) for one in products)]
        self.fields["product"].choices = choices  # type: ignore[attr-defined]


@staff_only(Permission.LOOK)
def page(request: HttpRequest) -> HttpResponseBase:
    """By month and by product; with `csv=products` or `csv=orders` the same as a file."""
    products = list(queries.products())
    given = {"months": "12", **request.GET.dict()}
    form = OutcomesForm(given, products=products)
    chosen: dict[str, Any] = form.cleaned_data if form.is_valid() else {"months": 12, "product": ""}
    months = outcomes.months_until(clock.now(), count=int(chosen["months"]))
    if request.GET.get("csv") == "orders":
        since = datetime(months[0].year, months[0].month, 1, tzinfo=UTC)
        keys = outcomes.keys_by_order(since=since)
        return _as_csv("orders", _ORDER_COLUMNS, map(_order_row, keys.iterator(2000)))
    product = next((one for one in products if str(one.pk) == chosen["product"]), None)
    found = outcomes.outcomes(months=months, product=product)
    if request.GET.get("csv") == "products":
        return _as_csv("products", ["month", "product", "version", "unit", *KINDS], _product_rows(found))
    context = {
        "form": form,
        "product": product,
        "kinds": [LABELS[kind] for kind in KINDS],
        "charts": [_chart(title, kinds, found) for title, kinds in CHARTS],
        "months": [(_name(one), _numbers(found.of_month(one))) for one in reversed(months)],
        "total": _numbers(outcomes.added(found.by_product.values())),
        "products": [
            (one, _numbers(found.of_product(pk)))
            for pk, one in sorted(found.products.items(), key=lambda item: (item[1].version, item[1].code))
        ],
    }
    return render(request, "staff/outcomes.html", context)


def _chart(title: Any, kinds: Sequence[str], found: Outcomes) -> dict[str, Any]:
    by_month = [(month, found.of_month(month)) for month in found.months]
    return {
        "title": title,
        "series": [LABELS[kind] for kind in kinds],
        "chart": bar_chart.draw(
            [(f"{month:%m/%y}", [one[kind] for kind in kinds]) for month, one in by_month]
        ),
    }


def _numbers(one: outcomes.Outcome) -> list[int]:
    return [one[kind] for kind in KINDS]


def _name(month: date) -> str:
    return date_format(month, "F Y")


def _product_rows(found: Outcomes) -> Iterator[list[object]]:
    def place(item: tuple[tuple[date, int], outcomes.Outcome]) -> tuple[date, int, str]:
        (month, pk), _one = item
        return month, found.products[pk].version, found.products[pk].code

    for (month, pk), one in sorted(found.by_product.items(), key=place):
        product = found.products[pk]
        yield [f"{month:%Y-%m}", product.code, product.version, product.unit, *_numbers(one)]


_ORDER_COLUMNS = [
    "order",
    "placed",
    "customer",
    "account",
    "reference",
    "key",
    "state",
    "issued",
    "activated",
    "ended",
]


def _order_row(key: ActivationKey) -> list[object]:
    order = key.order
    return [
        order.number,
        _instant(order.placed_at),
        order.customer,
        order.account.number if order.account else "",
        order.reference,
        f"…{key.last_four}",
        key.ending or key.state,
        _instant(key.issued_at),
        _instant(key.activated_by.at) if key.activated_by else "",
        _instant(key.ended_by.at) if key.ended_by else "",
    ]


def _instant(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


def _as_csv(name: str, columns: Sequence[str], rows: Iterator[list[object]]) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        write: Callable[[Sequence[object]], str] = csv.writer(_Line()).writerow
        yield "\ufeff" + write(
            columns
        )  # spreadsheets take other letters than ASCII for something else without
        for row in rows:
            yield write([harmless(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="outcomes-{name}.csv"'
    return response
