"""API tokens of a company or a project: what there is, making one, revoking one (docs/decisions/0016)."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import api_tokens, queries
from accounts.api_tokens import (
    SCOPES_OF_A_COMPANY,
    SCOPES_OF_A_PROJECT,
    ApiTokenEndsInThePast,
    ApiTokenNameTaken,
    ApiTokenNeedsAName,
    ApiTokenScopeUnknown,
)
from accounts.models import ApiToken, Company, Project
from accounts.queries import MANAGE, get_api_token, get_company, get_project
from accounts.requests import caller, person, signed_in
from accounts.web.question import Question, ask
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, DayInput, respond

SHOWN = 100
MEANINGS = {
    ApiToken.Scope.OPERATE: gettext_lazy(
        "Add and release devices, assign licenses, download, hand in statements, claim"
    ),
    ApiToken.Scope.ACTIVATE: gettext_lazy("Look at and activate keys"),
    ApiToken.Scope.TRANSFER: gettext_lazy("Transfer licenses between balances"),
    ApiToken.Scope.MANAGE: gettext_lazy("Create, change and archive projects, put devices into other ones"),
}
FIELD_OF: dict[type[DomainError], str] = {
    ApiTokenNeedsAName: "name",
    ApiTokenNameTaken: "name",
    ApiTokenScopeUnknown: "scopes",
    ApiTokenEndsInThePast: "last_day",
}


class TokenForm(ActForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("Of the program that will use it: histories name it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        required=False,
        help_text=gettext_lazy("Every token may read. A token can do nothing that concerns people."),
        widget=forms.CheckboxSelectMultiple,
    )
    last_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("In UTC. Empty: it works until it is revoked."),
        widget=DayInput(),
    )

    def __init__(self, *args: Any, scopes: tuple[str, ...], **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["scopes"]
        field.choices = [(scope, MEANINGS[ApiToken.Scope(scope)]) for scope in scopes if scope != "read"]


@signed_in
def company_tokens(request: HttpRequest, company_id: int) -> HttpResponse:
    """The tokens of a company, for its admins."""
    company = get_company(company_id=company_id, user=person(request), admin=True)
    return _page(request, company, None)


@signed_in
def project_tokens(request: HttpRequest, project_id: int) -> HttpResponse:
    """The tokens of a project, for those who manage it."""
    project = get_project(project_id=project_id, user=person(request), right=MANAGE)
    return _page(request, project.company, project)


@signed_in
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token, after a question."""
    token = get_api_token(token_id=token_id, user=person(request))
    if token.project_id is None:
        back = reverse("company-api-tokens", args=[token.company_id])
    else:
        back = reverse("project-api-tokens", args=[token.project_id])

    def do(key: str) -> HttpResponse:
        api_tokens.revoke_api_token(
            api_token=token,
            caller=caller(request, company=token.company, key=key),
            now=clock.now(),
        )
        messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
        return redirect(back)

    question = Question(
        title=_("Revoke the token %(name)s?") % {"name": token.name},
        meaning=[
            _("The program that uses it is refused at once."),
            _("It cannot be undone, but another one can be made."),
            _("What it did stays in the histories."),
        ],
        yes=_("Revoke the token"),
        back=back,
    )
    return ask(request, question, do=do)


def _page(request: HttpRequest, company: Company, project: Project | None) -> HttpResponse:
    scopes = SCOPES_OF_A_PROJECT if project else SCOPES_OF_A_COMPANY
    form = TokenForm(request.POST or None, scopes=scopes)
    made = None
    now = clock.now()
    if form.is_valid():
        last_day = form.cleaned_data["last_day"]
        try:
            made = api_tokens.create_api_token(
                company=company,
                project=project,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                expires_at=_end_of(last_day) if last_day else None,
                maker=person(request),
                caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
                now=now,
            )
        except DomainError as refusal:
            form.refuse(refusal, field=FIELD_OF.get(type(refusal)))
        else:
            form = TokenForm(scopes=scopes)
    tokens = list(queries.api_tokens_of(company, project=project)[:SHOWN])
    context = {"company": company, "project": project, "tokens": tokens, "made": made, "now": now}
    return respond(request, "accounts/api_tokens.html", context, form=form)


def _end_of(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=1)
