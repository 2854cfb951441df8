import pytest

from accounts.web.browsers import LONGEST, told

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"


class TestTold:
    @pytest.mark.parametrize(
        ("header", "words"),
        [
            (CHROME, "Chrome, Linux"),
            (f"{CHROME} Edg/156.0", "Edge, Linux"),
            ("Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox, Windows"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
                "Safari, iPhone",
            ),
            ("curl/8.0", "curl/8.0"),
            ("", ""),
        ],
    )
    def test_it_names_browser_and_system(self, header: str, words: str) -> None:
        assert told(header) == words

    def test_what_nobody_knows_is_cut(self) -> None:
        assert told("x" * 200) == "x" * LONGEST
