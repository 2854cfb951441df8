"""The staff page that blocks an activation key, or unblocks it (mission rule 10)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from licenses import key_blocking, order_queries
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond


@staff_only(Permission.BLOCK)
def block(request: HttpRequest, key_id: int) -> HttpResponse:
    """Say what it does; a POST with a reason blocks a key that waits, and unblocks a blocked one."""
    key = order_queries.get_key_for_staff(key_id)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        unblocking = request.POST.get("do") == "unblock"
        change = key_blocking.unblock_activation_key if unblocking else key_blocking.block_activation_key
        who = caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])
        try:
            change(key=key, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            said = (
                _("The key ending in %(key)s can be activated again.")
                if unblocking
                else _("The key ending in %(key)s is blocked.")
            )
            messages.success(request, said % {"key": key.last_four})
            return redirect("staff-key-block", key_id)
    return respond(request, "staff/block_activation_key.html", {"key": key}, form=form)
