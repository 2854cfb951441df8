"""Whose device certificates count: the list of trust anchors, adding one, removing one (trust.md 1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from devices import pki, queries, trust_anchors
from devices.models import TrustAnchor
from devices.queries import NoSuchAnchor
from devices.trust_anchors import AnchorKnown, AnchorUnusable, PrefixOfAnotherManufacturer
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, ReasonForm, respond

MOST_CERTIFICATE = 64 * 1024
"""Bytes; a certificate with its text around it stays far below."""
PLACES = {
    TrustAnchor.HardwareIDIn.SERIAL_NUMBER: gettext_lazy("serialNumber of the subject"),
    TrustAnchor.HardwareIDIn.COMMON_NAME: gettext_lazy("CN of the subject"),
}
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class AnchorForm(ActForm):
    manufacturer = forms.CharField(label=gettext_lazy("Manufacturer"), max_length=100)
    certificate = forms.FileField(
        label=gettext_lazy("Certificate of its CA, as a PEM file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".pem,.crt,.cer"}),
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or the certificate pasted"),
        required=False,
        max_length=MOST_CERTIFICATE,
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "class": "mono",
                "spellcheck": "false",
                "autocomplete": "off",
                "placeholder": "-----BEGIN CERTIFICATE-----",
            }
        ),
    )
    hardware_id_in = forms.ChoiceField(
        label=gettext_lazy("Where its device certificates have the hardware ID"), choices=list(PLACES.items())
    )
    prefixes = forms.CharField(
        label=gettext_lazy("Hardware IDs it may speak for"),
        max_length=2000,
        help_text=gettext_lazy(
            "How they begin, three octets or more: 00-90-33. Several with blanks between."
        ),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_certificate(self) -> str:
        """What is in the file; not more of it is read than a certificate can have."""
        file = self.cleaned_data["certificate"]
        if not isinstance(file, UploadedFile):
            return ""
        if file.size is None or file.size > MOST_CERTIFICATE:
            raise forms.ValidationError(_("This file is larger than a certificate can be."))
        # PEM is ASCII. Whatever else it is, the operation says that it is no certificate.
        return bytes(file.read()).decode("ascii", errors="replace")

    def clean_prefixes(self) -> Sequence[str]:
        """As the hardware IDs are written, however they were typed."""
        typed = re.split(r"[\s,;]+", self.cleaned_data["prefixes"].upper())
        return [re.sub(r"[:.]", "-", prefix) for prefix in typed if prefix]

    def clean(self) -> dict[str, Any]:
        """One certificate, from the file or pasted."""
        super().clean()
        pem = self.cleaned_data.get("certificate") or self.cleaned_data.get("pasted", "")
        if not pem.strip() and not self.errors:
            self.add_error("certificate", _("Choose the file, or paste the certificate."))
        self.cleaned_data["pem"] = pem
        return self.cleaned_data


@dataclass(frozen=True, kw_only=True)
class Row:
    """An anchor with what its certificate says."""

    anchor: TrustAnchor
    facts: pki.CertificateFacts
    place: Any
    prefixes: Sequence[str]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return self.facts.sha256.hex()


@staff_only(Permission.LOOK)
def anchors(request: HttpRequest) -> HttpResponse:
    """Every trust anchor, and what it may speak for."""
    return render(request, "staff/anchors.html", {"rows": [_row(found) for found in queries.trust_anchors()]})


@staff_only(Permission.TRUST_ANCHORS)
def add(request: HttpRequest) -> HttpResponse:
    """Step one shows what the certificate says, to be compared; step two, with `confirm`, accepts it."""
    form = AnchorForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        given = form.cleaned_data
        certificate = {
            "certificate": given["pem"].encode(),
            "prefixes": given["prefixes"],
            "hardware_id_in": given["hardware_id_in"],
        }
        try:
            if "confirm" in request.POST:
                return _add(request, form, certificate)
            facts = trust_anchors.look_at_trust_anchor(**certificate)
        except DomainError as refusal:
            form.refuse(refusal, field=_field_of(refusal))
        else:
            context = {
                "facts": facts,
                "fingerprint": facts.sha256.hex(),
                "place": PLACES[given["hardware_id_in"]],
                "devices": queries.count_under(given["prefixes"]),
            }
            return respond(request, "staff/anchor_confirm.html", context, form=form)
    return respond(request, "staff/anchor_add.html", {}, form=form)


@staff_only(Permission.TRUST_ANCHORS)
def remove(request: HttpRequest, fingerprint: str) -> HttpResponse:
    """Say what removing will do; a POST with a reason removes."""
    if not SHA256_HEX.fullmatch(fingerprint):
        raise NoSuchAnchor
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            # By the fingerprint, without looking first: sent twice, it finds nothing and is still right.
            trust_anchors.remove_trust_anchor(
                sha256=bytes.fromhex(fingerprint),
                caller=caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"]),
                now=clock.now(),
            )
        except NoSuchAnchor:
            raise
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The trust anchor is removed."))
            return redirect("staff-anchors")
    row = _row(queries.find_anchor(fingerprint))
    context = {"row": row, "devices": queries.count_under(row.prefixes)}
    return respond(request, "staff/anchor_remove.html", context, form=form)


def _add(request: HttpRequest, form: AnchorForm, certificate: dict[str, Any]) -> HttpResponse:
    added = trust_anchors.add_trust_anchor(
        **certificate,
        manufacturer=form.cleaned_data["manufacturer"],
        caller=caller(request, key=form.cleaned_data["act_key"]),
        now=clock.now(),
    )
    messages.success(
        request,
        _("Certificates of %(manufacturer)s count from now on.") % {"manufacturer": added.manufacturer},
    )
    return redirect("staff-anchors")


def _field_of(refusal: DomainError) -> str | None:
    if isinstance(refusal, AnchorUnusable):
        return str(refusal.facts["field"])
    if isinstance(refusal, PrefixOfAnotherManufacturer):
        return "prefixes"
    return "certificate" if isinstance(refusal, AnchorKnown) else None


def _row(anchor: TrustAnchor) -> Row:
    return Row(
        anchor=anchor,
        facts=pki.facts_of(x509.load_der_x509_certificate(bytes(anchor.certificate))),
        place=PLACES[TrustAnchor.HardwareIDIn(anchor.hardware_id_in)],
        prefixes=sorted(prefix.prefix for prefix in anchor.prefixes.all()),
    )
