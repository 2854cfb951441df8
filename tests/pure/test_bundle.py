import json
from typing import Any

import pytest

from licenses import bundle
from licenses.bundle import UnfitForBundle

LICENSE = b'{"payload":"x", "signatures":[1]}'


class TestAssemble:
    def test_it_splices_stored_bytes_in_the_order_of_the_contract(self) -> None:
        assert bundle.assemble(
            tag="tag-1",
            license_document=LICENSE,
            keyset=b'{"k": 1}',
            chain=(b'{"c":1}', b'{"c": 2}'),
            receipt=b'{"r":1 }',
            proof=b'{"p":1}',
        ) == (
            b'{"bundle":"olp/1","tag":"tag-1","license":{"payload":"x", "signatures":[1]},"keyset":{"k": 1},'
            b'"chain":[{"c":1},{"c": 2}],"receipt":{"r":1 },"proof":{"p":1}}'
        )

    def test_it_leaves_out_what_there_is_not(self) -> None:
        data = bundle.assemble(tag="t", license_document=LICENSE, keyset=None)
        assert list(json.loads(data)) == ["bundle", "tag", "license", "chain"]
        assert json.loads(data)["chain"] == []

    @pytest.mark.parametrize("tag", ["", 'a"b', "a b", "\u00e9", "a\n", "x" * 129])
    def test_it_refuses_a_tag_with_foreign_characters(self, tag: str) -> None:
        with pytest.raises(UnfitForBundle, match="tag"):
            bundle.assemble(tag=tag, license_document=LICENSE, keyset=None)

    @pytest.mark.parametrize("part", [b"", b"null", b"[]", b"{", b"}", b' {"a":1}', b'{"a":1}\n'])
    def test_it_refuses_a_part_that_is_no_object(self, part: bytes) -> None:
        everywhere: tuple[dict[str, Any], ...] = (
            {"license_document": part, "keyset": None},
            {"license_document": LICENSE, "keyset": part},
            {"license_document": LICENSE, "keyset": None, "chain": (part,)},
            {"license_document": LICENSE, "keyset": None, "receipt": part},
            {"license_document": LICENSE, "keyset": None, "proof": part},
        )
        for parts in everywhere:
            with pytest.raises(UnfitForBundle):
                bundle.assemble(tag="t", **parts)

    def test_it_refuses_a_bundle_larger_than_devices_take(self) -> None:
        room = bundle.MAX_BYTES - len(bundle.assemble(tag="t", license_document=b'{"a":""}', keyset=None))
        fits = b'{"a":"' + b"x" * room + b'"}'
        assert len(bundle.assemble(tag="t", license_document=fits, keyset=None)) == 262144
        with pytest.raises(UnfitForBundle, match="262145 bytes"):
            bundle.assemble(tag="t", license_document=b'{"a":"x' + fits[6:], keyset=None)


class TestTagFor:
    def test_it_changes_with_any_part_their_number_their_order_and_their_borders(self) -> None:
        variants = (
            (),
            (b"",),
            (b"", b""),
            (b"ab",),
            (b"a", b"b"),
            (b"b", b"a"),
            (b"ab", b""),
            (b"", b"ab"),
            (b"ac",),
        )
        assert len({bundle.tag_for(*parts) for parts in variants}) == len(variants)

    def test_it_is_the_same_for_the_same_parts_and_fits_a_bundle(self) -> None:
        tag = bundle.tag_for(b"a", b"b")
        assert tag == bundle.tag_for(b"a", b"b")
        assert len(tag) == 22
        assert json.loads(bundle.assemble(tag=tag, license_document=LICENSE, keyset=None))["tag"] == tag
