"""The device's memory under its lock: read, settled, and written in an order that survives power loss."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.clock import Clock, machine_clock
from appliance.home import CONFIGURATION, VAULT
from appliance.installation import Change, Outcome, plan_reset
from appliance.returns import plan_return_reset
from appliance.state import State
from appliance.state_files import (
    configuration_from_json,
    configuration_to_json,
    vault_from_json,
    vault_to_json,
)
from appliance.store import Store

CLOCK_INTERVAL: Final = 60
"""Seconds of running time that may be lost when the power goes; written down no more often than this."""


class Memory:
    """What an appliance remembers in its home folder.

    :param before_step: see Store.
    """

    def __init__(
        self, home: Path, *, clock: Clock | None = None, before_step: Callable[[str], None] | None = None
    ) -> None:
        self._clock = clock or machine_clock()
        self._store = Store(home, before_step=before_step) if before_step else Store(home)

    @contextmanager
    def _settled(self) -> Iterator[State]:
        with self._store.locked():
            state = State(
                vault_from_json(self._store.read(VAULT)),
                configuration_from_json(self._store.read(CONFIGURATION)),
            )
            yield self._settle(state)

    def _settle(self, state: State) -> State:
        pending = state.vault.pending_return
        if pending is not None and not pending.reset_done:
            # Power was lost between the first step of a return and the second.
            change = plan_return_reset(state, self._clock)
            self._commit(state, change)
            state = change.states[-1]
        record = state.vault.clock
        floor, due = self._clock.floor(record), state.vault.reset_due
        if due is not None and floor >= due and state.reset_required:
            change = plan_reset(state, self._clock)
            self._commit(state, change)
            return change.states[-1]
        # A floor from another run of the machine is stale whatever it says: counting starts with the record.
        if record.boot != self._clock.boot or floor - record.floor >= CLOCK_INTERVAL:
            settled = state.with_clock(self._clock.raised(record, 0))
            self._write_vault(settled)
            return settled
        return state

    def _commit(self, before: State, change: Change) -> Outcome:
        for after in change.states:
            if after.vault != before.vault:
                self._write_vault(after)
            if after.configuration != before.configuration:
                self._store.write(CONFIGURATION, configuration_to_json(after.configuration))
            before = after
        return change.outcome

    def _write_vault(self, state: State) -> None:
        self._store.write(VAULT, vault_to_json(state.vault))
