"""Keeps programs running: starts again what died, and ends with each program all that it started.

It knows the process groups that it made itself and touches nothing else. Should it be killed, the kernel asks
its programs to end.
"""

import os
import pwd
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SETPRIV = "/usr/bin/setpriv"
LOOK_SECONDS = 0.05
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0
"""Whoever ran for so long has no back-off any more when it dies."""
START_SECONDS = 90.0
GONE_SECONDS = 5.0
"""How long to wait for the last of a killed group: where nobody reaps them they stay as zombies."""


class NotStarted(Exception):
    """A program cannot be started or does not become ready; the message is one line and where its log is."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A process that is to run for ever.

    `is_ready` is asked until it says yes; `ends_by` is the signal by which it ends in order, within
    `patience` seconds; `user` is whom it runs as, if this process is root.
    """

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    is_ready: Callable[[], bool]
    user: str = ""
    ends_by: signal.Signals = signal.SIGTERM
    patience: float = 40.0


@dataclass
class _Run:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    starts: int = 0
    failures: int = 0
    wanted: bool = True
    ends_at: float = 0.0
    told: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """Programs, in the order in which they were started; they end in the opposite one.

    One thread begins, watches and ends them all: to the kernel it is their parent, and they end with it.
    """

    def __init__(self, *, say: Callable[[str], None] = print) -> None:
        self._say = say
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def start(self, *programs: Program) -> None:
        """Start programs beside each other and wait until all are ready.

        :raises NotStarted: one of them is not within a minute and a half; it goes on being tried.
        """
        with self._lock:
            for program in programs:
                self._runs[program.name] = _Run(program)
        deadline = time.monotonic() + START_SECONDS
        for program in programs:
            self.wait_until_ready(program.name, seconds=max(0.0, deadline - time.monotonic()))

    def wait_until_ready(self, name: str, *, seconds: float = START_SECONDS) -> None:
        """Wait until a program answers.

        :raises NotStarted: it does not.
        """
        run = self._runs[name]
        deadline = time.monotonic() + seconds
        while not (run.process is not None and run.program.is_ready()):
            if time.monotonic() > deadline:
                raise NotStarted(f"{name} does not answer; the last words of {run.program.log}: {_tail(run)}")
            self._over.wait(LOOK_SECONDS)

    def names(self) -> list[str]:
        """The programs, in the order of their start."""
        return list(self._runs)

    def pid(self, name: str) -> int:
        """The process that was started for a program, 0 while there is none; it leads its group."""
        process = self._runs[name].process
        return 0 if process is None else process.pid

    def starts(self, name: str) -> int:
        """How often a program was started."""
        return self._runs[name].starts

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program's own process, not to what it started."""
        with self._lock:
            process = self._runs[name].process
            if process is not None:
                os.kill(process.pid, number)  # not reaped before the lock is ours, so the number is still its

    def halt(self, name: str) -> None:
        """End a program in order, and leave it so until `resume`."""
        run = self._runs[name]
        run.told.clear()
        run.wanted = False
        run.told.wait(run.program.patience + 10)

    def resume(self, name: str) -> None:
        """Start a program that was halted; see `wait_until_ready`."""
        with self._lock:
            run = self._runs[name]
            run.due_at, run.failures, run.wanted = 0.0, 0, True

    def stop(self) -> None:
        """End all programs in order; returns when none is left."""
        self._over.set()
        self._thread.join()

    # --- In the thread ---

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with self._lock:
                for run in self._runs.values():
                    self._look_at(run)
        for run in reversed(self._runs.values()):
            self._end(run)

    def _look_at(self, run: _Run) -> None:
        if not run.wanted:
            self._halt(run)
        elif run.process is None:
            if time.monotonic() >= run.due_at:
                self._begin(run)
        elif _has_ended(run.process):
            lived = time.monotonic() - run.started_at
            code = self._sweep(run)
            run.failures = 0 if lived > STEADY_SECONDS else run.failures + 1
            pause = min(LONGEST_PAUSE, 0.1 * 2 ** (run.failures - 1)) if run.failures else 0.0
            run.due_at = time.monotonic() + pause
            self._say(f"{run.program.name} ended ({code}); it is started again in {pause:.1f} s")

    def _begin(self, run: _Run) -> None:
        program = run.program
        run.starts += 1
        run.started_at = time.monotonic()
        with program.log.open("ab") as log:
            run.process = subprocess.Popen(
                [*_before(program), *program.words],
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be ended as a whole
            )

    def _halt(self, run: _Run) -> None:
        """One step of an end in order, beside which the others are watched."""
        if run.process is None:
            run.told.set()
        elif not run.ends_at:
            os.kill(run.process.pid, run.program.ends_by)
            run.ends_at = time.monotonic() + run.program.patience
        elif _has_ended(run.process) or time.monotonic() > run.ends_at:
            run.ends_at = 0.0
            self._sweep(run)

    def _end(self, run: _Run) -> None:
        if run.process is None:
            return
        if not _has_ended(run.process):
            os.kill(run.process.pid, run.program.ends_by)
        deadline = time.monotonic() + run.program.patience
        while not _has_ended(run.process) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        self._sweep(run)

    def _sweep(self, run: _Run) -> int:
        """End what is left of the group, and only then take note of the end of its first process: until then
        no other process can be given its number.
        """
        process, run.process = run.process, None
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        # A kill takes effect in its own time; what is started next must not meet what answers still.
        deadline = time.monotonic() + GONE_SECONDS
        while _is_there(process.pid) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return code


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)  # asks only
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _before(program: Program) -> list[str]:
    """The words before a program's own: it ends when we are killed, and gains no rights by set-uid files.
    `setpriv` then becomes the program, so that its number stays the one we know.
    """
    ends_with_us = f"--pdeathsig={program.ends_by.name.removeprefix('SIG')}"
    return [SETPRIV, *as_user(program.user), ends_with_us, "--no-new-privs", "--"]


def as_user(user: str) -> list[str]:
    """The options of setpriv that make a process a user's; none unless this process is root."""
    if os.geteuid() != 0 or not user:
        return []
    entry = pwd.getpwnam(user)
    return [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups"]


def _tail(run: _Run) -> str:
    lines = run.program.log.read_text(errors="replace").splitlines() if run.program.log.exists() else []
    return lines[-1] if lines else "none"
