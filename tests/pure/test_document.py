import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licenses.document import MAX_ITEMS, TYP, Item, LicenseDocumentV1, MalformedDocument
from portal.core import base64url

IDS = st.binary(min_size=16, max_size=16).map(base64url.encode)
BOUGHT = Item("AAAAAAAAAAAAAAAAAAAAAA", "Port", 14, 10, "bought", returnable=True)
TEST = Item("AQEBAQEBAQEBAQEBAQEBAQ", "UC", 14, 1, "test", returnable=False, expires_at=1_800_000_000)
DOCUMENT = LicenseDocumentV1(
    issuer="https://portal.example/",
    hardware_id="00-90-33-01-0A-FF",
    jti="AgICAgICAgICAgICAgICAg",
    issued_at=1_795_000_000,
    seq=3,
    items=(BOUGHT, TEST),
)
ITEMS = st.builds(
    Item,
    id=IDS,
    product=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
    ),
    version=st.integers(1, 99),
    qty=st.integers(1, 10**6),
    license_class=st.just("bought"),
    returnable=st.booleans(),
) | st.builds(
    Item,
    id=IDS,
    product=st.sampled_from(["Port", "UC"]),
    version=st.integers(1, 99),
    qty=st.integers(1, 10**6),
    license_class=st.sampled_from(["test", "bridge"]),
    returnable=st.booleans(),
    expires_at=st.integers(0, 2**53 - 1),
)


def written(**changes: Any) -> bytes:
    """The payload with members changed; one given as `...` is left out."""
    members = json.loads(DOCUMENT.to_payload()) | changes
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


def with_item(**changes: Any) -> bytes:
    item = json.loads(DOCUMENT.to_payload())["items"][1] | changes
    return written(items=[{name: value for name, value in item.items() if value is not ...}])


def refusal(payload: bytes) -> str:
    with pytest.raises(MalformedDocument) as caught:
        LicenseDocumentV1.from_payload(payload)
    return str(caught.value)


class TestToPayload:
    def test_it_writes_members_in_their_fixed_order_and_an_end_only_where_there_is_one(self) -> None:
        assert DOCUMENT.to_payload() == (
            b'{"ver":1,"iss":"https://portal.example/","sub":"00-90-33-01-0A-FF",'
            b'"jti":"AgICAgICAgICAgICAgICAg","iat":1795000000,"seq":3,"items":['
            b'{"id":"AAAAAAAAAAAAAAAAAAAAAA","product":"Port","version":14,"qty":10,"class":"bought","ret":true},'
            b'{"id":"AQEBAQEBAQEBAQEBAQEBAQ","product":"UC","version":14,"qty":1,"class":"test","ret":false,'
            b'"exp":1800000000}]}'
        )

    def test_it_keeps_the_order_of_the_items(self) -> None:
        reverse = replace(DOCUMENT, items=(TEST, BOUGHT))
        assert [item["id"] for item in json.loads(reverse.to_payload())["items"]] == [TEST.id, BOUGHT.id]

    def test_it_writes_a_document_without_items(self) -> None:
        assert replace(DOCUMENT, items=()).to_payload().endswith(b'"seq":3,"items":[]}')


class TestFromPayload:
    @given(st.lists(ITEMS, max_size=5, unique_by=lambda item: item.id), st.integers(1, 2**53 - 1))
    def test_it_reads_what_to_payload_wrote(self, items: list[Item], seq: int) -> None:
        document = replace(DOCUMENT, items=tuple(items), seq=seq)
        assert LicenseDocumentV1.from_payload(document.to_payload()) == document

    def test_it_reads_a_full_document(self) -> None:
        items = tuple(replace(BOUGHT, id=base64url.encode(n.to_bytes(16, "big"))) for n in range(MAX_ITEMS))
        document = replace(DOCUMENT, items=items)
        assert LicenseDocumentV1.from_payload(document.to_payload()) == document

    def test_it_ignores_unknown_members_unless_must_names_them(self) -> None:
        assert LicenseDocumentV1.from_payload(written(new={"a": 1}, must=["seq"])) == DOCUMENT
        assert LicenseDocumentV1.from_payload(with_item(new=1, must=[])).items == (TEST,)
        wrong: tuple[object, ...] = (["new"], ["seq", "new"], "seq", None, [1], {})
        for must in wrong:
            assert refusal(written(must=must)) == "must"
            assert refusal(with_item(must=must)) == "must"

    @pytest.mark.parametrize(
        ("member", "values"),
        [
            ("ver", (..., 0, 2, True, "1", None)),
            ("iss", (..., "", "x" * 513, 1, None)),
            ("sub", (..., "", "00-90-33-01-0a-ff", "009033010AFF", 1, None)),
            ("jti", (..., "", "AgICAgICAgICAgICAgICAh", "AgICAgICAgICAgICAgICAg==", 1, None)),
            ("iat", (..., -1, True, "1", None)),
            ("seq", (..., 0, -1, True, "1", None)),
            ("items", (..., None, {}, "x", [None], [1], [[]])),
        ],
    )
    def test_it_names_the_member_it_refuses(self, member: str, values: tuple[object, ...]) -> None:
        for value in values:
            assert refusal(written(**{member: value})) == member

    @pytest.mark.parametrize(
        ("member", "values"),
        [
            ("id", (..., "", "AQEBAQEBAQEBAQEBAQEBAR", "AQEB", 1, None)),
            ("product", (..., "", "x" * 513, 1, None)),
            ("version", (..., 0, -1, True, "14", None)),
            ("qty", (..., 0, -1, True, "1", None)),
            ("class", (..., "", "Test", "gift", 1, None)),
            ("ret", (..., 0, 1, "true", None)),
            ("exp", (..., -1, True, "1", None)),
        ],
    )
    def test_it_names_the_member_of_an_item_it_refuses(self, member: str, values: tuple[object, ...]) -> None:
        for value in values:
            assert refusal(with_item(**{member: value})) == member

    def test_it_refuses_a_bought_license_with_an_end(self) -> None:
        assert refusal(with_item(**{"class": "bought"})) == "exp"

    def test_it_refuses_an_item_twice_and_one_item_too_many(self) -> None:
        item = json.loads(DOCUMENT.to_payload())["items"][0]
        assert refusal(written(items=[item, item])) == "items"
        many = [item | {"id": base64url.encode(n.to_bytes(16, "big"))} for n in range(MAX_ITEMS + 1)]
        assert refusal(written(items=many)) == "items"

    @pytest.mark.parametrize(
        "payload", [b"", b"[]", b"{", b"\xff", b'{"ver":1,"ver":1}', b'{"ver":1.0}', b" " * 131073]
    )
    def test_it_refuses_what_is_no_strict_json(self, payload: bytes) -> None:
        refusal(payload)


class TestItem:
    @pytest.mark.parametrize(
        "change",
        [
            {"id": "short"},
            {"product": ""},
            {"version": 0},
            {"qty": 0},
            {"qty": -1},
            {"license_class": "gift"},
            {"license_class": "test"},
            {"license_class": "bridge"},
            {"expires_at": 1},
        ],
    )
    def test_it_cannot_be_made_with_values_that_no_device_would_take(self, change: dict[str, Any]) -> None:
        with pytest.raises(MalformedDocument):
            replace(BOUGHT, **change)


def test_the_typ_is_that_of_the_contract() -> None:
    assert TYP == "lic+jws"
