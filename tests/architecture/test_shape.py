"""The shape of the code (architecture.md): names that say something, small files and functions."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("portal", "accounts", "devices", "licenses", "orders", "support", "appliance")
ALL = (*PRODUCT, "tests", "tools", "benchmarks")
# A name that says only that something did not find its place.
NAMELESS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "services",
    "service",
    "manager",
    "managers",
}
# tools/services.py starts services of the operating system: there the word is the right one.
ALLOWED = {Path("tools/services.py")}
LONGEST_FILE = 350
# Lists beside each other: longer, and nothing in them decides.
LONGER = {"licenses/models.py": 400, "tools/guards.py": 470}
LONGEST_FUNCTION = 80
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def files(*packages: str) -> Iterator[Path]:
    """The Python files of the packages, without migrations, which Django writes."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts and "node_modules" not in path.parts:
                yield path


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


class TestNames:
    def test_no_module_is_called_by_a_word_that_says_nothing(self) -> None:
        found = [
            name(path)
            for path in files(*ALL)
            if {path.stem, path.parent.name} & NAMELESS and path.relative_to(ROOT) not in ALLOWED
        ]

        assert found == []


class TestSizes:
    def test_files_are_small(self) -> None:
        found = [
            f"{name(path)}: {lines} lines"
            for path in files(*PRODUCT, "tools")
            if (lines := len(path.read_text(encoding="utf-8").splitlines()))
            > LONGER.get(name(path), LONGEST_FILE)
        ]

        assert found == []

    def test_functions_are_small(self) -> None:
        found = [
            f"{name(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
            for path in files(*PRODUCT, "tools")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno is not None
            and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
        ]

        assert found == []


class TestLeftovers:
    @pytest.mark.parametrize("package", ALL)
    def test_no_comment_puts_work_off(self, package: str) -> None:
        found = [
            f"{name(path)}:{token.start[0]} {token.string}"
            for path in files(package)
            for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
            if token.type == tokenize.COMMENT and LEFTOVER.search(token.string)
        ]

        assert found == []

    def test_no_template_puts_work_off(self) -> None:
        found = [
            name(path)
            for suffix in ("html", "txt", "css", "js")
            for package in PRODUCT
            for path in (ROOT / package).rglob(f"*.{suffix}")
            if LEFTOVER.search(path.read_text(encoding="utf-8"))
        ]

        assert found == []
