"""Workbooks as other programs write them, and numbers as they show them (orders.xlsx, orders.cell_formats).

The files in tests/spreadsheets were written by openpyxl 3.1.5, by XlsxWriter 3.3.1 (with shared texts, and
row by row with texts in their cells), and by LibreOffice 7.4, each with the same table: texts, whole numbers,
a quantity of 10.0, a date, an account number that is a text and one that is a number shown as 000000, empty
cells, an empty row, a sheet behind it, and in XlsxWriter's a hidden one before it.
"""

import io
import zipfile
from pathlib import Path

import pytest

from orders import cell_formats, sheets
from orders.cell_formats import RoundedNumber
from orders.tables import Row, UnreadableTable
from tests.pure.test_sheets import NAMESPACE, XML

WRITTEN = sorted((Path(__file__).resolve().parents[1] / "spreadsheets").glob("*.xlsx"))
BOOK = f'<workbook {NAMESPACE} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'


def workbook(**parts: str) -> bytes:
    """One with these parts, by their names without folder and end."""
    places = {"workbook": "xl/workbook.xml", "links": "xl/_rels/workbook.xml.rels", "styles": "xl/styles.xml"}
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, text in parts.items():
            archive.writestr(places.get(name, f"xl/worksheets/{name}.xml"), XML + text)
    return into.getvalue()


def rows(cells: str) -> str:
    return f"<worksheet {NAMESPACE}><sheetData><row>{cells}</row></sheetData></worksheet>"


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.stem)
def test_what_another_program_wrote_is_read_as_it_is_shown(file: Path) -> None:
    assert list(sheets.read(file.read_bytes())) == [
        Row(1, ("order", "account", "reference", "customer", "code", "version", "quantity", "keys")),
        Row(2, ("SO-1", "000123", "2026-11-24", "Müller & Söhne <GmbH>", "Port", "14", "10")),
        Row(3, ("4711", "000123", "", "Zoë", "UC", "14", "1", "line")),
        Row(5, ("SO-3", "", "007", "日本", "Port", "14", "250", "order")),
    ]


def test_there_is_a_file_of_each_program() -> None:
    assert {file.stem for file in WRITTEN} == {"libreoffice", "openpyxl", "xlsxwriter", "xlsxwriter-inline"}


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "how", "shown"),
        [
            ("10", "", "10"),
            ("10.0", "", "10"),
            ("-10.000", "", "-10"),
            ("1.5", "", "1.5"),
            ("1E3", "", "1000"),
            ("1.5e-3", "", "1.5e-3"),
            ("123456789012345", "", "123456789012345"),
            ("123", "000000", "000123"),
            ("1234567", "000000", "1234567"),
            ("1.5", "000", "1.5"),
            ("46350", "date", "2026-11-24"),
            ("46350.75", "date", "2026-11-24 18:00:00"),
            ("61", "date", "1900-03-01"),
            ("1", "date", "1900-01-01"),
            ("99999999999", "date", "99999999999"),
            ("TRUE", "", "TRUE"),
        ],
    )
    def test_one_is_a_text_as_it_is_shown(self, text: str, how: str, shown: str) -> None:
        assert cell_formats.as_shown(text, how, since_1904=False) == shown

    def test_days_may_be_counted_from_1904(self) -> None:
        assert cell_formats.as_shown("44888", "date", since_1904=True) == "2026-11-24"

    @pytest.mark.parametrize("text", ["1234567890123456", "1.2345678901234568E+19", "1e999", "-1E+15"])
    def test_one_that_was_rounded_is_refused(self, text: str) -> None:
        with pytest.raises(RoundedNumber):
            cell_formats.as_shown(text, "", since_1904=False)
        with pytest.raises(UnreadableTable) as caught:
            list(sheets.read(workbook(sheet1=rows(f"<c><v>{text}</v></c>"))))
        assert (caught.value.reason, caught.value.line) == ("rounded", 1)

    @pytest.mark.parametrize(
        ("code", "way"),
        [
            ("000000", "000000"),
            ("00000;-00000", "00000"),
            ('"No. "000', "000"),
            ("0", ""),
            ("#,##0.00", ""),
            ("[Red]0.00", ""),
            ("General", ""),
            ("dd.mm.yyyy", "date"),
            ("[$-407]d. mmmm yyyy;@", "date"),
            ("yyyy-mm-dd hh:mm", "date"),
            ('0.0 "days"', ""),
        ],
    )
    def test_a_format_says_how(self, code: str, way: str) -> None:
        of_format = [("numFmt", {"numFmtId": "164", "formatCode": code}, "numFmts")]
        of_style = [("xf", {"numFmtId": "164"}, "cellXfs")]

        assert cell_formats.read([*of_format, *of_style]) == [way]

    def test_formats_that_every_program_knows_are_in_no_file(self) -> None:
        styles = [("xf", {"numFmtId": number}, "cellXfs") for number in ("0", "1", "14", "22", "x", "")]

        assert cell_formats.read(styles) == ["", "", "date", "date", "", ""]
        assert cell_formats.read([("xf", {"numFmtId": "14"}, "cellStyleXfs")]) == []

    def test_too_many_formats_are_refused(self) -> None:
        with pytest.raises(UnreadableTable):
            cell_formats.read([("xf", {}, "cellXfs")] * 100_001)


class TestTheFirstSheet:
    LINKS = (
        '<Relationships><Relationship Id="a" Target="worksheets/two.xml"/>'
        '<Relationship Id="b" Target="/xl/worksheets/one.xml"/></Relationships>'
    )

    @pytest.mark.parametrize(
        ("listed", "first"),
        [
            ('<sheet r:id="a"/><sheet r:id="b"/>', "2"),
            ('<sheet r:id="b"/><sheet r:id="a"/>', "1"),
            ('<sheet r:id="b" state="hidden"/><sheet r:id="a" state="visible"/>', "2"),
        ],
    )
    def test_it_is_the_one_that_a_person_sees_first(self, listed: str, first: str) -> None:
        content = workbook(
            workbook=f"{BOOK}<sheets>{listed}</sheets></workbook>",
            links=self.LINKS,
            one=rows("<c><v>1</v></c>"),
            two=rows("<c><v>2</v></c>"),
        )

        assert list(sheets.read(content)) == [Row(1, (first,))]

    @pytest.mark.parametrize(
        "listed",
        ["", '<sheet r:id="c"/>', "<sheet/>", '<sheet r:id="a" state="veryHidden"/>'],
        ids=["none", "unknown", "without link", "hidden"],
    )
    def test_a_workbook_without_one_is_refused(self, listed: str) -> None:
        content = workbook(
            workbook=f"{BOOK}<sheets>{listed}</sheets></workbook>",
            links=self.LINKS,
            one=rows(""),
            two=rows(""),
        )

        with pytest.raises(UnreadableTable):
            list(sheets.read(content))

    def test_a_document_type_is_refused_in_every_part(self) -> None:
        bad = '<!DOCTYPE x [<!ENTITY a "b">]>'
        sound = {
            "workbook": f'{BOOK}<sheets><sheet r:id="b"/></sheets></workbook>',
            "links": self.LINKS,
            "styles": f"<styleSheet {NAMESPACE}/>",
            "one": rows("<c><v>1</v></c>"),
        }
        assert list(sheets.read(workbook(**sound))) == [Row(1, ("1",))]

        for part, text in sound.items():
            with pytest.raises(UnreadableTable) as caught:
                list(sheets.read(workbook(**{**sound, part: bad + text})))
            assert caught.value.reason == "document-type"

    def test_without_a_workbook_it_is_the_one_of_the_lowest_number(self) -> None:
        assert list(sheets.read(workbook(sheet9=rows("<c><v>9</v></c>"), sheet10=rows("")))) == [
            Row(1, ("9",))
        ]
