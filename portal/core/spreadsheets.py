"""What a spreadsheet would run instead of showing it: the portal hands on no formula, whoever wrote it."""

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def would_run(cell: str) -> bool:
    """Whether a spreadsheet takes the text for a formula, by how it begins."""
    return cell.startswith(_BEGINNINGS)


def harmless(value: object) -> object:
    """A value for a cell that no spreadsheet takes for a formula: such text stands behind a `'`."""
    return f"'{value}" if isinstance(value, str) and would_run(value) else value
