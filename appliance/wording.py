"""The sentences and times both doors of the appliance show: its commands and its page."""

from datetime import UTC, datetime
from typing import Final

from appliance.check_up import Step
from appliance.claiming import ClaimResult
from appliance.installation import Outcome
from appliance.receipt import Fate
from appliance.result import Result
from appliance.status import GivenBack, License, Status, Waiting

OUTCOMES: Final = {
    Outcome.INSTALLED: "Installed. It takes effect at the next reset.",
    Outcome.IN_EFFECT: "In effect.",
    Outcome.ALREADY_INSTALLED: "This license document was installed already.",
    Outcome.UNCHANGED: "The portal has nothing newer than what is installed.",
    Outcome.RECEIPT_ONLY: "The receipt was taken; the license document beside it was not.",
    Outcome.DELETED: "Deleted on this device at the next reset. Nothing changes at the portal.",
    Outcome.RESTARTED: "The device was reset. No license document is installed.",
    Outcome.RESTORED: "The configuration was restored. Its licenses take effect at the next reset.",
}
CLAIMED: Final = {
    ClaimResult.CHANGED: "The device now belongs to the project the claim code was made for.",
    ClaimResult.WITH_SUPPORT: "The claim is proven. The device still has licenses of its earlier project, "
    "so the vendor's support decides.",
}
CONFIRMED: Final = "The portal has confirmed the return."
RETURN_WAITS: Final = (
    "What was given back is out of effect, and the return waits on this device until its receipt comes."
)
UNTOLD: Final = "The portal does not know yet what is installed here; the next fetch tells it."
TOLD: Final = "The portal knows what is installed and in effect."
TEST_MODE_ON: Final = (
    "Test mode is on: everything is licensed without limit for eight hours. "
    "Then it ends, and the device resets."
)
NOT_RUNNING: Final = (
    "The license document in it is no longer good on this device, and nothing of it is in effect. "
    "Fetch, or install the license file of this device again."
)
CLASSES: Final = {"bought": "bought", "test": "test license", "bridge": "bridge"}
STEPS: Final = {
    Step.REFRESHED: "Does the device hold the newest document it has seen?",
    Step.INSTALLED: "Are the licenses installed in General/License?",
    Step.GATEWAY: "Do the counters of the gateway suffice?",
    Step.PBX: "Do the counters of the PBX suffice?",
    Step.USERS: "Has every marked user its licenses?",
    Step.RESET: "Was the device reset since the last change?",
    Step.VERSION: "Are the licenses for this firmware's version?",
    Step.TEST_MODE: "Is test mode off?",
    Step.TEST_LICENSE: "Do all test licenses still run?",
}
_FATES: Final = {
    Fate.RETURNED: "given back",
    Fate.ALREADY: "had ended before",
    Fate.KEPT: "stays with this device, since it cannot be returned",
    Fate.UNKNOWN: "unknown to the portal for this device",
}
_WAITING: Final = {
    Waiting.RESET_REQUIRED: "installed, in effect after a reset",
    Waiting.ENDED: "ended",
    Waiting.OTHER_VERSION: "for another firmware version",
}


def outcome_sentence(outcome: Outcome, status: Status) -> str:
    """Say what an act came to, and what is still to do."""
    sentence = OUTCOMES[outcome]
    if outcome is Outcome.RESTORED and status.seq_installed == 0:
        return f"The configuration was restored. {NOT_RUNNING}"
    if status.reset_required and outcome not in {Outcome.INSTALLED, Outcome.RESTORED, Outcome.DELETED}:
        return f"{sentence} A reset is required."
    return sentence


def result_sentences(result: Result, status: Status) -> list[str]:
    """Say what an act came to, its receipt first, in one sentence or more."""
    sentences = [CONFIRMED] if result.receipt is not None else []
    sentences.append(outcome_sentence(result.outcome, status))
    sentences += [f"Not taken: {refusal}" for refusal in result.refused]
    if result.untold is not None:
        sentences.append(f"{UNTOLD} ({result.untold.says.removesuffix('.')})")
    return sentences


def given_back(entry: GivenBack) -> str:
    """Say what a license is that a return names, by its id if the device never held it."""
    return entry.label or entry.id


def fate(entry: GivenBack) -> str:
    """Say what became of a license that was named."""
    return _FATES[Fate(entry.result)] if entry.result is not None else "waits for the receipt"


def license_state(entry: License) -> str:
    """Say in words whether a license is in effect."""
    if entry.waiting is not None:
        return _WAITING[Waiting(entry.waiting)]
    return "in effect until the reset" if entry.leaves_at_reset else "in effect"


def duration(seconds: int) -> str:
    """Return a length of time as hours and minutes, the last minute begun counted whole."""
    minutes = -(-seconds // 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"


def moment(seconds: int | None) -> str:
    """Return a time in POSIX seconds as people read it, in UTC; the device knows no other zone."""
    if seconds is None:
        return "no end"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        # Signed documents may name times that no calendar of this machine reaches.
        return "after the year 9999"
