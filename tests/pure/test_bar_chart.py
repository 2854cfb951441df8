"""Bar charts: where the bars stand."""

from itertools import pairwise

import pytest

from orders import bar_chart


def test_the_highest_bar_is_no_higher_than_the_axis_and_others_in_proportion() -> None:
    chart = bar_chart.draw([("a", [100, 50]), ("b", [0, 25])])

    heights = [bar.height for bar in chart.bars]
    assert heights[0] == 2 * heights[1] == 4 * heights[3]
    assert heights[2] == 0
    assert all(bar.y + bar.height == chart.base for bar in chart.bars)
    assert [value for value, _y in chart.ticks] == [0, 50, 100]
    assert chart.ticks[-1][1] == chart.bars[0].y


@pytest.mark.parametrize("most", [0, 1, 3, 4, 5, 9, 41, 399, 400, 401, 12_345, 10**12])
def test_the_axis_is_round_and_has_at_most_five_ticks(most: int) -> None:
    chart = bar_chart.draw([("a", [most])])

    ticks = [value for value, _y in chart.ticks]
    assert 2 <= len(ticks) <= 5
    assert ticks[-1] >= most
    assert str(ticks[1])[0] in "125"
    assert set(str(ticks[1])[1:]) <= {"0"}
    assert chart.bars[0].y >= 0


def test_bars_do_not_overlap_and_stay_in_the_picture() -> None:
    chart = bar_chart.draw([(str(month), [1, 2, 3]) for month in range(24)])

    ends = [(bar.x, bar.x + bar.width) for bar in chart.bars]
    assert all(end <= start for (_start, end), (start, _end) in pairwise(ends))
    assert ends[-1][1] <= chart.width


def test_nothing_and_less_than_nothing_can_be_drawn() -> None:
    assert bar_chart.draw([]).bars == ()
    assert [bar.height for bar in bar_chart.draw([("a", [-5])]).bars] == [0]
