"""Giving roles in the vendor's staff to people, and taking them (docs/decisions/0022)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import StaffRole, User
from accounts.permissions import Permission, Role
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound
from portal.core.models import Act


class NobodyToGiveARole(NotFound):
    code = "nobody-to-give-a-role"
    title = _("There is no account with this e-mail address.")
    why = _(
        "A role opens the vendor's console. It must hit the right person, so a similar address is never "
        "taken for the one that was given."
    )
    way_out = _("Check the address. Whoever has no account registers first, or is let in by a command.")
    source = "mission rule 1"


class RoleHeld(Conflict):
    code = "role-held"
    title = _("%(name)s has the role “%(role)s” already.")
    why = _(
        "A second gift would put another name and reason over the first, and hide who really gave the role, "
        "and why."
    )
    way_out = _("Nothing needs to be done. The list of the vendor's people says since when.")
    source = "mission rule 38"


class RoleNotHeld(Conflict):
    code = "role-not-held"
    title = _("%(name)s does not have the role “%(role)s”.")
    why = _(
        "Who takes a role means a certain one. If it is not there, somebody else was meant or it was taken "
        "before, and it would be wrong to report success."
    )
    way_out = _("Look at the list of the vendor's people: it says who has which role.")
    source = "mission rule 38"


@transaction.atomic(durable=True)
def give_role(*, email: str, role: Role, caller: Caller, now: datetime) -> User:
    """Give somebody a role; whoever has one is a member of staff.

    :raises ReasonNeeded: without a reason.
    :raises RoleMissing: the caller is a person who may not.
    :raises NobodyToGiveARole: nobody has this address.
    :raises RoleHeld: they have it. Facts `name`, `role`.
    """
    act = _begin("give-role", email, role, caller=caller, now=now)
    user = _lock(email)
    if act.outcome is not None:
        return user
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            StaffRole.objects.create(user=user, role=role, given_at=now, given_by_id=caller.user_id)
    except IntegrityError as error:
        raise RoleHeld(name=user.get_full_name(), role=str(role.label)) from error
    User.objects.filter(pk=user.pk).update(is_staff=True)
    audit.record(
        "staff-role-given",
        caller=caller,
        now=now,
        act=act,
        user=user.pk,
        role=role.value,
        reason=acts.reason_of(caller),
    )
    acts.finish(act, outcome={"user": user.pk})
    return user


@transaction.atomic(durable=True)
def take_role(*, email: str, role: Role, caller: Caller, now: datetime) -> User:
    """Take a role from somebody, from their next request on. Who has none left is no staff any more, unless
    they are a superuser.

    :raises ReasonNeeded: without a reason.
    :raises RoleMissing: the caller is a person who may not.
    :raises NobodyToGiveARole: nobody has this address.
    :raises RoleNotHeld: they do not have it. Facts `name`, `role`.
    """
    act = _begin("take-role", email, role, caller=caller, now=now)
    # Locked: two who take the last two roles at once must not each find the other role still there.
    user = _lock(email)
    if act.outcome is not None:
        return user
    if not StaffRole.objects.filter(user=user, role=role).delete()[0]:
        raise RoleNotHeld(name=user.get_full_name(), role=str(role.label))
    if not user.is_superuser and not StaffRole.objects.filter(user=user).exists():
        User.objects.filter(pk=user.pk).update(is_staff=False)
    audit.record(
        "staff-role-taken",
        caller=caller,
        now=now,
        act=act,
        user=user.pk,
        role=role.value,
        reason=acts.reason_of(caller),
    )
    acts.finish(act, outcome={"user": user.pk})
    return user


def _begin(operation: str, email: str, role: Role, *, caller: Caller, now: datetime) -> Act:
    reason = acts.reason_of(caller)
    staff.require(Permission.ROLES, user_id=caller.user_id)
    given = {"email": email.lower(), "role": role.value, "reason": reason}
    return acts.begin(operation=operation, caller=caller, given=given, now=now)


def _lock(email: str) -> User:
    user = (
        User.objects.select_for_update(no_key=True).filter(email__iexact=email.strip(), left_at=None).first()
    )
    if user is None:
        raise NobodyToGiveARole
    return user
