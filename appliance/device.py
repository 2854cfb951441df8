"""The appliance as its doors use it: an act loads the state under the lock, decides, and writes in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.bundle import Bundle, read_bundle
from appliance.clock import Clock, machine_clock
from appliance.home import CONFIGURATION, SETTINGS, VAULT, Home, check_address, read_home, settings_to_json
from appliance.installation import Change, Outcome, plan_installation, plan_reset, verify_bundle
from appliance.refusals import Refusal
from appliance.state import (
    State,
    configuration_from_json,
    configuration_to_json,
    vault_from_json,
    vault_to_json,
)
from appliance.status import Status, describe
from appliance.store import Store

CLOCK_INTERVAL: Final = 60
"""Seconds of running time that may be lost when the power goes; written down no more often than this."""


class Device:
    """An appliance in its home folder.

    :param before_step: see Store.
    :raises Refusal: `no-home` and whatever says that the home is damaged.
    """

    def __init__(
        self, home: Path, *, clock: Clock | None = None, before_step: Callable[[str], None] | None = None
    ) -> None:
        self.home: Home = read_home(home)
        self._clock = clock or machine_clock()
        self._store = Store(home, before_step=before_step) if before_step else Store(home)

    def install(self, data: bytes, *, portal: str | None = None) -> Outcome:
        """Verify a bundle and install it; a refusal changes nothing.

        :param portal: the portal's identity as an unsigned directory gave it, when the device knew none.
        :raises Refusal: see verify_bundle and read_bundle.
        """
        bundle = read_bundle(data)
        with self._settled() as state:
            verified = verify_bundle(bundle, state, self.home.trust, portal=portal)
            firmware = self.home.manufacture.firmware
            return self._commit(state, plan_installation(state, verified, self._clock, firmware=firmware))

    def reset(self) -> Outcome:
        """Bring what is installed into effect (mission rule 14).

        :raises Refusal: `nothing-installed`.
        """
        with self._settled() as state:
            return self._commit(state, plan_reset(state, self._clock))

    def status(self) -> Status:
        """Describe the device; a reset that is due is done first, and running time written down."""
        with self._settled() as state:
            return describe(
                state,
                self.home.trust,
                self._clock,
                portal=self.home.manufacture.portal,
                firmware=self.home.manufacture.firmware,
            )

    def state(self) -> State:
        """Return the state, a reset that is due done first."""
        with self._settled() as state:
            return state

    def now(self, state: State) -> int:
        """Return the device's time, in POSIX seconds (mission rule 34)."""
        return self._clock.now(state.vault.clock)

    def installed_bundle(self) -> bytes:
        """Return the installed bundle as a file that another device of its kind could verify from nothing.

        :raises Refusal: `nothing-installed`.
        """
        with self._settled() as state:
            bundle: Bundle | None = state.configuration.installed
            if state.installed is None or bundle is None:
                raise Refusal("nothing-installed")
            if bundle.keyset is None and state.vault.keyset is not None:
                bundle = bundle.with_keyset(state.vault.keyset)
            return bundle.to_bytes()

    def set_portal(self, address: str) -> None:
        """Call the portal at another address; whom the device trusts is not touched by that.

        :raises Refusal: `bad-address`.
        """
        check_address(address)
        manufacture = replace(self.home.manufacture, portal=address)
        with self._store.locked():
            self._store.write(SETTINGS, settings_to_json(manufacture))
        self.home = replace(self.home, manufacture=manufacture)

    @contextmanager
    def _settled(self) -> Iterator[State]:
        with self._store.locked():
            state = State(
                vault_from_json(self._store.read(VAULT)),
                configuration_from_json(self._store.read(CONFIGURATION)),
            )
            yield self._settle(state)

    def _settle(self, state: State) -> State:
        record = state.vault.clock
        floor, due = self._clock.floor(record), state.vault.reset_due
        if due is not None and floor >= due and state.reset_required:
            change = plan_reset(state, self._clock)
            self._commit(state, change)
            return change.states[-1]
        # A floor from another run of the machine is stale whatever it says: counting starts with the record.
        if record.boot != self._clock.boot or floor - record.floor >= CLOCK_INTERVAL:
            settled = state.with_clock(self._clock.raised(record, 0))
            self._store.write(VAULT, vault_to_json(settled.vault))
            return settled
        return state

    def _commit(self, before: State, change: Change) -> Outcome:
        for after in change.states:
            if after.vault != before.vault:
                self._store.write(VAULT, vault_to_json(after.vault))
            if after.configuration != before.configuration:
                self._store.write(CONFIGURATION, configuration_to_json(after.configuration))
            before = after
        return change.outcome
