"""Tables that people upload, CSV or XLSX, read row by row with bounds on everything (no Django here).

Nothing of a file is believed: not its name, its media type, the sizes its headers claim, or its XML. A table
has at most so many rows and columns, a cell so many characters, and an XLSX unpacks to so many bytes;
entities and document types are refused by the parser itself.
"""

import codecs
import csv
import io
from collections.abc import Iterator

from orders import xlsx
from orders.tables import LARGEST_FILE, LONGEST_CELL, MOST_COLUMNS, Row, UnreadableTable

LARGEST_UNPACKED = 200_000_000


def read(content: bytes, *, unpacked: int | None = None) -> Iterator[Row]:
    """The rows of a table that have something in them.

    :param unpacked: how many bytes an XLSX may unpack to, if less than any table.

    A cell of an XLSX that holds a formula begins with `=`, whatever value was kept with it.

    :raises UnreadableTable: at the first place that cannot be read, also after some rows.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableTable("too-large")
    rows = (
        xlsx.read(content, unpacked=unpacked or LARGEST_UNPACKED)
        if content.startswith(b"PK\x03\x04")
        else _read_csv(content)
    )
    for row in rows:
        if len(row.cells) > MOST_COLUMNS:
            raise UnreadableTable("too-many-columns", line=row.line)
        if any(len(cell) > LONGEST_CELL for cell in row.cells):
            raise UnreadableTable("cell-too-long", line=row.line)
        if any(row.cells):
            yield row


def _read_csv(content: bytes) -> Iterator[Row]:
    text = _decoded(content)
    if "\x00" in text:
        raise UnreadableTable("encoding", line=text.count("\n", 0, text.index("\x00")) + 1)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableTable("malformed", line=line) from error
        yield Row(line=line, cells=tuple(cell.strip(" ") for cell in cells))


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableTable("encoding", line=content.count(b"\n", 0, error.start) + 1) from error
