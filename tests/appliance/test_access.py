"""Nothing of the device's pages is shown or done without its password."""

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.access import SESSION_SECONDS, read_secret, set_password
from appliance.home import Manufacture, make_home
from appliance.public_keys import ALGORITHMS
from appliance.refusals import Refusal
from tests.appliance.browsing import PASSWORD, Browser, served
from tests.appliance.conftest import Bench
from tests.appliance.issuing import NOW

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGES = (
    "/",
    "/certificate",
    "/certificate/chain.pem",
    "/gateway",
    "/pbx",
    "/pbx/objects",
    "/pbx/templates",
    "/check-up",
    "/licenses.lic",
    "/return?all=1",
    "/return.jws",
    "/delete?all=1",
)


def post(browser: Browser, path: str, **fields: str) -> tuple[int, str | None]:
    token = browser.token("/sign-in")
    body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
    answer = browser.request("POST", path, body, FORM)
    return answer.status, answer.headers["Location"]


class TestTheSecret:
    def test_it_is_the_password_and_no_other(self, bench: Bench) -> None:
        assert read_secret(bench.home) is None
        set_password(bench.home, PASSWORD)
        secret = read_secret(bench.home)
        assert secret is not None
        assert secret.is_password(PASSWORD)
        assert not secret.is_password(PASSWORD + "x")
        assert PASSWORD.encode() not in (bench.home / "access.json").read_bytes()

    def test_sessions_end_with_the_day_and_with_the_password(self, bench: Bench) -> None:
        secret = set_password(bench.home, PASSWORD)
        token = secret.session(NOW)
        assert secret.is_session(token, NOW + SESSION_SECONDS - 1)
        assert not secret.is_session(token, NOW + SESSION_SECONDS)
        assert not set_password(bench.home, PASSWORD).is_session(token, NOW)

    @pytest.mark.parametrize("token", ["", ".", "9999999999.x.", "9999999999.AAAA.AAAA", "é.é.é"])
    def test_a_token_made_elsewhere_is_none(self, bench: Bench, token: str) -> None:
        assert not set_password(bench.home, PASSWORD).is_session(token, NOW)

    def test_it_is_not_short_and_is_chosen_by_a_visitor_once(self, bench: Bench) -> None:
        with pytest.raises(Refusal) as refused:
            set_password(bench.home, "1234567")
        assert refused.value.code == "password-too-short"
        set_password(bench.home, PASSWORD, only_first=True)
        with pytest.raises(Refusal) as refused:
            set_password(bench.home, "another password", only_first=True)
        assert refused.value.code == "password-set"

    def test_it_is_in_no_backup(self, bench: Bench) -> None:
        set_password(bench.home, PASSWORD)
        assert b"digest" not in bench.device().exported_configuration()

    @pytest.mark.parametrize("text", ["{", '{"format":1}', '{"format":2}', '{"format":1,"salt":"*"}'])
    def test_a_damaged_one_opens_nothing(self, bench: Bench, text: str) -> None:
        (bench.home / "access.json").write_text(text)
        with pytest.raises(Refusal) as refused:
            read_secret(bench.home)
        assert refused.value.code == "damaged-state"


@pytest.fixture(scope="module")
def door(
    tmp_path_factory: pytest.TempPathFactory, identity_folder: Path, roots_file: Path
) -> Iterator[Browser]:
    """One served device for all who only look at its door, and somebody who is signed in."""
    home = tmp_path_factory.mktemp("door") / "home"
    manufacture = Manufacture("http://127.0.0.1:1", 14, frozenset(ALGORITHMS))
    make_home(home, identity=identity_folder, roots=roots_file, manufacture=manufacture, fresh=False)
    set_password(home, PASSWORD)
    with served(home) as port:
        browser = Browser(port)
        browser.sign_in()
        yield browser


class TestTheDoor:
    def test_every_page_and_every_act_is_behind_it(self, door: Browser) -> None:
        stranger = Browser(door.port)
        for path in PAGES:
            answer = stranger.open(path)
            assert (answer.status, path) == (302, path)
            assert str(answer.headers["Location"]).startswith("/sign-in")
        for path in ("/reset", "/fetch", "/install", "/test-mode", "/delete/confirmed", "/pbx/objects/add"):
            assert post(stranger, path, switch="on", name="Eve") == (302, "/sign-in")
        assert "No users yet" in door.open("/pbx/objects").text
        assert "Test mode is on" not in door.open().text

    def test_after_signing_in_one_is_where_one_wanted_to_be(self, door: Browser) -> None:
        visitor = Browser(door.port)
        asked = str(visitor.open("/pbx/objects").headers["Location"])
        assert asked == "/sign-in?next=%2Fpbx%2Fobjects"
        assert post(visitor, "/sign-in", password=PASSWORD, next="/pbx/objects") == (302, "/pbx/objects")
        assert visitor.open("/pbx/objects").status == 200

    def test_it_leads_to_no_other_place(self, door: Browser) -> None:
        for elsewhere in ("https://evil.test/", "//evil.test", "/\\evil.test", "evil", "/\n/e"):
            assert post(door, "/sign-in", password=PASSWORD, next=elsewhere) == (302, "/")

    def test_signing_out_forgets_the_session(self, door: Browser) -> None:
        visitor = Browser(door.port)
        assert visitor.sign_in().status == 200
        assert post(visitor, "/sign-out") == (302, "/sign-in")
        assert visitor.open().status == 302

    def test_the_session_is_out_of_reach_of_scripts_and_other_sites(self, door: Browser) -> None:
        visitor = Browser(door.port)
        body = urllib.parse.urlencode(
            {"csrfmiddlewaretoken": visitor.token("/sign-in"), "password": PASSWORD}
        )
        answer = visitor.request("POST", "/sign-in", body.encode(), FORM)
        [cookie] = [one for one in answer.headers.get_all("Set-Cookie", []) if "appliance_session" in one]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie

    def test_a_form_without_the_page_s_token_signs_nobody_in(self, door: Browser) -> None:
        body = urllib.parse.urlencode({"password": PASSWORD}).encode()
        assert Browser(door.port).request("POST", "/sign-in", body, FORM).status == 403


class TestTheFirstVisit:
    def test_the_password_is_chosen_then_and_cannot_be_guessed_later(self, online: Bench) -> None:
        with served(online.home) as port:
            visitor = Browser(port)
            assert "Choose the password" in visitor.open("/sign-in").text
            assert post(visitor, "/sign-in", password=PASSWORD, again="typo")[0] == 403
            assert post(visitor, "/sign-in", password="short", again="short")[0] == 403
            assert post(visitor, "/sign-in", password=PASSWORD, again=PASSWORD) == (302, "/")
            assert visitor.open().status == 200
            later = Browser(port)
            assert "Choose the password" not in later.open("/sign-in").text
            assert post(later, "/sign-in", password="of somebody else", again="of somebody else")[0] == 403
            # Guessing is slow: after ten wrong ones in a row not even the right one is listened to.
            for _ in range(9):
                assert post(later, "/sign-in", password="guess")[0] == 403
            assert post(later, "/sign-in", password=PASSWORD)[0] == 403
            assert visitor.open().status == 200

    def test_a_damaged_secret_lets_nobody_choose_another(self, online: Bench, tmp_path: Path) -> None:
        (online.home / "access.json").write_text("{")
        with served(online.home) as port:
            visitor = Browser(port)
            assert visitor.open("/sign-in").notices == ["damaged-state"]
            assert post(visitor, "/sign-in", password=PASSWORD, again=PASSWORD)[0] == 403
            assert visitor.open().status == 302
