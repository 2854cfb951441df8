"""Whose device certificates count (trust.md 1)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.factory.authority import Authority, make_authority, pem
from appliance.factory.devices import make_identity
from devices import pki, proofs, trust_anchors
from devices.models import AnchorPrefix, TrustAnchor
from devices.queries import NoSuchAnchor
from devices.standing import standing_of
from devices.trust_anchors import AnchorUnusable, PrefixOfAnotherManufacturer
from portal.core.acts import IdempotencyKeyReused, ReasonNeeded
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, refused, unchanged
from tests.pure import certificates

HARDWARE_ID = "00-90-33-01-0A-FF"


def add(
    certificate: x509.Certificate,
    *prefixes: str,
    manufacturer: str = "Example Networks",
    place: str = "serialNumber",
    key: str | None = None,
) -> TrustAnchor:
    return trust_anchors.add_trust_anchor(
        certificate=pem(certificate),
        manufacturer=manufacturer,
        prefixes=prefixes or ["00-90-33"],
        hardware_id_in=place,
        caller=caller(key=key),
        now=NOW,
    )


def proven(chain: list[bytes]) -> pki.DeviceIdentity:
    anchors = standing_of("", heard_since=NOW).anchors
    return proofs.proof_of(tuple(chain), anchors=anchors, now=NOW).identity


def remove(anchor: TrustAnchor, *, key: str | None = None, reason: str = "its key leaked") -> None:
    trust_anchors.remove_trust_anchor(
        sha256=bytes(anchor.sha256), caller=caller(key=key, reason=reason), now=NOW
    )


@pytest.fixture
def other(db: None) -> x509.Certificate:
    """The root of another manufacturer."""
    return make_authority("Other Networks", now=NOW).root


class TestAddingAnAnchor:
    def test_its_devices_are_believed_from_then_on(self, db: None, authority: Authority) -> None:
        made = make_identity(authority, HARDWARE_ID, kind="P-256", now=NOW)
        chain = [certificate.public_bytes(Encoding.DER) for certificate in made.chain]
        with pytest.raises(pki.CertificateRejected):
            proven(chain)

        add(authority.root)

        assert proven(chain).hardware_id == HARDWARE_ID

    def test_it_speaks_for_its_prefixes_only(self, db: None, authority: Authority) -> None:
        made = make_identity(authority, "00-90-34-01-0A-FF", kind="P-256", now=NOW)
        add(authority.root, "00-90-33", "00-90-35-01")

        with pytest.raises(pki.CertificateRejected):
            proven([certificate.public_bytes(Encoding.DER) for certificate in made.chain])
        assert sorted(AnchorPrefix.objects.values_list("prefix", flat=True)) == ["00-90-33", "00-90-35-01"]

    def test_it_is_in_the_history(self, db: None, authority: Authority) -> None:
        anchor = add(authority.root)

        assert last_entry().event == "trust-anchor-added"
        assert last_entry().facts == {
            "manufacturer": "Example Networks",
            "sha256": authority.root.fingerprint(hashes.SHA256()).hex(),
            "prefixes": ["00-90-33"],
        }
        assert anchor.added_by == "tests"

    @pytest.mark.parametrize("prefix", ["00-90-33", "00-90-33-01", "00-90-33-01-0A-FF"])
    def test_a_prefix_within_another_manufacturers_is_refused(
        self, authority: Authority, other: x509.Certificate, prefix: str
    ) -> None:
        add(authority.root, "00-90-33")

        with refused(PrefixOfAnotherManufacturer, prefix=prefix, manufacturer="Example Networks"):
            add(other, prefix, manufacturer="Other Networks")

    def test_a_prefix_around_another_manufacturers_is_refused(
        self, authority: Authority, other: x509.Certificate
    ) -> None:
        add(authority.root, "00-90-33-01")

        with refused(PrefixOfAnotherManufacturer):
            add(other, "00-90-33", manufacturer="Other Networks")

    def test_one_manufacturer_may_have_two_anchors_for_a_prefix(
        self, authority: Authority, other: x509.Certificate
    ) -> None:
        add(authority.root)
        add(other)

        assert TrustAnchor.objects.count() == 2

    def test_neighbors_do_not_disturb_each_other(self, authority: Authority, other: x509.Certificate) -> None:
        add(authority.root, "00-90-33-01")

        add(other, "00-90-33-02", manufacturer="Other Networks")

        assert TrustAnchor.objects.count() == 2

    @pytest.mark.parametrize(
        "prefix", ["", "00-90", "00-90-3", "00:90:33", "00-90-3g", "00-90-33-01-0A-FF-00"]
    )
    def test_a_prefix_has_three_octets_and_more(self, db: None, authority: Authority, prefix: str) -> None:
        with refused(AnchorUnusable):
            add(authority.root, prefix)

    def test_the_hardware_id_is_in_one_of_two_places(self, db: None, authority: Authority) -> None:
        with refused(AnchorUnusable):
            add(authority.root, place="subjectAltName")

    def test_a_device_certificate_is_no_anchor(self, db: None, authority: Authority) -> None:
        made = make_identity(authority, HARDWARE_ID, kind="P-256", now=NOW)

        with refused(AnchorUnusable):
            add(made.chain[0])

    @pytest.mark.parametrize("certificate", [b"", b"no certificate", b"\x00" * 100])
    def test_other_bytes_are_no_certificate(self, db: None, certificate: bytes) -> None:
        with refused(AnchorUnusable):
            trust_anchors.add_trust_anchor(
                certificate=certificate,
                manufacturer="Example Networks",
                prefixes=["00-90-33"],
                hardware_id_in="CN",
                caller=caller(),
                now=NOW,
            )

    def test_the_same_anchor_is_accepted_once(self, db: None, authority: Authority) -> None:
        add(authority.root)

        with refused(trust_anchors.AnchorKnown):
            add(authority.root, "00-90-34")

    def test_a_prefix_named_twice_counts_once(self, db: None, authority: Authority) -> None:
        add(authority.root, "00-90-33", "00-90-33")

        assert AnchorPrefix.objects.count() == 1

    @pytest.mark.parametrize("manufacturer", ["", "  ", "x" * 101])
    def test_a_manufacturer_has_a_name(self, db: None, authority: Authority, manufacturer: str) -> None:
        with refused(AnchorUnusable):
            add(authority.root, manufacturer=manufacturer)

    def test_the_same_request_again_is_answered_the_same(self, db: None, authority: Authority) -> None:
        first = add(authority.root, "00-90-33", "00-90-34", key="once")

        with unchanged():
            assert add(authority.root, "00-90-34", "00-90-33", key="once") == first

    def test_the_same_request_again_after_its_removal_brings_nothing_back(
        self, db: None, authority: Authority
    ) -> None:
        first = add(authority.root, key="once")
        remove(first)

        with refused(NoSuchAnchor):
            add(authority.root, key="once")

    @pytest.mark.parametrize("change", [{"manufacturer": "Other"}, {"place": "CN"}], ids=str)
    def test_a_request_id_is_not_for_another_anchor(
        self, db: None, authority: Authority, change: dict[str, str]
    ) -> None:
        add(authority.root, key="once")

        with refused(IdempotencyKeyReused):
            add(authority.root, key="once", **change)


class TestLookingAtAnAnchor:
    def test_it_says_what_would_be_accepted_and_changes_nothing(self, db: None, authority: Authority) -> None:
        with unchanged():
            looked_at = trust_anchors.look_at_trust_anchor(
                certificate=pem(authority.root), prefixes=["00-90-33"], hardware_id_in="CN"
            )

        assert looked_at.sha256 == authority.root.fingerprint(hashes.SHA256())
        assert looked_at.subject == authority.root.subject.rfc4514_string()
        assert looked_at.valid_until is None

    def test_an_end_is_told(self, db: None) -> None:
        root = replace(certificates.root(), not_after=NOW + timedelta(days=400)).certificate

        looked_at = trust_anchors.look_at_trust_anchor(
            certificate=pem(root), prefixes=["00-90-33"], hardware_id_in="CN"
        )

        assert looked_at.valid_until == NOW + timedelta(days=400)

    def test_what_cannot_be_added_is_refused_already(self, db: None) -> None:
        with refused(AnchorUnusable):
            trust_anchors.look_at_trust_anchor(
                certificate=b"no certificate", prefixes=["00-90-33"], hardware_id_in="CN"
            )


class TestRemovingAnAnchor:
    def test_its_devices_are_not_believed_any_more(self, db: None, authority: Authority) -> None:
        made = make_identity(authority, HARDWARE_ID, kind="P-256", now=NOW)
        chain = [certificate.public_bytes(Encoding.DER) for certificate in made.chain]

        remove(add(authority.root))

        with pytest.raises(pki.CertificateRejected):
            proven(chain)
        assert last_entry().event == "trust-anchor-removed"
        assert last_entry().facts["reason"] == "its key leaked"

    def test_it_needs_a_reason(self, db: None, authority: Authority) -> None:
        anchor = add(authority.root)

        with refused(ReasonNeeded):
            remove(anchor, reason=" ")

    def test_the_same_request_again_is_answered_the_same(self, db: None, authority: Authority) -> None:
        anchor = add(authority.root)
        remove(anchor, key="once")

        with unchanged():
            remove(anchor, key="once")

    def test_one_that_is_gone_is_not_there(self, db: None, authority: Authority) -> None:
        anchor = add(authority.root)
        remove(anchor)

        with refused(NoSuchAnchor):
            remove(anchor)

    def test_it_can_be_added_again(self, db: None, authority: Authority) -> None:
        remove(add(authority.root))

        assert add(authority.root).pk is not None
