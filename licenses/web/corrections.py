"""The staff page that takes an order back that was activated by mistake (mission rule 10)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from licenses import correction_queries, order_queries
from licenses.corrections import correct_order
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond


@staff_only(Permission.LOOK, change=Permission.CORRECT_ORDERS)
def correct(request: HttpRequest, number: str) -> HttpResponse:
    """The numbers before and after, and what is in the way; a POST with a reason takes the order back."""
    order = order_queries.get_order(number)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        who = caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])
        try:
            correct_order(order=order, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The order %(number)s is taken back.") % {"number": order.number})
            return redirect("staff-order-correct", order.number)
    done = order.canceled_by_id is not None
    corrections = [] if done else correction_queries.corrections_of(order)
    obstacles = correction_queries.in_the_way(corrections)
    allowed = Permission.CORRECT_ORDERS in person(request).staff_permissions
    context = {
        "order": order,
        "corrections": corrections,
        "obstacles": obstacles,
        "may_correct": allowed and bool(corrections) and not obstacles,
        "title": _("Take back order %(number)s") % {"number": order.number},
    }
    return respond(request, "staff/order_correct.html", context, form=form)
