"""The values behind the golden files: fixed keys, times and ids, to build the same bytes again."""

from licenses.document import Item, LicenseDocumentV1
from licenses.keyset import SIGNED_TYPS, KeyEntry, KeySetV1, Roots
from licenses.log_line import LeafType, LeafV1, LineV1
from tests.pure import statements
from tests.pure.certificates import HARDWARE_ID, device, device_ca, root
from tests.pure.signing_keys import ed25519, mldsa65

ISSUED_AT = 1_795_478_400  # 2026-11-24
PORTAL = "https://portal.example/"

ROOTS = (ed25519(1), mldsa65(1))
DOCUMENT_KEYS = (ed25519(11), mldsa65(11))
RETIRED_KEYS = (ed25519(10), mldsa65(10))
COMPROMISED_KEY = ed25519(9)

ROOT_SET = Roots(tuple(root.public_key for root in ROOTS), threshold=2)

KEY_SET = KeySetV1(
    issuer=PORTAL,
    version=2,
    issued_at=ISSUED_AT,
    keys=(
        *(KeyEntry(key.public_key, SIGNED_TYPS, ISSUED_AT) for key in DOCUMENT_KEYS),
        *(
            KeyEntry(key.public_key, SIGNED_TYPS, ISSUED_AT - 86400, retired_at=ISSUED_AT)
            for key in RETIRED_KEYS
        ),
        KeyEntry(
            COMPROMISED_KEY.public_key,
            ("lic+jws",),
            ISSUED_AT - 2 * 86400,
            retired_at=ISSUED_AT - 86400,
            compromised_at=ISSUED_AT - 90000,
        ),
    ),
    roots=ROOT_SET.keys,
)

DOCUMENT = LicenseDocumentV1(
    issuer=PORTAL,
    hardware_id=HARDWARE_ID,
    jti="AAECAwQFBgcICQoLDA0ODw",
    issued_at=ISSUED_AT,
    seq=7,
    items=(
        Item("EBESExQVFhcYGRobHB0eHw", "Port", 14, 10, "bought", returnable=True),
        Item("ICEiIyQlJicoKSorLC0uLw", "BRI", 14, 2, "bought", returnable=False),
        Item("MDEyMzQ1Njc4OTo7PD0-Pw", "UC", 14, 25, "test", returnable=False, expires_at=1_803_427_200),
        Item(
            "QEFCQ0RFRkdISUpLTE1OTw", "Voicemail", 13, 3, "bridge", returnable=True, expires_at=1_796_688_000
        ),
    ),
)

CERTIFICATE_ROOT = root()
DEVICE_CA = device_ca(CERTIFICATE_ROOT)
DEVICE = device(DEVICE_CA)

FETCH_HEADER = statements.header("ES256", (DEVICE.der, DEVICE_CA.der))
FETCH_PAYLOAD = statements.payload(seq=6, iat=ISSUED_AT + 60, fw="14r2", have="dGFn", ks=1)

SALT = bytes(range(16))
LINE = LineV1(
    act="UFFSU1RVVldYWVpbXF1eXw",
    product="Port",
    version=14,
    qty=10,
    source="YGFiY2RlZmdoaWprbG1ubw",
    destination="cHFyc3R1dnd4eXp7fH1-fw",
    grant="EBESExQVFhcYGRobHB0eHw",
    hardware_id=HARDWARE_ID,
    expires_at=None,
)
LEAF_TYPE = LeafType.ISSUE


def leaf(document_sha256: bytes, line_hash: bytes) -> LeafV1:
    return LeafV1(LEAF_TYPE, ISSUED_AT, document_sha256, (line_hash,))


def fetch_token() -> bytes:
    return statements.compact(FETCH_HEADER, FETCH_PAYLOAD, DEVICE.key, "ES256")
