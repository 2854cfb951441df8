import hashlib
from dataclasses import replace
from typing import Any

import pytest

from licenses import log_line
from licenses.log_line import LeafType, LeafV1, LineV1, MalformedLine

LINE = LineV1(
    act="AAAAAAAAAAAAAAAAAAAAAA",
    product="Port",
    version=14,
    qty=10,
    source="AQEBAQEBAQEBAQEBAQEBAQ",
    destination="AgICAgICAgICAgICAgICAg",
    grant="AwMDAwMDAwMDAwMDAwMDAw",
    hardware_id="00-90-33-01-0A-FF",
    expires_at=1_800_000_000,
)
LEAF = LeafV1(LeafType.ISSUE, 1_795_000_000, b"\x01" * 32, (b"\x02" * 32,))


class TestLine:
    def test_it_always_has_the_same_nine_members(self) -> None:
        assert LINE.to_bytes() == (
            b'{"act":"AAAAAAAAAAAAAAAAAAAAAA","product":"Port","version":14,"qty":10,'
            b'"from":"AQEBAQEBAQEBAQEBAQEBAQ","to":"AgICAgICAgICAgICAgICAg",'
            b'"grant":"AwMDAwMDAwMDAwMDAwMDAw","hwid":"00-90-33-01-0A-FF","exp":1800000000}'
        )
        assert LineV1("a", "Port", 14, 1, None, None, None, None, None).to_bytes() == (
            b'{"act":"a","product":"Port","version":14,"qty":1,"from":null,"to":null,'
            b'"grant":null,"hwid":null,"exp":null}'
        )

    @pytest.mark.parametrize(
        ("change", "member"),
        [
            ({"act": ""}, "act"),
            ({"act": 'a"'}, "act"),
            ({"product": ""}, "product"),
            ({"version": 0}, "version"),
            ({"qty": 0}, "qty"),
            ({"qty": -1}, "qty"),
            ({"source": ""}, "from"),
            ({"destination": "a b"}, "to"),
            ({"grant": ""}, "grant"),
            ({"hardware_id": "009033010AFF"}, "hwid"),
            ({"expires_at": -1}, "exp"),
        ],
    )
    def test_it_names_the_member_it_refuses(self, change: dict[str, Any], member: str) -> None:
        with pytest.raises(MalformedLine, match=f"^{member}$"):
            replace(LINE, **change)


class TestLineHash:
    def test_it_is_the_hash_of_the_contract(self) -> None:
        salt = bytes(range(16))
        expected = hashlib.sha256(b"olp-line-v1\x00" + salt + LINE.to_bytes()).digest()
        assert log_line.line_hash(salt, LINE.to_bytes()) == expected

    def test_it_differs_with_the_salt_and_with_the_line(self) -> None:
        other = replace(LINE, qty=11)
        hashes = {log_line.line_hash(s, x.to_bytes()) for s in (b"s" * 16, b"t" * 16) for x in (LINE, other)}
        assert len(hashes) == 4

    @pytest.mark.parametrize("salt", [b"", b"s" * 15, b"s" * 17])
    def test_it_refuses_a_salt_of_another_length(self, salt: bytes) -> None:
        with pytest.raises(ValueError, match="16 bytes"):
            log_line.line_hash(salt, LINE.to_bytes())


class TestLeaf:
    def test_it_holds_the_document_and_the_hashes_only(self) -> None:
        assert LEAF.to_bytes() == (
            b'{"v":1,"t":"issue","ts":1795000000,"d":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",'
            b'"b":["AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"]}'
        )

    def test_it_has_no_document_where_the_act_made_none(self) -> None:
        leaf = LeafV1(LeafType.ACTIVATION, 0, None, ())
        assert leaf.to_bytes() == b'{"v":1,"t":"activation","ts":0,"b":[]}'

    @pytest.mark.parametrize(
        "change",
        [
            {"timestamp": -1},
            {"document_sha256": b""},
            {"document_sha256": b"x" * 31},
            {"line_hashes": (b"x" * 33,)},
        ],
    )
    def test_it_refuses_anything_that_is_no_hash_or_time(self, change: dict[str, Any]) -> None:
        with pytest.raises(MalformedLine):
            replace(LEAF, **change)

    def test_its_types_are_those_of_the_contract(self) -> None:
        assert [leaf_type.value for leaf_type in LeafType] == [
            "order",
            "activation",
            "issue",
            "bridge",
            "test",
            "return",
            "move",
            "unsigned-move",
            "revocation",
            "correction",
            "company-import",
            "hand-over",
            "key-set",
        ]
