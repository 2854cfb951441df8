"""Public test vectors, read from the folder beside the checkout where it is there."""

import json
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parents[3] / "shared" / "vectors"


def wycheproof(name: str) -> list[dict[str, Any]]:
    """The test groups of one of the C2SP/wycheproof files; the test is skipped where there are none."""
    path = _FOLDER / "wycheproof" / name
    if not path.exists():
        pytest.skip(f"no public vectors beside the checkout: ../shared/vectors/wycheproof/{name}")
    groups: list[dict[str, Any]] = json.loads(path.read_text())["testGroups"]
    return groups
