"""The commands, as processes with exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, OTHER_HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, verify_compact
from tests.appliance.issuing import Issuer, item

ROOT = Path(__file__).parents[2]


def run(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance", "--home", str(home), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


class TestAWalk:
    def test_online_from_nothing_to_a_license_in_effect(self, online: Bench, portal: FakePortal) -> None:
        portal.answer(online.issuer.bundle(HARDWARE_ID, items=[item("Channels", quantity=30)]))
        fetched = run(online.home, "fetch")
        assert (fetched.returncode, fetched.stderr) == (0, "")
        assert fetched.stdout == (
            "Installed. It takes effect at the next reset.\nseq installed 1, in effect 0\n"
        )
        assert run(online.home, "reset").stdout == "In effect.\nseq installed 1, in effect 1\n"
        portal.status, portal.body = 204, b""
        assert run(online.home, "fetch").stdout.startswith("The portal has nothing newer")
        status = run(online.home, "status").stdout
        assert HARDWARE_ID in status
        assert "30 x Channels 14" in status

    def test_by_a_file_carried_by_hand(self, bench: Bench, tmp_path: Path) -> None:
        path = tmp_path / "device.lic"
        path.write_bytes(bench.issuer.bundle(HARDWARE_ID, seq=3, items=[item("Fax", quantity=5)]))
        assert run(bench.home, "install", path).returncode == 0
        assert run(bench.home, "reset").returncode == 0
        status = json.loads(run(bench.home, "status", "--json").stdout)
        assert status["hardware_id"] == HARDWARE_ID
        assert (status["seq_installed"], status["seq_in_effect"]) == (3, 3)
        assert status["reset_required"] is False
        [entry] = status["licenses"]
        assert (entry["product"], entry["version"], entry["quantity"]) == ("Fax", 14, 5)
        assert (entry["license_class"], entry["expires_at"], entry["state"]) == ("bought", None, "in-effect")


class TestRefusals:
    def test_a_refused_file_ends_with_1_and_says_code_and_way_out(self, bench: Bench, tmp_path: Path) -> None:
        path = tmp_path / "other.lic"
        path.write_bytes(bench.issuer.bundle(OTHER_HARDWARE_ID))
        refused = run(bench.home, "install", path)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("refused [wrong-device]: ")
        assert OTHER_HARDWARE_ID in refused.stderr

    def test_a_file_that_is_not_there_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        refused = run(bench.home, "install", tmp_path / "nowhere.lic")
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)

    def test_a_reset_of_nothing_is_refused(self, bench: Bench) -> None:
        assert run(bench.home, "reset").stderr.startswith("refused [nothing-installed]")

    def test_a_portal_out_of_reach_is_said(self, bench: Bench) -> None:
        assert run(bench.home, "fetch").stderr.startswith("refused [portal-unreachable]")

    def test_a_folder_without_an_appliance_is_said(self, tmp_path: Path) -> None:
        assert run(tmp_path, "status").stderr.startswith("refused [no-home]")
        refused = run(tmp_path, "status", "--json")
        assert json.loads(refused.stdout)["code"] == "no-home"

    def test_wrong_usage_ends_with_2(self, tmp_path: Path) -> None:
        assert run(tmp_path, "dance").returncode == 2


class TestGivingBack:
    @pytest.fixture
    def books(self, online: Bench, portal: FakePortal) -> Books:
        portal.books = Books(online.issuer, HARDWARE_ID)
        # An id may begin with a dash; a command must not take it for an option.
        portal.books.assign(item("Port", quantity=6, id="-" + "A" * 21))
        assert run(online.home, "fetch").returncode == 0
        assert run(online.home, "reset").returncode == 0
        return portal.books

    def test_it_says_what_became_of_each_license(self, online: Bench, books: Books) -> None:
        done = run(online.home, "return", "-" + "A" * 21)
        assert (done.returncode, done.stderr) == (0, "")
        assert "6 x Port 14" in done.stdout
        assert "given back" in done.stdout
        assert books.balance == {"Port": 6}

    def test_it_ends_with_5_while_the_return_waits(
        self, online: Bench, books: Books, portal: FakePortal
    ) -> None:
        portal.silent = {"returns": "before"}
        waits = run(online.home, "return", "--all")
        assert (waits.returncode, waits.stderr[:30]) == (5, "refused [portal-unreachable]: ")
        assert "A return of everything waits" in run(online.home, "status").stdout
        portal.silent = {}
        assert run(online.home, "return").returncode == 0
        assert books.balance == {"Port": 6}

    def test_a_place_that_is_not_there_is_refused_before_anything(
        self, online: Bench, books: Books, tmp_path: Path
    ) -> None:
        before = online.files()
        refused = run(online.home, "return", "--all", "--file", tmp_path / "nowhere" / "out.jws")
        assert refused.stderr.startswith("refused [file-not-written]")
        assert online.files() == before

    def test_ids_and_all_together_are_wrong_usage(self, online: Bench, books: Books) -> None:
        for words in (("A" * 22, "--all"), ("A" * 22, "--min-seq", "7")):
            assert run(online.home, "return", *words).returncode == 2
        assert books.balance == {}

    def test_statements_can_be_carried(self, online: Bench, books: Books, tmp_path: Path) -> None:
        for words in (("return", "--all"), ("acknowledge",), ("claim", "ABCD")):
            out = tmp_path / f"{words[0]}.jws"
            assert run(online.home, *words, "--file", out).returncode == 0
            assert verify_compact(out.read_bytes()).header.keys() == {"alg", "typ", "x5c"}


class TestInit:
    @pytest.fixture
    def other_roots(self, other_issuer: Issuer, tmp_path: Path) -> Path:
        path = tmp_path / "other-roots.json"
        path.write_text(json.dumps(other_issuer.roots_file()))
        return path

    def init(self, home: Path, identity: Path, roots: Path, *more: str) -> subprocess.CompletedProcess[str]:
        portal = ("--portal", "http://127.0.0.1:8000")
        return run(home, "init", "--identity", identity, "--roots", roots, *portal, *more)

    def test_it_makes_a_device(self, tmp_path: Path, identity_folder: Path, roots_file: Path) -> None:
        home = tmp_path / "new" / "home"
        made = self.init(home, identity_folder, roots_file)
        assert (made.returncode, made.stderr) == (0, "")
        assert HARDWARE_ID in made.stdout
        assert (home / "identity" / "key.pem").stat().st_mode & 0o777 == 0o600
        assert (home / "identity" / "chain.pem").read_text().count("BEGIN CERTIFICATE") == 2
        assert run(home, "status").returncode == 0

    def test_it_replaces_no_device(self, bench: Bench, identity_folder: Path, roots_file: Path) -> None:
        before = bench.files()
        assert self.init(bench.home, identity_folder, roots_file).returncode == 4
        assert bench.files() == before

    def test_it_ends_with_3_where_other_roots_are_trusted(
        self, bench: Bench, identity_folder: Path, other_roots: Path
    ) -> None:
        before = bench.files()
        refused = self.init(bench.home, identity_folder, other_roots)
        assert (refused.returncode, bench.files()) == (3, before)
        assert refused.stderr.startswith("refused [other-roots]")

    def test_it_makes_a_fresh_one_when_asked(
        self, bench: Bench, identity_folder: Path, other_roots: Path, other_issuer: Issuer
    ) -> None:
        bench.device().install(bench.issuer.bundle(HARDWARE_ID, seq=9))
        assert self.init(bench.home, identity_folder, other_roots, "--fresh").returncode == 0
        assert bench.device().status().seq_highest == 0
        bench.device().install(other_issuer.bundle(HARDWARE_ID))
        assert sorted(path.name for path in bench.home.parent.iterdir() if path.name.startswith(".")) == []

    def test_it_does_not_touch_a_folder_with_something_else(
        self, tmp_path: Path, identity_folder: Path, roots_file: Path
    ) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")
        for more in ((), ("--fresh",)):
            refused = self.init(tmp_path, identity_folder, roots_file, *more)
            assert refused.stderr.startswith("refused [not-a-home]")
        assert (tmp_path / "thesis.txt").exists()

    def test_it_refuses_roots_and_identities_it_cannot_use(
        self, tmp_path: Path, identity_folder: Path, roots_file: Path
    ) -> None:
        home, bad = tmp_path / "home", tmp_path / "bad.json"
        for content in ("", "{}", '{"roots":[],"threshold":1}', '{"roots":[{"kty":"oct"}],"threshold":1}'):
            bad.write_text(content)
            assert self.init(home, identity_folder, bad).stderr.startswith("refused [damaged-roots]")
        assert self.init(home, tmp_path, roots_file).stderr.startswith("refused [damaged-identity]")
        assert not home.exists()

    @pytest.mark.parametrize("address", ["portal.example", "file:///tmp", "http://"])
    def test_it_refuses_what_is_no_address(
        self, tmp_path: Path, identity_folder: Path, roots_file: Path, address: str
    ) -> None:
        files = ("--identity", identity_folder, "--roots", roots_file)
        refused = run(tmp_path / "home", "init", *files, "--portal", address)
        assert refused.stderr.startswith("refused [bad-address]")

    @pytest.mark.parametrize("wrong", [("--require", "RSA"), ("--require", ""), ("--firmware", "0")], ids=str)
    def test_it_refuses_firmware_that_cannot_be(
        self, tmp_path: Path, identity_folder: Path, roots_file: Path, wrong: tuple[str, str]
    ) -> None:
        assert self.init(tmp_path / "home", identity_folder, roots_file, *wrong).returncode == 2


class TestPortal:
    def test_it_is_called_at_another_address(self, bench: Bench, portal: FakePortal) -> None:
        portal.answer(bench.issuer.bundle(HARDWARE_ID))
        assert run(bench.home, "portal", portal.address).returncode == 0
        assert run(bench.home, "fetch").returncode == 0

    def test_it_refuses_what_is_no_address(self, bench: Bench) -> None:
        assert run(bench.home, "portal", "ftp://portal").stderr.startswith("refused [bad-address]")
