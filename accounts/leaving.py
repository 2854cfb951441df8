"""Leaving: an account ends, and with it everything the portal knows of the person but their acts.

The row of the user stays, empty: histories and acts point to it, are never changed, and say "a former member"
(docs/decisions/0014).
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts import mails, notices, scopes
from accounts.models import (
    CalendarFeed,
    Company,
    Invitation,
    Membership,
    ProjectRight,
    StaffRole,
    UnwantedNotice,
    User,
)
from portal.core import audit, long_jobs
from portal.core.acts import Caller


@transaction.atomic(durable=True)
def delete_account(*, user: User, caller: Caller, now: datetime) -> None:
    """Delete an account: sessions, second factors, addresses, memberships and rights go, the name is erased.

    A company whose only member leaves stays, with its balance and projects, for support to deal with. A
    second call does nothing.

    :raises LastAdmin: a company would be left with members and without an admin. Fact `company`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.left_at is not None:
        return
    _leave_companies(user, caller=caller, now=now)
    ProjectRight.objects.filter(user=user).delete()
    # Nobody will open them any more, and they hold the address.
    invitations_to_them = Invitation.objects.filter(email__iexact=user.email, ended_at__isnull=True)
    for company_id in set(invitations_to_them.values_list("company_id", flat=True)):
        mails.forget_invitation(address=user.email, company_id=company_id, now=now)
    invitations_to_them.update(ended_at=now, end=Invitation.End.WITHDRAWN, email="")
    audit.record("account-deleted", caller=caller, now=now)
    mails.write(
        "account/email/account_deleted",
        to=user.email,
        language=user.language,
        context={"name": user.get_full_name()},
        recipient=user,
        now=now,
    )
    mails.forget_person(user)
    long_jobs.forget(user_id=user.pk)
    Session.objects.filter(
        session_key__in=UserSession.objects.filter(user=user).values_list("session_key", flat=True)
    ).delete()
    for of_the_person in (UserSession, Authenticator, EmailAddress, CalendarFeed, UnwantedNotice, StaffRole):
        of_the_person._default_manager.filter(user=user).delete()
    user.email = f"former-member-{user.pk}@invalid"  # unique, and nobody's: RFC 2606
    user.forename = user.surname = ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.last_login = None
    user.left_at = now
    user.set_unusable_password()
    user.save()


def _leave_companies(user: User, *, caller: Caller, now: datetime) -> None:
    # Two admins who leave at once must not each find the other still there: both lock the companies first, in
    # the order of ids, then look.
    companies = list(
        Company.objects.select_for_update(of=("self",), no_key=True)
        .filter(memberships__user=user)
        .order_by("pk")
    )
    for company in companies:
        scopes.require_another_admin(company, besides=user.pk)
        Membership.objects.filter(company=company, user=user).delete()
        audit.record("member-left", caller=caller, now=now, company_id=company.pk, user=user.pk)
        notices.member_left(user, company, caller=caller, now=now)
