"""The manufacturer's side (trust.md 1)."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

from appliance.factory.authority import Authority, make_authority, read_authority, write_authority
from appliance.factory.devices import KEY_KINDS, hardware_ids, make_identity, write_identity
from appliance.factory.files import private_pem
from appliance.identity import read_identity
from appliance.refusals import Refusal
from tests.appliance.conftest import HARDWARE_ID, OTHER_HARDWARE_ID
from tests.appliance.issuing import NOW

ROOT = Path(__file__).parents[2]
MADE = datetime.fromtimestamp(NOW, UTC)
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority("Test Networks", now=MADE)


def factory(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance.factory", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


class TestCertificates:
    @pytest.mark.parametrize("kind", KEY_KINDS)
    def test_they_verify_up_to_the_root(self, authority: Authority, kind: str) -> None:
        leaf, device_ca = make_identity(authority, HARDWARE_ID, kind=kind, now=MADE).chain
        # A device certificate has no SAN, which the library's default for clients wants to see.
        end_entity = (
            ExtensionPolicy.permit_all()
            .require_present(x509.BasicConstraints, Criticality.CRITICAL, None)
            .require_present(x509.KeyUsage, Criticality.CRITICAL, None)
            .require_present(x509.AuthorityKeyIdentifier, Criticality.NON_CRITICAL, None)
        )
        policy = PolicyBuilder().store(Store([authority.root])).time(MADE)
        policy = policy.extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=end_entity
        )
        assert len(policy.build_client_verifier().verify(leaf, [device_ca]).chain) == 3

    def test_a_device_certificate_is_as_the_contract_says(self, authority: Authority) -> None:
        leaf = make_identity(authority, HARDWARE_ID, kind="P-256", now=MADE).chain[0]
        for oid in (NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME):
            assert [name.value for name in leaf.subject.get_attributes_for_oid(oid)] == [HARDWARE_ID]
        assert leaf.not_valid_after_utc == FOREVER
        assert leaf.not_valid_before_utc < MADE
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
        assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (
            True,
            True,
            False,
        )
        constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (constraints.critical, constraints.value.ca) == (True, False)
        assert {extension.value.__class__ for extension in leaf.extensions} == {
            x509.BasicConstraints,
            x509.KeyUsage,
            x509.SubjectKeyIdentifier,
            x509.AuthorityKeyIdentifier,
        }

    def test_authorities_outlast_the_hardware_and_end_below_the_device_ca(self, authority: Authority) -> None:
        for certificate, below in ((authority.root, 1), (authority.device_ca, 0)):
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
            assert (constraints.ca, constraints.path_length) == (True, below)
            assert certificate.not_valid_after_utc == FOREVER

    def test_keys_are_of_the_kind_asked_for(self, authority: Authority) -> None:
        kinds = {
            "P-256": ec.EllipticCurvePrivateKey,
            "P-384": ec.EllipticCurvePrivateKey,
            "RSA-2048": rsa.RSAPrivateKey,
            "Ed25519": ed25519.Ed25519PrivateKey,
        }
        for kind, expected in kinds.items():
            assert isinstance(make_identity(authority, HARDWARE_ID, kind=kind, now=MADE).key, expected)
        with pytest.raises(ValueError, match="choose a key"):
            make_identity(authority, HARDWARE_ID, kind="RSA-1024", now=MADE)

    def test_authorities_are_read_back_and_never_replaced(self, authority: Authority, tmp_path: Path) -> None:
        write_authority(tmp_path, authority)
        assert read_authority(tmp_path).device_ca == authority.device_ca
        with pytest.raises(FileExistsError):
            write_authority(tmp_path, authority)
        assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key.pem")} == {0o600}


class TestHardwareIDs:
    def test_they_rise_under_the_prefix(self) -> None:
        assert list(hardware_ids(prefix="00-90-33", count=2)) == ["00-90-33-00-00-01", "00-90-33-00-00-02"]
        assert list(hardware_ids(prefix="00-90-33", count=2, first=HARDWARE_ID)) == [
            HARDWARE_ID,
            OTHER_HARDWARE_ID,
        ]
        assert list(hardware_ids(prefix="00-90-33-01-0A", count=1, first=HARDWARE_ID)) == [HARDWARE_ID]

    @pytest.mark.parametrize(
        ("prefix", "count", "first"),
        [
            ("00-90", 1, None),
            ("00-90-33-01-0A-FF", 1, None),
            ("00-90-3g", 1, None),
            ("00-90-ab", 1, None),
            ("00-90-33", 0, None),
            ("00-90-33-01-0A", 256, None),
            ("00-90-33-01-0A", 2, HARDWARE_ID),
            ("00-90-34", 1, HARDWARE_ID),
            ("00-90-33", 1, "00-90-33-1"),
        ],
    )
    def test_what_cannot_be_is_refused(self, prefix: str, count: int, first: str | None) -> None:
        with pytest.raises(ValueError, match=r"prefix|hardware ID"):
            hardware_ids(prefix=prefix, count=count, first=first)


class TestCommands:
    def test_they_make_authorities_and_devices_in_bulk(self, tmp_path: Path) -> None:
        assert factory("ca", tmp_path / "ca", "--manufacturer", "Test Networks").returncode == 0
        out = tmp_path / "out"
        made = factory(
            "devices",
            tmp_path / "ca",
            "--out",
            out,
            "--prefix",
            "00-90-33",
            "--count",
            "3",
            "--first",
            HARDWARE_ID,
        )
        assert (made.returncode, made.stderr) == (0, "")
        assert sorted(path.name for path in out.iterdir()) == [
            HARDWARE_ID,
            OTHER_HARDWARE_ID,
            "00-90-33-01-0B-01",
        ]
        assert read_identity(out / HARDWARE_ID).hardware_id == HARDWARE_ID
        assert (out / HARDWARE_ID / "key.pem").stat().st_mode & 0o777 == 0o600

    def test_they_make_no_second_identity_and_no_second_authority(self, tmp_path: Path) -> None:
        assert factory("ca", tmp_path, "--manufacturer", "Test Networks").returncode == 0
        assert factory("ca", tmp_path, "--manufacturer", "Test Networks").returncode == 1
        devices = ("devices", tmp_path, "--out", tmp_path / "out", "--prefix", "00-90-33")
        assert factory(*devices, "--count", "1").returncode == 0
        again = factory(*devices, "--count", "2")
        assert again.returncode == 1
        assert again.stderr.startswith("not done: ")
        assert len(list((tmp_path / "out").iterdir())) == 1

    def test_they_need_an_authority(self, tmp_path: Path) -> None:
        made = factory("devices", tmp_path, "--out", tmp_path / "out", "--prefix", "00-90-33", "--count", "1")
        assert (made.returncode, "Traceback" in made.stderr) == (1, False)


class TestIdentities:
    def test_one_with_the_key_of_another_is_refused(self, authority: Authority, tmp_path: Path) -> None:
        first, second = (
            write_identity(tmp_path, make_identity(authority, name, kind="P-256", now=MADE))
            for name in (HARDWARE_ID, OTHER_HARDWARE_ID)
        )
        (first / "key.pem").write_bytes((second / "key.pem").read_bytes())
        with pytest.raises(Refusal) as refused:
            read_identity(first)
        assert refused.value.code == "damaged-identity"

    def test_one_that_names_no_hardware_id_is_refused(self, authority: Authority, tmp_path: Path) -> None:
        folder = write_identity(tmp_path, make_identity(authority, "gateway 7", kind="P-256", now=MADE))
        with pytest.raises(Refusal):
            read_identity(folder)

    def test_one_with_a_curve_devices_do_not_have_is_refused(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        folder = write_identity(tmp_path, make_identity(authority, HARDWARE_ID, kind="P-256", now=MADE))
        key = ec.generate_private_key(ec.SECP521R1())
        (folder / "key.pem").write_bytes(private_pem(key))
        with pytest.raises(Refusal):
            read_identity(folder)

    @pytest.mark.parametrize("name", ["key.pem", "chain.pem"])
    def test_one_with_a_missing_or_broken_file_is_refused(
        self, authority: Authority, tmp_path: Path, name: str
    ) -> None:
        folder = write_identity(tmp_path, make_identity(authority, HARDWARE_ID, kind="P-256", now=MADE))
        (folder / name).write_text("-----BEGIN NOTHING-----")
        with pytest.raises(Refusal):
            read_identity(folder)
        (folder / name).unlink()
        with pytest.raises(Refusal):
            read_identity(folder)
