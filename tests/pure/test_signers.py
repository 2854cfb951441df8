import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from licenses import signers
from licenses.signers import (
    BadSignature,
    Ed25519Signer,
    FileSigner,
    MLDSA65Signer,
    PublicKey,
    Signer,
    UnreadableKeyFile,
    UnsupportedKey,
)
from tests.pure.signing_keys import ed25519, mldsa65
from tests.pure.vectors import wycheproof

PASSPHRASE = b"correct horse"
BOTH = pytest.mark.parametrize("signer", [ed25519(1), mldsa65(1)], ids=("Ed25519", "ML-DSA-65"))


class TestSigner:
    @BOTH
    def test_it_signs_what_its_public_key_verifies(self, signer: FileSigner) -> None:
        as_protocol: Signer = signer
        public_key = PublicKey.from_jwk(as_protocol.public_jwk())
        public_key.verify(b"data", as_protocol.sign(b"data"))
        assert (public_key.alg, public_key.kid) == (signer.alg, signer.kid)

    def test_it_signs_in_the_lengths_of_the_standards(self) -> None:
        assert len(ed25519(1).sign(b"")) == 64
        assert len(mldsa65(1).sign(b"")) == 3309

    @pytest.mark.parametrize("kind", [Ed25519Signer, MLDSA65Signer])
    def test_it_is_made_with_a_new_key_each_time(
        self, kind: type[Ed25519Signer] | type[MLDSA65Signer]
    ) -> None:
        assert kind.generate().kid != kind.generate().kid

    def test_it_shows_its_key_as_jwk(self) -> None:
        assert list(ed25519(1).public_jwk()) == ["kty", "crv", "x"]
        assert list(mldsa65(1).public_jwk()) == ["kty", "alg", "pub"]


class TestPublicKey:
    @BOTH
    def test_it_refuses_another_signature(self, signer: FileSigner) -> None:
        signature = bytearray(signer.sign(b"data"))
        for data, changed in (
            (b"date", bytes(signature)),
            (b"data", bytes(signature[:-1])),
            (b"data", bytes(signature) + b"\x00"),
            (b"data", b""),
            (b"data", bytes(len(signature))),
            (b"data", bytes([signature[0] ^ 1]) + bytes(signature[1:])),
        ):
            with pytest.raises(BadSignature):
                signer.public_key.verify(data, changed)

    def test_it_refuses_the_signature_of_another_key(self) -> None:
        for mine, other in ((ed25519(1), ed25519(2)), (mldsa65(1), mldsa65(2))):
            with pytest.raises(BadSignature):
                mine.public_key.verify(b"data", other.sign(b"data"))

    def test_it_ignores_members_that_say_more_than_the_key(self) -> None:
        for signer in (ed25519(1), mldsa65(1)):
            jwk = signer.public_jwk() | {"kid": "x", "use": "sig", "alg": signer.alg}
            assert PublicKey.from_jwk(jwk) == signer.public_key

    @pytest.mark.parametrize(
        "change",
        [
            {"kty": "EC"},
            {"kty": None},
            {"crv": "Ed448"},
            {"crv": "X25519"},
            {"alg": "ML-DSA-65"},
            {"alg": "EdDSA"},
            {"x": None},
            {"x": ""},
            {"x": "AAAA"},
            {"x": "A" * 42 + "B"},
            {"x": "A" * 43 + "="},
            {"x": "A" * 44},
        ],
    )
    def test_it_refuses_an_ed25519_jwk_with_anything_else(self, change: dict[str, object]) -> None:
        with pytest.raises(UnsupportedKey):
            PublicKey.from_jwk(ed25519(1).public_jwk() | change)

    @pytest.mark.parametrize(
        "change",
        [{"kty": "OKP"}, {"alg": "ML-DSA-44"}, {"alg": None}, {"pub": None}, {"pub": "AAAA"}, {"pub": "="}],
    )
    def test_it_refuses_an_mldsa_jwk_with_anything_else(self, change: dict[str, object]) -> None:
        with pytest.raises(UnsupportedKey):
            PublicKey.from_jwk(mldsa65(1).public_jwk() | change)

    def test_it_refuses_unknown_algorithms(self) -> None:
        with pytest.raises(UnsupportedKey):
            PublicKey("Ed448", bytes(57))

    def test_it_agrees_with_the_public_vectors_for_ed25519(self) -> None:
        for group in wycheproof("ed25519_test.json"):
            public_key = PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": group["publicKeyJwk"]["x"]})
            for case in group["tests"]:
                assert _verifies(public_key, case) == (case["result"] == "valid"), case["tcId"]

    def test_it_agrees_with_the_public_vectors_for_mldsa65(self) -> None:
        checked = 0
        for group in wycheproof("mldsa_65_verify_test.json"):
            raw = bytes.fromhex(group["publicKey"])
            if len(raw) != 1952:
                with pytest.raises(UnsupportedKey):
                    PublicKey("ML-DSA-65", raw)
                continue
            public_key = PublicKey("ML-DSA-65", raw)
            for case in group["tests"]:
                # Ours have the empty context; the same signature under another context is none.
                valid = case["result"] == "valid" and not case.get("ctx")
                assert _verifies(public_key, case) == valid, case["tcId"]
                checked += 1
        assert checked > 100


def _verifies(public_key: PublicKey, case: dict[str, str]) -> bool:
    try:
        public_key.verify(bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
    except BadSignature:
        return False
    return True


class TestThumbprint:
    def test_it_is_that_of_the_standards(self) -> None:
        # RFC 8037, A.3
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        assert signers.thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    def test_it_does_not_depend_on_order_or_other_members(self) -> None:
        for signer in (ed25519(1), mldsa65(1)):
            jwk = dict(reversed(signer.public_jwk().items())) | {"use": "sig"}
            assert signers.thumbprint(jwk) == signer.kid

    @pytest.mark.parametrize("jwk", [{}, {"kty": "RSA", "n": "", "e": ""}, {"kty": "OKP", "crv": "Ed25519"}])
    def test_it_refuses_other_keys(self, jwk: dict[str, str]) -> None:
        with pytest.raises(UnsupportedKey):
            signers.thumbprint(jwk)


class TestKeyFile:
    @BOTH
    def test_it_keeps_the_key_encrypted_for_its_owner_alone(self, signer: FileSigner, tmp_path: Path) -> None:
        path = tmp_path / "signer.pem"
        signers.write_key_file(path, signer, PASSPHRASE)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        read = signers.read_key_file(path, PASSPHRASE)
        assert (type(read), read.kid) == (type(signer), signer.kid)
        read.public_key.verify(b"data", signer.sign(b"data"))
        assert list(tmp_path.iterdir()) == [path]

    def test_it_is_never_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "signer.pem"
        signers.write_key_file(path, ed25519(1), PASSPHRASE)
        with pytest.raises(FileExistsError):
            signers.write_key_file(path, ed25519(2), PASSPHRASE)
        assert signers.read_key_file(path, PASSPHRASE).kid == ed25519(1).kid
        assert list(tmp_path.iterdir()) == [path]

    def test_it_opens_with_its_passphrase_only(self, tmp_path: Path) -> None:
        path = tmp_path / "signer.pem"
        signers.write_key_file(path, ed25519(1), PASSPHRASE)
        with pytest.raises(UnreadableKeyFile):
            signers.read_key_file(path, b"wrong")

    def test_it_is_refused_unencrypted_damaged_or_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "signer.pem"
        with pytest.raises(FileNotFoundError):
            signers.read_key_file(path, PASSPHRASE)
        key = ec.generate_private_key(ec.SECP256R1())
        for content in (
            b"",
            b"no key",
            ed25519(1).to_pem(PASSPHRASE)[:-80],
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ):
            path.write_bytes(content)
            with pytest.raises(UnreadableKeyFile):
                signers.read_key_file(path, PASSPHRASE)

    def test_it_holds_no_other_kind_of_key(self, tmp_path: Path) -> None:
        path = tmp_path / "signer.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE))
        )
        with pytest.raises(UnsupportedKey):
            signers.read_key_file(path, PASSPHRASE)
