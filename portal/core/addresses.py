"""Where a request came from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """The client's IP address: the peer's, or what the trusted proxies in front say.

    With TRUSTED_PROXIES=1 the last entry of X-Forwarded-For is what our proxy saw; entries before it are
    what the client claims, and count for nothing.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            text = hops[-settings.TRUSTED_PROXIES].strip() or text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
