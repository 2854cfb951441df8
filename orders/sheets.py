"""Tables that people upload, CSV or XLSX, read row by row with bounds on everything (no Django here).

Nothing of a file is believed: not its name, its media type, the sizes its headers claim, or its XML. A table
has at most so many rows and columns, a cell so many characters, and an XLSX unpacks to so many bytes;
entities and document types are refused by the parser itself.
"""

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

MOST_COLUMNS = 50
LONGEST_CELL = 1000
LARGEST_FILE = 20_000_000
LARGEST_UNPACKED = 200_000_000
MOST_SHARED_TEXTS = 500_000
_CHUNK = 65_536
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
_COLUMN = re.compile(r"([A-Z]{1,3})(\d{1,7})")


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


def read(content: bytes, *, unpacked: int | None = None) -> Iterator[Row]:
    """The rows of a table that have something in them.

    :param unpacked: how many bytes an XLSX may unpack to, if less than any table.

    A cell of an XLSX that holds a formula begins with `=`, whatever value was kept with it.

    :raises UnreadableTable: at the first place that cannot be read, also after some rows.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableTable("too-large")
    rows = (
        _read_xlsx(content, unpacked or LARGEST_UNPACKED)
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


def _read_xlsx(content: bytes, unpacked: int) -> Iterator[Row]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(name for name in archive.namelist() if _SHEET.fullmatch(name))
            if not names:
                raise UnreadableTable("malformed")
            budget = _Budget(unpacked)
            shared: list[str] = []
            if "xl/sharedStrings.xml" in archive.namelist():
                shared = _shared_texts(budget.parts(archive, "xl/sharedStrings.xml"))
            yield from _Sheet(shared).rows(budget.parts(archive, min(names, key=_number)))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        # What the library says of an unknown way to compress is NotImplementedError, of an encrypted entry
        # RuntimeError.
        raise UnreadableTable("malformed") from error


def _number(name: str) -> int:
    return int(re.sub(r"\D", "", name))


class _Budget:
    """Counts what comes out, since headers may say anything: a bomb stops at the bound, not in memory."""

    def __init__(self, left: int) -> None:
        self.left = left

    def parts(self, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
        try:
            with archive.open(name) as entry:
                while part := entry.read(_CHUNK):
                    self.left -= len(part)
                    if self.left < 0:
                        raise UnreadableTable("too-large")
                    yield part
        except zlib.error as error:
            raise UnreadableTable("malformed") from error


def _parser() -> expat.XMLParserType:
    """A parser that knows no document types: no entities, inside or outside, can be declared at all."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_declared: object) -> None:
        raise UnreadableTable("document-type")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse  # type: ignore[assignment]
    return parser


def _fed(parser: expat.XMLParserType, parts: Iterable[bytes]) -> Iterator[None]:
    try:
        for part in parts:
            parser.Parse(part, False)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise UnreadableTable("malformed") from error


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _shared_texts(parts: Iterable[bytes]) -> list[str]:
    """The table of texts that cells point into; what is read aloud beside them (`rPh`) is left out."""
    texts: list[str] = []
    gathered: list[str] = []
    inside: list[str] = []
    parser = _parser()

    def start(name: str, _attributes: dict[str, str]) -> None:
        inside.append(_local(name))
        if inside[-1] == "si":
            gathered.clear()

    def end(_name: str) -> None:
        if inside.pop() == "si":
            if len(texts) >= MOST_SHARED_TEXTS:
                raise UnreadableTable("too-large")
            texts.append("".join(gathered)[: LONGEST_CELL + 1])

    def characters(text: str) -> None:
        if inside and inside[-1] == "t" and "rPh" not in inside:
            gathered.append(text)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    for _fed_part in _fed(parser, parts):
        pass
    return texts


class _Sheet:
    """Reads the rows of one sheet while it is unpacked."""

    def __init__(self, shared: list[str]) -> None:
        self.shared = shared
        self.ready: list[Row] = []
        self.line = 0
        self.cells: dict[int, str] = {}
        self.column = 0
        self.kind = ""
        self.formula = False
        self.gathered: list[str] = []
        self.takes_text = False

    def rows(self, parts: Iterable[bytes]) -> Iterator[Row]:
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        for _fed_part in _fed(parser, parts):
            yield from self.ready
            self.ready.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match _local(name):
            case "row":
                self.line = int(attributes["r"]) if _is_number(attributes.get("r", "")) else self.line + 1
                self.cells, self.column = {}, 0
            case "c":
                self.column = self._column_of(attributes.get("r", ""))
                self.kind, self.formula = attributes.get("t", "n"), False
                self.gathered.clear()
            case "f":
                self.formula = True
            case "v" | "t":
                self.takes_text = True

    def _end(self, name: str) -> None:
        match _local(name):
            case "v" | "t":
                self.takes_text = False
            case "c":
                self.cells[self.column] = self._value()
            case "row":
                width = max(self.cells, default=0)
                cells = tuple(self.cells.get(column, "") for column in range(1, width + 1))
                self.ready.append(Row(line=self.line, cells=cells))

    def _characters(self, text: str) -> None:
        if self.takes_text:
            self.gathered.append(text)

    def _column_of(self, place: str) -> int:
        found = _COLUMN.fullmatch(place)
        if found is None:
            column = self.column + 1
        else:
            column = 0
            for letter in found[1]:
                column = column * 26 + ord(letter) - 64
        if column > MOST_COLUMNS:
            raise UnreadableTable("too-many-columns", line=self.line)
        return column

    def _value(self) -> str:
        text = "".join(self.gathered)
        if self.formula:
            return f"={text}"
        if self.kind == "s":
            if not _is_number(text) or int(text) >= len(self.shared):
                raise UnreadableTable("malformed", line=self.line)
            return self.shared[int(text)].strip(" ")
        # A whole number, as spreadsheets may write it.
        return re.sub(r"^(-?\d{1,15})\.0+$", r"\1", text.strip(" ")) if self.kind == "n" else text.strip(" ")
