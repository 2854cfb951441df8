"""What a run found: one table, the goals, and the same as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.at_work import AtWork
from benchmarks.measuring import Measurement
from benchmarks.rows import FLOORS, Row

CLIENT_WAS_THE_LIMIT = 0.95
FEW_CONNECTIONS, MANY_CONNECTIONS = 8, 32
KEPT_THROUGHPUT = 0.8
_HEADER = ("", "conn", "req/s", "p50 ms", "p99 ms", "CPU us", "web", "PG", "Redis", "SQL", "x floor", "")
_WIDTHS = (38, 4, 7, 7, 7, 7, 6, 6, 6, 4, 8, 0)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a row met a goal, in words and numbers."""

    row: str
    says: str
    met: bool | None
    """None if the run did not measure what the goal speaks of."""


class Report:
    """The findings of one run."""

    def __init__(
        self,
        rows: Mapping[str, Row],
        measurements: Sequence[Measurement],
        statements: Mapping[str, int],
        books: Mapping[str, Any],
        fleet: AtWork | None,
    ) -> None:
        self._rows = rows
        self._statements = statements
        self._books = books
        self._fleet = fleet
        self._found = {(found.row, found.connections): found for found in measurements}

    @property
    def sound(self) -> bool:
        """Whether all answers were good ones, and the books are right after all of it."""
        answered = not any(found.errors for found in self._found.values())
        return bool(self._books["right"]) and answered and (self._fleet is None or self._fleet.sound)

    def ratio(self, name: str, connections: int) -> float | None:
        """A row's processor time as a multiple of its floor's, at the same number of connections."""
        floor_name = self._rows[name].floor
        if floor_name is None or (floor_name, connections) not in self._found:
            return None
        row, floor = self._found[name, connections], self._found[floor_name, connections]
        below = floor.microseconds(floor.processor.total)
        return row.microseconds(row.processor.total) / below if below else None

    def table(self) -> str:
        """All measurements, floors first, one line for each number of connections."""
        lines = [_line(_HEADER)]
        for name, row in self._rows.items():
            lines.append("")
            shown = [found for (of, _), found in self._found.items() if of == name]
            for place, found in enumerate(shown):
                title = "" if place else f"{'floor: ' if name in FLOORS else ''}{row.title}"
                lines.append(_line((title, *self._cells(found))))
        if self._fleet is not None:
            lines += ["", self._fleet.table()]
        return "\n".join(line.rstrip() for line in lines)

    def verdicts(self) -> list[Verdict]:
        """Each goal with what the run says about it: by the worst of its numbers of connections."""
        verdicts = []
        for name, row in self._rows.items():
            if row.most_beyond_floor is not None:
                verdicts.append(self._beyond_floor(name, row.most_beyond_floor))
            if row.most is None:
                continue
            ratios = [ratio for of, level in self._found if of == name and (ratio := self.ratio(name, level))]
            worst = max(ratios, default=None)
            says = f"CPU at most {row.most} times its floor: " + (
                f"{min(ratios):.2f} to {worst:.2f}" if worst is not None else "not measured"
            )
            met = None if worst is None else worst <= row.most
            verdicts.append(Verdict(row=name, says=says, met=met))
            if row.keeps_throughput:
                verdicts.append(self._kept_throughput(name))
        return verdicts

    def as_json(self) -> dict[str, Any]:
        """Everything, for a program to read."""
        return {
            "measurements": [
                {
                    "row": found.row,
                    "title": self._rows[found.row].title,
                    "floor": found.row in FLOORS,
                    "connections": found.connections,
                    "seconds": round(found.seconds, 3),
                    "answered": found.answered,
                    "requests_per_second": round(found.per_second, 1),
                    "p50_ms": round(found.latency_ms(0.5), 3),
                    "p99_ms": round(found.latency_ms(0.99), 3),
                    "cpu_us": {
                        "total": round(found.microseconds(found.processor.total), 1),
                        "web": round(found.microseconds(found.processor.web), 1),
                        "postgresql": round(found.microseconds(found.processor.postgresql), 1),
                        "redis": round(found.microseconds(found.processor.redis), 1),
                    },
                    "sql_statements": self._statements.get(found.row, 0),
                    "times_floor": self.ratio(found.row, found.connections),
                    "errors": dict(found.errors),
                    "ran_out": found.ran_out,
                    "client_share": round(found.client_share, 3),
                }
                for found in self._found.values()
            ],
            "goals": [vars(verdict) for verdict in self.verdicts()],
            "fleet": self._fleet and self._fleet.as_json(),
            "books": dict(self._books),
            "sound": self.sound,
        }

    def _beyond_floor(self, name: str, most: float) -> Verdict:
        floor_name = self._rows[name].floor
        more = [
            found.microseconds(found.processor.total) - floor.microseconds(floor.processor.total)
            for (of, connections), found in self._found.items()
            if of == name
            and floor_name is not None
            and (floor := self._found.get((floor_name, connections))) is not None
        ]
        worst = max(more, default=None)
        says = f"CPU at most {most:,.0f} us more than its floor: " + (
            f"{min(more):,.0f} to {worst:,.0f}" if worst is not None else "not measured"
        )
        return Verdict(row=name, says=says, met=None if worst is None else worst <= most)

    def _kept_throughput(self, name: str) -> Verdict:
        few = self._found.get((name, FEW_CONNECTIONS))
        many = self._found.get((name, MANY_CONNECTIONS))
        says = (
            f"at {MANY_CONNECTIONS} connections at least 80 % of the requests a second of {FEW_CONNECTIONS}: "
        )
        if few is None or many is None or not few.per_second:
            return Verdict(row=name, says=says + "not measured", met=None)
        kept = many.per_second / few.per_second
        return Verdict(row=name, says=f"{says}{kept:.0%}", met=kept >= KEPT_THROUGHPUT)

    def _cells(self, found: Measurement) -> tuple[str, ...]:
        processor, ratio = found.processor, self.ratio(found.row, found.connections)
        parts = (processor.total, processor.web, processor.postgresql, processor.redis)
        return (
            str(found.connections),
            f"{found.per_second:,.0f}",
            f"{found.latency_ms(0.5):.2f}",
            f"{found.latency_ms(0.99):.2f}",
            *(f"{found.microseconds(part):,.0f}" for part in parts),
            str(self._statements.get(found.row, 0)),
            "" if ratio is None else f"{ratio:.2f}",
            _remarks(found),
        )


def _remarks(found: Measurement) -> str:
    remarks = [f"ERRORS {dict(found.errors)}"] if found.errors else []
    if found.ran_out:
        remarks.append("ended early: stock used up")
    if found.client_share > CLIENT_WAS_THE_LIMIT:
        remarks.append("the client was the limit")
    return ", ".join(remarks)


def _line(cells: Sequence[str]) -> str:
    first, *others = zip(cells, _WIDTHS, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])
