"""The secret address under which a calendar program reads what ends: made, revoked, and found again.

A calendar program cannot sign in; whoever has the address sees what ends in the person's projects, and can do
nothing. It is shown once; a new one takes the place of the old.
"""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import CalendarFeed, User
from portal.core import audit
from portal.core.acts import Caller
from portal.core.errors import NotFound


class NoSuchCalendar(NotFound):
    code = "no-such-calendar"
    title = _("There is no calendar under this address any more.")
    why = _(
        "The address is the secret. One that was replaced or revoked gets the same answer as one that never "
        "was, so that nobody can find one by trying."
    )
    way_out = _("Make a new address in the portal, under Account, Calendar, and give it to your calendar.")


@transaction.atomic(durable=True)
def make_calendar_feed(*, user: User, caller: Caller, now: datetime) -> str:
    """Make the person's calendar address; an earlier one ends with that. Returns the secret part of it."""
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(user=user, defaults={"token_sha256": _hash(token), "made_at": now})
    audit.record("calendar-made", caller=caller, now=now)
    return token


@transaction.atomic(durable=True)
def revoke_calendar_feed(*, user: User, caller: Caller, now: datetime) -> None:
    """End the person's calendar address. Where there is none nothing changes."""
    removed, _by_model = CalendarFeed.objects.filter(user=user).delete()
    if removed:
        audit.record("calendar-revoked", caller=caller, now=now)


def calendar_feed_of(user: User) -> CalendarFeed | None:
    """The person's address, if there is one; the secret itself is not known any more."""
    return CalendarFeed.objects.filter(user=user).first()


def find_by_token(token: str) -> CalendarFeed:
    """Whose calendar it is.

    :raises NoSuchCalendar: nobody's, or somebody's who may not sign in any more.
    """
    # A look-up by the hash of 256 random bits: no time it takes tells anything of another address.
    found = (
        CalendarFeed.objects.select_related("user")
        .filter(token_sha256=_hash(token), user__is_active=True, user__left_at=None)
        .first()
    )
    if found is None:
        raise NoSuchCalendar
    return found


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"olp-calendar-v1\x00" + token.encode()).digest()
