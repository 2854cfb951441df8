"""Refusals as pages: the one mapping from kinds to HTTP for people."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from portal.core import metrics, problems
from portal.core.errors import DomainError, Throttled, every_refusal

TRIES_AGAIN = 15 * 60
"""Seconds after which tries count anew: most windows of settings.ACCOUNT_RATE_LIMITS."""


def respond(request: HttpRequest, error: DomainError, *, status: int | None = None) -> HttpResponse:
    """A page that says what and the way out, with the code for support; it leads to why (mission rule 36)."""
    metrics.PROBLEMS.labels(error.code).inc()
    status = status or int(problems.status_of(error))
    response = render(request, "refusal.html", {"error": error, "status": status}, status=status)
    response.headers["Cache-Control"] = "no-store"
    problems.say_when(response, error)
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: a stranger and a missing row get the same answer."""
    error = problems.NoSuchThing()
    return problems.respond(error) if problems.wanted_by(request) else respond(request, error)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    error = problems.NotAllowed()
    return problems.respond(error) if problems.wanted_by(request) else respond(request, error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    error = problems.MalformedInput(errors={})
    return problems.respond(error) if problems.wanted_by(request) else respond(request, error)


def internal_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a bug, or no database. The page needs no database and no session."""
    error = problems.fault_at_hand()
    status = problems.status_of_fault(error)
    if problems.wanted_by(request):
        return problems.respond(error, status=status)
    metrics.PROBLEMS.labels(error.code).inc()
    response = render(None, "500.html", {"error": error}, status=status)
    problems.say_when(response, error)
    return response


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    error = FormExpired()
    return problems.respond(error) if problems.wanted_by(request) else respond(request, error)


def too_often(request: HttpRequest) -> HttpResponse:
    """django-allauth's handler429: a limit of settings.ACCOUNT_RATE_LIMITS."""
    return respond(request, TooManyTries(seconds=TRIES_AGAIN))


def explain(request: HttpRequest, code: str) -> HttpResponse:
    """The help page of a code, what a problem document's `type` refers to: what, why, the way out."""
    for refusal in every_refusal():
        if refusal.code == code:
            return render(request, "problem.html", {"refusal": refusal})
    raise Http404


class TooManyTries(Throttled):
    """Who guesses learns nothing from it, not even whether the last guess was right."""

    code = "too-many-tries"
    title = _("These were too many tries in a short time.")
    why = _(
        "Passwords and codes can be guessed if somebody may try often enough. The pause protects your "
        "account, even when it is you who waits."
    )
    way_out = _("Nothing was changed. Please try again in a quarter of an hour.")


class FormExpired(problems.NotAllowed):
    code = "form-expired"
    title = _("This form is too old, or was sent from another site.")
    why = _(
        "Another site could make your browser send a form here while you are signed in. So each form carries "
        "a mark that only the portal's own pages can give it, and only for your session."
    )
    way_out = _("Go back, load the page again and repeat what you did. Nothing was changed.")
    source = "RFC 6265, section 8.2"
