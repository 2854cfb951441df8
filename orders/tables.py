"""What a table that people upload is to whoever reads one, and the bounds on it (no Django here)."""

from dataclasses import dataclass

MOST_COLUMNS = 50
LONGEST_CELL = 1000
LARGEST_FILE = 20_000_000


class UnreadableTable(Exception):
    """The file is no table, or beyond the bounds. `reason` is a word of `orders.order_sheet.UNREADABLE`,
    `line` the first line that cannot be read, 0 where it is the whole file."""

    def __init__(self, reason: str, *, line: int = 0) -> None:
        self.reason, self.line = reason, line
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet or editor shows it, and its cells as texts."""

    line: int
    cells: tuple[str, ...]
