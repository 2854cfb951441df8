"""Trust anchors on the staff pages: listed, looked at, added, removed."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Project
from appliance.factory.authority import Authority, pem
from devices import trust_anchors
from devices.models import TrustAnchor
from tests import factories
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry
from tests.pure import certificates


def anchor_form(authority: Authority, **change: object) -> dict[str, object]:
    return {
        "manufacturer": "Example Networks",
        "pasted": pem(authority.root).decode(),
        "hardware_id_in": "serialNumber",
        "prefixes": "00-90-33",
        "act_key": "k1",
        **change,
    }


class TestTrustAnchors:
    def test_they_are_listed_with_what_matters_of_them(self, staff: Client, authority: Authority) -> None:
        page = staff.post(reverse("staff-anchor-add"), anchor_form(authority, confirm="1"), follow=True)
        anchor = TrustAnchor.objects.get()
        for words in (
            "Example Networks",
            authority.root.subject.rfc4514_string(),
            "serialNumber of the subject",
            "00-90-33",
            bytes(anchor.sha256).hex(),
            "no end",
            "by Sam Example",
        ):
            assert words in page.text

    def test_what_the_certificate_says_is_shown_before_it_counts(
        self, staff: Client, project: Project, authority: Authority
    ) -> None:
        factories.make_device(project=project)
        page = staff.post(reverse("staff-anchor-add"), anchor_form(authority, prefixes="00:90:33 00-90-34"))
        assert authority.root.fingerprint(hashes.SHA256()).hex() in page.text
        assert "1 device in projects has" in page.text
        assert not TrustAnchor.objects.exists()

    def test_one_is_added_from_a_file_as_well_as_pasted(self, staff: Client, authority: Authority) -> None:
        file = SimpleUploadedFile("ca.pem", pem(authority.root))
        page = staff.post(
            reverse("staff-anchor-add"),
            anchor_form(authority, certificate=file, pasted="", prefixes="00.90.33"),
        )
        confirmed = {
            **anchor_form(authority),
            "pasted": page.context["form"].cleaned_data["pem"],
            "prefixes": " ".join(page.context["form"].cleaned_data["prefixes"]),
            "confirm": "1",
        }
        answers = [staff.post(reverse("staff-anchor-add"), confirmed) for _ in range(2)]
        assert [answer.headers["Location"] for answer in answers] == [reverse("staff-anchors")] * 2
        [anchor] = TrustAnchor.objects.all()
        assert [prefix.prefix for prefix in anchor.prefixes.all()] == ["00-90-33"]

    @pytest.mark.parametrize(
        ("change", "field", "words"),
        [
            ({"pasted": "hello"}, "certificate", "not a PEM certificate"),
            ({"pasted": ""}, "certificate", "Choose the file, or paste"),
            ({"pasted": certificates.device(certificates.root()).certificate}, "certificate", "of a CA"),
            ({"prefixes": "00-90"}, "prefixes", "three to six octets"),
            ({"prefixes": ", ;"}, "prefixes", "without a prefix"),
            ({"prefixes": "zz-zz-zz"}, "prefixes", "three to six octets"),
            ({"manufacturer": " "}, "manufacturer", "required"),
            ({"hardware_id_in": "SAN"}, "hardware_id_in", "valid choice"),
            (
                {"certificate": b"x" * 70_000, "pasted": ""},
                "certificate",
                "larger than a certificate",
            ),
        ],
    )
    @pytest.mark.parametrize("confirm", [{}, {"confirm": "1"}], ids=["look", "confirm"])
    def test_what_cannot_be_one_is_refused_beside_its_field(
        self,
        staff: Client,
        authority: Authority,
        change: dict[str, object],
        field: str,
        words: str,
        confirm: dict[str, str],
    ) -> None:
        pasted = change.get("pasted")
        if isinstance(pasted, x509.Certificate):
            change = {"pasted": pem(pasted).decode()}
        if isinstance(content := change.get("certificate"), bytes):
            change = {**change, "certificate": SimpleUploadedFile("ca.pem", content)}
        page = staff.post(reverse("staff-anchor-add"), {**anchor_form(authority, **change), **confirm})
        assert page.status_code in {400, 422}
        assert words in " ".join(page.context["form"].errors[field])
        assert not TrustAnchor.objects.exists()

    def test_one_that_is_known_or_reaches_into_anothers_range_is_refused(
        self, staff: Client, authority: Authority, anchor: TrustAnchor
    ) -> None:
        known = staff.post(reverse("staff-anchor-add"), anchor_form(authority, confirm="1"))
        assert (known.status_code, "anchor-known" in known.text) == (409, True)
        other = pem(certificates.root().certificate).decode()
        form = anchor_form(authority, pasted=other, manufacturer="Other Networks", confirm="1")
        taken = staff.post(reverse("staff-anchor-add"), form)
        assert (taken.status_code, "prefix-of-another-manufacturer" in taken.text) == (409, True)
        assert TrustAnchor.objects.count() == 1

    def test_a_form_sent_again_after_the_removal_brings_nothing_back(
        self, staff: Client, authority: Authority
    ) -> None:
        form = anchor_form(authority, confirm="1")
        staff.post(reverse("staff-anchor-add"), form)
        trust_anchors.remove_trust_anchor(
            sha256=bytes(TrustAnchor.objects.get().sha256), caller=caller(reason="leaked"), now=NOW
        )
        again = staff.post(reverse("staff-anchor-add"), form)
        assert again.status_code == 404
        assert "no-such-anchor" in again.text
        assert not TrustAnchor.objects.exists()

    def test_removing_says_first_what_it_does_and_then_does_it_once(
        self, staff: Client, project: Project, anchor: TrustAnchor
    ) -> None:
        factories.make_device(project=project)
        address = reverse("staff-anchor-remove", args=[bytes(anchor.sha256).hex()])
        page = staff.get(address)
        assert "1 device in projects has a hardware ID that it speaks for." in page.text
        assert "stays in effect" in page.text
        assert TrustAnchor.objects.exists()
        assert staff.post(address, {"reason": "", "act_key": "k1"}).status_code == 400
        answers = [staff.post(address, {"reason": "its key leaked", "act_key": "k1"}) for _ in range(2)]
        assert [answer.headers["Location"] for answer in answers] == [reverse("staff-anchors")] * 2
        assert not TrustAnchor.objects.exists()
        assert last_entry().facts["reason"] == "its key leaked"
        gone = staff.post(address, {"reason": "its key leaked", "act_key": "k2"})
        assert (gone.status_code, gone.context["error"].code) == (404, "no-such-anchor")

    def test_a_removal_under_a_used_form_is_told(self, staff: Client, anchor: TrustAnchor) -> None:
        staff.post(reverse("staff-block-key"), {"key": "ab" * 32, "reason": "x", "act_key": "k1"})
        address = reverse("staff-anchor-remove", args=[bytes(anchor.sha256).hex()])
        page = staff.post(address, {"reason": "its key leaked", "act_key": "k1"})
        assert (page.status_code, "form-used-before" in page.text) == (409, True)
