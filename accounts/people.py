"""Operations on people: whom the vendor lets in, and what a person says of themselves."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import User
from portal.core import audit
from portal.core.acts import Caller
from portal.core.errors import Conflict


class AddressTaken(Conflict):
    code = "address-taken"
    title = _("There is an account with this e-mail address already.")
    way_out = _("Use the account that is there, or another address.")


@transaction.atomic(durable=True)
def add_person(
    *,
    email: str,
    forename: str,
    surname: str,
    caller: Caller,
    now: datetime,
    password: str | None = None,
    is_staff: bool = False,
) -> User:
    """Let somebody in whose address the caller vouches for: staff, and the demo's people.

    They accept the terms at the first sign-in. Without a password they ask for one by mail.

    :raises NameOfAPersonNeeded: names are a person's.
    :raises AddressTaken: somebody has an account under this address, whatever its case.
    """
    forename, surname = names.read(forename), names.read(surname)
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            user = User.objects.create_user(
                email.lower(), password, forename=forename, surname=surname, is_staff=is_staff
            )
    except IntegrityError as error:
        raise AddressTaken from error
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    audit.record("person-added", caller=caller, now=now, user=user.pk, staff=is_staff)
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
