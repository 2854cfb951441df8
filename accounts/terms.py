"""The terms: who accepted which, and when (mission rule 1)."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import TermsAcceptance, User
from portal.core import audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Forbidden


class TermsNotAccepted(Forbidden):
    code = "terms-not-accepted"
    title = _("There are new terms, and you have not accepted them yet.")
    why = _(
        "The terms say what you and the vendor may expect of each other. They bind only somebody who had the "
        "chance to read them, so a program cannot accept them for you."
    )
    way_out = _("Sign in with a browser, read them and accept them. Nothing was changed by this request.")
    source = "mission rule 1"


class TermsChanged(Conflict):
    code = "terms-changed"
    title = _("The terms were changed while you read them.")
    why = _("The portal records which version you accepted. It must be the one you had before your eyes.")
    way_out = _("Read the terms as they are now, and accept those.")
    source = "mission rule 1"


# Not durable: the link in the first mail accepts in the transaction in which it activates the account.
@transaction.atomic
def accept(*, user: User, version: str, caller: Caller, now: datetime) -> None:
    """Keep that a person accepts the terms, once for each version.

    :raises TermsChanged: these are not the terms of now.
    """
    if version != settings.TERMS_VERSION:
        raise TermsChanged
    _row, fresh = TermsAcceptance.objects.get_or_create(user=user, version=version, defaults={"at": now})
    user.terms_version = version
    user.save(update_fields=["terms_version"])
    if fresh:
        audit.record("terms-accepted", caller=caller, now=now, version=version)
