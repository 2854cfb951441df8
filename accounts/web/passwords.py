"""Passwords: forgotten, chosen anew, changed."""

from allauth.account.views import (
    PasswordChangeView,
    PasswordResetDoneView,
    PasswordResetFromKeyDoneView,
    PasswordResetFromKeyView,
    PasswordResetView,
    PasswordSetView,
)

from accounts.web.page import OwnPage, Page


class Forgot(Page, PasswordResetView):
    """Ask for a link by mail. The answer is the same for every address."""


class ForgotMailSent(Page, PasswordResetDoneView):
    """Look into your mail."""


class ChooseNew(Page, PasswordResetFromKeyView):
    """Where the link leads: a new password."""


class NewChosen(Page, PasswordResetFromKeyDoneView):
    """And from there to the sign-in."""


class Change(OwnPage, PasswordChangeView):
    """A new password for the old one; all other sessions end."""


class Choose(OwnPage, PasswordSetView):
    """A first password, for somebody who signs in with a passkey only."""
