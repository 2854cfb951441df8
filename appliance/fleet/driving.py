"""Every device at its turn, until the time is over."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol

from appliance.factory.authority import Authority, read_authority
from appliance.fleet.devices import Habits, LightDevice
from appliance.fleet.offenses import make_offender
from appliance.fleet.plan import Plan
from appliance.fleet.portal import Line, find_portal
from appliance.fleet.tally import Tally
from appliance.fleet.wire import Wire
from appliance.identity import Identity, read_identity


class Member(Protocol):
    """Anything of the fleet that has turns."""

    async def turn(self) -> None:
        """What it does when it is its turn."""


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Who takes part, as the factory made them, and who certifies those who should not be there."""

    identities: Sequence[Identity]
    authority: Authority | None


def gather(plan: Plan) -> Crew:
    """Read the identities, and the authority if one is named.

    :raises Refusal: `damaged-identity`.
    :raises OSError: a folder is missing.
    :raises ValueError: there is no identity, or the authority cannot be read.
    """
    folders = sorted(folder for folder in plan.identities.iterdir() if folder.is_dir())[: plan.devices]
    if not folders:
        raise ValueError(f"there is no identity in {plan.identities}")
    return Crew(
        identities=[read_identity(folder) for folder in folders],
        authority=None if plan.authority is None else read_authority(plan.authority),
    )


async def run(plan: Plan, crew: Crew, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Let the fleet work, and return what it came to: Tally.as_json, and who took part.

    Takes the seconds of the plan, and what the requests take that are under way then.

    :param headers: sent with every request, as a proxy would, for a portal without its proxy.
    :raises Refusal: `portal-unreachable`, `portal-answer`: there was no portal to begin with.
    """
    wire, tally = Wire(plan.portal, plan.connections, headers or {}), Tally()
    line = Line(wire=wire, portal=await find_portal(wire), tally=tally)
    dice = Random(plan.seed)  # noqa: S311 (nothing secret depends on it, and a run can be repeated)
    members, misbehaving = muster(plan, crew, line, dice)
    began = time.monotonic()
    wire.until = began + plan.seconds
    # Spread over the first interval, as a fleet is that was switched on at any time.
    first = min(plan.poll, plan.seconds)
    async with asyncio.TaskGroup() as tasks:
        for member in members:
            due = began + dice.random() * first
            tasks.create_task(_live(member, tally, due=due, poll=plan.poll, until=wire.until))
    took = time.monotonic() - began
    await wire.close()
    return {
        "portal": plan.portal,
        "devices": len(members),
        "misbehaving": misbehaving,
        "longest_wait_ms": round(wire.longest_wait * 1000, 1),
        **tally.as_json(seconds=took),
    }


def muster(plan: Plan, crew: Crew, line: Line, dice: Random) -> tuple[list[Member], int]:
    """The fleet, and how many of it misbehave."""
    now = datetime.now(UTC)
    habits = Habits(acknowledgements=plan.acknowledgements, returns=plan.returns)
    bad = set(dice.sample(range(len(crew.identities)), round(len(crew.identities) * plan.misbehaving)))
    members: list[Member] = []
    for place, identity in enumerate(crew.identities):
        device = LightDevice(identity=identity, line=line, habits=habits, dice=dice)
        if place in bad:
            offense = plan.offenses[len(members) % len(plan.offenses)]
            members.append(make_offender(offense, device, authority=crew.authority, now=now))
        else:
            members.append(device)
    return members, len(bad)


async def _live(member: Member, tally: Tally, *, due: float, poll: float, until: float) -> None:
    while due < until:
        await asyncio.sleep(due - time.monotonic())
        tally.began_turn(max(0.0, time.monotonic() - due))
        await member.turn()
        # A turn that took longer than the interval is not made up for.
        due = max(due + poll, time.monotonic())
