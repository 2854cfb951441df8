"""What is printed, read by programs that are not ours: PDFium draws the page, zbar reads the codes on it."""

import subprocess
from pathlib import Path

import pypdfium2
from PIL.Image import Image

# As printers print at the least. At 200 a bar is two or three dots wide, and one code in twenty is not read.
DOTS_PER_INCH = 300


def pages_of(pdf: bytes) -> list[Image]:
    """Each page of a PDF as a picture."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=DOTS_PER_INCH / 72).to_pil() for page in document]
    finally:
        document.close()


def text_of(pdf: bytes) -> list[str]:
    """The text of each page of a PDF, as it can be searched and copied."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def codes_on(picture: Image, folder: Path) -> dict[str, str]:
    """What zbar reads on a picture, by kind of code: `QR-Code` and `CODE-128`."""
    file = folder / "page.png"
    picture.save(file)
    read = subprocess.run(
        ["zbarimg", "--quiet", "--set", "disable", "--set", "qrcode.enable", "--set", "code128.enable", file],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split(":", 1) for line in read.stdout.splitlines())
