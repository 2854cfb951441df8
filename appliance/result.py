"""What an act on the device came to, for those who show it."""

from dataclasses import dataclass

from appliance.installation import Outcome
from appliance.receipt import Receipt
from appliance.refusals import Refusal


@dataclass(frozen=True)
class Result:
    """What an act came to; each part of a bundle is verified, and taken or refused, on its own (trust.md 4).

    `receipt` is the one that was waited for, if it came. `refused` says which parts were not taken.
    `untold` says why the portal does not know yet what is installed and in effect; it will be told later.
    """

    outcome: Outcome
    receipt: Receipt | None = None
    refused: tuple[Refusal, ...] = ()
    untold: Refusal | None = None
