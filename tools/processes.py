"""Runs a command in the foreground and ends it well, so that what it started ends with it."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(SystemExit):
    """SIGTERM or SIGHUP came: unwinds like Ctrl-C, so that every `with` cleans up; exit code 128 + number."""


def unwind_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the stack, as Ctrl-C does."""
    # A shell starts its background jobs with SIGINT ignored, and then Python leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _unwind)


def _unwind(number: int, _frame: FrameType | None) -> None:
    raise Stopped(128 + number)


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Hold back stop signals: a second Ctrl-C must not interrupt the cleaning up after the first."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(command: Sequence[str | os.PathLike[str]], environment: Mapping[str, str] | None = None) -> int:
    """Run `command` in the foreground and return its exit code, 128 + number if a signal ended it.

    If this process is asked to stop, the command is given time to clean up before anything harsher is done.
    """
    process = subprocess.Popen(command, env=None if environment is None else dict(environment))
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # From a terminal the command has had its Ctrl-C, and a second one would cut its cleaning up short.
        stop(process, first_wait=15)
        raise
    except BaseException:
        stop(process)
        raise
    return code if code >= 0 else 128 - code


def stop(process: subprocess.Popen[bytes], *, first_wait: float = 0) -> None:
    """End a process that we started: wait, then SIGINT, SIGTERM and at last SIGKILL, with seconds between."""
    with signals_deferred():
        for number, patience in (
            (None, first_wait),
            (signal.SIGINT, 15),
            (signal.SIGTERM, 5),
            (signal.SIGKILL, None),
        ):
            if number is not None:
                process.send_signal(number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            return
