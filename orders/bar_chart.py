"""Bar charts as SVG, drawn on the server: numbers go in, rectangles in whole units come out.

Without styles of its own: the CSP lets no attribute style it, so colors are in portal.css. The table with the
same numbers stands below each chart; to screen readers the picture is one thing with a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT, TOP, BOTTOM, LEFT = 200, 12, 28, 56
GROUP, GAP = 64, 14


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: place and size in units of the picture, the series it belongs to, from 1, and its number."""

    x: int
    y: int
    width: int
    height: int
    series: int
    value: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture. `ticks` are values of the axis with their height, `labels` names with their middles."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[int, int], ...]
    labels: tuple[tuple[int, str], ...]
    left: int
    base: int


def draw(groups: Sequence[tuple[str, Sequence[int]]]) -> Chart:
    """A group of bars for each label, one bar for each series. Numbers below zero count as zero."""
    most = max((value for _label, values in groups for value in values), default=0)
    step = _step(most)
    top = max(step * -(-most // step), step)
    base = HEIGHT - BOTTOM
    bars: list[Bar] = []
    for place, (_label, values) in enumerate(groups):
        width = (GROUP - GAP) // max(len(values), 1)
        for series, value in enumerate(values, start=1):
            height = round((base - TOP) * max(value, 0) / top)
            bars.append(
                Bar(
                    x=LEFT + place * GROUP + GAP // 2 + (series - 1) * width,
                    y=base - height,
                    width=max(width - 1, 1),
                    height=height,
                    series=series,
                    value=value,
                )
            )
    return Chart(
        width=LEFT + len(groups) * GROUP,
        height=HEIGHT,
        bars=tuple(bars),
        ticks=tuple((value, base - round((base - TOP) * value / top)) for value in range(0, top + 1, step)),
        labels=tuple(
            (LEFT + place * GROUP + GROUP // 2, label) for place, (label, _values) in enumerate(groups)
        ),
        left=LEFT,
        base=base,
    )


def _step(most: int) -> int:
    """A round distance of at most five ticks: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for round_one in (1, 2, 5):
            if round_one * power * 4 >= most:
                return round_one * power
        power *= 10
