"""The device's memory under its lock: read, settled, and written in an order that survives power loss."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.clock import Clock, machine_clock
from appliance.home import CONFIGURATION, OPERATION, VAULT
from appliance.installation import Change, Outcome, plan_reset
from appliance.returns import plan_return_reset
from appliance.state import State
from appliance.state_files import (
    configuration_from_json,
    configuration_to_json,
    operation_from_json,
    operation_to_json,
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
                operation_from_json(self._store.read(OPERATION)),
            )
            yield self._settle(state)

    def _settle(self, state: State) -> State:
        pending = state.vault.pending_return
        if pending is not None and not pending.reset_done:
            # Power was lost between the first step of a return and the second.
            change = plan_return_reset(state, self._clock)
            self._commit(state, change)
            state = change.states[-1]
        if self._reset_is_due(state):
            change = plan_reset(state, self._clock)
            self._commit(state, change)
            return change.states[-1]
        settled = self._timed(state)
        self._write(state, settled)
        return settled

    def _reset_is_due(self, state: State) -> bool:
        if state.operation.resetting:
            # Power was lost in the middle of one.
            return True
        mode, due = state.operation.test_mode, state.vault.reset_due
        if mode is not None and mode.left(self._clock) == 0:
            return True
        return due is not None and self._clock.floor(state.vault.clock) >= due and state.reset_required

    def _timed(self, state: State) -> State:
        # A floor from another run of the machine is stale whatever it says: counting starts with the record.
        record, mode = state.vault.clock, state.operation.test_mode
        floor = self._clock.floor(record)
        if record.boot != self._clock.boot or floor - record.floor >= CLOCK_INTERVAL:
            state = state.with_clock(self._clock.raised(record, 0))
        if mode is not None:
            now = mode.recorded(self._clock)
            if mode.boot != now.boot or now.used - mode.used >= CLOCK_INTERVAL:
                state = replace(state, operation=replace(state.operation, test_mode=now))
        return state

    def _commit(self, before: State, change: Change) -> Outcome:
        for after in change.states:
            self._write(before, after)
            before = after
        return change.outcome

    def _write(self, before: State, after: State) -> None:
        if after.vault != before.vault:
            self._write_vault(after)
        if after.configuration != before.configuration:
            self._store.write(CONFIGURATION, configuration_to_json(after.configuration))
        if after.operation != before.operation:
            self._store.write(OPERATION, operation_to_json(after.operation))

    def _write_vault(self, state: State) -> None:
        self._store.write(VAULT, vault_to_json(state.vault))
