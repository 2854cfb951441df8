"""The orders of a linked company, and asking for another key where one was lost (mission rule 2)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import queries as accounts
from accounts.requests import caller, person, signed_in
from licenses import key_replacement, order_queries
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond

ORDERS_A_PAGE = 50


@signed_in
def company_orders(request: HttpRequest, company_id: int) -> HttpResponse:
    """For admins: what the vendor sold to the customer account that the company is linked to."""
    company = accounts.get_company(company_id=company_id, user=person(request), admin=True)
    number = request.GET.get("q", "").strip()[:40]
    found = order_queries.orders_of(company)
    if number:
        found = found.filter(number__icontains=number)
    page = Paginator(found, ORDERS_A_PAGE).get_page(request.GET.get("page"))
    keys, lines = order_queries.keys_of(page), order_queries.lines_of(page)
    waiting = set(
        order_queries.open_replacements().filter(company=company).values_list("activation_key", flat=True)
    )
    context = {
        "company": company,
        "account": getattr(company, "customer_account", None),
        "text": number,
        "page": page,
        "rows": [(order, lines.get(order.pk, []), keys.get(order.pk, [])) for order in page],
        "waiting": waiting,
    }
    return render(request, "orders/company_orders.html", context)


@signed_in
def lost_key(request: HttpRequest, company_id: int, order_id: int, key_id: int) -> HttpResponse:
    """Ask fulfilment for another key in the place of a lost one."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user, admin=True)
    order = order_queries.get_order_of(company, order_id=order_id)
    key = order_queries.get_key(order, key_id=key_id)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            key_replacement.ask_for_replacement(
                activation_key=key,
                company=company,
                user=user,
                caller=caller(request, company=company, key=given["act_key"], reason=given["reason"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Fulfilment was asked for another key. The answer comes by mail."))
            return redirect("company-orders", company_id=company.pk)
    return respond(
        request, "orders/lost_key.html", {"company": company, "order": order, "key": key}, form=form
    )
