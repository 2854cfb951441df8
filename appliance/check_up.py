"""The check-up (mission rule 35): the way a person looks for a fault, walked by the device itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from appliance.allocation import unlicensed_features
from appliance.counters import Counter
from appliance.kinds import FEATURE_WORDS, FEATURES
from appliance.operating import Work
from appliance.status import License, Waiting

_NAMED: Final = 5
"""So many users are named; the others are counted."""


class Step(StrEnum):
    """The questions in their order."""

    REFRESHED = "refreshed"
    INSTALLED = "installed"
    GATEWAY = "gateway-counters"
    PBX = "pbx-counters"
    USERS = "user-licenses"
    RESET = "reset-done"
    VERSION = "version"
    TEST_MODE = "test-mode"
    TEST_LICENSE = "test-license"


@dataclass(frozen=True)
class Finding:
    """The answer to one question: is it as it should be, what was found, and the way out if not.

    `page` is the name of the device's page where it is put right; `object_id` the user that it is about.
    """

    step: Step
    good: bool
    says: str
    way_out: str = ""
    page: str = ""
    object_id: int | None = None


def check_up(work: Work) -> tuple[Finding, ...]:
    """Walk the routine. Every question is answered, also those after a fault: faults come together."""
    return tuple(question(work) for question in _QUESTIONS)


def faults(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are not as they should be."""
    return tuple(finding for finding in findings if not finding.good)


def _refreshed(work: Work) -> Finding:
    status = work.status
    if status.seq_installed < status.seq_highest:
        return Finding(
            Step.REFRESHED,
            good=False,
            says=f"License document {status.seq_highest} was here, and now it is not.",
            way_out="Fetch at My portal, or install the license file again.",
            page="license",
        )
    if status.waiting_return is not None:
        return Finding(
            Step.REFRESHED,
            good=False,
            says="A return waits for its receipt.",
            way_out="Send it at My portal, or carry its file to the portal and the new license file here.",
            page="license",
        )
    held = f"License document {status.seq_installed} is here. " if status.seq_installed else ""
    return Finding(Step.REFRESHED, good=True, says=f"{held}Fetch, to ask the portal for a newer one.")


def _installed(work: Work) -> Finding:
    if work.status.licenses:
        count = len(work.status.licenses)
        return Finding(Step.INSTALLED, good=True, says=f"{count} entries in General/License.")
    return Finding(
        Step.INSTALLED,
        good=False,
        says="No license is installed.",
        way_out="Fetch, or add a license file, in General/License.",
        page="license",
    )


def _gateway(work: Work) -> Finding:
    return _counted(Step.GATEWAY, work.gateway, page="gateway")


def _pbx(work: Work) -> Finding:
    features = set(FEATURES)
    return _counted(Step.PBX, [one for one in work.pbx if one.product not in features], page="pbx")


def _counted(step: Step, counters: Iterable[Counter], *, page: str) -> Finding:
    short = [f"{one.kind}: {one.wanted} wanted, {one.installed} installed" for one in counters if one.short]
    if not short:
        return Finding(step, good=True, says="Nothing is turned away.")
    way_out = "Assign more of it to this device in the portal, fetch, and reset."
    return Finding(step, good=False, says="; ".join(short) + ".", way_out=way_out, page=page)


def _users(work: Work) -> Finding:
    missing = unlicensed_features(work.objects.users, work.allocations)
    if not missing:
        return Finding(Step.USERS, good=True, says="Every marked user has what it is marked with.")
    names = [
        f"{user.name} ({', '.join(FEATURE_WORDS[feature] for feature in missing[user.id])})"
        for user in work.objects.users
        if user.id in missing
    ]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Finding(
        Step.USERS,
        good=False,
        says=f"Marked and not licensed: {', '.join(names[:_NAMED])}{more}.",
        way_out="Take marks away in the user's License tab, or assign more licenses in the portal.",
        page="user",
        object_id=min(missing),
    )


def _reset(work: Work) -> Finding:
    if not work.status.reset_required:
        return Finding(Step.RESET, good=True, says="What is installed is in effect.")
    return Finding(
        Step.RESET,
        good=False,
        says="What is installed is not in effect yet.",
        way_out="Reset the device.",
        page="license",
    )


def _version(work: Work) -> Finding:
    firmware = work.status.firmware
    other = _products(entry for entry in work.status.licenses if entry.waiting == Waiting.OTHER_VERSION)
    if not other:
        return Finding(Step.VERSION, good=True, says=f"All licenses are for firmware {firmware}.")
    return Finding(
        Step.VERSION,
        good=False,
        says=f"Firmware {firmware} does not use {other}.",
        way_out=f"Licenses of version {firmware} are needed; or run the firmware they were bought for.",
        page="license",
    )


def _test_mode(work: Work) -> Finding:
    if work.status.test_mode_left is None:
        return Finding(Step.TEST_MODE, good=True, says="Test mode is off: only licenses count.")
    return Finding(
        Step.TEST_MODE,
        good=False,
        says="Test mode is on: everything works without a limit, and stops doing so when it ends.",
        way_out="Switch it off to see what the licenses give; the device resets then.",
        page="license",
    )


def _test_license(work: Work) -> Finding:
    ended = _products(
        entry
        for entry in work.status.licenses
        if entry.license_class != "bought" and entry.waiting == Waiting.ENDED
    )
    if not ended:
        return Finding(Step.TEST_LICENSE, good=True, says="No test license has ended.")
    return Finding(
        Step.TEST_LICENSE,
        good=False,
        says=f"This has ended: {ended}.",
        way_out="Assign bought licenses to this device in the portal, fetch, and reset.",
        page="license",
    )


def _products(entries: Iterable[License]) -> str:
    return ", ".join(f"{entry.quantity} x {entry.product} {entry.version}" for entry in entries)


_QUESTIONS: Final[tuple[Callable[[Work], Finding], ...]] = (
    _refreshed,
    _installed,
    _gateway,
    _pbx,
    _users,
    _reset,
    _version,
    _test_mode,
    _test_license,
)
