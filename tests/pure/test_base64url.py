import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import base64url


class TestEncode:
    def test_it_uses_the_url_alphabet_without_padding(self) -> None:
        assert base64url.encode(b"\xfb\xff\xfe") == "-__-"
        assert base64url.encode(b"\x00") == "AA"
        assert base64url.encode(b"") == ""


class TestDecode:
    @given(st.binary(max_size=100))
    def test_it_reads_back_what_encode_wrote(self, data: bytes) -> None:
        assert base64url.decode(base64url.encode(data)) == data

    @given(st.text(alphabet="AQgwx-_+/= \n\xe9", max_size=12))
    def test_it_takes_one_text_only_for_given_bytes(self, text: str) -> None:
        try:
            data = base64url.decode(text)
        except base64url.NotBase64URL:
            return
        assert base64url.encode(data) == text

    @pytest.mark.parametrize(
        "text",
        [
            "AA==",
            "AA=",
            "AB",
            "A",
            "AAA\n",
            " AAAA",
            "AA AA",
            "+/+/",
            "AA.A",
            "\uff21AAA",
            "AAA\u00c1",
            "AAAAA",
            "====",
        ],
    )
    def test_it_refuses_every_other_form(self, text: str) -> None:
        with pytest.raises(base64url.NotBase64URL):
            base64url.decode(text)
