"""Pages to look at: General/Certificate, the Licenses tabs with their counters, and the check-up."""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from appliance import page
from appliance.check_up import Step, check_up, faults
from appliance.counters import Counter
from appliance.kinds import FEATURES
from appliance.operating import Work
from appliance.wording import STEPS

_NAMES: Final = {NameOID.SERIAL_NUMBER: "serialNumber"}
_NO_END: Final = 9999
"""The year in which a certificate without an end ends (trust.md 1)."""


@never_cache
@require_GET
def certificate(request: HttpRequest) -> HttpResponse:
    """Show who the device is, to whom it proves that, and whom it trusts."""

    def make(_work: Work) -> dict[str, object]:
        home = page.device().home
        return {
            "certificates": [_certificate(one) for one in home.identity.chain],
            "roots": [{"alg": key.alg, "kid": kid} for kid, key in home.roots.keys.items()],
        }

    return page.show(request, "appliance/certificate.html", make, place="certificate")


@never_cache
@require_GET
def download_certificate(_request: HttpRequest) -> HttpResponse:
    """Give the certificate chain as a file; the key never leaves the device."""
    identity = page.device().home.identity
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in identity.chain)
    return page.attachment(
        pem, name=f"{identity.hardware_id}-chain.pem", content_type="application/pem-certificate-chain"
    )


@never_cache
@require_GET
def gateway(request: HttpRequest) -> HttpResponse:
    """Show the Licenses tab of Gateway/General."""

    def make(work: Work) -> dict[str, object]:
        return {"title": "Gateway / General", "parts": [{"counters": work.gateway}]}

    return page.show(request, "appliance/counters.html", make, place="gateway")


@never_cache
@require_GET
def pbx(request: HttpRequest) -> HttpResponse:
    """Show the Licenses tab of PBX/General."""

    def make(work: Work) -> dict[str, object]:
        features = set(FEATURES)
        used: list[Counter] = [one for one in work.pbx if one.product not in features]
        marked: list[Counter] = [one for one in work.pbx if one.product in features]
        parts = [
            {"heading": "Counted by use", "counters": used},
            {"heading": "Features of users", "counters": marked, "marked": True},
        ]
        return {"title": "PBX / General", "parts": parts}

    return page.show(request, "appliance/counters.html", make, place="pbx")


@never_cache
@require_GET
def check_up_page(request: HttpRequest) -> HttpResponse:
    """Walk the way a person looks for a fault."""

    def make(work: Work) -> dict[str, object]:
        findings = check_up(work)
        rows = [
            {"finding": one, "question": STEPS[one.step], "refresh": one.step is Step.REFRESHED}
            for one in findings
        ]
        return {"rows": rows, "count": len(faults(findings))}

    return page.show(request, "appliance/check_up.html", make, place="check-up")


def _certificate(one: x509.Certificate) -> dict[str, str]:
    end = one.not_valid_after_utc
    return {
        "subject": one.subject.rfc4514_string(_NAMES),
        "issuer": one.issuer.rfc4514_string(_NAMES),
        "serial": f"{one.serial_number:x}",
        "begin": _day(one.not_valid_before_utc),
        "end": "no end" if end.year == _NO_END else _day(end),
        "sha256": one.fingerprint(hashes.SHA256()).hex(),
    }


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
