import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import strict_json
from portal.core.strict_json import MAX_INTEGER, MalformedJSON, UnwritableJSON

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """An object in which values are nested `depth` deep, the object itself counted."""
    return b'{"a":' + opening * (depth - 1) + closing * (depth - 1) + b"}"


def load(data: bytes) -> dict[str, Any]:
    return strict_json.loads(data, max_bytes=65536)


class TestLoads:
    def test_it_reads_an_object_in_any_layout(self) -> None:
        assert load(b'\n{ "a" : [1, -2, "x\\u00e9\\n", null, true] , "b":{}}\r\t ') == {
            "a": [1, -2, "xé\n", None, True],
            "b": {},
        }

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "not JSON"),
            (b"[]", "top level"),
            (b'"a"', "top level"),
            (b"1", "top level"),
            (b"null", "top level"),
            (b"{}{}", "not JSON"),
            (b"{} x", "not JSON"),
            (b'{"a":1,}', "not JSON"),
            (b"{'a':1}", "not JSON"),
            (b"{a:1}", "not JSON"),
            (b'{"a":01}', "not JSON"),
            (b'{"a":"\n"}', "not JSON"),
            (b'{"a":"\\x"}', "not JSON"),
            (b'{"a":"', "not JSON"),
            (b'\xef\xbb\xbf{"a":1}', "not JSON"),
            (b'{"a":"\xff"}', "not UTF-8"),
            (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
            (b'{"a":"\xc0\x80"}', "not UTF-8"),
            ('{"a":1}'.encode("utf-16"), "not UTF-8"),
            (b'{"a":1,"a":1}', "twice"),
            (b'{"a":1,"\\u0061":2}', "twice"),
            (b'{"a":{"b":1,"b":2}}', "twice"),
            (b'{"a":1.0}', "not an integer"),
            (b'{"a":1e3}', "not an integer"),
            (b'{"a":-0.0}', "not an integer"),
            (b'{"a":NaN}', "not an integer"),
            (b'{"a":Infinity}', "not an integer"),
            (b'{"a":-Infinity}', "not an integer"),
            (b'{"a":9007199254740992}', "2^53"),
            (b'{"a":-9007199254740992}', "2^53"),
            (b'{"a":' + b"9" * 5000 + b"}", "2^53"),
            (b'{"a":"\x00"}', "not JSON"),
            (b'{"a":"\\u0000"}', "NUL"),
            (b'{"\\u0000":1}', "NUL"),
            (b'{"a":["x\\u0000"]}', "NUL"),
            (b'{"a":"\\ud800"}', "surrogate"),
            (b'{"a":"\\udc00\\ud800"}', "surrogate"),
            (b'{"a":[{"\\ud83d":1}]}', "surrogate"),
        ],
    )
    def test_it_refuses_what_two_readers_could_read_differently(self, data: bytes, reason: str) -> None:
        with pytest.raises(MalformedJSON, match=reason.replace("^", r"\^")):
            load(data)

    def test_it_reads_the_largest_integers(self) -> None:
        assert load(b'{"a":9007199254740991,"b":-9007199254740991}') == {"a": MAX_INTEGER, "b": -MAX_INTEGER}

    def test_it_reads_surrogates_that_are_a_pair(self) -> None:
        assert load(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}

    def test_it_looks_at_the_size_first(self) -> None:
        assert strict_json.loads(b'{"a":1}', max_bytes=7) == {"a": 1}
        with pytest.raises(MalformedJSON, match="larger than 7 bytes"):
            strict_json.loads(b'{"a":1} ', max_bytes=7)
        with pytest.raises(MalformedJSON, match="larger than 7 bytes"):
            strict_json.loads(b"\xff" * 8, max_bytes=7)

    def test_it_reads_eight_levels_and_refuses_nine(self) -> None:
        load(nested(8))
        for opening, closing in ((b"[", b"]"), (b'{"b":', b"}")):
            data = nested(9, opening, closing).replace(b":}", b":1}")
            assert json.loads(data)
            with pytest.raises(MalformedJSON, match="deeper than 8"):
                load(data)

    def test_it_counts_depth_and_not_brackets(self) -> None:
        assert load(b'{"a":[[],[],[],[],[],[],[],[],[],[]],"b":{},"c":[{}]}')["c"] == [{}]

    def test_it_does_not_count_brackets_in_texts(self) -> None:
        assert load(b'{"a":"[[[[[[[[[[{{{{{","b\\"[[[[[[[[[":"\\\\"}')["a"] == "[[[[[[[[[[{{{{{"

    def test_it_counts_brackets_behind_texts_with_escapes(self) -> None:
        with pytest.raises(MalformedJSON, match="deeper than 8"):
            load(b'{"a\\\\":"\\"","b":' + b"[" * 8 + b"]" * 8 + b"}")

    def test_it_refuses_brackets_by_the_thousand_without_recursion(self) -> None:
        for data in (b"[" * 65536, b'{"a":' * 10000, b'{"a":' + b"[" * 30000 + b"]" * 30000 + b"}"):
            with pytest.raises(MalformedJSON, match="deeper than 8"):
                load(data)

    @pytest.mark.parametrize(
        "data",
        [
            b"[[[[[[[[[]]]]]]]]]"[:8] + b'[["' + b'\\"' * 32000,
            b'{"a":[1,2],"b":[[[[[[[' + b'"' * 40000,
            b'{"a":[[[[[[],[],[],[' + b"\\" * 40000,
        ],
    )
    def test_it_takes_no_longer_for_texts_without_an_end(self, data: bytes) -> None:
        begin = time.perf_counter()
        with pytest.raises(MalformedJSON):
            load(data)
        assert time.perf_counter() - begin < 0.5  # a scan that goes back takes many seconds


class TestDumps:
    def test_it_writes_compact_utf8_in_the_order_given(self) -> None:
        assert strict_json.dumps({"b": "é\n", "a": [1, None, True], "c": {}}) == (
            '{"b":"é\\n","a":[1,null,true],"c":{}}'.encode()
        )

    @given(st.dictionaries(_TEXT, _VALUE, max_size=4))
    def test_it_writes_what_loads_reads_back(self, value: dict[str, Any]) -> None:
        assert load(strict_json.dumps(value)) == value

    def test_it_writes_tuples_as_arrays(self) -> None:
        assert strict_json.dumps({"a": (1, 2)}) == b'{"a":[1,2]}'

    @pytest.mark.parametrize(
        "value",
        [
            {"a": 1.0},
            {"a": [float("nan")]},
            {"a": {"b": float("inf")}},
            {"a": 2**53},
            {"a": -(2**53)},
            {1: "a"},
            {None: "a"},
            {"a": b"bytes"},
            {"a": {1, 2}},
            {"a": "\x00"},
            {"\x00": "a"},
            {"a": "\ud800"},
            {"\udfff": 1},
        ],
    )
    def test_it_refuses_what_loads_would_refuse(self, value: object) -> None:
        with pytest.raises(UnwritableJSON):
            strict_json.dumps(value)

    def test_it_writes_eight_levels_and_refuses_nine(self) -> None:
        assert strict_json.dumps(json.loads(nested(8))) == nested(8)
        with pytest.raises(UnwritableJSON, match="deeper than 8"):
            strict_json.dumps(json.loads(nested(9)))
        endless: list[object] = []
        endless.append(endless)
        with pytest.raises(UnwritableJSON, match="deeper than 8"):
            strict_json.dumps({"a": endless})
