"""What a run came to: answers by kind, latencies, and what nobody expected."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

PERCENTILES: Final = (50, 95, 99)


@dataclass
class Tally:
    """Counts as answers come in.

    An act is what a device did, like `fetch`; an answer its status, with the code of a refusal, like
    `400 bad-nonce`.
    """

    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Latencies by act, from the first byte sent to the last received."""
    unexpected: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    latest: float = 0.0
    """Seconds by which the latest of the devices was late for its turn: then the fleet was the limit."""

    def answered(self, act: str, answer: str, seconds: float, *, expected: bool) -> None:
        """Count an answer."""
        self.answers[act][answer] += 1
        self.seconds[act].append(seconds)
        if not expected:
            self.unexpected[f"{act}: {answer}"] += 1

    def failed(self, act: str, kind: str) -> None:
        """Count a request without an answer that can be read."""
        self.unexpected[f"{act}: {kind}"] += 1

    def began_turn(self, late: float) -> None:
        """Count a device's turn, which began so many seconds after it was due."""
        self.turns += 1
        self.latest = max(self.latest, late)

    def as_json(self, *, seconds: float) -> dict[str, Any]:
        """Everything, for a program. Milliseconds where a name says ms.

        :param seconds: how long the run took.
        """
        requests = sum(map(len, self.seconds.values()))
        return {
            "seconds": round(seconds, 2),
            "turns": self.turns,
            "latest_ms": round(self.latest * 1000, 1),
            "requests": requests,
            "requests_per_second": round(requests / seconds, 1) if seconds else 0.0,
            "acts": {
                act: {"answers": dict(sorted(self.answers[act].items())), "ms": _spread(self.seconds[act])}
                for act in sorted(self.seconds)
            },
            "unexpected": dict(self.unexpected.most_common()),
        }


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    named = {f"p{percent}": percentile(ordered, percent) for percent in PERCENTILES}
    return {name: round(value * 1000, 2) for name, value in {**named, "max": ordered[-1]}.items()}


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of the values do not exceed (nearest rank).

    :param ordered: at least one value, rising.
    """
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def table(found: dict[str, Any]) -> str:
    """What a run came to, for people: what `driving.run` returned."""
    lines = [
        f"{found['requests']} requests in {found['seconds']} s, {found['requests_per_second']} a second",
        f"{found['turns']} turns of {found['devices']} devices, the latest {found['latest_ms']} ms late",
        f"longest wait for a connection: {found['longest_wait_ms']} ms",
        "",
        f"{'':<22}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'max ms':>10}   answers",
    ]
    for act, of_act in found["acts"].items():
        spread = "".join(f"{value:>10.1f}" for value in of_act["ms"].values())
        answers = ", ".join(f"{number} x {answer}" for answer, number in of_act["answers"].items())
        lines.append(f"{act:<22}{spread}   {answers}")
    unexpected = [f"UNEXPECTED  {number} x {what}" for what, number in found["unexpected"].items()]
    return "\n".join([*lines, *(["", *unexpected] if unexpected else [])])
