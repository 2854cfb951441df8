from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from portal.core.templatetags import components

TEMPLATES = Path(__file__).parents[2] / "portal" / "templates"
# Frames of other things: shown wherever those are.
INSIDE_OTHERS = {"breadcrumbs", "message", "reload", "why", "zone"}
BY_INCLUDE = {"balance_table", "free_list", "pages"}


@pytest.mark.django_db
class TestComponents:
    def test_they_are_all_on_one_page(self, client: Client) -> None:
        page = client.get("/components")
        assert page.status_code == 200
        text = (TEMPLATES / "components.html").read_text() + "".join(
            (TEMPLATES / f"components/{name}.html").read_text() for name in BY_INCLUDE
        )
        for file in (TEMPLATES / "components").glob("*.html"):
            if file.stem not in INSIDE_OTHERS:
                assert f"{{% {file.stem} " in text or f"components/{file.name}" in text, file.stem

        assert "&lt;" not in page.text, "no part escapes what another part wrote"
        assert "product-name" in page.text
        for part in components.SMALL_PARTS:
            assert f"{{% {part.__name__} " in text, part

    def test_their_form_shows_what_is_wrong_in_it(self, client: Client) -> None:
        page = client.post("/components", {"act_key": "k1"})
        assert page.status_code == 400
        assert 'id="id_text_error"' in page.text

    def test_there_is_no_such_page_where_the_portal_is_in_earnest(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.DEMO = False
        assert client.get("/components").status_code == 404
        settings.DEBUG = True
        assert client.get("/components").status_code == 200
