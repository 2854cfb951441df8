"""Whose device certificates count (trust.md 1)."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.factory.authority import Authority, make_authority, pem
from appliance.factory.devices import make_identity
from devices import pki, proofs, trust_anchors
from devices.models import AnchorPrefix, TrustAnchor
from devices.standing import standing_of
from devices.trust_anchors import AnchorUnusable, PrefixOfAnotherManufacturer
from portal.core.acts import IdempotencyKeyReused
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, refused, unchanged

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
        add(authority.root)

        assert last_entry().event == "trust-anchor-added"
        assert last_entry().facts == {"manufacturer": "Example Networks", "prefixes": ["00-90-33"]}

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

    @pytest.mark.parametrize("change", [{"manufacturer": "Other"}, {"place": "CN"}], ids=str)
    def test_a_request_id_is_not_for_another_anchor(
        self, db: None, authority: Authority, change: dict[str, str]
    ) -> None:
        add(authority.root, key="once")

        with refused(IdempotencyKeyReused):
            add(authority.root, key="once", **change)
