"""Devices that share no code with the portal or the appliance: bash with openssl, Node with `jose`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import Project
from licenses import delivery, queries, verification
from licenses.models import Grant, Return
from tests import factories
from tests.examples.conftest import PROGRAMS, ROOT, Example

MakeExample = Callable[[str], Example]


def item(grant: Grant) -> list[str]:
    """What an example prints of a grant that counts."""
    return [queries.grant_id(grant), grant.product.code, str(grant.product.version), str(grant.quantity)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("program", PROGRAMS)
class TestForeignDevice:
    def test_it_fetches_and_verifies(self, make_example: MakeExample, program: str) -> None:
        example = make_example(program)
        port, channels = (
            factories.assigned(example.device, 2),
            factories.assigned(example.device, 1, "Channels"),
        )

        example.does("fetch")

        # A document lists in no order that means anything.
        assert sorted(example.does("verify")) == sorted([item(port), item(channels)])

    def test_it_returns_a_part_and_goes_on_with_the_rest(
        self, make_example: MakeExample, program: str, project: Project
    ) -> None:
        example = make_example(program)
        given, left = factories.assigned(example.device, 2), factories.assigned(example.device, 3, "UC")
        stays = factories.assigned(example.device, 1, "Channels")
        example.does("fetch")

        results = example.does("return", queries.grant_id(given), queries.grant_id(stays))

        assert results == [[queries.grant_id(given), "returned"], [queries.grant_id(stays), "kept"]]
        assert factories.free(project) == 10
        assert sorted(example.does("verify")) == sorted([item(left), item(stays)])
        example.does("fetch")
        assert sorted(example.does("verify")) == sorted([item(left), item(stays)])
        assert Return.objects.count() == 1
        assert list(verification.violations()) == []

    def test_what_it_gave_back_stays_out_when_an_old_file_is_restored(
        self, make_example: MakeExample, program: str, tmp_path: Path
    ) -> None:
        example = make_example(program)
        given, left = factories.assigned(example.device, 2), factories.assigned(example.device, 3, "UC")
        backup = tmp_path / "backup.lic"
        backup.write_bytes(
            delivery.download(device=example.device, caller=factories.caller(), now=factories.NOW).content
        )
        example.does("install", str(backup))
        example.does("return", queries.grant_id(given))

        example.run("install", str(backup))

        assert example.does("verify") == [item(left)]

    def test_it_refuses_a_forged_file(self, make_example: MakeExample, program: str, tmp_path: Path) -> None:
        example = make_example(program)
        factories.assigned(example.device, 2)
        bundle = delivery.download(
            device=example.device, caller=factories.caller(), now=factories.NOW
        ).content
        place = bundle.index(b'"payload":"') + 40
        forged = tmp_path / "forged.lic"
        forged.write_bytes(
            bundle[:place] + (b"A" if bundle[place : place + 1] != b"A" else b"B") + bundle[place + 1 :]
        )

        refused = example.run("install", str(forged))

        assert refused.returncode != 0
        assert example.run("verify").stdout == ""

    def test_it_refuses_a_file_whose_signature_was_stripped(
        self, make_example: MakeExample, program: str, tmp_path: Path
    ) -> None:
        example = make_example(program)
        factories.assigned(example.device, 2)
        content = delivery.download(
            device=example.device, caller=factories.caller(), now=factories.NOW
        ).content
        bundle = json.loads(content)
        # The one by ML-DSA-65 stays, which these two do not know.
        del bundle["license"]["signatures"][0]
        stripped = tmp_path / "stripped.lic"
        stripped.write_text(json.dumps(bundle))

        refused = example.run("install", str(stripped))

        assert refused.returncode != 0
        assert "no known key signed" in refused.stderr

    def test_it_refuses_another_device_s_file(
        self, make_example: MakeExample, program: str, tmp_path: Path
    ) -> None:
        example, other = make_example(program), make_example(program)
        factories.assigned(other.device, 2)
        file = tmp_path / "other.lic"
        file.write_bytes(
            delivery.download(device=other.device, caller=factories.caller(), now=factories.NOW).content
        )

        refused = example.run("install", str(file))

        assert refused.returncode != 0
        assert "another device" in refused.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_is_short_enough_to_be_read(program: str) -> None:
    assert len((ROOT / "examples" / program).read_text().splitlines()) < 120


@pytest.mark.django_db(transaction=True)
class TestReturnOfEverything:
    def test_it_signs_again_with_the_number_that_the_portal_names(
        self, make_example: MakeExample, project: Project
    ) -> None:
        example = make_example("device.mjs")
        given = factories.assigned(example.device, 2)
        example.does("fetch")
        later = factories.assigned(example.device, 3, "UC")
        stays = factories.assigned(example.device, 1, "Channels")

        results = example.does("return", "*")

        assert {(name, result) for name, result in results} == {
            (queries.grant_id(given), "returned"),
            (queries.grant_id(later), "returned"),
            (queries.grant_id(stays), "kept"),
        }
        assert (factories.free(project), factories.free(project, "UC")) == (10, 5)
        assert example.does("verify") == [item(stays)]
