"""From the registration form to an account that may sign in (mission rule 1)."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import (
    AccountInactiveView,
    ConfirmEmailView,
    EmailVerificationSentView,
    SignupView,
)
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from accounts import terms
from accounts.middleware import open_without_terms
from accounts.models import User
from accounts.people import AddressTaken
from accounts.web.page import Page
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.addresses import address_of


class Register(Page, SignupView):
    """E-mail address, names, password, terms. Whether the address has an account shows in a mail only."""

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *arguments, **named)
        except IntegrityError:
            # Two at once with one address: the other has the account and the mail, the answer is the same.
            return redirect("account_email_verification_sent")

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return {**super().get_context_data(**context), "terms_version": settings.TERMS_VERSION}


class MailSent(Page, EmailVerificationSentView):
    """Look into your mail: the same for every address."""


class NotActive(Page, AccountInactiveView):
    """Where allauth leads somebody whose account is closed."""


@method_decorator(open_without_terms, name="dispatch")
class ConfirmAddress(Page, ConfirmEmailView):
    """Where the link in a mail leads. The first one activates the account and accepts the terms; a later one
    changes the address."""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        first = self.object is not None and _is_first(self.object.email_address)
        return {
            **super().get_context_data(**context),
            "first": first,
            "terms_version": settings.TERMS_VERSION,
        }

    def post(self, *arguments: Any, **named: Any) -> HttpResponse:
        """:raises AddressTaken: meanwhile another account has the address."""
        address = self.get_object().email_address
        first = _is_first(address)
        try:
            with transaction.atomic():
                response: HttpResponse = super().post(*arguments, **named)
        except IntegrityError as error:
            raise AddressTaken from error
        address.refresh_from_db()
        if first and address.verified:
            user = address.user
            terms.accept(
                user=user, version=settings.TERMS_VERSION, caller=self._caller(user), now=clock.now()
            )
        return response

    def _caller(self, user: User) -> Caller:
        # Nobody is signed in: who holds the link is the person.
        return Caller(
            scope=f"user:{user.pk}",
            key=acts.new_key(),
            name=user.get_full_name(),
            user_id=user.pk,
            address=address_of(self.request),
        )


def _is_first(address: EmailAddress) -> bool:
    return not EmailAddress.objects.filter(user=address.user_id, verified=True).exists()
