"""What goes on at the device itself, without any portal: reset, test mode, deleting, calls, users."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.allocation import Allocation, allocate
from appliance.clock import Clock
from appliance.counters import Counter, gateway_counters, pbx_counters
from appliance.deletion import plan_deletion
from appliance.home import OBJECTS, Home, read_home
from appliance.installation import Outcome, plan_reset
from appliance.kinds import COUNTED, Feature
from appliance.licensing import capacity_of
from appliance.memory import Memory
from appliance.objects import Objects, objects_from_json, objects_to_json
from appliance.refusals import Refusal
from appliance.state import State
from appliance.status import Status, describe

MOST_CALLS = 1_000_000
"""More than any device carries; a number beyond it is a slip of the finger."""


@dataclass(frozen=True)
class Work:
    """The whole device at one moment: what it has, what it counts, and who has what."""

    status: Status
    objects: Objects
    allocations: dict[Feature, Allocation]
    gateway: tuple[Counter, ...]
    pbx: tuple[Counter, ...]


class Operating(Memory):
    """The device at work.

    :param before_step: see Store.
    :raises Refusal: `no-home` and whatever says that the home is damaged.
    """

    def __init__(
        self, home: Path, *, clock: Clock | None = None, before_step: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(home, clock=clock, before_step=before_step)
        self.home: Home = read_home(home)

    def status(self) -> Status:
        """Describe the device; a reset that is due is done first, and running time written down."""
        with self._settled() as state:
            return self._describe(state)

    def work(self) -> Work:
        """Describe the device with everything that is counted, as of the same moment."""
        with self._settled() as state:
            objects, calls = self._read_objects(), state.operation.calls
            capacity = capacity_of(state, self._clock, firmware=self.home.manufacture.firmware)
            allocations = allocate(objects, capacity)
            return Work(
                status=self._describe(state),
                objects=objects,
                allocations=allocations,
                gateway=gateway_counters(calls, capacity),
                pbx=pbx_counters(calls, allocations, capacity),
            )

    def reset(self) -> Outcome:
        """Restart: calls and test mode end, and what is installed comes into effect (mission rule 14).

        :raises Refusal: `nothing-installed` if there is nothing to end either.
        """
        with self._settled() as state:
            return self._commit(state, plan_reset(state, self._clock))

    def begin_test_mode(self) -> None:
        """License everything without limit for eight hours of running time from now on (mission rule 31)."""
        with self._settled() as state:
            self._write(state, replace(state, operation=state.operation.with_test_mode(self._clock)))

    def end_test_mode(self) -> Outcome:
        """End test mode before its time; as at its end, the device resets.

        :raises Refusal: `test-mode-off`.
        """
        with self._settled() as state:
            if state.operation.test_mode is None:
                raise Refusal("test-mode-off")
            return self._commit(state, plan_reset(state, self._clock))

    def delete(self, chosen: Sequence[str]) -> Outcome:
        """Take entries, or the whole document, out of the device at the next reset.

        :param chosen: see plan_deletion.
        :raises Refusal: `nothing-installed`, `nothing-chosen`, `not-installed`.
        """
        with self._settled() as state:
            return self._commit(state, plan_deletion(state, chosen))

    def want(self, wanted: Mapping[str, int]) -> None:
        """Let other numbers of products be wanted: calls, interfaces, registrations.

        :raises Refusal: `not-counted`, `too-many-calls`.
        """
        for product, count in wanted.items():
            if product not in COUNTED:
                raise Refusal("not-counted", product[:40])
            if not 0 <= count <= MOST_CALLS:
                raise Refusal("too-many-calls", f"{product} {count}")
        with self._settled() as state:
            self._write(state, replace(state, operation=state.operation.with_calls(dict(wanted))))

    def objects(self) -> Objects:
        """Return users and config templates.

        :raises Refusal: `damaged-state`.
        """
        with self._store.locked():
            return self._read_objects()

    def change_objects(self, edit: Callable[[Objects], Objects]) -> Objects:
        """Change users or config templates; who is licensed follows at once.

        :raises Refusal: what `edit` raises; nothing was changed.
        """
        with self._store.locked():
            changed = edit(self._read_objects())
            self._write_objects(changed)
            return changed

    def _describe(self, state: State) -> Status:
        manufacture = self.home.manufacture
        return describe(
            state, self.home.trust, self._clock, portal=manufacture.portal, firmware=manufacture.firmware
        )

    def _read_objects(self) -> Objects:
        try:
            return objects_from_json(self._store.read(OBJECTS))
        except (Refusal, KeyError, TypeError) as error:
            raise Refusal("damaged-state", f"{OBJECTS}: {error}") from error

    def _write_objects(self, objects: Objects) -> None:
        self._store.write(OBJECTS, objects_to_json(objects))
