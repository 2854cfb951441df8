"""People who may not sign in any more are blocked by senior support, and unblocked (mission rule 38)."""

from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import ApiToken, User
from accounts.permissions import Permission
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.models import Act


class NobodyToBlock(NotFound):
    code = "nobody-to-block"
    title = _("There is no such person, or they have left.")
    why = _("Who has deleted the account cannot sign in; there is nobody left to block.")
    way_out = _("Search for the person by e-mail address.")
    source = "mission rule 38"


class PersonBlockedAlready(Conflict):
    code = "person-blocked-already"
    title = _("This person is blocked already.")
    why = _("A second block would put another name and reason over the first, and hide why it was done.")
    way_out = _("Nothing needs to be done. The person's page says who blocked them, and why.")
    source = "mission rule 38"


class PersonNotBlocked(Conflict):
    code = "person-not-blocked"
    title = _("This person is not blocked.")
    why = _("An entry about a block that never was would mislead whoever reads the history.")
    way_out = _("Nothing needs to be done. If they cannot sign in, their password may be the cause.")
    source = "mission rule 38"


class NotForYouToBlock(Forbidden):
    code = "not-for-you-to-block"
    title = _("You cannot block yourself, nor a superuser if you are none.")
    why = _(
        "Whoever blocks themselves locks the door behind them. And if support could lock out those who give "
        "roles, a stolen sign-in of support could keep everybody else away."
    )
    way_out = _("Ask a superuser.")
    source = "mission rule 38"


@transaction.atomic(durable=True)
def block_person(*, user: User, caller: Caller, now: datetime) -> User:
    """Let somebody sign in no more: their sessions end, and the API tokens they made are revoked, since
    whoever has their password may have made them. Memberships and rights stay.

    :raises ReasonNeeded, RoleMissing: the caller gives no reason, or may not.
    :raises NotForYouToBlock: the caller themselves, or a superuser.
    :raises NobodyToBlock: they have left.
    :raises PersonBlockedAlready: they are blocked.
    """
    act, locked = _begin("block-person", user, caller=caller, now=now)
    if act.outcome is not None:
        return locked
    if caller.user_id is not None and (locked.pk == caller.user_id or _outranks(locked, caller.user_id)):
        raise NotForYouToBlock
    if not locked.is_active:
        raise PersonBlockedAlready
    _set_active(locked, active=False)
    Session.objects.filter(
        session_key__in=UserSession.objects.filter(user=locked).values_list("session_key", flat=True)
    ).delete()
    UserSession.objects.filter(user=locked).delete()
    tokens = ApiToken.objects.filter(made_by=locked, revoked_at=None)
    for token in tokens:
        audit.record(
            "api-token-revoked",
            caller=caller,
            now=now,
            act=act,
            company_id=token.company_id,
            project_id=token.project_id,
            name=token.name,
            scopes=token.scopes,
        )
    ended = tokens.update(revoked_at=now)
    _tell("person-blocked", locked, act=act, caller=caller, now=now, tokens=ended)
    return locked


@transaction.atomic(durable=True)
def unblock_person(*, user: User, caller: Caller, now: datetime) -> User:
    """Let somebody sign in again. Tokens that were revoked stay so.

    :raises ReasonNeeded, RoleMissing: the caller gives no reason, or may not.
    :raises NobodyToBlock: they have left.
    :raises PersonNotBlocked: they are not blocked.
    """
    act, locked = _begin("unblock-person", user, caller=caller, now=now)
    if act.outcome is not None:
        return locked
    if locked.is_active:
        raise PersonNotBlocked
    _set_active(locked, active=True)
    _tell("person-unblocked", locked, act=act, caller=caller, now=now)
    return locked


def get_person(user_id: int) -> User:
    """Anybody who has not left.

    :raises NobodyToBlock: there is none of that number.
    """
    found = User.objects.filter(pk=user_id, left_at=None).first()
    if found is None:
        raise NobodyToBlock
    return found


def _begin(operation: str, user: User, *, caller: Caller, now: datetime) -> tuple[Act, User]:
    staff.require(Permission.BLOCK_PEOPLE, user_id=caller.user_id)
    given = {"user": user.pk, "reason": acts.reason_of(caller)}
    act = acts.begin(operation=operation, caller=caller, given=given, now=now)
    # Of two at once the second one waits, and finds it done.
    locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk, left_at=None).first()
    if locked is None:
        raise NobodyToBlock
    return act, locked


def _outranks(user: User, by: int) -> bool:
    return user.is_superuser and not User.objects.filter(pk=by, is_superuser=True).exists()


def _set_active(user: User, *, active: bool) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])


def _tell(event: str, user: User, *, act: Act, caller: Caller, now: datetime, **facts: Any) -> None:
    reason = acts.reason_of(caller)
    audit.record(event, caller=caller, now=now, act=act, user=user.pk, reason=reason, **facts)
    acts.finish(act, outcome={})
