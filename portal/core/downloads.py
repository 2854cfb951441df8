"""Files that others gave: handed on so that a browser saves them, and never runs what may be in them."""

from urllib.parse import quote

from django.http import HttpResponse


def attachment(content: bytes, *, name: str, media_type: str) -> HttpResponse:
    """A file to be saved. Even if a browser shows it, it is in no origin of the portal's, and may do nothing.

    :param name: without quotes, path or control characters; letters beyond ASCII are encoded (RFC 6266).
    """
    plain = "".join(one if one.isascii() and one not in '"\\' else "_" for one in name)
    encoded = quote(name, safe="")
    return HttpResponse(
        content,
        content_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        },
    )
