"""Lines of an order as people type or paste them: product, version, quantity."""

import re

from licenses.issuing import OrderLine

_LINE = re.compile(r"\s*(\S{1,40}?)[\s,;]+([0-9]{1,9})[\s,;]+(-?[0-9]{1,12})\s*")


class NotALine(ValueError):
    """A line cannot be read; `line` is its number."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(line)


def read(text: str) -> tuple[OrderLine, ...]:
    """The lines of a text that have something in them.

    :raises NotALine: one is not a product, a version and a quantity.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        read_line = _LINE.fullmatch(line)
        if read_line is None:
            raise NotALine(number)
        code, version, quantity = read_line.groups()
        found.append(OrderLine(code=code, version=int(version), quantity=int(quantity)))
    return tuple(found)
