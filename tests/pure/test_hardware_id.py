import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import hardware_id
from devices.hardware_id import NotAHardwareID

CANONICAL = "00-90-33-01-0A-FF"


class TestParse:
    @pytest.mark.parametrize(
        "typed",
        [
            CANONICAL,
            "00-90-33-01-0a-ff",
            "00:90:33:01:0A:FF",
            "00.90.33.01.0a.ff",
            "0090.3301.0aff",
            "009033010AFF",
            "009033-010aff",
            "00 90 33 01 0A FF",
            "  00-90-33-01-0A-FF\r\n",
            "00\u00a090\u00a033\t01 0A FF",
        ],
    )
    def test_it_reads_what_people_type(self, typed: str) -> None:
        assert hardware_id.parse(typed) == CANONICAL

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "-",
            "00-90-33-01-0A",
            "00-90-33-01-0A-F",
            "0-90-33-1-A-FF",
            "00-90-33-01-0A-FF-0",
            "00-90-33-FF-FE-01-0A-FF",
            "00-90-33-01-0A-FG",
            "00-90-33-O1-0A-FF",
            "00/90/33/01/0A/FF",
            "00_90_33_01_0A_FF",
            "0x009033010AFF",
            "00-90-33-01-0A-\uff26\uff26",
            "00-90-33-01-0A-\u0661\u0661",
            "00\u201090\u201033\u201001\u20100A\u2010FF",
            "00-90-33-01-0A-FF\x00",
            CANONICAL + " " * 60,
            "00-90-33-01-0A-FF 00-90-33-01-0A-FF",
        ],
    )
    def test_it_refuses_anything_else(self, typed: str) -> None:
        with pytest.raises(NotAHardwareID):
            hardware_id.parse(typed)

    @given(st.binary(min_size=6, max_size=6), st.sampled_from(["-", ":", ".", " ", ""]), st.booleans())
    def test_it_gives_one_form_whatever_the_separators(
        self, octets: bytes, separator: str, upper: bool
    ) -> None:
        typed = separator.join(f"{octet:02X}" if upper else f"{octet:02x}" for octet in octets)
        assert hardware_id.parse(typed) == "-".join(f"{octet:02X}" for octet in octets)

    @given(st.text(alphabet="0123456789abcdefABCDEF-:. g\n", max_size=20))
    def test_it_gives_canonical_ids_or_refuses(self, typed: str) -> None:
        try:
            parsed = hardware_id.parse(typed)
        except NotAHardwareID:
            return
        assert hardware_id.is_canonical(parsed)
        assert re.search(hardware_id.PATTERN, parsed)
        assert hardware_id.parse(parsed) == parsed


class TestIsCanonical:
    def test_it_takes_the_canonical_form(self) -> None:
        assert hardware_id.is_canonical(CANONICAL)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            CANONICAL.lower(),
            CANONICAL.replace("-", ":"),
            CANONICAL + "\n",
            CANONICAL + "-00",
            "009033010AFF",
        ],
    )
    def test_it_refuses_every_other(self, text: str) -> None:
        assert not hardware_id.is_canonical(text)
