"""The import contracts of pyproject.toml: that they bite, and the rules that import-linter cannot word.

It takes Django as a whole; so what operations and doors may not import directly is read from the syntax trees
here. Which modules are doors and which are operations stands in pyproject.toml alone.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]
# Which layer of its contract holds an app's operations. Doors are the first layer everywhere.
OPERATIONS = {"accounts": 3, "devices": 2, "licenses": 2, "orders": 1}
SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.test.signals")
BANNED_IN_OPERATIONS = ("rest_framework", "django.http", "django.shortcuts", "portal.core.clock.now")
# Doors load through queries and act through operations. Classes they may name: a refusal lives beside the
# function that raises it, and an API reference lists it.
BANNED_IN_DOORS = ("licenses.documents", "licenses.ledger", "licenses.transparency")

CLASS = re.compile(r"\.[A-Z]\w*(\.\w+)*$")


def modules_of(app: str, layer: int) -> Iterator[Path]:
    """The files of one layer of an app."""
    for name in re.findall(r"\w+", CONTRACTS[app]["layers"][layer]):
        place = ROOT / app / name
        yield from place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]


def imports_of(file: Path) -> set[str]:
    """The dotted names that a file takes from elsewhere, by `import` or by a dot behind what it imported."""
    names: set[str] = set()
    known_as: dict[str, str] = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
            top = {alias.name.partition(".")[0] for alias in node.names if not alias.asname}
            known_as |= {alias.asname: alias.name for alias in node.names if alias.asname}
            known_as |= {name: name for name in top}
        elif isinstance(node, ast.ImportFrom) and node.module:
            taken = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            known_as |= taken
            names.update(taken.values())
        elif isinstance(node, ast.Attribute):
            first, dot, rest = ast.unparse(node).partition(".")
            if first in known_as:
                names.add(f"{known_as[first]}{dot}{rest}")
    return names


def banned_imports(files: Iterator[Path], banned: tuple[str, ...]) -> list[str]:
    """One line for each import of a banned module, or of something in one."""
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        if file.exists()
        for name in sorted(imports_of(file))
        if any(name == module or name.startswith(f"{module}.") for module in banned)
    ]


class TestLayers:
    @pytest.mark.parametrize("app", OPERATIONS)
    def test_operations_import_neither_the_web_nor_the_clock(self, app: str) -> None:
        assert banned_imports(modules_of(app, OPERATIONS[app]), BANNED_IN_OPERATIONS) == []

    @pytest.mark.parametrize("app", OPERATIONS)
    def test_doors_do_not_reach_past_operations_and_queries(self, app: str) -> None:
        found = banned_imports(modules_of(app, 0), BANNED_IN_DOORS)

        assert [line for line in found if not line.endswith(BANNED_IN_DOORS) and not CLASS.search(line)] == []

    def test_nothing_hangs_on_signals(self) -> None:
        files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))

        assert banned_imports(files, SIGNALS) == []

    def test_the_rules_see_an_import_whichever_way_it_is_written(self, tmp_path: Path) -> None:
        file = tmp_path / "module.py"
        file.write_text(
            "import a.b\n"
            "import d.e as f\n"
            "from drf.views import APIView as V\n"
            "from core import clock as c\n"
            "print(a.b.g(c.now()), f.h)\n"
        )

        assert imports_of(file) == {
            "a.b",
            "a.b.g",
            "d.e",
            "d.e.h",
            "drf.views.APIView",
            "core.clock",
            "core.clock.now",
        }


class TestContracts:
    """Each contract turns red on a copy of the packages in which its rule is broken."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        for package in PACKAGES:
            shutil.copytree(
                ROOT / package,
                tmp_path / package,
                ignore=lambda folder, names: [
                    name for name in names if Path(folder, name).is_file() and not name.endswith(".py")
                ],
            )
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
        return tmp_path

    @staticmethod
    def lint(copy: Path) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
        return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)

    def test_they_are_kept_as_long_as_nothing_is_changed(self, copy: Path) -> None:
        answer = self.lint(copy)

        assert answer.returncode == 0, answer.stdout

    @pytest.mark.parametrize(
        ("module", "line", "contract"),
        [
            ("accounts/models.py", "import devices.models", "Apps stand in one line"),
            ("portal/core/models.py", "import accounts.models", "Apps stand in one line"),
            ("licenses/models.py", "import portal.settings", "Apps stand in one line"),
            ("portal/helpers.py", "", "The whole stands on common ground"),
            ("portal/core/helpers.py", "", "Layers of common ground"),
            ("accounts/helpers.py", "", "Layers of accounts"),
            ("devices/helpers.py", "", "Layers of devices"),
            ("licenses/helpers.py", "", "Layers of licenses"),
            ("orders/helpers.py", "", "Layers of orders"),
            ("licenses/models.py", "import orders.certificate", "Apps stand in one line"),
            ("licenses/models.py", "import licenses.ledger", "Layers of licenses"),
            ("licenses/activation.py", "import licenses.returns", "Layers of licenses"),
            ("licenses/web/stray.py", "import licenses.api", "Layers of licenses"),
            ("licenses/activation_code.py", "import django.db", "Pure modules import no Django"),
            ("portal/core/base64url.py", "import portal.core.models", "Pure modules import no Django"),
            (
                "appliance/stray.py",
                "import devices.hardware_id",
                "The device knows the portal only over HTTP",
            ),
            (
                "devices/hardware_id.py",
                "import appliance",
                "The portal does not lean on the reference device",
            ),
        ],
    )
    def test_they_are_broken_by(self, copy: Path, module: str, line: str, contract: str) -> None:
        with (copy / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

        answer = self.lint(copy)

        assert answer.returncode == 1, answer.stdout
        assert f"{contract} BROKEN" in answer.stdout
