"""The staff page about tokens of the vendor's own programs (docs/decisions/0026)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import vendor_tokens
from accounts.models import VendorToken
from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from accounts.web.question import Question, ask
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond

SHOWN = 100


MEANINGS = {
    VendorToken.Scope.ORDERS: gettext_lazy("Enter, look up and cancel orders, and get their keys"),
    VendorToken.Scope.CUSTOMERS: gettext_lazy("Read and keep the customer list"),
}


class VendorTokenForm(ActForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("Of the program that will use it: histories name it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=[(str(scope), meaning) for scope, meaning in MEANINGS.items()],
        help_text=gettext_lazy("No more than the program needs: what a token may do does not change."),
        widget=forms.CheckboxSelectMultiple,
    )


@staff_only(Permission.LOOK, change=Permission.VENDOR_TOKENS)
def tokens(request: HttpRequest) -> HttpResponse:
    """What there is; a POST makes another one, whose text is shown once."""
    form = VendorTokenForm(request.POST or None)
    made = None
    if form.is_valid():
        try:
            made = vendor_tokens.create_vendor_token(
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                maker=person(request),
                caller=caller(request, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="name")
        else:
            form = VendorTokenForm()
    latest = VendorToken.objects.select_related("made_by").order_by("-made_at", "-pk")[:SHOWN]
    return respond(request, "staff/vendor_tokens.html", {"tokens": latest, "made": made}, form=form)


@staff_only(Permission.VENDOR_TOKENS)
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token, after a question."""
    token = vendor_tokens.get_vendor_token(token_id)
    back = reverse("staff-vendor-tokens")

    def do(key: str) -> HttpResponse:
        vendor_tokens.revoke_vendor_token(token=token, caller=caller(request, key=key), now=clock.now())
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
