"""What devices say, read as typed values (trust.md 3)."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from devices import jose, payloads
from devices.jose import DeviceToken, MalformedToken
from tests.pure.certificates import HARDWARE_ID, device, device_ca, root
from tests.pure.statements import JTI, PORTAL, compact, header, payload

CA = device_ca(root())
DEVICE = device(CA)
CHAIN = (DEVICE.der, CA.der)
GRANT = "BAECAwQFBgcICQoLDA0ODw"
OTHER_GRANT = "CAECAwQFBgcICQoLDA0ODw"

MEMBERS: dict[str, dict[str, Any]] = {
    payloads.FETCH_TYP: {},
    payloads.RETURN_TYP: {"ctr": 1, "grants": [GRANT], "min_seq": 3},
    payloads.ACK_TYP: {"ctr": 1, "installed_seq": 3, "effective_seq": 2},
    payloads.CLAIM_TYP: {"ctr": 1, "code": "ABCD-EFGH-JKMN-PQRS"},
}
READERS: dict[str, Callable[[DeviceToken], payloads.Statement]] = {
    payloads.FETCH_TYP: payloads.parse_fetch,
    payloads.RETURN_TYP: payloads.parse_return,
    payloads.ACK_TYP: payloads.parse_acknowledgement,
    payloads.CLAIM_TYP: payloads.parse_claim,
}
EVERY = pytest.mark.parametrize("typ", list(READERS))
WRONG_COUNTS: tuple[object, ...] = (-1, True, "1", None, [1])


def token(typ: str, **changes: Any) -> DeviceToken:
    key = DEVICE.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    claims = payload(**(MEMBERS[typ] | changes))
    return jose.parse(compact(header("ES256", CHAIN, typ=typ), claims, key, "ES256"), typ=typ, online=True)


def read(typ: str, **changes: Any) -> payloads.Statement:
    return READERS[typ](token(typ, **changes))


def refusal(typ: str, **changes: Any) -> str:
    with pytest.raises(MalformedToken) as caught:
        read(typ, **changes)
    return caught.value.reason


class TestWhatEveryStatementSays:
    @EVERY
    def test_it_is_read(self, typ: str) -> None:
        said = read(typ, iat=1_795_000_000, fw="14r2", seq=2**53 - 1)

        assert (said.hardware_id, said.aud, said.jti) == (HARDWARE_ID, PORTAL, JTI)
        assert (said.seq, said.iat, said.fw) == (2**53 - 1, 1_795_000_000, "14r2")

    @EVERY
    def test_time_and_firmware_may_be_left_out(self, typ: str) -> None:
        assert (read(typ).iat, read(typ).fw) == (None, None)

    @EVERY
    def test_unknown_members_are_ignored_unless_must_names_them(self, typ: str) -> None:
        read(typ, new=[1, {"a": "b"}], must=["seq", "fw"])
        for must in (["new"], ["seq", "new"], ["NEW"], [""]):
            assert refusal(typ, new=1, must=must).startswith("must")
        others: tuple[object, ...] = ("seq", None, 1, {}, [1], [None], [["seq"]])
        for other in others:
            assert refusal(typ, must=other) == "must"

    @EVERY
    @pytest.mark.parametrize("name", ["ver", "iss", "sub", "aud", "jti", "seq"])
    def test_every_member_is_wanted(self, typ: str, name: str) -> None:
        assert refusal(typ, **{name: ...}) == name

    @EVERY
    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("ver", (0, 2, -1, True, "1", None, [1])),
            ("iss", ("", "00-90-33-01-0B-00", HARDWARE_ID.lower(), None, 1)),
            ("sub", ("", "00-90-33-01-0B-0", HARDWARE_ID.lower(), HARDWARE_ID.replace("-", ""), None, 1)),
            ("aud", ("", "x" * 513, None, 1, [PORTAL])),
            ("jti", ("", JTI[:-1], JTI + "A", JTI + "=", JTI[:-1] + "B", JTI[:-1] + "+", None, 1)),
            ("seq", WRONG_COUNTS),
            ("iat", WRONG_COUNTS),
            ("fw", ("", "x" * 129, 1, None, ["14"])),
        ],
    )
    def test_other_types_and_ranges_are_refused(
        self, typ: str, name: str, values: tuple[object, ...]
    ) -> None:
        for value in values:
            assert refusal(typ, **{name: value}) == name

    @EVERY
    def test_no_statement_is_read_as_another(self, typ: str) -> None:
        for other, reader in READERS.items():
            if other != typ:
                with pytest.raises(MalformedToken, match="typ"):
                    reader(token(typ))


class TestAFetch:
    def test_it_may_say_what_the_device_holds(self) -> None:
        said = payloads.parse_fetch(token(payloads.FETCH_TYP, have="tag", ks=3))
        assert (said.have, said.ks) == ("tag", 3)

    @pytest.mark.parametrize(
        ("name", "values"), [("have", ("", "x" * 129, 1, None, True)), ("ks", WRONG_COUNTS)]
    )
    def test_other_types_and_ranges_are_refused(self, name: str, values: tuple[object, ...]) -> None:
        for value in values:
            assert refusal(payloads.FETCH_TYP, **{name: value}) == name


class TestAReturn:
    def test_it_names_grants(self) -> None:
        said = payloads.parse_return(token(payloads.RETURN_TYP, grants=[GRANT, OTHER_GRANT]))
        assert (said.ctr, said.grants, said.min_seq) == (1, (GRANT, OTHER_GRANT), 3)

    def test_a_star_alone_stands_for_all(self) -> None:
        assert payloads.parse_return(token(payloads.RETURN_TYP, grants=["*"])).grants == payloads.ALL

    @pytest.mark.parametrize(
        "grants",
        [
            [],
            "*",
            None,
            1,
            {},
            ["*", GRANT],
            [GRANT, "*"],
            ["*", "*"],
            [GRANT, GRANT],
            [GRANT[:-1]],
            [GRANT + "A"],
            [GRANT[:-1] + "B"],
            [1],
            [None],
            [[GRANT]],
        ],
    )
    def test_other_lists_are_refused(self, grants: object) -> None:
        assert refusal(payloads.RETURN_TYP, grants=grants) == "grants"

    def test_it_names_a_thousand_at_most(self) -> None:
        many = [f"{number:021d}A" for number in range(payloads.MOST_GRANTS + 1)]
        assert len(payloads.parse_return(token(payloads.RETURN_TYP, grants=many[:-1])).grants) == 1000
        assert refusal(payloads.RETURN_TYP, grants=many) == "grants"


@pytest.mark.parametrize(
    ("typ", "name"),
    [
        (payloads.RETURN_TYP, "ctr"),
        (payloads.RETURN_TYP, "min_seq"),
        (payloads.ACK_TYP, "ctr"),
        (payloads.ACK_TYP, "installed_seq"),
        (payloads.ACK_TYP, "effective_seq"),
        (payloads.CLAIM_TYP, "ctr"),
    ],
)
def test_counters_are_wanted_and_are_counts(typ: str, name: str) -> None:
    assert refusal(typ, **{name: ...}) == name
    for value in WRONG_COUNTS:
        assert refusal(typ, **{name: value}) == name


def test_a_claim_has_a_code_of_some_length() -> None:
    assert payloads.parse_claim(token(payloads.CLAIM_TYP)).code == "ABCD-EFGH-JKMN-PQRS"
    for value in (..., "", "x" * 129, None, 1):
        assert refusal(payloads.CLAIM_TYP, code=value) == "code"
