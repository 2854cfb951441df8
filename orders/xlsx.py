"""The first sheet of an XLSX workbook, row by row, as it is shown; nothing of the file is believed.

What comes out of the ZIP is counted, whatever its headers say; document types and entities are refused by the
parser itself. A number that is shown with leading zeros has them here, one that is shown as a date is one.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from xml.parsers import expat

from orders import cell_formats
from orders.cell_formats import Element
from orders.tables import LONGEST_CELL, MOST_COLUMNS, Row, UnreadableTable

MOST_SHARED_TEXTS = 500_000
_CHUNK = 65_536
_SHEET = re.compile(r"xl/worksheets/sheet(\d{1,9})\.xml")
_COLUMN = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def read(content: bytes, *, unpacked: int) -> Iterator[Row]:
    """The rows of the first sheet that is not hidden.

    :param unpacked: how many bytes may come out of the ZIP.
    :raises UnreadableTable: at the first place that cannot be read, also after some rows.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            budget = _Budget(unpacked)
            names = set(archive.namelist())
            sheet, since_1904 = _first_sheet(archive, names, budget)
            shared: list[str] = []
            if "xl/sharedStrings.xml" in names:
                shared = _shared_texts(budget.parts(archive, "xl/sharedStrings.xml"))
            shown: list[str] = []
            if "xl/styles.xml" in names:
                shown = cell_formats.read(_elements(budget.parts(archive, "xl/styles.xml")))
            yield from _Sheet(shared, shown, since_1904=since_1904).rows(budget.parts(archive, sheet))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        # What the library says of an unknown way to compress is NotImplementedError, of an encrypted entry
        # RuntimeError.
        raise UnreadableTable("malformed") from error


def _first_sheet(archive: zipfile.ZipFile, names: set[str], budget: "_Budget") -> tuple[str, bool]:
    """Where the sheet is that a person sees first, and whether days are counted from 1904."""
    book, links = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    numbered = sorted((int(found[1]), name) for name in names if (found := _SHEET.fullmatch(name)))
    if not {book, links} <= names:
        if not numbered:
            raise UnreadableTable("malformed")
        return numbered[0][1], False
    since_1904, sheets = False, []
    for name, attributes, _inside in _elements(budget.parts(archive, book)):
        if name == "workbookPr":
            since_1904 = attributes.get("date1904") in ("1", "true")
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            sheets.append(attributes.get("id", ""))
    targets = {
        attributes.get("Id", ""): attributes.get("Target", "")
        for name, attributes, _inside in _elements(budget.parts(archive, links))
        if name == "Relationship"
    }
    target = targets.get(sheets[0], "") if sheets else ""
    place = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    if place not in names:
        raise UnreadableTable("malformed")
    return place, since_1904


def _elements(parts: Iterable[bytes]) -> Iterator[Element]:
    """Each element of a small part as it begins: its name, its attributes, and the name of what it is in."""
    parser, begun, inside = _parser(), [], [""]

    def start(name: str, attributes: dict[str, str]) -> None:
        begun.append((_local(name), {_local(key): value for key, value in attributes.items()}, inside[-1]))
        inside.append(_local(name))

    def end(_name: str) -> None:
        inside.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    for _fed_part in _fed(parser, parts):
        yield from begun
        begun.clear()


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

    def __init__(self, shared: Sequence[str], shown: Sequence[str], *, since_1904: bool) -> None:
        self.shared, self.shown, self.since_1904 = shared, shown, since_1904
        self.ready: list[Row] = []
        self.line = 0
        self.cells: dict[int, str] = {}
        self.column = 0
        self.kind = self.style = ""
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
                self.style = attributes.get("s", "0")
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
        if self.kind != "n" or not text.strip():
            return text.strip(" ")
        style = int(self.style) if _is_number(self.style) else 0
        how = self.shown[style] if style < len(self.shown) else ""
        try:
            return cell_formats.as_shown(text.strip(" "), how, since_1904=self.since_1904)
        except cell_formats.RoundedNumber as error:
            raise UnreadableTable("rounded", line=self.line) from error
