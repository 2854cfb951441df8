"""The portal's golden bundle, verified by this second implementation of the same formats, for ever."""

import json
from pathlib import Path

from appliance.bundle import read_bundle
from appliance.installation import Trust, verify_keys, verify_license
from appliance.keyset import read_roots
from appliance.public_keys import ALGORITHMS
from appliance.state import Configuration, State, Vault

GOLDEN = Path(__file__).parents[1] / "golden"


class TestTheGoldenBundle:
    def test_it_is_verified_from_the_roots_alone(self) -> None:
        roots = read_roots(json.loads((GOLDEN / "roots.json").read_bytes()))
        trust = Trust("00-90-33-01-0A-FF", roots, frozenset(ALGORITHMS))
        new_device = State(Vault(), Configuration())
        bundle = read_bundle((GOLDEN / "bundle.lic").read_bytes())
        keys = verify_keys(bundle, new_device.vault, trust)
        verified = verify_license(bundle, keys, new_device, trust)
        assert verified.document.seq == 7
        assert [item.product for item in verified.document.items] == ["Port", "BRI", "UC", "Voicemail"]
