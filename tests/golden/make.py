"""Makes the golden files: `python -m tests.golden.make`.

They were made once and hold the signed formats for ever: a document of an earlier release still verifies, and
today's code still builds its bytes. Nothing is overwritten. A format changes by a decision record; then the
files it concerns are deleted and made again, in the same commit.
"""

import hashlib
import sys
from pathlib import Path

from licenses import bundle, jose, keyset
from licenses import document as license_document
from licenses.log_line import line_hash
from portal.core import strict_json
from tests.golden import values

FOLDER = Path(__file__).parent


def files() -> dict[str, bytes]:
    """The content of every golden file by its name. ML-DSA signatures in it are new with each call."""
    document_payload = values.DOCUMENT.to_payload()
    document = jose.sign_general(document_payload, typ=license_document.TYP, signers=values.DOCUMENT_KEYS)
    key_set = jose.sign_general(values.KEY_SET.to_payload(), typ=keyset.TYP, signers=values.ROOTS)
    line = values.LINE.to_bytes()
    leaf = values.leaf(hashlib.sha256(document_payload).digest(), line_hash(values.SALT, line))
    return {
        "roots.json": strict_json.dumps(
            {"roots": [root.public_jwk() for root in values.ROOTS], "threshold": 2}
        ),
        "license-document.payload.json": document_payload,
        "license-document.json": document,
        "key-set.payload.json": values.KEY_SET.to_payload(),
        "key-set.json": key_set,
        "jwks.json": strict_json.dumps(keyset.jwks(values.KEY_SET)),
        "bundle.lic": bundle.assemble(
            tag=bundle.tag_for(document, key_set), license_document=document, keyset=key_set
        ),
        "certificate-root.der": values.CERTIFICATE_ROOT.der,
        "fetch.jws": values.fetch_token(),
        "log-line.json": line,
        "log-leaf.json": leaf.to_bytes(),
    }


def main() -> int:
    """Write the files that are not there, and say which."""
    for name, content in files().items():
        path = FOLDER / name
        if path.exists():
            sys.stdout.write(f"kept  {name}\n")
            continue
        path.write_bytes(content)
        sys.stdout.write(f"made  {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
