"""Bodies are measured before they are read: a license file is small, and so is the device."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from appliance.bundle import MAX_BYTES

MAX_FORM_BYTES: Final = MAX_BYTES + 16 * 1024
"""A bundle and the rest of the form around it."""
_LENGTH_REQUIRED: Final = 411
_TOO_LARGE: Final = 413


class BodyLimitMiddleware:
    """Answer 411 to a body of unknown length and 413 to one that is too large, before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on a request whose body is within the limit."""
        length = request.META.get("CONTENT_LENGTH", "")
        if request.method == "POST" and not length.isdecimal():
            return _refused(_LENGTH_REQUIRED, "The size of what was sent is unknown; nothing was changed.")
        if length.isdecimal() and int(length) > MAX_FORM_BYTES:
            return _refused(_TOO_LARGE, "This is larger than a license file can be; nothing was changed.")
        return self._get_response(request)


def _refused(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
