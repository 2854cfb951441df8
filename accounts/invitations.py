"""Open invitations: how one is made, mailed and ended. Operations on members and on rights share it."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import mails
from accounts.models import Company, Invitation, Project, User
from portal.core import acts, throttle
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid
from portal.core.throttle import Limit

GOOD_FOR = timedelta(days=14)
# A mail goes to whomever an admin names: the portal must not become somebody's way to send many.
MAILS = Limit(name="invitation-mails", times=60, seconds=3600)
_ADDRESS = re.compile(r"[^\s@<>\"\\\x00-\x20]+@[^\s@<>\"\\\x00-\x20]+\.[^\s@<>\"\\\x00-\x20]+")


class AddressNeeded(Invalid):
    code = "address-needed"
    title = _("This is not an e-mail address.")
    why = _(
        "An invitation is a link in a mail. Only who can read the mail at that address can accept it, so "
        "there has to be one."
    )
    way_out = _("Enter the address of the person, like name@example.com.")
    source = "mission rule 2"


class AlreadyInvited(Conflict):
    code = "already-invited"
    title = _("There is an open invitation for this address already.")
    why = _("Two open invitations could promise different rights, and nobody could tell which one counts.")
    way_out = _("Send it again, or withdraw it first to invite with another role or right.")
    source = "mission rule 5"


def canonical_address(text: str) -> str:
    """An e-mail address as it is kept: without blanks around, in lower case like those of accounts.

    :raises AddressNeeded: it is none.
    """
    address = text.strip().lower()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise AddressNeeded
    return address


def count_mail(company: Company, *, what: Mapping[str, Any], caller: Caller, now: datetime) -> None:
    """Count a mail that somebody of the company has the portal send; outside of the transaction.

    :param what: whom it invites into what; the same call again is counted once.
    :raises RateLimited: the company has sent too many within the hour.
    """
    call = acts.call_id("invitation-mail", caller, what)
    throttle.hit(MAILS, f"company:{company.pk}", now=now, call=call)


def open_invitation(
    *,
    company: Company,
    project: Project | None,
    email: str,
    role: str,
    level: str,
    inviter: User,
    now: datetime,
) -> Invitation:
    """Write an invitation and its mail. An expired one for the same address makes room.

    :raises AlreadyInvited: there is an open one.
    """
    for stale in Invitation.objects.filter(
        company=company, project=project, email=email, ended_at__isnull=True, expires_at__lte=now
    ):
        end(stale, how=Invitation.End.EXPIRED, now=now)
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            invitation = Invitation.objects.create(
                company=company,
                project=project,
                email=email,
                role=role,
                level=level,
                token_sha256=hash_of(token),
                invited_by=inviter,
                invited_at=now,
                expires_at=now + GOOD_FOR,
            )
    except IntegrityError as error:
        raise AlreadyInvited from error
    _mail(invitation, token=token, now=now)
    return invitation


def renew(invitation: Invitation, *, now: datetime) -> None:
    """Give an open invitation a new link and its full time, and mail it. Links sent before are dead."""
    token = secrets.token_urlsafe(32)
    invitation.token_sha256, invitation.expires_at = hash_of(token), now + GOOD_FOR
    invitation.save(update_fields=["token_sha256", "expires_at"])
    _mail(invitation, token=token, now=now)


def end(invitation: Invitation, *, how: Invitation.End, now: datetime, by: User | None = None) -> None:
    """End an invitation, and forget the address; `by` is the invited person, where that is who ends it."""
    invitation.ended_at, invitation.end, invitation.email, invitation.answered_by = now, how, "", by
    invitation.save(update_fields=["ended_at", "end", "email", "answered_by"])


def hash_of(token: str) -> bytes:
    """What is kept of a link's token."""
    return hashlib.sha256(b"olp-invitation-v1\x00" + token.encode()).digest()


def _mail(invitation: Invitation, *, token: str, now: datetime) -> None:
    invited = User.objects.filter(email__iexact=invitation.email).first()
    mails.write(
        "accounts/email/invitation",
        to=invitation.email,
        # Who has no account yet is spoken to in the language of whoever invites.
        language=invited.language if invited else get_language() or settings.LANGUAGE_CODE,
        context={
            "inviter": invitation.invited_by.get_full_name(),
            "company": invitation.company.name,
            "project": invitation.project.name if invitation.project else "",
            "url": f"{settings.PORTAL_ORIGINS[0]}/invitations/link/{token}",
        },
        now=now,
    )
