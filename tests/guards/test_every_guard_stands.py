"""Every guard that can be taken out still stands where the list says (tools/guards.py)."""

from pathlib import Path

import pytest

from tools.guard import Guard
from tools.guards import GUARDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_its_text_is_there_exactly_once(guard: Guard) -> None:
    source = (ROOT / guard.file).read_text(encoding="utf-8")
    if guard.in_function:
        source = source.partition(f"CREATE FUNCTION {guard.in_function}(")[2].partition("$$;")[0]

    assert [text for text, _without in guard.edits if source.count(text) != 1] == []
