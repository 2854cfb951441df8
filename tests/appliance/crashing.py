"""Run one command of the appliance and end the process, as a loss of power would, at its n-th durable step.

In a child of this process: a new interpreter for each of hundreds of crashes would take minutes.
"""

import contextlib
import io
import os
import signal
from collections.abc import Callable, Sequence

from appliance.cli import main

KILLED = -signal.SIGKILL
PATIENCE = 60
"""Seconds after which a child that hangs is ended."""
WENT_WRONG = 70


def crash(arguments: Sequence[str], *, die_at: int) -> int:
    """Run a command, and return its exit code, or KILLED if it came to its `die_at`-th durable step."""
    child = os.fork()
    if child == 0:
        _run(arguments, die_at)
    _child, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def count_steps(arguments: Sequence[str]) -> int:
    """Run a command to its end, and return how many durable steps it took."""
    steps: list[str] = []
    code, said = _quietly(arguments, steps.append)
    assert code == 0, said
    return len(steps)


def _run(arguments: Sequence[str], die_at: int) -> None:
    steps = 0

    def before_step(_step: str) -> None:
        nonlocal steps
        steps += 1
        if steps == die_at:
            # Nothing of the process gets to clean up: no exception, no exit handler, no flush.
            os.kill(os.getpid(), signal.SIGKILL)

    code = WENT_WRONG
    try:
        signal.alarm(PATIENCE)
        code, _said = _quietly(arguments, before_step)
    finally:
        # Nothing of the test may go on in the child, whatever was raised.
        os._exit(code)


def _quietly(arguments: Sequence[str], before_step: Callable[[str], None]) -> tuple[int, str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(arguments, before_step=before_step)
    return code, said.getvalue()
