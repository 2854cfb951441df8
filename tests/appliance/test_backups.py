"""Old backups: whatever is put back, what was given back stays away (trust.md 5 and 12).

An administrator can restore an exported configuration; whoever opens the device can put back any of its files
that lie in the exported part. What keeps licenses away, tombstones and `min_seq`, lies in the vault.
"""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from appliance.fetching import fetch
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.returning import begin_return_file, give_back, send_return
from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal
from tests.appliance.issuing import Json, item
from tests.appliance.test_receipts import running


@pytest.fixture
def port() -> Json:
    return item("Port", quantity=6)


@pytest.fixture
def books(online: Bench, portal: FakePortal, port: Json) -> Books:
    """The portal has assigned what may be given back and what stays; the device runs both."""
    portal.books = Books(online.issuer, HARDWARE_ID)
    portal.books.assign(port, item("Channels", ret=False))
    fetch(online.device())
    online.device().reset()
    return portal.books


PutBack = Callable[[Bench, bytes], None]


def by_restoring(bench: Bench, backup: bytes) -> None:
    bench.device().restore(backup)


def by_the_file(bench: Bench, backup: bytes) -> None:
    (bench.home / "configuration.json").write_bytes(backup)


def after_a_factory_reset(bench: Bench, backup: bytes) -> None:
    (bench.home / "configuration.json").unlink()
    bench.device().restore(backup)


def stays_away(bench: Bench, product: str = "Port") -> None:
    """Neither now, nor after a reset, is the product in effect."""
    assert product not in running(bench)
    with suppress(Refusal):  # what was put back may not run, and then there is nothing to reset to
        bench.device().reset()
    assert product not in running(bench)


@pytest.mark.parametrize("put_back", [by_restoring, by_the_file, after_a_factory_reset])
class TestABackupOfTheConfiguration:
    @pytest.mark.parametrize("everything", [False, True], ids=["one", "everything"])
    def test_brings_nothing_back_after_the_receipt(
        self, online: Bench, books: Books, port: Json, put_back: PutBack, everything: bool
    ) -> None:
        backup = online.device().exported_configuration()
        give_back(online.device(), ALL if everything else (port["id"],))

        put_back(online, backup)

        stays_away(online)
        assert books.balance == {"Port": 6}

    @pytest.mark.parametrize("everything", [False, True], ids=["one", "everything"])
    def test_brings_nothing_back_while_the_return_waits(
        self, online: Bench, books: Books, port: Json, put_back: PutBack, everything: bool
    ) -> None:
        backup = online.device().exported_configuration()
        begin_return_file(online.device(), ALL if everything else (port["id"],))

        put_back(online, backup)

        stays_away(online)
        send_return(online.device())
        stays_away(online)
        assert books.balance == {"Port": 6}

    def test_brings_nothing_back_after_later_documents(
        self, online: Bench, books: Books, port: Json, put_back: PutBack
    ) -> None:
        backup = online.device().exported_configuration()
        give_back(online.device(), (port["id"],))
        online.device().reset()
        books.assign(item("Fax"))
        fetch(online.device())
        online.device().reset()
        assert online.device().state().vault.tombstones == ()

        put_back(online, backup)

        stays_away(online)

    def test_is_no_loss_since_the_portal_has_the_current_one(
        self, online: Bench, books: Books, port: Json, put_back: PutBack
    ) -> None:
        backup = online.device().exported_configuration()
        give_back(online.device(), (port["id"],))
        online.device().reset()
        put_back(online, backup)

        fetch(online.device())
        online.device().reset()

        assert running(online) == {"Channels"}

    def test_made_while_the_return_waited_brings_nothing_back(
        self, online: Bench, books: Books, port: Json, put_back: PutBack
    ) -> None:
        begin_return_file(online.device(), (port["id"],))
        backup = online.device().exported_configuration()
        send_return(online.device())

        put_back(online, backup)

        stays_away(online)


class TestWhatKeepsLicensesAway:
    def test_lies_outside_of_the_export(self, online: Bench, books: Books, port: Json) -> None:
        begin_return_file(online.device(), (port["id"],))

        exported = online.device().exported_configuration()

        assert json.loads(exported).keys() == {
            "format",
            "installed",
            "in_effect",
            "deleted",
            "gone",
            "objects",
        }
        vault = json.loads((online.home / "vault.json").read_bytes())
        assert vault["tombstones"] == [{"id": port["id"], "next_seq": None}]
        assert vault["min_seq"] == 1

    def test_is_not_touched_by_restoring(self, online: Bench, books: Books, port: Json) -> None:
        backup = online.device().exported_configuration()
        begin_return_file(online.device(), ALL)
        before = online.device().state().vault

        online.device().restore(backup)

        assert online.device().state().vault == before

    def test_does_not_let_the_old_license_file_in_again(
        self, online: Bench, books: Books, port: Json
    ) -> None:
        carried = books.bundle()
        give_back(online.device(), ALL)

        with pytest.raises(Refusal) as refused:
            online.device().install(carried)

        assert refused.value.code == "older-document"
        stays_away(online)

    def test_keeps_down_a_file_made_before_the_return_and_installed_after_it(
        self, online: Bench, books: Books, port: Json
    ) -> None:
        books.assign(item("Fax"))
        carried = books.bundle()  # newer than what is installed, and it still lists what is given back
        begin_return_file(online.device(), (port["id"],))

        online.device().install(carried)
        online.device().reset()

        assert running(online) == {"Channels", "Fax"}

    def test_of_everything_refuses_a_file_made_before_the_return(self, online: Bench, books: Books) -> None:
        books.assign(item("Fax"))
        carried = books.bundle()
        begin_return_file(online.device(), ALL, min_seq=books.seq + 1)

        with pytest.raises(Refusal) as refused:
            online.device().install(carried)

        assert refused.value.code == "older-document"
        stays_away(online)
        stays_away(online, "Fax")

    @pytest.mark.parametrize("data", [b"", b"{}", b'{"format":9}', b"[]"], ids=repr)
    def test_what_is_no_backup_is_refused(self, bench: Bench, data: bytes) -> None:
        with pytest.raises(Refusal) as refused:
            bench.device().restore(data)
        assert refused.value.code == "not-a-configuration"
