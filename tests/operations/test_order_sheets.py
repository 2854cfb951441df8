"""What is wrong with which line of a list of orders (orders.order_sheet)."""

import pytest

from licenses.models import Product
from orders import order_sheet
from orders.order_sheet import NEEDED, PROBLEMS, OrderSheetUnreadable, Problem
from tests.factories import NOW, make_customer, make_key
from tests.operations.bookkeeping import refused
from tests.pure.test_sheets import xlsx

pytestmark = pytest.mark.usefixtures("catalogue")

HEAD = "order;account;reference;customer;code;version;quantity;keys\n"
GOOD = "A;;;;Port;14;1;\n"


def problems(*lines: str, head: str = HEAD) -> list[tuple[int, str]]:
    sheet = order_sheet.read((head + "".join(f"{line}\n" for line in lines)).encode())
    return [(problem.line, problem.reason) for problem in sheet.problems]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("=A;;;;Port;14;1;", "formula"),
        ("+A;;;;Port;14;1;", "formula"),
        ("A;;@SUM(1);;Port;14;1;", "formula"),
        ("A;;;-cmd;Port;14;1;", "formula"),
        ("A;;;;Port;14;=1+1;", "formula"),
        ("A\u202e;;;;Port;14;1;", "characters"),
        (";;;;Port;14;1;", "number"),
        (f"{'9' * 41};;;;Port;14;1;", "number"),
        (f"A;;{'x' * 101};;Port;14;1;", "text-too-long"),
        (f"A;;;{'x' * 201};Port;14;1;", "text-too-long"),
        ("A;C-1;;;Port;14;1;", "account"),
        ("A;;;;Port;14;1;box", "keys"),
        ("A;;;;Port;x;1;", "version"),
        ("A;;;;Port;99;1;", "product"),
        ("A;;;;port;14;1;", "product"),
        ("A;;;;Port;14;-1;", "quantity"),
        ("A;;;;Port;14;0;", "quantity"),
        ("A;;;;Port;14;1000001;", "quantity"),
        ("A;;;;Port;14;999999999999999999;", "quantity"),
        ("A;;;;Port;14;1.5;", "quantity"),
        ("A;;;;Port;14;;", "quantity"),
        ("A", "version"),
    ],
)
def test_a_line_that_cannot_be_entered_is_named_with_its_reason(line: str, reason: str) -> None:
    assert problems("B;;;;Port;14;1;", line) == [(3, reason)]
    assert reason in PROBLEMS


def test_every_bad_line_is_named_not_only_the_first() -> None:
    found = problems("A;;;;Port;14;-1;", "B;;;;Port;14;1;", "C;;;;Nothing;14;1;", "D;;;;Port;14;x;")

    assert found == [(2, "quantity"), (4, "product"), (5, "quantity")]


def test_an_order_that_stands_twice_is_named() -> None:
    assert problems("A;;;;Port;14;1;", "B;;;;Port;14;1;", "A;;;;UC;14;1;") == [(4, "again")]


def test_lines_of_one_order_agree() -> None:
    assert problems("A;;x;;Port;14;1;", "A;;y;;UC;14;1;") == [(3, "differs")]
    assert problems("A;;x;;Port;14;1;line", "A;;x;;UC;14;1;order") == [(3, "differs")]


def test_an_order_that_is_there_already_is_named_once() -> None:
    make_key(number="A")

    assert problems("B;;;;Port;14;1;", "A;;;;Port;14;1;", "A;;;;UC;14;1;") == [(3, "taken")]


def test_what_is_no_longer_sold_is_named() -> None:
    Product.objects.filter(code="Port", version=14).update(discontinued_at=NOW)

    assert problems("A;;;;Port;14;1;") == [(2, "discontinued")]


def test_an_order_has_two_hundred_lines() -> None:
    assert problems(*["A;;;;Port;14;1;"] * 202) == [(202, "too-many-lines"), (203, "too-many-lines")]


def test_columns_come_in_any_order_and_accounts_in_any_case() -> None:
    make_customer(number="C-10042", postal_code="1")

    sheet = order_sheet.read(b"Quantity,CODE,version,account,order\n3,Port,14,c-10042,A\n4,UC,13,c-10042,A\n")

    [order] = sheet.orders
    assert (sheet.rows, sheet.keys, sheet.problems) == (2, 1, ())
    assert (order.number, order.account) == ("A", "C-10042")
    assert [(line.code, line.version, line.quantity) for line in order.lines] == [
        ("Port", 14, 3),
        ("UC", 13, 4),
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", 0),
        (HEAD, 0),
        ("order;code;version\n" + GOOD, 1),
        ("order;code;version;quantity;surprise\n" + GOOD, 1),
        ("order;order;code;version;quantity\n" + GOOD, 1),
        (HEAD + "A;" * 60, 2),
        (HEAD + "A;;;;Port;14;1;\n" * 100_001, 100_002),
    ],
    ids=["nothing", "no orders", "column missing", "unknown column", "column twice", "columns", "lines"],
)
def test_what_is_no_list_of_orders_is_refused_with_its_line(content: str, line: int) -> None:
    with refused(OrderSheetUnreadable, line=line):
        order_sheet.read(content.encode())


def test_every_problem_has_words() -> None:
    assert all(str(words) for words in PROBLEMS.values())
    assert Problem(line=1, reason="taken", number="A").reason in PROBLEMS


def test_a_workbook_is_held_to_the_same_line_by_line() -> None:
    """What of a spreadsheet is no text: formulas, whatever value they had, and numbers below and above."""
    head = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in NEEDED)
    port = '<c t="inlineStr"><is><t>Port</t></is></c><c><v>14</v></c>'
    cells = (
        f"<c><v>1</v></c>{port}<c><v>5.0</v></c>",
        f'<c t="str"><f>HYPERLINK("http://x")</f><v>2</v></c>{port}<c><v>1</v></c>',
        f"<c><v>3</v></c>{port}<c><f>1+1</f><v>2</v></c>",
        f"<c><v>4</v></c>{port}<c><v>-1</v></c>",
        f"<c><v>5</v></c>{port}<c><v>100000000000000</v></c>",
        f"<c><v>1</v></c>{port}<c><v>1</v></c>",
        f'<c t="inlineStr"><is><t>@SUM(A1)</t></is></c>{port}<c><v>1</v></c>',
        f"<c><v>7</v></c>{port}<c><v>1.5</v></c>",
    )

    sheet = order_sheet.read(xlsx("".join(f"<row>{one}</row>" for one in (head, *cells))))

    assert [(problem.line, problem.reason) for problem in sheet.problems] == [
        (3, "formula"),
        (4, "formula"),
        (5, "quantity"),
        (6, "quantity"),
        (7, "again"),
        (8, "formula"),
        (9, "quantity"),
    ]
    assert sheet.orders[0].lines[0].quantity == 5
