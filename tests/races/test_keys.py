"""Keys change while documents go out: whatever left verifies by the key set that left with it."""

import json
from functools import partial

import pytest

from accounts.models import Project
from devices.models import Device
from licenses import delivery, jose, key_ceremony, keyset
from licenses.document import TYP
from licenses.keyset import KeySetV1
from licenses.models import KeySetVersion
from tests.conftest import Keys
from tests.factories import NOW, activated, assigned, caller, make_device
from tests.races.pool import SIZE, Pool

pytestmark = pytest.mark.usefixtures("catalogue")


def download(device: Device) -> bytes:
    return delivery.download(device=device, caller=caller(), now=NOW).content


def rotation(keys: Keys) -> "partial[KeySetVersion]":
    return partial(key_ceremony.rotate_keys, roots=keys.roots, caller=caller(), now=NOW)


class TestRotating:
    def test_every_bundle_is_signed_by_the_keys_in_use_of_its_own_key_set(
        self, pool: Pool, project: Project, keyring: Keys
    ) -> None:
        activated(project, {"Port": 10})
        device = make_device(project=project)
        assigned(device)
        for _ in range(10):
            outcomes = pool.race([rotation(keyring), *[partial(download, device)] * (SIZE - 1)])
            contents = [answer for answer in outcomes.answers if isinstance(answer, bytes)]
            assert (len(contents), outcomes.refused) == (SIZE - 1, {})
            for content in set(contents):
                parts = json.loads(content)
                payload = jose.parse_general(json.dumps(parts["keyset"]).encode(), typ=keyset.TYP).payload
                key_set = KeySetV1.from_payload(payload)
                document = jose.parse_general(json.dumps(parts["license"]).encode(), typ=TYP)
                assert set(document.verify(key_set.keys_for(TYP))) == {
                    entry.public_key.kid for entry in key_set.keys if entry.in_use
                }

    def test_of_those_at_once_one_publishes_the_next_key_set(self, pool: Pool, keyring: Keys) -> None:
        outcomes = pool.race([rotation(keyring) for _ in range(8)])

        versions = [row.version for row in outcomes.answers]
        assert sorted(versions) == list(range(2, 2 + len(versions)))
        assert set(outcomes.refused) <= {"key-set-changed"}
        assert KeySetVersion.objects.count() == 1 + len(versions)

    def test_of_the_same_one_at_once_there_is_one(self, pool: Pool, keyring: Keys) -> None:
        outcomes = pool.race([rotation(keyring)] * 8)

        assert ({row.version for row in outcomes.answers}, outcomes.refused) == ({2}, {})


def test_nothing_is_published_that_the_roots_did_not_sign(pool: Pool, keyring: Keys) -> None:
    pool.race([rotation(keyring) for _ in range(4)])
    last = KeySetVersion.objects.order_by("-version")[0]

    document = jose.parse_general(bytes(last.signed), typ=keyset.TYP)

    KeySetV1.from_payload(document.payload).root_set.check(document)
