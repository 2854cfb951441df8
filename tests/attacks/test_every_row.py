"""Nobody is forgotten: each attacker of trust.md 12 has tests that name them."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# The left column of the table in trust.md 12, which is no part of this repository.
ATTACKERS = (
    "restores an old device backup after a return",
    "claims a dead device and keeps using it",
    "clones a device key",
    "returns someone else's licenses, forges a return",
    "is another manufacturer, or a leaked CA of one",
    "replays",
    "guesses keys",
    "poses as a customer",
    "confuses algorithms, swaps typ, injects keys",
    "forges Host",
    "rolls the portal's database back",
    "is a malicious insider",
    "steals a signing key",
    "sets a device's clock to 2099",
    "bombs uploads",
)


def classes() -> dict[str, list[str]]:
    """The tests of each class in this folder, by the first line of its docstring."""
    found: dict[str, list[str]] = {}
    for path in HERE.rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and (told := ast.get_docstring(node)):
                tests = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
                found.setdefault(told.splitlines()[0].rstrip("."), []).extend(
                    name for name in tests if name.startswith("test_")
                )
    return found


def test_there_are_fifteen() -> None:
    assert len(set(ATTACKERS)) == 15


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_an_attacker_meets_a_test(attacker: str) -> None:
    assert classes().get(attacker[0].upper() + attacker[1:])
