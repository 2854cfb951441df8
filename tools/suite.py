"""A pytest plugin, loaded by pyproject.toml: the environment that the suite runs in, and its count.

As a plugin and not in conftest.py, because Django's settings are read before any conftest.py is.
It is found when pytest is started from the top folder as `python -m pytest`.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

# Where to write the count, for tools.run_tests to sum up.
COUNT_FILE = "PORTAL_TEST_COUNT_FILE"
# Set to 1, races run as often as they were meant to (tests/races/pool.py).
WHOLE_RACES = "LICENSE_PORTAL_WHOLE_RACES"
# What pytest calls an outcome, and what the closing line calls it. A deselected test did not run at all.
OUTCOMES = {
    "passed": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
}

_own_data_folder: str | None = None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Give the suite defaults for all settings, and a data folder apart from that of `make run`.

    pytest-django reads the settings in the same hook, after this.
    """
    global _own_data_folder  # noqa: PLW0603 -- a plugin has no object of its own to keep it in
    os.environ.setdefault("DEMO", "1")
    # A bare machine may not know the name localhost, which is pytest-django's own choice.
    os.environ.setdefault("DJANGO_LIVE_TEST_SERVER_ADDRESS", "127.0.0.1")
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None and "DATA_DIR" not in os.environ:
        _own_data_folder = tempfile.mkdtemp(prefix="license-portal-tests-")
        os.environ["DATA_DIR"] = _own_data_folder
    if worker is not None and "REDIS_URL" in os.environ:
        # Each worker has a PostgreSQL database of its own; so that nobody clears the cache of somebody else,
        # each has a Redis database of its own as well. Redis has 16, 0 is left to a run without workers.
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests counted themselves (`record_property`), and write the count of the tests where the
    caller asked for it; runs in the main process only."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value} in {report.duration:.0f} s")
    target = os.environ.get(COUNT_FILE)
    if target is None:
        return
    counts: Counter[str] = Counter()
    for outcome, name in OUTCOMES.items():
        counts[name] += len(terminalreporter.stats.get(outcome, []))
    Path(target).write_text(json.dumps(counts), encoding="ascii")


def pytest_unconfigure() -> None:
    """Remove the data folder that was made for this run."""
    if _own_data_folder is not None:
        shutil.rmtree(_own_data_folder)
