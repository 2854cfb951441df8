"""Activating a key in two steps: look at what it holds, then confirm (mission rule 9).

The code travels in the body of both requests and nowhere else: no address, log or message ever holds it.
"""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from accounts import queries as accounts
from accounts.models import Company, Project, User
from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from accounts.web import active
from licenses import activation, queries
from licenses.activation import KeyContents
from licenses.web import choices
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, OfferedField, respond


class KeyForm(ActForm):
    code = forms.CharField(
        label=gettext_lazy("Activation key"),
        max_length=200,
        help_text=gettext_lazy(
            "25 characters, as on the certificate. Upper or lower case, dashes and blanks do not matter."
        ),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "mono",
                "data-activation-code": True,
                "placeholder": "XXXXX-XXXXX-XXXXX-XXXXX-XXXXX",
            }
        ),
    )
    target = OfferedField(
        label=gettext_lazy("Put its licenses into"),
        help_text=gettext_lazy("From the company balance they can be transferred to any project later."),
    )


@signed_in
@sensitive_post_parameters("code")
def activate(request: HttpRequest) -> HttpResponse:
    """Step one shows what the key holds; step two, with `confirm`, activates it."""
    user = person(request)
    targets = targets_of(user)
    form = KeyForm(request.POST or None, initial={"target": first_target(request)})
    offer(form, targets)
    if form.is_valid():
        try:
            target = find_target(form.cleaned_data["target"], user)
            company = choices.company_of(target)
            act = caller(request, company=company, key=form.cleaned_data["act_key"])
            code = form.cleaned_data["code"]
            if "confirm" in request.POST:
                done = activation.activate_key(code=code, target=target, caller=act, now=clock.now())
                return redirect("activation", act_id=done.transfers[0].act_id)
            contents = activation.look_at_key(code=code, company=company, caller=act, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal, field="code" if isinstance(refusal, activation.KeyUnknown) else None)
        else:
            return _confirm(request, form, contents, target)
    return with_camera(respond(request, "licenses/activate.html", {"targets": targets}, form=form))


@signed_in
def activation_made(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """What an activation brought in, and where it is now."""
    record = queries.get_activation(act_id=act_id, user=person(request))
    return render(
        request,
        "licenses/activation.html",
        {"record": record, "project": record.target if isinstance(record.target, Project) else None},
    )


def _confirm(
    request: HttpRequest, form: KeyForm, contents: KeyContents, target: Company | Project
) -> HttpResponse:
    lines = [
        {
            "product": line.product,
            "quantity": line.quantity,
            "before": (before := queries.free_in(target, product=line.product)),
            "after": before + line.quantity,
        }
        for line in contents.lines
    ]
    context = {
        "form": form,
        "contents": contents,
        "target": choices.label_of(target),
        "company": choices.company_of(target),
        "is_member": True,
        "lines": lines,
    }
    return render(request, "licenses/activate_confirm.html", context)


def with_camera(response: HttpResponse) -> HttpResponse:
    """The page may use the camera, to scan codes. No other page may (portal.core.middleware)."""
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


def targets_of(user: User) -> list[Company | Project]:
    """Balances a key may go into: of companies the user is a member of, never an end customer's project."""
    operated = list(accounts.projects_of(user, right=OPERATE).filter(archived_at=None))
    targets: list[Company | Project] = []
    for company in accounts.companies_of(user):
        targets.append(company)
        targets += [project for project in operated if project.company_id == company.pk]
    return targets


def offer(form: ActForm, targets: list[Company | Project]) -> None:
    """Show the balances in the form's field `target`."""
    field = form.fields["target"]
    assert isinstance(field, OfferedField), "set by the form's class"
    field.offer(list(choices.offered(targets)))


def first_target(request: HttpRequest) -> str:
    """What stands first if it is among those that are offered: the address's, or the active project."""
    project = active.active_project(request)
    return request.GET.get("into") or (f"project:{project}" if project else "")


def find_target(name: str, user: User) -> Company | Project:
    """The balance that a form names, for keys.

    :raises: as `choices.find_balance`.
    :raises NoSuchCompany: it is an end customer's project.
    """
    target = choices.find_balance(name, user=user, right=OPERATE)
    if isinstance(target, Project):
        accounts.require_member(project=target, user=user)
    return target
