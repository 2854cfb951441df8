"""Orders in the console: look for them, enter one, confirm, cancel, replace a lost key (rules 8 and 10)."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from licenses import fulfilment, key_replacement, order_queries
from licenses.issuing import (
    LONGEST_CUSTOMER,
    LONGEST_NUMBER,
    LONGEST_REFERENCE,
    OrderLine,
    OrderNumberTaken,
    WantedOrder,
)
from licenses.models import ActivationKey, Order
from orders import order_lines
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, PortalForm, ReasonForm, respond

ORDERS_A_PAGE = 50
ANY_STATE = ("", gettext_lazy("Any state"))
STATE_LABELS = {
    "issued": gettext_lazy("Not activated"),
    "partly-activated": gettext_lazy("Partly activated"),
    "activated": gettext_lazy("Activated"),
    "blocked": gettext_lazy("Blocked"),
    "canceled": gettext_lazy("Canceled"),
}


KEY_STATES = {
    "issued": gettext_lazy("not activated"),
    "activated": gettext_lazy("activated"),
    "blocked": gettext_lazy("blocked"),
    "canceled": gettext_lazy("canceled"),
    "replaced": gettext_lazy("replaced"),
}


class OrderFilter(PortalForm):
    q = forms.CharField(max_length=200, required=False)
    state = forms.ChoiceField(choices=[ANY_STATE, *STATE_LABELS.items()], required=False)


class OrderForm(ActForm):
    number = forms.CharField(
        label=gettext_lazy("Order number"),
        max_length=LONGEST_NUMBER,
        help_text=gettext_lazy("As your books have it: it names the order here too."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    account = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Of the customer list. The company linked to it sees the order."),
    )
    customer = forms.CharField(
        label=gettext_lazy("Customer"),
        max_length=LONGEST_CUSTOMER,
        required=False,
        help_text=gettext_lazy("The name on the certificate; empty: that of the account."),
    )
    reference = forms.CharField(label=gettext_lazy("Reference"), max_length=LONGEST_REFERENCE, required=False)
    lines = forms.CharField(
        label=gettext_lazy("Lines"),
        max_length=20_000,
        help_text=gettext_lazy(
            "One a line: product, version and quantity, with blanks, commas or tabs between."
        ),
        widget=forms.Textarea(
            attrs={"rows": 6, "class": "mono", "placeholder": "Port 14 10", "spellcheck": "false"}
        ),
    )
    keys_per = forms.ChoiceField(
        label=gettext_lazy("Keys"),
        choices=[
            ("order", gettext_lazy("One key for all lines")),
            ("line", gettext_lazy("One key for each line")),
        ],
        widget=forms.RadioSelect,
        initial="order",
    )

    def clean_lines(self) -> tuple[OrderLine, ...]:
        """The lines as they were meant, or which of them cannot be read."""
        try:
            return order_lines.read(self.cleaned_data["lines"])
        except order_lines.NotALine as error:
            raise forms.ValidationError(
                _("Line %(line)s cannot be read: product, version and quantity, like “Port 14 10”.")
                % {"line": error.line}
            ) from error


@staff_only(Permission.LOOK)
def orders(request: HttpRequest) -> HttpResponse:
    """The latest first, and what admins asked for."""
    form = OrderFilter(request.GET)
    given = form.cleaned_data if form.is_valid() else {"q": "", "state": ""}
    found = order_queries.find_orders(text=given["q"].strip(), state=given["state"])
    page = Paginator(found, ORDERS_A_PAGE).get_page(request.GET.get("page"))
    keys = order_queries.keys_of(page)
    context = {
        "page": page,
        "rows": [(order, keys.get(order.pk, []), _counted(keys.get(order.pk, []))) for order in page],
        "text": given["q"],
        "state": given["state"],
        "states": [ANY_STATE, *STATE_LABELS.items()],
        "replacements": order_queries.open_replacements()[:ORDERS_A_PAGE],
    }
    return respond(request, "staff/orders.html", context, form=OrderFilter())


@staff_only(Permission.ORDERS)
def enter(request: HttpRequest) -> HttpResponse:
    """Enter an order; its page then shows the keys until their delivery is confirmed."""
    form = OrderForm(request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            placed = fulfilment.place_order(
                order=WantedOrder(
                    number=given["number"],
                    account=given["account"],
                    customer=given["customer"],
                    reference=given["reference"],
                    lines=given["lines"],
                    keys_per=given["keys_per"],
                ),
                caller=caller(request, key=given["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="number" if isinstance(refusal, OrderNumberTaken) else None)
        else:
            messages.success(request, _("The order %(number)s is entered.") % {"number": placed.order.number})
            return redirect("staff-order", order_id=placed.order.pk)
    return respond(request, "staff/order_enter.html", {}, form=form)


@staff_only(Permission.LOOK, change=Permission.ORDERS)
def order(request: HttpRequest, order_id: int) -> HttpResponse:
    """One order: its lines, keys, and what can be done. A POST confirms the delivery, or shows the keys.

    Keys are shown by POST only: no address leads to one, and nobody sees one who only looks.
    """
    found = order_queries.get_order_by_id(order_id)
    codes: dict[int, str] = {}
    form = ActForm(request.POST or None)
    if form.is_valid():
        if request.POST.get("do") == "show":
            placed = fulfilment.show_codes(order=found, caller=caller(request), now=clock.now())
            codes = {one.activation_key.pk: one.code for one in placed.keys if one.code}
        else:
            try:
                who = caller(request, key=form.cleaned_data["act_key"])
                fulfilment.confirm_delivery(order=found, caller=who, now=clock.now())
            except DomainError as refusal:
                form.refuse(refusal)
            else:
                messages.success(request, _("The delivery is confirmed; the keys are forgotten here."))
                return redirect("staff-order", order_id=order_id)
    return respond(request, "staff/order.html", _context(found, codes=codes), form=form)


@staff_only(Permission.ORDERS)
def cancel(request: HttpRequest, order_id: int) -> HttpResponse:
    """Cancel an order, with a reason; the page says first what that does."""
    found = order_queries.get_order_by_id(order_id)

    def do(form: ReasonForm) -> str:
        fulfilment.cancel_order(order=found, caller=_reasoned(request, form), now=clock.now())
        return _("The order %(number)s is canceled.") % {"number": found.number}

    return _with_reason(request, "staff/order_cancel.html", _context(found, codes={}), do, back=found)


@staff_only(Permission.ORDERS)
def replace_key(request: HttpRequest, order_id: int, key_id: int) -> HttpResponse:
    """Replace a lost key, or refuse to, with a reason."""
    found = order_queries.get_order_by_id(order_id)
    key = order_queries.get_key(found, key_id=key_id)
    asked = order_queries.replacements_of(found).filter(activation_key=key, state="open").first()

    def do(form: ReasonForm) -> str:
        who, now = _reasoned(request, form), clock.now()
        if asked is not None and request.POST.get("do") == "refuse":
            key_replacement.refuse_replacement(request=asked, caller=who, now=now)
            return _("The request is refused; the key stays as it is.")
        key_replacement.replace_key(activation_key=key, caller=who, now=now)
        return _("The key is replaced. Show the new one below, and hand it over.")

    context = {**_context(found, codes={}), "key": key, "asked": asked}
    return _with_reason(request, "staff/key_replace.html", context, do, back=found)


def _counted(keys: Sequence[ActivationKey]) -> list[str]:
    """How many of an order's keys are in which state, where there are several."""
    states = Counter(key.ending or key.state for key in keys)
    return [f"{count} {KEY_STATES[state]}" for state, count in states.items()] if len(keys) > 1 else []


def _reasoned(request: HttpRequest, form: ReasonForm) -> Any:
    return caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])


def _with_reason(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    do: Callable[[ReasonForm], str],
    *,
    back: Order,
) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            said = do(form)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, said)
            return redirect("staff-order", order_id=back.pk)
    return respond(request, template, context, form=form)


def _context(found: Order, *, codes: dict[int, str]) -> dict[str, Any]:
    keys = order_queries.keys_of([found]).get(found.pk, [])
    holds = order_queries.lines_of_keys(keys)
    waiting = [key for key in keys if not key.ending and key.state != "activated"]
    return {
        "order": found,
        "lines": order_queries.lines_of([found]).get(found.pk, []),
        "keys": [(key, codes.get(key.pk), ", ".join(holds.get(key.pk, []))) for key in keys],
        "kept": any(hasattr(key, "delivery") for key in waiting),
        "cancelable": bool(waiting) and len(waiting) == len([key for key in keys if not key.ending]),
        "correctable": any(key.state == "activated" for key in keys) and found.canceled_by_id is None,
        "replacements": order_queries.replacements_of(found),
        "showing": bool(codes),
    }
