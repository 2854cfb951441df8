"""Search by part of what is on a label or certificate (mission rule 6), as one person may see things."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from accounts.models import Project, User
from accounts.queries import projects_of
from devices import queries as devices
from devices.hardware_id import NotAHardwareID, parse
from devices.models import Device
from licenses import records
from licenses.activation_code import GROUP_LENGTH
from licenses.models import ActivationKey

Row = TypeVar("Row", bound=Model)

SHORTEST = 2
"""Characters of a search: with one nearly everything would be found."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found, at most `limit` of each sort; `more` says whether there was more of any."""

    devices: Sequence[Device]
    keys: Sequence[ActivationKey]
    projects: Sequence[Project]
    more: bool

    def __bool__(self) -> bool:
        return bool(self.devices or self.keys or self.projects)


NOTHING = Found(devices=(), keys=(), projects=(), more=False)


def find(text: str, *, user: User, limit: int) -> Found:
    """Devices by part of hardware ID or name, keys by last characters, order number or reference, projects.

    Keys are those that were activated into a balance of the person's companies; end customers find none.

    :param text: as it was typed; fewer than `SHORTEST` characters find nothing.
    :param limit: how many of each sort are wanted.
    """
    text = text.strip()
    if len(text) < SHORTEST:
        return NOTHING
    visible = projects_of(user)
    found_devices, more_devices = _first(devices.found_in(visible, text=text), limit)
    found_keys, more_keys = _first(records.keys_known_to(user).filter(key_has(text)).order_by("-pk"), limit)
    named = visible.filter(archived_at=None, name__icontains=text)
    found_projects, more_projects = _first(named, limit)
    return Found(
        devices=found_devices,
        keys=found_keys,
        projects=found_projects,
        more=more_devices or more_keys or more_projects,
    )


def whole_hardware_id(text: str) -> str | None:
    """The canonical form, if what was typed is a hardware ID and not only part of one."""
    try:
        return parse(text)
    except NotAHardwareID:
        return None


def key_has(text: str) -> Q:
    """The condition for activation keys: part of order number or reference, or the last characters."""
    wanted = Q(order__number__icontains=text) | Q(order__reference__icontains=text)
    # As it is shown, "…7GQM", or the last group of the certificate. Never more: a whole code is a secret that
    # belongs into the form for activating it.
    last = re.sub(r"[-\s…]", "", text).upper()
    if SHORTEST <= len(last) <= GROUP_LENGTH and last.isascii() and last.isalnum():
        wanted |= Q(last_four__endswith=last[-4:])
    return wanted


def _first(rows: QuerySet[Row], limit: int) -> tuple[list[Row], bool]:
    """The first rows, and whether there are more."""
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit
