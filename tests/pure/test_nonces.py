from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import nonces
from devices.nonces import LIFETIME_SECONDS, SKEW_SECONDS, BadNonce
from portal.core import base64url

KEY = b"k" * 32
NOW = 1_795_000_000


class TestMake:
    def test_it_makes_a_different_one_each_time(self) -> None:
        assert len({nonces.make(KEY, NOW) for _ in range(100)}) == 100


class TestCheck:
    @pytest.mark.parametrize("age", [0, 1, LIFETIME_SECONDS, -SKEW_SECONDS])
    def test_it_takes_a_nonce_within_its_lifetime(self, age: int) -> None:
        nonces.check([KEY], nonces.make(KEY, NOW), NOW + age)

    @pytest.mark.parametrize("age", [LIFETIME_SECONDS + 1, 86400, -SKEW_SECONDS - 1, -86400])
    def test_it_refuses_one_outside_its_lifetime(self, age: int) -> None:
        with pytest.raises(BadNonce, match="expired"):
            nonces.check([KEY], nonces.make(KEY, NOW), NOW + age)

    def test_it_refuses_one_of_another_key(self) -> None:
        with pytest.raises(BadNonce, match="not made here"):
            nonces.check([KEY], nonces.make(b"x" * 32, NOW), NOW)

    @given(st.integers(0, 34 * 8 - 1))
    def test_it_refuses_one_with_any_bit_flipped(self, bit: int) -> None:
        data = bytearray(base64url.decode(nonces.make(KEY, NOW)))
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadNonce, match="not made here"):
            nonces.check([KEY], base64url.encode(bytes(data)), NOW)

    @pytest.mark.parametrize(
        "change", [lambda n: n[:-1], lambda n: n + "A", lambda n: n + "=", lambda n: n[:0], str.lower]
    )
    def test_it_refuses_one_of_another_shape(self, change: Callable[[str], str]) -> None:
        with pytest.raises(BadNonce):
            nonces.check([KEY], change(nonces.make(KEY, NOW)), NOW)

    def test_it_refuses_text_of_the_right_length_that_is_no_base64url(self) -> None:
        for text in ("+" * 46, "\u00e9" * 46, " " * 46, "A" * 45 + "B"):
            with pytest.raises(BadNonce, match="not a nonce"):
                nonces.check([KEY], text, NOW)
