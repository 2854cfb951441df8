"""The sentences and times both doors of the appliance show: its commands and its page."""

from datetime import UTC, datetime
from typing import Final

from appliance.installation import Outcome
from appliance.status import License, Status, Waiting

OUTCOMES: Final = {
    Outcome.INSTALLED: "Installed. It takes effect at the next reset.",
    Outcome.IN_EFFECT: "In effect.",
    Outcome.ALREADY_INSTALLED: "This license document was installed already.",
    Outcome.UNCHANGED: "The portal has nothing newer than what is installed.",
}
_WAITING: Final = {
    Waiting.RESET_REQUIRED: "installed, in effect after a reset",
    Waiting.ENDED: "ended",
    Waiting.OTHER_VERSION: "for another firmware version",
}


def outcome_sentence(outcome: Outcome, status: Status) -> str:
    """Say what an act came to, and what is still to do."""
    sentence = OUTCOMES[outcome]
    if status.reset_required and outcome is not Outcome.INSTALLED:
        return f"{sentence} A reset is required."
    return sentence


def license_state(entry: License) -> str:
    """Say in words whether a license is in effect."""
    if entry.waiting is not None:
        return _WAITING[Waiting(entry.waiting)]
    return "in effect until the reset" if entry.leaves_at_reset else "in effect"


def moment(seconds: int | None) -> str:
    """Return a time in POSIX seconds as people read it, in UTC; the device knows no other zone."""
    if seconds is None:
        return "no end"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        # Signed documents may name times that no calendar of this machine reaches.
        return "after the year 9999"
