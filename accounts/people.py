"""Operations on people: whom the vendor lets in, and what a person says of themselves."""

from collections.abc import Collection
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import mails, names
from accounts.models import StaffRole, User
from accounts.permissions import Role
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound

UNCONFIRMED_KEPT = timedelta(days=7)
"""How long a registration waits for its link to be followed; the link itself is good for three days."""


class AddressTaken(Conflict):
    code = "address-taken"
    title = _("There is an account with this e-mail address already.")
    why = _(
        "People sign in, are invited and get back a lost account by their e-mail address. So one address "
        "stands for one person."
    )
    way_out = _("Use the account that is there, or another address.")
    source = "mission rule 1"


class NoSuchPerson(NotFound):
    code = "no-such-person"
    title = _("There is no account with this e-mail address.")
    why = _(
        "Without second factors a password alone is enough to sign in. Removing them must hit the right "
        "person, so the command never takes a similar address for the one that was given."
    )
    way_out = _("Check the address; it may have been changed.")
    source = "mission rule 1"


@transaction.atomic(durable=True)
def add_person(
    *,
    email: str,
    forename: str,
    surname: str,
    caller: Caller,
    now: datetime,
    password: str | None = None,
    roles: Collection[Role] = (),
    is_superuser: bool = False,
) -> User:
    """Let somebody in whose address the caller vouches for: staff, and the demo's people.

    They accept the terms at the first sign-in. Without a password they ask for one by mail.

    :param roles: those of a member of staff; none for a partner.
    :param is_superuser: whether it is a member of staff who may everything, giving roles among it.
    :raises NameOfAPersonNeeded: names are a person's.
    :raises AddressTaken: somebody has an account under this address, whatever its case.
    """
    forename, surname = names.read(forename), names.read(surname)
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            user = User.objects.create_user(
                email.lower(),
                password,
                forename=forename,
                surname=surname,
                is_staff=bool(roles) or is_superuser,
                is_superuser=is_superuser,
            )
    except IntegrityError as error:
        raise AddressTaken from error
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    StaffRole.objects.bulk_create(
        [StaffRole(user=user, role=role, given_at=now, given_by_id=caller.user_id) for role in roles]
    )
    audit.record(
        "person-added",
        caller=caller,
        now=now,
        user=user.pk,
        roles=sorted(roles),
        superuser=is_superuser,
    )
    return user


@transaction.atomic(durable=True)
def change_profile(
    *, user: User, forename: str, surname: str, language: str, caller: Caller, now: datetime
) -> None:
    """Change a person's name, and the language of pages and mails (a code of settings.LANGUAGES).

    :raises NameOfAPersonNeeded: names are a person's.
    """
    user.forename, user.surname, user.language = names.read(forename), names.read(surname), language
    user.save(update_fields=["forename", "surname", "language"])
    audit.record("profile-changed", caller=caller, now=now)


@transaction.atomic(durable=True)
def remove_second_factors(*, email: str, caller: Caller, now: datetime) -> None:
    """Let somebody in again who lost every second factor and the recovery codes, and tell them by mail.

    Whoever calls it has made sure who asks, and says how in the reason.

    :raises ReasonNeeded: without a reason.
    :raises NoSuchPerson: nobody has this address.
    """
    acts.reason_of(caller)
    user = User.objects.select_for_update().filter(email__iexact=email, left_at=None).first()
    if user is None:
        raise NoSuchPerson
    removed, _rows = Authenticator.objects.filter(user=user).delete()
    mails.write(
        "account/email/second_factors_removed",
        to=user.email,
        language=user.language,
        context={"owner": user},
        recipient=user,
        now=now,
    )
    audit.record(
        "second-factors-removed",
        caller=caller,
        now=now,
        user=user.pk,
        factors=removed,
        reason=caller.reason.strip(),
    )


@transaction.atomic(durable=True)
def forget_registration(*, user_id: int) -> None:
    """Delete a registration whose link nobody followed: the address is free again, nothing is kept of it."""
    # The link of a mail that was sent again may be followed right now: it writes the address first. Locked,
    # the address is what that left behind.
    addresses = list(EmailAddress.objects.select_for_update().filter(user=user_id))
    if not any(address.verified for address in addresses):
        User.objects.filter(pk=user_id, left_at=None, terms_version="").delete()
