"""Reads request bodies of the REST doors as strictly as signed documents (trust.md 2)."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from portal.core import strict_json

LARGEST_BODY = 64 * 1024


class StrictJSONParser(BaseParser):
    """application/json: one object, no duplicate names, no floats, at most 64 KiB.

    :raises ParseError: anything else.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            return strict_json.loads(stream.read(LARGEST_BODY + 1), max_bytes=LARGEST_BODY)
        except strict_json.MalformedJSON as error:
            raise ParseError(str(error)) from error
