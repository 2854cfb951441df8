"""How much of each product the device may use now (mission rules 14, 15, 31 and 34)."""

from collections import Counter
from dataclasses import dataclass, field

from appliance.clock import Clock
from appliance.installation import works
from appliance.state import State


@dataclass(frozen=True)
class Capacity:
    """The quantities in effect by the exact name of the product, or no limit at all."""

    quantities: dict[str, int] = field(default_factory=dict)
    unlimited: bool = False

    def of(self, product: str) -> int | None:
        """Return how many of `product` may be used; None stands for no limit."""
        return None if self.unlimited else self.quantities.get(product, 0)

    def granted(self, product: str, wanted: int) -> int:
        """Return how many of `wanted` may be used."""
        limit = self.of(product)
        return wanted if limit is None else min(wanted, limit)


def capacity_of(state: State, clock: Clock, *, firmware: int) -> Capacity:
    """Count what is in effect at this second: each item by its own end, of the firmware's version only."""
    now, document = clock.now(state.vault.clock), state.in_effect
    quantities: Counter[str] = Counter()
    for item in document.items if document else ():
        if works(item, now=now, firmware=firmware):
            quantities[item.product] += item.quantity
    return Capacity(dict(quantities), unlimited=state.operation.test_mode is not None)
