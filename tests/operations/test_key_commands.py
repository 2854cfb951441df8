"""`manage.py keys …` and the system checks: what an operator does and is told (trust.md 10)."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from licenses import checks, key_ceremony, key_inspection, key_store, keyring
from licenses.models import KeySetVersion
from tests.conftest import Keys
from tests.factories import NOW, caller


def keys(*words: object) -> str:
    printed = StringIO()
    call_command("keys", *map(str, words), stdout=printed)
    return printed.getvalue()


@pytest.fixture
def roots(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None) -> Path:
    """A folder with two roots, and key set 1 signed by them."""
    monkeypatch.setenv("ROOT_KEYS_PASSPHRASE", "of the old roots")
    settings.SIGNING_KEYS_DIR = tmp_path / "signing-keys"
    folder = tmp_path / "roots"
    keys("make-roots", folder)
    keys("publish", folder)
    return folder


def kid_in_use(alg: str = "Ed25519") -> str:
    entries = keyring.current().key_set.keys
    return next(e.public_key.kid for e in entries if e.in_use and e.public_key.alg == alg)


def found() -> list[str]:
    """The ids of what the checks of an upgrade find."""
    return [str(error.id) for error in checks.key_set_does_for_this_release(["default"])]


class TestTheCommand:
    def test_it_rotates_retires_and_declares_compromised(self, roots: Path) -> None:
        assert "Key set 2 is published." in keys("rotate", roots)
        assert "Key set 3 is published." in keys("retire", "--", kid_in_use("ML-DSA-65"), roots)
        leaked = kid_in_use()

        told = keys("compromise", "--reason", "found on a memory stick", "--", leaked, roots)

        assert "Key set 4 is published." in told
        assert f"{leaked}.pem" in told

    def test_it_hands_over_to_new_roots_with_a_passphrase_of_their_own(
        self, roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ROOT_KEYS_PASSPHRASE", "of the new roots")
        keys("make-roots", tmp_path / "new")
        monkeypatch.setenv("ROOT_KEYS_PASSPHRASE", "of the old roots")
        monkeypatch.setenv("NEW_ROOT_KEYS_PASSPHRASE", "of the new roots")
        before = json.loads(keys("roots"))

        assert "Key set 2 is published." in keys("change-roots", roots, tmp_path / "new")

        assert json.loads(keys("roots")) != before
        with pytest.raises(CommandError, match="other-roots"):
            keys("rotate", roots)

    def test_it_repeats_nothing_under_the_same_name(self, roots: Path) -> None:
        first = keys("rotate", roots, "--act", "tuesday")

        assert keys("rotate", roots, "--act", "tuesday") == first
        assert KeySetVersion.objects.count() == 2

    def test_it_publishes_a_first_one_only_where_there_is_none(self, roots: Path) -> None:
        assert keys("publish", roots, "--if-missing") == ""
        with pytest.raises(CommandError, match="key-set-exists"):
            keys("publish", roots)

    def test_it_refuses_another_passphrase(self, roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ROOT_KEYS_PASSPHRASE", "another one")
        with pytest.raises(CommandError, match="cannot be read"):
            keys("rotate", roots)

    def test_it_overwrites_no_root(self, roots: Path) -> None:
        before = {file.name: file.read_bytes() for file in roots.iterdir()}
        with pytest.raises(CommandError, match="nothing was overwritten"):
            keys("make-roots", roots)
        assert {file.name: file.read_bytes() for file in roots.iterdir()} == before

    def test_it_lists_the_keys_for_people_and_programs(self, roots: Path) -> None:
        old = kid_in_use()
        keys("rotate", roots)

        listed = json.loads(keys("list", "--json"))

        assert listed["version"] == 2
        assert {key["kid"]: key["state"] for key in listed["keys"]}[old] == "retired"
        assert listed["changes_of_roots_left"] > 0
        assert old in keys("list")


class TestLookingAtTheKeys:
    def test_everything_is_there(self, roots: Path) -> None:
        assert "The keys do" in keys("check")
        assert found() == []

    def test_without_a_key_set_it_says_what_to_run(self, db: None) -> None:
        with pytest.raises(CommandError, match=r"keys publish DIR \[licenses.E004\]"):
            keys("check")
        assert found() == []  # an upgrade of an empty portal goes on

    def test_a_lost_key_file_is_told(self, roots: Path, settings: LazySettings) -> None:
        (Path(settings.SIGNING_KEYS_DIR) / f"{kid_in_use()}.pem").unlink()

        with pytest.raises(CommandError, match=r"keys rotate DIR \[licenses.E005\]"):
            keys("check")

    def test_a_key_the_release_needs_and_lacks_stops_an_upgrade(
        self, roots: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(key_store, "DOCUMENT_ALGORITHMS", (*key_store.DOCUMENT_ALGORITHMS, "ML-DSA-87"))

        assert found() == ["licenses.E003"]
        [error] = checks.key_set_does_for_this_release(["default"])
        assert "ML-DSA-87" in error.msg
        assert "keys rotate DIR" in str(error.hint)

    def test_a_demo_s_keys_are_refused_outside_the_demo(self, keyring: Keys, settings: LazySettings) -> None:
        assert found() == []
        settings.DEMO = False

        assert found() == ["licenses.E002"]

    def test_what_signs_no_more_may_be_destroyed(self, keyring: Keys) -> None:
        assert key_inspection.keys_to_destroy() == []
        old = kid_in_use()
        key_ceremony.retire_key(kid=old, roots=keyring.roots, caller=caller(), now=NOW)

        assert key_inspection.keys_to_destroy() == [old]
