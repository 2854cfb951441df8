"""What the portal adds to allauth's pages: one transaction, the status of a refused form, no caching."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic.base import TemplateResponseMixin, View

from portal.core.forms import status_of_form

if TYPE_CHECKING:

    class _Base(TemplateResponseMixin, View):
        pass

else:
    _Base = object


@method_decorator(never_cache, name="dispatch")
class Page(_Base):
    """Stands before a view of allauth's in the order of bases."""

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        """What a form changes, the mails about it and the entries in the history are one transaction."""
        if request.method != "POST":
            return super().dispatch(request, *arguments, **named)
        with transaction.atomic():
            return super().dispatch(request, *arguments, **named)

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        """A page whose form was refused says so in its status as well."""
        form = context.get("form")
        if form is not None:
            options.setdefault("status", status_of_form(form))
        return super().render_to_response(context, **options)


@method_decorator(login_required, name="dispatch")
class OwnPage(Page):
    """A page of somebody's own account."""
