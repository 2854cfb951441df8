import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from portal.core import pages
from portal.core.errors import every_refusal
from tests.web.conftest import SignedIn


class TestProblemPage:
    def test_it_explains_every_code_in_full_sentences(self, client: Client) -> None:
        for refusal in every_refusal():
            if refusal.__module__.startswith("tests."):
                continue
            page = client.get(reverse("problem", args=[refusal.code]))
            assert page.status_code == 200
            assert refusal.code in page.text
            assert "%(" not in page.text

    def test_it_is_not_there_for_an_unknown_code(self, client: Client) -> None:
        assert client.get(reverse("problem", args=["no-such-code"])).status_code == 404


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
