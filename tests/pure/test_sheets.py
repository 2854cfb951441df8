"""Tables that people upload, honest ones and others (orders.sheets)."""

import io
import zipfile

import pytest

from orders import sheets
from orders.tables import Row, UnreadableTable

SHEET = "xl/worksheets/sheet1.xml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def xlsx(rows: str, *, shared: str = "", head: str = XML) -> bytes:
    """A workbook of one sheet, as spreadsheets write it."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SHEET, f"{head}<worksheet {NAMESPACE}><sheetData>{rows}</sheetData></worksheet>")
        if shared:
            archive.writestr("xl/sharedStrings.xml", f"{XML}<sst {NAMESPACE}>{shared}</sst>")
    return into.getvalue()


def read(content: bytes) -> list[Row]:
    return list(sheets.read(content))


def refused(content: bytes) -> tuple[str, int]:
    """Why, and at which line."""
    with pytest.raises(UnreadableTable) as caught:
        read(content)
    return caught.value.reason, caught.value.line


class TestCSV:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_it_is_read_as_spreadsheets_write_it(self, delimiter: str, newline: str) -> None:
        text = newline.join(
            delimiter.join(line) for line in (["a", "b"], ["1", '"x y"'], ["", ""], ["2", "z"])
        )

        assert read(text.encode()) == [
            Row(line=1, cells=("a", "b")),
            Row(line=2, cells=("1", "x y")),
            Row(line=4, cells=("2", "z")),
        ]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_umlauts_are_read(self, encoding: str) -> None:
        assert read("Müller;ß\n".encode(encoding)) == [Row(line=1, cells=("Müller", "ß"))]

    def test_a_quoted_cell_may_hold_lines(self) -> None:
        assert [row.line for row in read(b'a,b\n"x\ny",1\n2,3\n')] == [1, 2, 4]

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"a;b\nM\xfcller;1\n", ("encoding", 2)),
            (b"a;b\nx;\x00\n", ("encoding", 2)),
            (b"\xff\xfea", ("encoding", 1)),
            (b'a;b\n"x', ("malformed", 2)),
            (b";".join([b"x"] * 51) + b"\n", ("too-many-columns", 1)),
            (b"a;b\n" + b";" * 1_000_000 + b"\n", ("too-many-columns", 2)),
            (b"a;b\n" + b"x" * 1001 + b";1\n", ("cell-too-long", 2)),
            (b"a;b\n" + b"x" * 200_000 + b";1\n", ("malformed", 2)),
            (b"x" * 20_000_001, ("too-large", 0)),
        ],
        ids=lambda given: given[0] if isinstance(given, tuple) else "",
    )
    def test_what_is_no_table_is_refused_with_its_line(self, content: bytes, why: tuple[str, int]) -> None:
        assert refused(content) == why


class TestXLSX:
    def test_it_is_read_as_spreadsheets_write_it(self) -> None:
        content = xlsx(
            '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>c</t></is></c></row>'
            '<row r="3"><c r="A3"><v>10</v></c><c r="B3" t="n"><v>14.0</v></c>'
            '<c r="C3" t="s"><v>1</v></c></row>',
            shared="<si><t>order</t></si><si><r><t>Mü</t></r><r><t>ller</t></r><rPh><t>x</t></rPh></si>",
        )

        assert read(content) == [
            Row(line=1, cells=("order", "", "c")),
            Row(line=3, cells=("10", "14", "Müller")),
        ]

    def test_places_may_be_left_out(self) -> None:
        assert read(xlsx("<row><c><v>1</v></c><c><v>2</v></c></row>")) == [Row(line=1, cells=("1", "2"))]

    def test_a_formula_is_seen_whatever_value_was_kept_with_it(self) -> None:
        content = xlsx('<row r="1"><c r="A1" t="str"><f>HYPERLINK("x")</f><v>harmless</v></c></row>')

        assert read(content) == [Row(line=1, cells=("=harmless",))]

    def test_an_entity_that_grows_is_refused_before_it_grows(self) -> None:
        bomb = f'{XML}<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

        assert refused(xlsx("<row><c><v>&b;</v></c></row>", head=bomb))[0] == "document-type"

    def test_an_entity_from_elsewhere_is_refused_and_nothing_is_fetched(self) -> None:
        external = f'{XML}<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'

        assert refused(xlsx("<row><c><v>&a;</v></c></row>", head=external))[0] == "document-type"
        assert (
            refused(xlsx("", head=f'{XML}<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x">'))[0] == "document-type"
        )

    def test_a_bomb_stops_at_the_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1_000_000)
        row = "<row><c><v>1</v></c></row>"

        content = xlsx(row * 100_000)

        assert len(content) < 100_000
        assert refused(content)[0] == "too-large"

    def test_a_million_columns_are_refused_where_they_begin(self) -> None:
        assert refused(xlsx("<row r='7'>" + "<c><v>1</v></c>" * 60 + "</row>")) == ("too-many-columns", 7)
        assert refused(xlsx('<row r="7"><c r="XFD7"><v>1</v></c></row>')) == ("too-many-columns", 7)

    @pytest.mark.parametrize(
        "rows",
        [
            '<row><c t="s"><v>0</v></c></row>',
            '<row><c t="s"><v>-1</v></c></row>',
            '<row><c t="s"><v>²</v></c></row>',
            "<row><c><v>1</c></row>",
            "<row>",
        ],
    )
    def test_what_points_nowhere_or_breaks_off_is_refused(self, rows: str) -> None:
        assert refused(xlsx(rows))[0] == "malformed"

    def test_what_only_begins_like_one_is_refused(self) -> None:
        whole = xlsx("<row><c><v>1</v></c></row>")
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("hello.txt", "hello")

        for content in (b"PK\x03\x04", whole[:-40], other.getvalue()):
            assert refused(content)[0] == "malformed"

    def test_damaged_bytes_are_refused(self) -> None:
        whole = bytearray(xlsx("<row><c><v>1</v></c></row>" * 50))
        start = whole.index(SHEET.encode()) + len(SHEET)
        for place in range(start, start + 40, 7):
            damaged = bytes(whole[:place]) + bytes([whole[place] ^ 0xFF]) + bytes(whole[place + 1 :])
            assert refused(damaged)[0] in ("malformed", "too-large")

    def test_sizes_that_the_headers_claim_are_not_believed(self) -> None:
        content = bytearray(xlsx("<row><c><v>1</v></c></row>"))
        place = content.rindex(b"PK\x01\x02") + 24  # the unpacked size in the directory
        content[place : place + 4] = (1).to_bytes(4, "little")

        assert refused(bytes(content))[0] == "malformed"
