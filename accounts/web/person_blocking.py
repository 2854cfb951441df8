"""The staff page that blocks a person, or lets them in again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import person_blocking
from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond


@staff_only(Permission.BLOCK_PEOPLE)
def block(request: HttpRequest, user_id: int) -> HttpResponse:
    """Say what it does; a POST with a reason blocks whoever may sign in, and lets in whoever is blocked."""
    found = person_blocking.get_person(user_id)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        unblocking = request.POST.get("do") == "unblock"
        change = person_blocking.unblock_person if unblocking else person_blocking.block_person
        who = caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])
        try:
            change(user=found, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            said = _("%(name)s may sign in again.") if unblocking else _("%(name)s is blocked.")
            messages.success(request, said % {"name": found.get_full_name()})
            return redirect("staff-person-block", user_id)
    return respond(request, "staff/block_person.html", {"found": found}, form=form)
