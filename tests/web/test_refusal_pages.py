"""Refusals in the browser: their pages, and the help page that each code has."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from accounts.models import User
from accounts.names import NameOfAPersonNeeded
from accounts.projects import ProjectNameTaken
from portal.core import pages, problems
from portal.core.errors import DomainError, every_refusal
from portal.core.forms import PortalForm, field_error
from portal.core.templatetags import components
from portal.core.templatetags.components import without_facts
from tests.web.conftest import SignedIn
from tools.problems import import_everything

ROOT = Path(__file__).resolve().parents[2]


def refusals() -> list[type[DomainError]]:
    """Every refusal of the portal, wherever it is defined."""
    import_everything()
    ours = (refusal for refusal in every_refusal() if not refusal.__module__.startswith("tests."))
    return sorted(ours, key=lambda refusal: refusal.code)


def help_page(refusal: type[DomainError]) -> str:
    return reverse("problem", args=[refusal.code])


def link_to(refusal: type[DomainError], word: str = "Why?") -> str:
    """How a link to a help page begins: what is behind it is for those who only hear the page."""
    return f'<a href="{help_page(refusal)}" target="_blank">{word}<'


def parts_of(page: str) -> list[str]:
    """What a help page says under its three headings."""
    return [unescape(text) for text in re.findall(r"<section[^>]*><h2.*?</h2><p>(.*?)</p></section>", page)]


class TestHelpPage:
    @pytest.mark.parametrize("language", ["en", "de"])
    def test_it_says_of_every_code_what_why_and_the_way_out(self, language: str, client: Client) -> None:
        for refusal in refusals():
            page = client.get(help_page(refusal), headers={"accept-language": language})
            with translation.override(language):
                told = [without_facts(text) for text in (refusal.title, refusal.why, refusal.way_out)]
            assert (page.status_code, parts_of(page.text)) == (200, told), refusal.code
            assert f">{refusal.code}<" in page.text
            assert not refusal.source or escape(components.in_words(refusal.source)) in page.text

    @pytest.mark.parametrize(
        ("language", "headings"),
        [
            ("en", ["What happened", "Why", "What you can do"]),
            ("de", ["Was passiert ist", "Warum", "Was Sie tun können"]),
        ],
    )
    def test_its_parts_have_headings(self, language: str, headings: list[str], client: Client) -> None:
        page = client.get("/problems/key-unknown", headers={"accept-language": language})

        assert re.findall(r"<h2[^>]*>(.*?)</h2>", page.text) == headings

    def test_it_says_where_the_rule_is_written_down(self, client: Client) -> None:
        page = client.get("/problems/method-not-allowed", headers={"accept-language": "de"})

        assert "RFC 9110, Abschnitt 15.5.6" in page.text

    def test_it_is_open_to_somebody_who_has_not_accepted_the_terms(
        self, signed_in: SignedIn, dora: User
    ) -> None:
        User.objects.filter(pk=dora.pk).update(terms_version="")

        page = signed_in(dora).get("/problems/terms-changed")

        assert page.status_code == 200

    def test_it_is_not_there_for_an_unknown_code(self, client: Client) -> None:
        assert client.get(reverse("problem", args=["no-such-code"])).status_code == 404


class TestLinksToIt:
    """Mission rule 36: wherever a refusal is told, why is one click or one request away."""

    @pytest.mark.parametrize(("language", "word"), [("en", "Why?"), ("de", "Warum?")])
    def test_the_page_of_every_refusal_has_one(self, language: str, word: str, rf: RequestFactory) -> None:
        with translation.override(language):
            missing = [
                refusal.code
                for refusal in refusals()
                if link_to(refusal, word) not in pages.respond(rf.get("/"), refusal()).content.decode()
            ]

        assert missing == []

    def test_the_alert_on_a_form_has_one_for_every_refusal(self) -> None:
        def shown(refusal: DomainError) -> str:
            form = PortalForm({})
            form.refuse(refusal)
            return str(form)

        missing = [r.code for r in refusals() if link_to(r) not in shown(r())]

        assert missing == []

    def test_the_page_of_an_error_of_ours_has_one(self, rf: RequestFactory) -> None:
        page = pages.internal_error(rf.get("/")).content.decode()

        assert link_to(problems.InternalError) in page

    def test_an_error_of_one_field_has_one(self, client: Client) -> None:
        form = {"forename": "Support", "surname": "Team", "email": "support@example.com"}

        page = client.post(reverse("account_signup"), form)

        assert link_to(NameOfAPersonNeeded) in page.text

    def test_what_a_refusal_says_of_a_field_stays_text(self) -> None:
        [text] = field_error(ProjectNameTaken(name="<i>"))

        assert "&lt;i&gt;" in text
        assert "<i>" not in text

    def test_the_problem_document_of_every_refusal_is_one(self, client: Client) -> None:
        dead = [
            refusal.code
            for refusal in refusals()
            if client.get(urljoin("/api/v1/me", problems.body_of(refusal())["type"])).status_code != 200
        ]

        assert dead == []

    def test_the_problem_documents_of_the_proxy_are_one(self, client: Client) -> None:
        found = re.findall(r'"type": "([^"]+)"', (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8"))

        assert found
        assert [client.get(path).status_code for path in found] == [200] * len(found)

    def test_no_template_tells_a_refusal_without_one(self) -> None:
        telling = [
            (path.name, path.read_text(encoding="utf-8"))
            for path in (ROOT / "portal/templates").rglob("*.html")
            if ".headline" in path.read_text(encoding="utf-8")
        ]

        assert telling
        link = '{% include "components/why.html" with code=error.code %}'
        assert [name for name, text in telling if link not in text] == []


class TestRefusalPages:
    @pytest.mark.parametrize("path", ["projects/{}", "companies/{}", "companies/{}/transfer"])
    def test_a_number_larger_than_the_database_holds_is_missing_like_any_other(
        self, path: str, signed_in: SignedIn, dora: User
    ) -> None:
        assert signed_in(dora).get("/" + path.format(10**30)).status_code == 404

    def test_a_missing_page_says_the_way_out_with_the_code(self, signed_in: SignedIn, dora: User) -> None:
        page = signed_in(dora).get("/nowhere")
        assert page.status_code == 404
        assert reverse("problem", args=["not-found"]) in page.text
        assert page.headers["Cache-Control"] == "no-store"

    def test_an_error_of_ours_needs_neither_database_nor_session(self, rf: RequestFactory) -> None:
        page = pages.internal_error(rf.get("/"))
        assert page.status_code == 500
        assert "internal-error" in page.content.decode()

    def test_no_page_allows_anything_inline_or_from_elsewhere(self, signed_in: SignedIn, dora: User) -> None:
        page = signed_in(dora).get(reverse("home"))
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        assert "default-src 'none'" in policy
        for word in ("<style", " style=", " onclick=", "http://", "https://"):
            assert word not in page.text.replace('xmlns="http://www.w3.org/2000/svg"', "")

    @pytest.mark.parametrize(("header", "lang"), [("de", "de"), ("en", "en"), ("fr", "en")])
    def test_the_language_follows_the_browser(self, header: str, lang: str, client: Client) -> None:
        with translation.override(None):
            page = client.get(reverse("sign-in"), headers={"accept-language": header})
        assert f'<html lang="{lang}">' in page.text
