"""What a guard is: code that keeps the books right, and the tests that must miss it (tools.guards)."""

from dataclasses import dataclass

RACES = "tests/races"
OPERATIONS = "tests/operations"
NEVER = ("if act.outcome is not None:", "if False:")


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Code that keeps the books right.

    file: where it stands. edits: text and what stands there instead when the guard is gone; each text is
    there exactly once. tests: what to run; one of them must fail. in_function:
    the function of PostgreSQL that is edited; the file is the migration that makes it (docs/decisions/0036).
    """

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]
    in_function: str = ""
