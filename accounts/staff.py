"""What a member of staff may do, by the roles they have now (accounts.permissions)."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import StaffRole, User
from accounts.permissions import HOLDERS, Permission, Role
from portal.core.errors import Conflict, Forbidden


class RoleMissing(Forbidden):
    code = "role-missing"
    title = _("None of your roles lets you do this: %(permission)s.")
    why = _(
        "Each of the vendor's people may do what their work needs and no more. So a stolen sign-in does "
        "little harm, and whoever checks the books is not who writes them."
    )
    way_out = _("Ask a colleague who may: %(roles)s. Whoever gives roles can give you one.")


class StaffNeeded(Forbidden):
    code = "staff-needed"
    title = _("Such a decision has the name of a member of staff.")
    why = _("Where it takes two people, it must be certain that they are two.")
    way_out = _("Sign in to the staff console and decide there.")
    source = "mission rule 26"


class SecondPersonNeeded(Conflict):
    code = "second-person-needed"
    title = _("This takes a second person: it cannot be the same one again.")
    why = _(
        "Somebody alone could move licenses away without anybody noticing. Where there is much to lose, two "
        "people answer for it."
    )
    way_out = _("Ask a colleague to look at it and to decide it as well.")
    source = "mission rule 26"


def permissions_of(user: User) -> frozenset[Permission]:
    """What the person may do in the console now; nothing, for whoever is no staff."""
    if not (user.is_active and user.is_staff):
        return frozenset()
    if user.is_superuser:
        return frozenset(Permission)
    roles = {Role(role) for role in user.staff_roles.values_list("role", flat=True)}
    return frozenset(permission for permission, holders in HOLDERS.items() if holders & roles)


def holders_of(permission: Permission) -> QuerySet[User]:
    """The vendor's people who may do something now."""
    with_role = StaffRole.objects.filter(user=OuterRef("pk"), role__in=HOLDERS[permission])
    return User.objects.filter(Q(is_superuser=True) | Q(Exists(with_role)), is_active=True, is_staff=True)


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
