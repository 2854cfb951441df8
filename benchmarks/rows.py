"""What is measured: floors, rows, and the goals that tie a row to its floor (docs/performance.md)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.stock import Stock
from benchmarks.wire import Request


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing to measure."""

    title: str
    pool: str
    requests: Callable[[Stock], Iterator[Request]]
    floor: str | None = None
    """What its processor time is compared with."""
    most: float | None = None
    """The goal: at most so many times the processor time of its floor."""
    most_beyond_floor: float | None = None
    """The goal: at most so many microseconds of processor time more than its floor."""
    keeps_throughput: bool = False
    """The goal: 32 connections bring at least 80 % of the requests a second of 8."""
    of_pages: bool = False
    """Whether its requests are for pages of the large company."""
    uses_up: str = ""
    """What of the stock its requests use up, one a request: `keys` or `codes`."""


FLOORS = {
    "bare": Row(title="granian, bare WSGI callable, 2 kB", pool="bare", requests=Stock.pages),
    "view": Row(title="Django view, no middleware", pool="floors", requests=Stock.pages),
    "middleware": Row(title="Django view, eight middlewares", pool="middleware", requests=Stock.pages),
    "select": Row(title="no middleware + SELECT", pool="floors", requests=Stock.selects),
    "verify": Row(title="no middleware + SELECT + ES256", pool="floors", requests=Stock.verifications),
    "page": Row(title="page of 50 rows, six queries", pool="pages", requests=Stock.list_pages, of_pages=True),
    "redeem": Row(title="ORM redeem, durable", pool="floors", requests=Stock.redemptions, uses_up="codes"),
}


def _page(title: str, path: str) -> Row:
    """A page of the large company, beside the page floor."""
    return Row(
        title=f"page: {title}",
        pool="pages",
        requests=lambda stock: stock.pages_of_company(path),
        floor="page",
        most=1.3,
        of_pages=True,
    )


ROWS = {
    "page-home": _page("overview", "/"),
    "page-devices": _page("project, 50 of 2,000 devices", "/projects/{id}"),
    "page-device": _page("a device", "/devices/{device}"),
    "page-keys": _page("keys of a company", "/companies/{company}/keys"),
    "page-history": _page("history, 50 of 100,000", "/companies/{company}/history"),
    "nonce": Row(title="device: new nonce", pool="devices", requests=Stock.nonces),
    "fetch": Row(
        title="device: fetch, unchanged",
        pool="devices",
        requests=Stock.fetches,
        floor="verify",
        most=1.6,
    ),
    "fetch-changed": Row(
        title="device: fetch, changed, signed before",
        pool="devices",
        requests=Stock.changed_fetches,
        floor="verify",
        most=2.0,
    ),
    "return": Row(
        title="device: return, with two signatures",
        pool="devices",
        requests=Stock.returns,
        floor="redeem",
        uses_up="returns",
    ),
    "statement": Row(
        title="device: a statement verified, alone",
        pool="floors",
        requests=Stock.statements,
        floor="view",
        most_beyond_floor=700.0,
    ),
    "activation": Row(
        title="activation, REST",
        pool="web",
        requests=Stock.activations,
        floor="redeem",
        most=1.0,
        keeps_throughput=True,
        uses_up="keys",
    ),
    "bare-activation": Row(
        title="activation, operation alone",
        pool="floors",
        requests=Stock.bare_activations,
        floor="redeem",
        uses_up="keys",
    ),
    "assignment": Row(
        title="assignment, REST",
        pool="web",
        requests=Stock.assignments,
        floor="redeem",
        most=1.0,
        keeps_throughput=True,
    ),
    "key-look-up": Row(
        title="key look-up, REST", pool="web", requests=Stock.key_look_ups, floor="middleware"
    ),
    "test-license": Row(
        title="test license created, REST",
        pool="web",
        requests=Stock.test_licenses,
        floor="redeem",
        uses_up="trials",
    ),
    "console-search": Row(
        title="console: search by six digits",
        pool="pages",
        requests=Stock.searches,
        floor="page",
        of_pages=True,
    ),
    "bare-assignment": Row(
        title="assignment, operation alone",
        pool="floors",
        requests=Stock.bare_assignments,
        floor="redeem",
    ),
}


def choose(names: Sequence[str]) -> dict[str, Row]:
    """The rows of these names, floors first, with the floors they are compared with; all without a name.

    :raises KeyError: there is no row or floor of a name.
    """
    every = {**FLOORS, **ROWS}
    wanted = set(names or every)
    wanted |= {floor for name in wanted if (floor := every[name].floor) is not None}
    return {name: row for name, row in every.items() if name in wanted}
