"""The device's own page, as a browser without JavaScript gets it from a real server."""

import http.client
import re
import urllib.parse

import pytest

from appliance.bundle import MAX_BYTES
from appliance.fetching import fetch
from tests.appliance.books import Books
from tests.appliance.browsing import Browser, Page
from tests.appliance.conftest import HARDWARE_ID, OTHER_HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, verify_compact
from tests.appliance.issuing import item

ACTS = (
    "/reset",
    "/fetch",
    "/install",
    "/return/confirmed",
    "/return/send",
    "/acknowledge",
    "/claim",
    "/delete/confirmed",
    "/test-mode",
    "/pbx/objects/add",
    "/pbx/objects/1/change",
    "/pbx/objects/1/mark",
    "/pbx/objects/1/delete",
    "/pbx/templates/add",
    "/pbx/templates/1/change",
    "/pbx/templates/1/delete",
    "/sign-out",
)


def numbers(page: Page) -> dict[str, tuple[int, int]]:
    """How many of each product are in effect before and after, as the page says."""
    rows = re.findall(r'<th scope="row"[^>]*>([^<]+)</th>(.*?)</tr>', page.text, re.DOTALL)
    found = {
        product: [int(number) for number in re.findall(r">(\d+)</td>", cells)] for product, cells in rows
    }
    return {product: (before, after) for product, (before, after) in found.items()}


class TestThePage:
    def test_it_walks_a_license_from_the_portal_into_effect(
        self, browser: Browser, online: Bench, portal: FakePortal
    ) -> None:
        empty = browser.open()
        assert empty.status == 200
        assert HARDWARE_ID in empty.text
        assert "No licenses yet" in empty.text

        portal.answer(online.issuer.bundle(HARDWARE_ID, items=[item("Voicemail", quantity=42)]))
        fetched = browser.submit("/fetch")
        assert fetched.notices == ["installed"]
        assert "Reset required" in fetched.text
        assert 'data-state="installed"' in fetched.text

        reset = browser.submit("/reset")
        assert reset.notices == ["in-effect"]
        assert "Reset required" not in reset.text
        assert 'data-state="in-effect"' in reset.text
        assert "Voicemail" in reset.text
        assert browser.open().notices == []

    def test_it_takes_and_gives_the_license_file(self, browser: Browser, online: Bench) -> None:
        bundle = online.issuer.bundle(HARDWARE_ID)
        assert browser.upload(bundle).notices == ["installed"]
        file = browser.open("/licenses.lic")
        assert file.text.encode() == bundle
        assert file.headers["Content-Disposition"] == f'attachment; filename="{HARDWARE_ID}.lic"'
        assert browser.upload(bundle).notices == ["already-installed"]

    def test_it_says_what_it_refuses_and_why(self, browser: Browser, online: Bench) -> None:
        refused = browser.upload(online.issuer.bundle(OTHER_HARDWARE_ID))
        assert refused.notices == ["wrong-device"]
        assert OTHER_HARDWARE_ID in refused.text
        assert browser.upload(b"").notices == ["malformed"]
        assert browser.upload(b"<script>").notices == ["malformed"]
        assert browser.upload(b" " * (MAX_BYTES + 1)).notices == ["too-large"]
        assert browser.submit("/install").notices == ["malformed"]
        assert browser.submit("/fetch").notices == ["portal-answer"]
        assert browser.submit("/reset").notices == ["nothing-installed"]
        assert browser.open("/licenses.lic").headers["Location"] == "/"
        assert online.device().status().seq_highest == 0

    def test_it_escapes_what_documents_say(self, browser: Browser, online: Bench) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID, items=[item("<b onclick=x>")]))
        text = browser.open().text
        assert "<b onclick" not in text
        assert "&lt;b onclick=x&gt;" in text

    def test_it_says_that_its_home_is_damaged(self, browser: Browser, online: Bench) -> None:
        (online.home / "vault.json").write_text("{")
        page = browser.open()
        assert (page.status, page.notices) == (503, ["damaged-state"])


class TestMyPortal:
    @pytest.fixture
    def books(self, online: Bench, portal: FakePortal) -> Books:
        """The portal's books; the device runs what may be given back and what stays."""
        portal.books = Books(online.issuer, HARDWARE_ID)
        portal.books.assign(item("Port", quantity=6), item("Channels", ret=False))
        fetch(online.device())
        online.device().reset()
        return portal.books

    def test_it_says_what_will_happen_before_it_gives_back(
        self, browser: Browser, online: Bench, books: Books
    ) -> None:
        browser.open()  # which writes down that a new run of the device began
        before = online.files()
        page = browser.open("/return?all=1")
        assert page.text.index("6 x Port 14") < page.text.index("stay with the device")
        assert page.text.index("stay with the device") < page.text.index("x Channels 14")
        assert online.files() == before
        given = browser.submit("/return/confirmed", all="1", way="send")
        assert given.notices[:1] == ["receipt"]
        assert "6 x Port 14: given back" in given.text
        assert "stays with this device" in given.text
        assert books.balance == {"Port": 6}

    def test_it_shows_the_numbers_before_and_after(self, browser: Browser, books: Books) -> None:
        [port] = [name for name, entry in books.live.items() if entry["ret"]]
        page = browser.open(f"/return?grant={port}")
        assert numbers(page) == {"Channels 14": (10, 10), "Port 14": (6, 0)}
        assert numbers(browser.open("/return?all=1")) == {"Channels 14": (10, 10), "Port 14": (6, 0)}

    def test_a_stale_return_is_signed_anew_with_the_number_typed_in(
        self, browser: Browser, books: Books
    ) -> None:
        browser.submit("/return/confirmed", all="1", way="file")
        first = verify_compact(browser.open("/return.jws").text.encode())
        assert "It was signed with the number 2." in browser.open().text
        assert browser.submit("/return/confirmed", all="1", way="file", min_seq="9").notices == ["done"]
        second = verify_compact(browser.open("/return.jws").text.encode())
        assert (second.payload["min_seq"], second.payload["ctr"]) == (9, first.payload["ctr"] + 1)
        books.give_back(second.payload, second.data)
        assert browser.submit("/install", text=books.bundle().decode()).notices[:1] == ["receipt"]

    def test_it_tells_limits_before_they_are_hit(self, browser: Browser, books: Books) -> None:
        page = browser.open()
        assert "up to 256 KiB" in page.text
        assert "up to 200 licenses" in page.text
        assert f'data-drop="{MAX_BYTES}"' in page.text

    def test_it_gives_a_return_as_a_file_and_takes_the_receipt_pasted(
        self, browser: Browser, online: Bench, books: Books
    ) -> None:
        [port] = [name for name, entry in books.live.items() if entry["ret"]]
        waiting = browser.submit("/return/confirmed", grant=port, way="file")
        assert waiting.notices == ["done"]
        assert "A return waits for its receipt" in waiting.text
        file = browser.open("/return.jws")
        name = f"{HARDWARE_ID}-return.jws"
        assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        said = verify_compact(file.text.encode())
        books.give_back(said.payload, said.data)
        assert browser.submit("/install", text=books.bundle().decode()).notices[:1] == ["receipt"]
        assert "A return waits for its receipt" not in browser.open().text

    def test_it_says_that_a_return_waits_when_the_portal_is_silent(
        self, browser: Browser, books: Books, portal: FakePortal
    ) -> None:
        portal.silent = {"returns": "after"}
        waiting = browser.submit("/return/confirmed", all="1", way="send")
        assert waiting.notices == ["portal-unreachable", "return-waits"]
        portal.silent = {}
        assert browser.submit("/return/send").notices[:1] == ["receipt"]
        assert books.balance == {"Port": 6}

    def test_it_refuses_what_cannot_be_given_back(self, browser: Browser, books: Books) -> None:
        assert browser.submit("/return/confirmed", way="send").notices == ["nothing-to-return"]
        assert browser.submit("/return/confirmed", grant="x").notices == ["grant-malformed"]
        wrong = browser.submit("/return/confirmed", all="1", min_seq="many")
        assert wrong.notices == ["min-seq-out-of-range"]
        assert browser.submit("/return/send").notices == ["nothing-to-return"]
        assert browser.open("/return").headers["Location"] == "/"
        assert browser.open("/return.jws").headers["Location"] == "/"
        assert books.balance == {}

    def test_it_claims_and_acknowledges_online_and_by_file(
        self, browser: Browser, books: Books, portal: FakePortal
    ) -> None:
        books.claims = {"ABCD": "changed"}
        assert browser.submit("/claim", code="ABCD", way="send").notices == ["done"]
        assert browser.submit("/claim", code="", way="send").notices == ["bad-claim-code"]
        claim = browser.submit("/claim", code="EFGH", way="file")
        assert verify_compact(claim.text.encode()).payload["code"] == "EFGH"
        assert browser.submit("/acknowledge", way="send").notices == ["done"]
        assert portal.acks[-1].payload["effective_seq"] == 1
        acknowledgement = browser.submit("/acknowledge", way="file")
        assert verify_compact(acknowledgement.text.encode()).header["typ"] == "lic-ack+jws"


class TestItsDefenses:
    def test_a_form_from_elsewhere_changes_nothing(self, browser: Browser, online: Bench) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        for path in ACTS:
            assert browser.request("POST", path, b"a=b", kind).status == 403
        token = urllib.parse.urlencode({"csrfmiddlewaretoken": browser.token()}).encode()
        foreign = {**kind, "Origin": "http://evil.test"}
        page = browser.request("POST", "/reset", token, foreign)
        assert (page.status, page.notices) == (403, ["forged"])
        assert online.device().status().reset_required

    def test_acts_are_not_done_by_a_link(self, browser: Browser) -> None:
        assert [browser.open(path).status for path in ACTS] == [405] * len(ACTS)

    def test_a_body_beyond_any_license_file_is_not_read(self, browser: Browser) -> None:
        assert browser.upload(b" " * (MAX_BYTES + 20_000)).status == 413

    def test_a_body_of_unknown_length_is_not_read(self, browser: Browser) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=30)
        connection.request(
            "POST",
            "/install",
            iter([b"x" * 10]),
            encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )
        assert connection.getresponse().status == 411
        connection.close()

    def test_another_name_than_this_machine_s_is_not_answered(self, browser: Browser) -> None:
        assert browser.request("GET", "/", headers={"Host": "evil.test"}).status == 400

    def test_it_may_load_and_send_to_itself_only(self, browser: Browser) -> None:
        page = browser.open()
        policy = page.headers["Content-Security-Policy"]
        assert policy is not None
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert "no-store" in str(page.headers["Cache-Control"])
        assert "script-src 'self'" in policy
        assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/static/appliance/device.js" defer>']
        assert not re.search(r"\son\w+=", page.text)
        assert "style=" not in page.text
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)

    def test_its_files_are_served_without_a_step_of_collecting(self, browser: Browser) -> None:
        for path in re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', browser.open().text):
            assert browser.open(path).status == 200
