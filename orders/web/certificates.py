"""Certificates in the console: made for an order whose keys are still kept, in the recipient's language."""

import re

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from orders import certificates
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import PortalForm, respond


class CertificateForm(PortalForm):
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the recipient"),
        choices=settings.LANGUAGES,
        widget=forms.Select(attrs={"autocomplete": "off"}),
    )


@staff_only(Permission.ORDERS)
def certificate(request: HttpRequest, order_id: int) -> HttpResponse:
    """Ask for the language; the PDF itself comes by POST only, so that no address leads to a key."""
    order = certificates.get_order(order_id)
    form = CertificateForm(request.POST or None, initial={"language": get_language()})
    if form.is_valid():
        try:
            pdf = certificates.make_certificates(
                order=order,
                language=form.cleaned_data["language"],
                caller=caller(request),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return as_download(pdf, number=order.number)
    keys = certificates.printable_keys(order)
    return respond(request, "staff/certificate.html", {"order": order, "keys": keys}, form=form)


def as_download(pdf: bytes, *, number: str) -> HttpResponse:
    """The PDF as an attachment named by the order, never by the key."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", number).strip("-.") or "order"
    response = HttpResponse(pdf, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="certificate-{name}.pdf"'
    return response
