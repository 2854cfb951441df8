"""QR codes of links to the portal's own pages, to go on there with a phone."""

from functools import lru_cache

import qrcode
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathImage

QUIET_ZONE = 4  # modules around the code, as ISO/IEC 18004 asks for
# Any of the eight masks is a valid code. Weighing them against each other takes ten times as long as drawing.
MASK = 2


def link_to(path: str) -> str:
    """The address of a page as other machines reach it: from the settings, never from the Host header."""
    return f"{settings.PORTAL_ORIGINS[0]}{path}"


@lru_cache(maxsize=256)
def svg_of(link: str) -> SafeString:
    """A QR code of the link, as an <svg> element without styles: the CSP lets it stand in a page.

    It has its quiet zone, but no colors and no name: both are for the page (`.qr` in portal.css).
    """
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE, mask_pattern=MASK)
    code.add_data(link)
    image = code.make_image(
        image_factory=SvgPathImage,
        attrib={"aria-hidden": "true", "focusable": "false", "shape-rendering": "crispEdges"},
    )
    # Of the link nothing but dark and light squares comes through: there is nothing to escape.
    return mark_safe(str(image.to_string(encoding="unicode")))  # noqa: S308
