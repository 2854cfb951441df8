"""What a member of staff may do, by the roles they have now (accounts.permissions)."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import StaffRole, User
from accounts.permissions import HOLDERS, Permission, Role
from portal.core.errors import Forbidden

# Recovery codes stand in for one of these, and are none by themselves.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class RoleMissing(Forbidden):
    code = "role-missing"
    title = _("None of your roles lets you do this: %(permission)s.")
    why = _(
        "Each of the vendor's people may do what their work needs and no more. So a stolen sign-in does "
        "little harm, and whoever checks the books is not who writes them."
    )
    way_out = _("Ask a colleague who may: %(roles)s. Whoever gives roles can give you one.")


def permissions_of(user: User) -> frozenset[Permission]:
    """What the person may do in the console now; nothing, for whoever is no staff."""
    if not (user.is_active and user.is_staff):
        return frozenset()
    if user.is_superuser:
        return frozenset(Permission)
    roles = {Role(role) for role in user.staff_roles.values_list("role", flat=True)}
    return frozenset(permission for permission, holders in HOLDERS.items() if holders & roles)


def require(permission: Permission, *, user_id: int | None) -> None:
    """Hold what only some roles may do. `None` is the operator at the prompt, who may everything.

    :raises RoleMissing: the person may not. Facts `permission`, `roles`, in words.
    """
    if user_id is not None and permission not in permissions_of(User.objects.get(pk=user_id)):
        raise missing(permission)


def missing(permission: Permission) -> RoleMissing:
    """The refusal of somebody without the permission."""
    roles = [str(role.label) for role in Role if role in HOLDERS[permission]] or [str(_("superusers"))]
    return RoleMissing(permission=str(permission.label), roles=", ".join(roles))


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
