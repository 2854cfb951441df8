"""What the pool of the device doors answers where there is no door: problems, for it has no pages.

Named in portal/device_urls.py; where the whole portal is served, portal.core.pages answers instead.
"""

from django.http import HttpRequest, HttpResponse

from portal.core import problems


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return problems.respond(problems.MalformedInput(errors={}))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return problems.respond(problems.NotAllowed())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return problems.respond(problems.NoSuchThing())


def internal_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a bug, or no database."""
    fault = problems.fault_at_hand()
    return problems.respond(fault, status=problems.status_of_fault(fault))
