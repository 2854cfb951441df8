"""The certificate of an activation key, as a PDF: what is in it goes in, bytes come out (mission rule 8).

The same certificates give the same bytes, whenever and wherever they are made: no times of making, no random
ids. The fonts are embedded (orders/fonts): what Latin, Greek and Cyrillic write can be printed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import qrcode
from django.utils.translation import gettext as _
from qrcode.constants import ERROR_CORRECT_M
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono-Bold"
WIDTH, HEIGHT = A4
LEFT, RIGHT = 20 * mm, WIDTH - 20 * mm
BOTTOM = 22 * mm
INK, MUTED, LINE = HexColor(0x1D2330), HexColor(0x5B6475), HexColor(0xC9CFDA)
QUIET_ZONE = 4  # modules around the QR code, as ISO/IEC 18004 asks for
QR_SIZE = 42 * mm
BAR = 0.33 * mm  # a module of Code 128; what a telephone reads from a printed page


@dataclass(frozen=True, kw_only=True)
class CertificateLine:
    """One line: a product as `Port 14`, its name, how many, and the unit in words of the language."""

    product: str
    name: str
    quantity: int
    unit: str


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What one certificate says. `key` is the code in its groups, `issued_on` a day in words or digits.

    `link` opens the portal's page for activating, with the key behind its `#`; `page` is the same address
    for typing, without key.
    """

    key: str
    order: str
    reference: str
    customer: str
    issued_on: str
    lines: tuple[CertificateLine, ...]
    link: str
    page: str


def render(certificates: Sequence[Certificate], *, language: str) -> bytes:
    """Return a PDF, A4, a page for each certificate and further ones where its lines do not fit.

    It is written in the language that is active; `language` (RFC 5646) only names it to the reader's
    program. The key stands on the page, in both codes, and nowhere else: not in the title or any other
    property of the file.
    """
    _fonts()
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=True, pageCompression=1, lang=language)
    canvas.setTitle(_("Activation key certificate"))
    canvas.setCreator("License Portal")
    canvas.setProducer("License Portal")
    for certificate in certificates:
        _Sheet(canvas, certificate).draw()
    canvas.save()
    return file.getvalue()


@lru_cache(maxsize=1)
def _fonts() -> None:
    # Reading them takes a tenth of a second; once a process is enough.
    for name in (PLAIN, BOLD, MONO):
        pdfmetrics.registerFont(TTFont(name, FONTS / f"{name}.ttf"))


class _Sheet:
    """One certificate on its page or pages, from top to bottom; `y` is where the next thing may begin."""

    def __init__(self, canvas: Canvas, certificate: Certificate) -> None:
        self.canvas = canvas
        self.certificate = certificate
        self.y = 0.0
        self.pages = 0

    def draw(self) -> None:
        self._begin()
        self._facts()
        self._key()
        self._lines()
        self._how()
        self._end()

    def _begin(self) -> None:
        self.pages += 1
        self.y = HEIGHT - 22 * mm
        self._brand()
        self.y -= 15 * mm
        title = _("Activation key certificate")
        if self.pages > 1:
            title = _("Activation key certificate, continued")
        self._text(LEFT, title, BOLD, 19)
        self.y -= 11 * mm

    def _end(self) -> None:
        self.canvas.setStrokeColor(LINE)
        self.canvas.line(LEFT, BOTTOM - 4 * mm, RIGHT, BOTTOM - 4 * mm)
        foot = _("Order %(order)s, page %(page)s") % {"order": self.certificate.order, "page": self.pages}
        self.y = BOTTOM - 9 * mm
        self._text(LEFT, foot, PLAIN, 8, MUTED)
        self.canvas.showPage()

    def _brand(self) -> None:
        canvas = self.canvas
        canvas.setFillColor(INK)
        canvas.roundRect(LEFT, self.y - 2.2 * mm, 8 * mm, 8 * mm, 1.7 * mm, stroke=0, fill=1)
        canvas.setStrokeColor(HexColor(0xFFFFFF))
        canvas.setLineWidth(1.1)
        canvas.rect(LEFT + 2.2 * mm, self.y - 0.4 * mm, 3.6 * mm, 4.4 * mm, stroke=1, fill=0)
        canvas.line(LEFT + 3.1 * mm, self.y + 2.4 * mm, LEFT + 4.9 * mm, self.y + 2.4 * mm)
        canvas.line(LEFT + 3.1 * mm, self.y + 1.2 * mm, LEFT + 4.9 * mm, self.y + 1.2 * mm)
        canvas.setLineWidth(0.6)
        self._text(LEFT + 10.5 * mm, "License Portal", BOLD, 11)

    def _facts(self) -> None:
        certificate = self.certificate
        facts = [
            (_("Customer"), certificate.customer),
            (_("Order"), certificate.order),
            (_("Your reference"), certificate.reference),
            (_("Issued on"), certificate.issued_on),
        ]
        for label, value in facts:
            if value:
                self._text(LEFT, label, PLAIN, 9.5, MUTED)
                for part in _wrapped(value, BOLD, 9.5, RIGHT - LEFT - 42 * mm):
                    self._text(LEFT + 42 * mm, part, BOLD, 9.5)
                    self.y -= 5.4 * mm
                self.y -= 0.6 * mm
        self.y -= 3 * mm

    def _key(self) -> None:
        """The key in its groups, Code 128 and QR code, in one frame."""
        canvas, top, height = self.canvas, self.y, 62 * mm
        canvas.setStrokeColor(LINE)
        canvas.roundRect(LEFT, top - height, RIGHT - LEFT, height, 2.5 * mm, stroke=1, fill=0)
        inner = LEFT + 6 * mm
        self.y = top - 9 * mm
        self._text(inner, _("Activation key"), PLAIN, 9.5, MUTED)
        self.y = top - 18.5 * mm
        self._text(inner, self.certificate.key, MONO, 15.5)
        plain = self.certificate.key.replace("-", "")
        bars = Code128(plain, barWidth=BAR, barHeight=15 * mm, quiet=False)
        bars.drawOn(canvas, inner, top - 39.5 * mm)
        self.y = top - 47 * mm
        once = _("It works once. Whoever has it can use it: keep it safe until it is activated.")
        for part in _wrapped(once, PLAIN, 9, 104 * mm):
            self._text(inner, part, PLAIN, 9)
            self.y -= 4.6 * mm
        self._qr(RIGHT - 5 * mm - QR_SIZE, top - 6 * mm - QR_SIZE)
        self.y = top - 53.5 * mm
        self._text(RIGHT - 5 * mm - QR_SIZE / 2, _("Scan to activate"), PLAIN, 9, MUTED, centered=True)
        self.y = top - height - 10 * mm

    def _qr(self, x: float, y: float) -> None:
        code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE, mask_pattern=2)
        code.add_data(self.certificate.link)
        matrix = code.get_matrix()
        size = QR_SIZE / len(matrix)
        self.canvas.setFillColor(HexColor(0x000000))
        for row, modules in enumerate(matrix):
            for start, length in _runs(modules):
                # A hair longer than the modules: renderers leave light lines between neighbors otherwise.
                self.canvas.rect(
                    x + start * size,
                    y + (len(matrix) - 1 - row) * size,
                    length * size,
                    size * 1.02,
                    stroke=0,
                    fill=1,
                )

    def _lines(self) -> None:
        self._heads()
        for line in self.certificate.lines:
            name = [] if line.name == line.product.rpartition(" ")[0] else [line.name]
            parts = [*_wrapped(line.product, BOLD, 10, 110 * mm)]
            more = [part for one in name for part in _wrapped(one, PLAIN, 9, 110 * mm)]
            needed = (len(parts) * 5 + len(more) * 4.4 + 3.4) * mm
            if self.y - needed < BOTTOM:
                self._end()
                self._begin()
                self._heads()
            amount = f"{line.quantity} {line.unit}".strip()
            self._text(RIGHT, amount, BOLD, 10, right=True)
            for part in parts:
                self._text(LEFT, part, BOLD, 10)
                self.y -= 5 * mm
            for part in more:
                self._text(LEFT, part, PLAIN, 9, MUTED)
                self.y -= 4.4 * mm
            self._rule(self.y + 1.8 * mm)
            self.y -= 3.4 * mm

    def _heads(self) -> None:
        self._text(LEFT, _("Product and version"), PLAIN, 9, MUTED)
        self._text(RIGHT, _("Quantity"), PLAIN, 9, MUTED, right=True)
        self._rule(self.y - 2.4 * mm)
        self.y -= 7.6 * mm

    def _how(self) -> None:
        sentences = [
            _("Scan the QR code, or open %(page)s and type the key; capitals and dashes do not matter.")
            % {"page": self.certificate.page},
            _("Sign in, and look at what the key holds: nothing is activated before you confirm."),
            _("Choose the company or project that shall have the licenses, and confirm."),
        ]
        steps = [_wrapped(sentence, PLAIN, 9.5, RIGHT - LEFT - 8 * mm) for sentence in sentences]
        if self.y - (14 + sum(len(step) for step in steps) * 5.6) * mm < BOTTOM:
            self._end()
            self._begin()
        self.y -= 6 * mm
        self._text(LEFT, _("How to activate it"), BOLD, 11.5)
        self.y -= 7 * mm
        for number, step in enumerate(steps, start=1):
            self._text(LEFT, f"{number}.", PLAIN, 9.5)
            for part in step:
                self._text(LEFT + 8 * mm, part, PLAIN, 9.5)
                self.y -= 5 * mm
            self.y -= 0.6 * mm

    def _rule(self, y: float) -> None:
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(0.6)
        self.canvas.line(LEFT, y, RIGHT, y)

    def _text(
        self,
        x: float,
        text: str,
        font: str,
        size: float,
        color: HexColor = INK,
        *,
        right: bool = False,
        centered: bool = False,
    ) -> None:
        self.canvas.setFillColor(color)
        self.canvas.setFont(font, size)
        draw = self.canvas.drawString
        if right:
            draw = self.canvas.drawRightString
        elif centered:
            draw = self.canvas.drawCentredString
        draw(x, self.y, text)


def _runs(modules: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Where dark modules of a row begin, and how many follow each other."""
    start = None
    for place, dark in enumerate([*modules, False]):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None


def _wrapped(text: str, font: str, size: float, width: float) -> list[str]:
    """The text in lines that fit; a word longer than a line is broken wherever it has to be."""
    lines: list[str] = []
    for line in simpleSplit(" ".join(text.split()), font, size, width):
        rest = line
        while pdfmetrics.stringWidth(rest, font, size) > width:
            fits = next(
                end
                for end in range(len(rest) - 1, 0, -1)
                if pdfmetrics.stringWidth(rest[:end], font, size) <= width
            )
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines
