"""Reads request bodies of the REST doors as strictly as signed documents (trust.md 2)."""

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from portal.core import strict_json
from portal.core.errors import TooLarge

LARGEST_BODY = 64 * 1024


class BodyTooLarge(TooLarge):
    code = "too-large"
    title = _("The body is larger than %(limit)s bytes.")
    why = _("The limit keeps anybody from filling the portal's memory with one request, while others wait.")
    way_out = _("Send less at a time. A device leaves certificates out that the portal has: root and above.")
    source = "RFC 9110, section 15.5.14"


class StrictJSONParser(BaseParser):
    """application/json: one object, no duplicate names, no floats, at most 64 KiB.

    :raises BodyTooLarge: it is longer.
    :raises ParseError: anything else.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge(limit=LARGEST_BODY)
        try:
            return strict_json.loads(body, max_bytes=LARGEST_BODY)
        except strict_json.MalformedJSON as error:
            raise ParseError(str(error)) from error
