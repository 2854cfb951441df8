"""Users, config templates and deleting, as a browser without JavaScript gets the pages from a real server."""

import pytest

from tests.appliance.browsing import Browser
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.issuing import item


class TestUsersAndTemplates:
    def test_they_are_made_changed_and_deleted(self, browser: Browser, online: Bench) -> None:
        assert "No config templates yet" in browser.open("/pbx/templates").text
        assert browser.submit("/pbx/templates/add", name="Office").notices == ["done"]
        assert browser.submit("/pbx/templates/1/change", name="Front office", mark="UC").notices == ["done"]
        assert browser.submit("/pbx/objects/add", name="Ada", number="12", template="1").notices == ["done"]
        listed = browser.open("/pbx/objects").text
        assert "Front office" in listed
        assert "1 not licensed for all they are marked with" in listed
        assert browser.submit("/pbx/templates/1/delete").notices == ["template-in-use"]
        assert browser.submit("/pbx/objects/2/change", name="Ada L", number="", template="").notices == [
            "done"
        ]
        user = online.device().objects().user(2)
        assert (user.name, user.number, user.template) == ("Ada L", "", None)
        assert browser.submit("/pbx/objects/2/mark", mark="Fax").notices == ["done"]
        assert 'data-state="unlicensed"' in browser.open("/pbx/objects/2/license").text
        assert browser.submit("/pbx/templates/1/delete").notices == ["done"]
        assert browser.submit("/pbx/objects/2/delete").notices == ["done"]
        assert online.device().objects().users == ()

    def test_they_say_what_they_refuse_and_change_nothing(self, browser: Browser, online: Bench) -> None:
        browser.submit("/pbx/objects/add", name="Ada")
        before = online.device().objects()
        for path, fields, code in (
            ("/pbx/objects/add", {"name": " "}, "object-name"),
            ("/pbx/objects/add", {"name": "ada"}, "object-name-taken"),
            ("/pbx/objects/add", {"name": "Boris", "number": "12a"}, "object-number"),
            ("/pbx/objects/add", {"name": "Boris", "template": "x"}, "object-unknown"),
            ("/pbx/objects/add", {"name": "Boris", "template": "9" * 40}, "object-unknown"),
            ("/pbx/objects/1/mark", {"mark": "Faxes"}, "unknown-mark"),
            ("/pbx/objects/7/delete", {}, "object-unknown"),
            ("/pbx/templates/7/change", {"name": "x"}, "object-unknown"),
        ):
            page = browser.submit(path, **fields)
            # A page of an object that is not there leads on to the first one, with its notice.
            while page.status == 302:
                page = browser.open(str(page.headers["Location"]))
            assert code in page.notices, path
        assert online.device().objects() == before

    def test_a_page_of_an_object_that_is_gone_leads_to_the_first_page(self, browser: Browser) -> None:
        for path in ("/pbx/objects/7", "/pbx/objects/7/license", "/pbx/templates/7"):
            assert browser.open(path).headers["Location"] == "/"
        assert browser.open("/pbx/objects/x").status == 404

    def test_names_are_escaped(self, browser: Browser) -> None:
        browser.submit("/pbx/templates/add", name="<i>T</i>")
        browser.submit("/pbx/objects/add", name="<b>A</b>", template="1")
        for path in (
            "/pbx/objects",
            "/pbx/objects/2",
            "/pbx/objects/2/license",
            "/pbx/templates/1",
            "/check-up",
        ):
            text = browser.open(path).text
            assert "<b>" not in text
            assert "<i>" not in text


class TestDeleting:
    @pytest.mark.parametrize("everything", [True, False], ids=["document", "entry"])
    def test_it_says_what_will_happen_and_changes_nothing_before_it_is_confirmed(
        self, browser: Browser, online: Bench, everything: bool
    ) -> None:
        port, fax = item("Port", quantity=6), item("Fax")
        online.device().install(online.issuer.bundle(HARDWARE_ID, items=[port, fax]))
        online.device().reset()
        browser.open()  # which writes down that a new run of the device began
        before = online.files()
        page = browser.open("/delete?all=1" if everything else f"/delete?grant={port['id']}")
        assert "6 x Port 14" in page.text
        assert ("10 x Fax 14" in page.text) is everything
        assert online.files() == before
        fields = {"all": "1"} if everything else {"grant": port["id"]}
        assert browser.submit("/delete/confirmed", **fields).notices == ["deleted"]
        assert browser.submit("/reset").notices == ["in-effect"]
        left = {entry.product for entry in online.device().status().licenses}
        assert left == (set() if everything else {"Fax"})

    def test_it_refuses_what_is_not_there(self, browser: Browser) -> None:
        for path, code in (
            ("/delete", "nothing-chosen"),
            ("/delete?all=1", "nothing-installed"),
            ("/delete?grant=x", "not-installed"),
        ):
            assert browser.open(path).headers["Location"] == "/"
            assert browser.open("/").notices == [code]
        assert browser.submit("/delete/confirmed").notices == ["nothing-installed"]


class TestOtherPages:
    def test_the_certificate_chain_is_downloaded_without_the_key(self, browser: Browser) -> None:
        file = browser.open("/certificate/chain.pem")
        assert file.headers["Content-Disposition"] == f'attachment; filename="{HARDWARE_ID}-chain.pem"'
        assert file.text.count("BEGIN CERTIFICATE") == 2
        assert "PRIVATE" not in file.text
        assert HARDWARE_ID in browser.open("/certificate").text

    def test_a_form_leads_back_to_the_page_it_was_on_and_to_no_other(self, browser: Browser) -> None:
        for place, leads_to in (("check-up", "/check-up"), ("gateway", "/gateway"), ("sign-out", "/")):
            body = f"csrfmiddlewaretoken={browser.token()}&switch=on&place={place}".encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            assert browser.request("POST", "/test-mode", body, kind).headers["Location"] == leads_to
