"""The counters of the Licenses tabs (mission rule 32): kind, installed, used."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.allocation import Allocation
from appliance.kinds import FEATURE_WORDS, GATEWAY, PBX, Feature
from appliance.licensing import Capacity


@dataclass(frozen=True)
class Counter:
    """One product in its tab. `installed` is what is in effect, None for no limit; `wanted` is the demand."""

    product: str
    kind: str
    installed: int | None
    wanted: int

    @property
    def used(self) -> int:
        """How many are in use: what is wanted beyond the licenses is turned away."""
        return self.wanted if self.installed is None else min(self.wanted, self.installed)

    @property
    def short(self) -> int:
        """How many are wanted and not licensed."""
        return self.wanted - self.used


def gateway_counters(calls: Mapping[str, int], capacity: Capacity) -> tuple[Counter, ...]:
    """Return the Licenses tab of Gateway/General."""
    return tuple(
        Counter(product, kind, capacity.of(product), calls.get(product, 0))
        for product, kind in GATEWAY.items()
    )


def pbx_counters(
    calls: Mapping[str, int], allocations: Mapping[Feature, Allocation], capacity: Capacity
) -> tuple[Counter, ...]:
    """Return the Licenses tab of PBX/General: what is counted by use first, then the features of users."""
    used = [
        Counter(product, kind, capacity.of(product), calls.get(product, 0)) for product, kind in PBX.items()
    ]
    marked = [
        Counter(feature, FEATURE_WORDS[feature], capacity.of(feature), allocation.wanted)
        for feature, allocation in allocations.items()
    ]
    return (*used, *marked)
