"""Whether this process is alive, for whoever starts it anew if not."""

from django.http import HttpRequest, HttpResponse


def live(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers. Says nothing about the database: a restart would not mend that."""
    return HttpResponse("ok\n", content_type="text/plain")
