"""Every job that is asked for has somebody who does it."""

import ast
import re
from pathlib import Path

from django.utils.module_loading import autodiscover_modules

from portal.core import outbox, schedule

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("portal", "accounts", "devices", "licenses", "orders")
ASKING = {"outbox.put", "outbox.put_all"}


def jobs_asked_for() -> dict[str, str]:
    """The names given to those who ask, with the place."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ASKING:
                    if path.name == "schedule.py":
                        continue  # its names are those of schedule.every
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"
                    assert isinstance(node.args[0], ast.Constant), f"{place}: the name is written out"
                    found[str(node.args[0].value)] = place
    return found


class TestJobs:
    def test_each_has_a_handler(self) -> None:
        autodiscover_modules("tasks")

        asked_for = jobs_asked_for()

        assert asked_for, "there are jobs"
        assert {name: place for name, place in asked_for.items() if name not in outbox._handlers} == {}

    def test_each_handler_has_somebody_who_asks(self) -> None:
        autodiscover_modules("tasks")

        assert set(outbox._handlers) == set(jobs_asked_for()) | schedule.names()

    def test_what_the_clock_asks_for_has_a_handler(self) -> None:
        autodiscover_modules("tasks")

        assert schedule.names()
        assert schedule.names() <= set(outbox._handlers)

    def test_workers_know_each_kind_of_long_job(self) -> None:
        """A kind stands beside its operation; tasks.py of its app brings the module into the worker."""
        found = {
            path.relative_to(ROOT): path.with_name("tasks.py").read_text(encoding="utf-8")
            for package in PACKAGES
            for path in (ROOT / package).glob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef)
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call)
            and ast.unparse(decorator.func) in {"kind", "long_job_kinds.kind"}
        }

        assert found, "there are kinds"
        assert [str(path) for path, tasks in found.items() if not re.search(rf"\b{path.stem}\b", tasks)] == []
