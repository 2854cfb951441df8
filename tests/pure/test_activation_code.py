import hashlib
import hmac
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licenses import activation_code
from licenses.activation_code import ALPHABET, NotAnActivationCode

# A body and its check character, written down so that codes once printed stay readable.
KNOWN, CHECK = "0123456789ABCDEFGHJKMNPQ", "R"
BODIES = st.text(alphabet=ALPHABET, min_size=24, max_size=24)


def whole(body: str) -> str:
    """The code with this body: the one check character of 32 that reads."""
    fitting = [character for character in ALPHABET if _reads(body + character)]
    assert len(fitting) == 1
    return body + fitting[0]


def _reads(code: str) -> bool:
    try:
        activation_code.read(code)
    except NotAnActivationCode:
        return False
    return True


def reference_check(body: str) -> str:
    """Luhn mod N, written as its definition says it: factors 2, 1, 2, ... from the right, digits added."""
    factor, total = 2, 0
    for character in reversed(body):
        addend = factor * ALPHABET.index(character)
        total += addend // 32 + addend % 32
        factor = 3 - factor
    return ALPHABET[(32 - total % 32) % 32]


class TestGenerate:
    def test_it_makes_five_groups_of_five_that_read(self) -> None:
        code = activation_code.generate()
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}", code)
        assert activation_code.format_code(activation_code.read(code)) == code

    def test_it_uses_every_character_at_every_place(self) -> None:
        codes = [activation_code.read(activation_code.generate()) for _ in range(1500)]
        assert len(set(codes)) == 1500
        for place in range(25):
            assert {code[place] for code in codes} == set(ALPHABET)


class TestRead:
    @given(BODIES)
    def test_it_takes_the_one_check_character_of_luhn_mod_32(self, body: str) -> None:
        assert whole(body) == body + reference_check(body)

    def test_it_reads_a_code_that_was_printed_before(self) -> None:
        assert activation_code.read("01234-56789-ABCDE-FGHJK-MNPQR") == KNOWN + CHECK

    @pytest.mark.parametrize(
        "type_it",
        [
            str.lower,
            lambda code: code.replace("-", ""),
            lambda code: code.replace("-", " "),
            lambda code: code.replace("-", "\u2013"),
            lambda code: code.replace("-", "\u2011"),
            lambda code: f"\t{code}\r\n",
            " ".join,
            lambda code: code.replace("0", "O").replace("1", "I"),
            lambda code: code.replace("0", "o").replace("1", "l"),
            lambda code: code.replace("1", "L"),
            lambda code: code.replace("1", "i"),
        ],
    )
    def test_it_does_not_mind_how_it_is_typed(self, type_it: Callable[[str], str]) -> None:
        code = activation_code.format_code(whole("0101" * 6))
        assert activation_code.read(type_it(code)) == code.replace("-", "")

    @given(BODIES, st.integers(0, 24), st.sampled_from(ALPHABET))
    def test_it_finds_every_mistyped_character(self, body: str, place: int, typed: str) -> None:
        code = whole(body)
        mistyped = code[:place] + typed + code[place + 1 :]
        assert _reads(mistyped) == (mistyped == code)

    @given(BODIES, st.integers(0, 23))
    def test_it_finds_swapped_neighbors_but_for_the_first_and_last_of_the_alphabet(
        self, body: str, place: int
    ) -> None:
        code = whole(body)
        first, second = code[place], code[place + 1]
        swapped = code[:place] + second + first + code[place + 2 :]
        blind = first == second or {first, second} == {"0", "Z"}
        assert _reads(swapped) == blind

    @pytest.mark.parametrize(
        ("typed", "reason"),
        [
            ("", "length"),
            (KNOWN, "length"),
            (KNOWN + "R0", "length"),
            ("0" * 201, "length"),
            (KNOWN + "X", "check"),
            (KNOWN[:-1] + "UR", "characters"),
            (KNOWN + "*", "characters"),
            ("\u0661" + KNOWN, "characters"),
            ("\uff10" + KNOWN, "characters"),
            ("\u0131" + KNOWN, "characters"),
            (KNOWN + "R\x00", "characters"),
            ("01234_56789_ABCDE_FGHJK_MNPQR", "characters"),
        ],
    )
    def test_it_says_why_it_refuses(self, typed: str, reason: str) -> None:
        with pytest.raises(NotAnActivationCode) as refusal:
            activation_code.read(typed)
        assert refusal.value.reason == reason


class TestFingerprint:
    def test_it_is_a_keyed_hash_with_a_domain_of_its_own(self) -> None:
        pepper = b"p" * 32
        expected = hmac.new(
            pepper, b"olp-activation-code-v1\x00" + KNOWN.encode() + b"R", hashlib.sha256
        ).digest()
        assert activation_code.fingerprint(KNOWN + CHECK, pepper) == expected

    def test_it_differs_with_the_code_and_with_the_pepper(self) -> None:
        codes = (whole("0" * 24), whole("1" * 24))
        peppers = (b"p" * 32, b"q" * 32)
        assert len({activation_code.fingerprint(code, pepper) for code in codes for pepper in peppers}) == 4

    @pytest.mark.parametrize("code", ["", KNOWN, KNOWN.lower() + "r", "01234-56789-ABCDE-FGHJK-MNPQR"])
    def test_it_refuses_a_code_that_was_not_read(self, code: str) -> None:
        with pytest.raises(ValueError, match="canonical"):
            activation_code.fingerprint(code, b"p" * 32)

    def test_it_refuses_a_short_pepper(self) -> None:
        with pytest.raises(ValueError, match="pepper"):
            activation_code.fingerprint(KNOWN + CHECK, b"p" * 15)
