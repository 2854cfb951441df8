"""Who is on the staff, with which roles, and how well their sign-ins are guarded.

Apart from accounts.staff, which operations ask: what knows allauth's tables cannot be loaded where the pages
of allauth are not, as in the pool of the device doors.
"""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import StaffRole, User
from accounts.permissions import Role

# Recovery codes stand in for one of these, and are none by themselves.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: User) -> bool:
    """Whether signing in as this person takes more than the password."""
    found: bool = Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists()
    return found


def everybody() -> QuerySet[User]:
    """The vendor's people by surname, with their roles; `secured`: whether they have a second factor."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
    return (
        User.objects.filter(is_staff=True, left_at=None)
        .annotate(secured=Exists(factors))
        .prefetch_related("staff_roles__given_by")
        .order_by("surname", "forename", "pk")
    )


def roles_of(user: User) -> list[StaffRole]:
    """The roles of one person, in the order of the table."""
    order = list(Role)
    return sorted(user.staff_roles.all(), key=lambda held: order.index(Role(held.role)))
