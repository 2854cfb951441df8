"""docs/security.md names tests that exist, and says of each control where it is tried or why not."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(test_\w+)`", GUIDE)
ROWS = [
    line for line in GUIDE.splitlines() if line.startswith("|") and not line.startswith(("|---", "| req"))
]


def test_every_test_that_it_names_exists() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in NAMED
        if not (ROOT / "tests" / file).exists()
        or f"def {name}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8")
    ]

    assert len(NAMED) > 80
    assert missing == []


def test_every_control_says_where_it_is_tried_or_that_it_is_not() -> None:
    open_ones = [
        row for row in ROWS if "::test_" not in row and not re.search(r"\| (-|no test: .+) \|$", row)
    ]

    assert len(ROWS) > 50
    assert open_ones == []


def test_it_goes_through_every_chapter() -> None:
    assert re.findall(r"^## V(\d+) ", GUIDE, re.MULTILINE) == [str(number) for number in range(1, 18)]
