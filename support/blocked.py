"""What is blocked now: devices, their keys (by which all their certificates), activation keys, people; each
with who blocked it, when and why. Found by indexes (migration 0003), however much there is of everything."""

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from accounts.models import User
from licenses.models import ActivationKey
from portal.core.models import AuditEntry


def activation_keys() -> QuerySet[ActivationKey]:
    """Those that can be unblocked: not the canceled and replaced ones, which are dead for good."""
    blocked = ActivationKey.objects.filter(state=ActivationKey.State.BLOCKED, ending="")
    return blocked.select_related("order").order_by("-pk")


def people() -> QuerySet[User]:
    """Those who were blocked; whoever left is none of them."""
    return User.objects.filter(is_active=False, left_at=None).order_by("surname", "forename", "pk")


def why_keys(keys: Iterable[ActivationKey]) -> Mapping[int, AuditEntry]:
    """Who blocked each of the keys last, by the number of the key."""
    keys = list(keys)
    # Entries name a key as people do: by its order and its last characters.
    entries = AuditEntry.objects.select_related("actor").filter(
        event="activation-key-blocked", facts__order__in=[key.order.number for key in keys]
    )
    last = {(entry.facts["order"], entry.facts["key"]): entry for entry in entries.order_by("at", "pk")}
    found = ((key.pk, last.get((key.order.number, key.last_four))) for key in keys)
    return {pk: entry for pk, entry in found if entry is not None}


def why_people(blocked: Iterable[User]) -> Mapping[int, AuditEntry]:
    """Who blocked each of the people last, by the number of the person."""
    entries = AuditEntry.objects.select_related("actor").filter(
        event="person-blocked", facts__user__in=[user.pk for user in blocked]
    )
    return {entry.facts["user"]: entry for entry in entries.order_by("at", "pk")}
