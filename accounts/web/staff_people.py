"""The staff page about the vendor's own people: who has which role, and the second factor it takes."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import staff_queries, staff_roles
from accounts.permissions import HOLDERS, Permission, Role
from accounts.requests import caller, person, signed_in, staff_only
from accounts.staff_roles import NobodyToGiveARole
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond


class RoleForm(ReasonForm):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)
    field_order = ("email", "role", "reason")


@staff_only(Permission.LOOK, change=Permission.ROLES)
def roles(request: HttpRequest) -> HttpResponse:
    """Who works here, with roles and second factor, and what each role may. A POST gives or takes a role."""
    form = RoleForm(request.POST or None, initial={"email": request.GET.get("email", "")})
    if form.is_valid():
        given = form.cleaned_data
        taking = request.POST.get("do") == "take"
        change = staff_roles.take_role if taking else staff_roles.give_role
        role = Role(given["role"])
        try:
            user = change(
                email=given["email"],
                role=role,
                caller=caller(request, key=given["act_key"], reason=given["reason"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="email" if isinstance(refusal, NobodyToGiveARole) else None)
        else:
            said = (
                _("%(name)s no longer has the role %(role)s.")
                if taking
                else _("%(name)s has the role %(role)s.")
            )
            messages.success(request, said % {"name": user.get_full_name(), "role": role.label})
            return redirect("staff-roles")
    return respond(request, "staff/roles.html", _context(), form=form)


def _context() -> dict[str, Any]:
    return {
        "people": [(one, staff_queries.roles_of(one)) for one in staff_queries.everybody()],
        "matrix": [
            (permission.label, [role.value for role in Role if role in holders])
            for permission, holders in HOLDERS.items()
        ],
    }


@signed_in
def second_factor(request: HttpRequest) -> HttpResponse:
    """Where staff without a second factor are led: why, and the ways to set one up."""
    user = person(request)
    if not user.is_staff:
        raise Http404
    if not settings.STAFF_SECOND_FACTOR or staff_queries.has_second_factor(user):
        return redirect("staff")
    return render(request, "staff/second_factor.html", {})
