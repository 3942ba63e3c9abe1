from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from trioecho.echo.histogram import Histogram

TIMES = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


@given(TIMES, st.floats(0.1, 100))
def test_a_percentile_is_that_of_all_values_but_for_three_digits(
    values: list[int], percentile: float
) -> None:
    histogram = Histogram()
    histogram.add(values)
    exact = sorted(values)[max(0, math.ceil(percentile * len(values) / 100) - 1)]
    assert exact * 0.999 - 1 <= histogram.at(percentile) <= exact
    assert histogram.least <= histogram.at(percentile)
    assert (histogram.least, histogram.most) == (min(values), max(values))
    assert histogram.count == len(values)


@given(TIMES, TIMES)
def test_the_order_does_not_matter(some: list[int], others: list[int]) -> None:
    apart, together = Histogram(), Histogram()
    apart.add(some)
    apart.add([])
    apart.add(others)
    together.add(others + some)
    assert list(apart.percentiles()) == list(together.percentiles())


def test_nothing_was_measured() -> None:
    histogram = Histogram()
    assert (histogram.at(99), histogram.mean, histogram.least, histogram.most) == (0, 0, 0, 0)
    assert "Total count    =            0" in "".join(histogram.percentiles())


def test_the_file_is_that_of_hdrhistogram() -> None:
    histogram = Histogram()
    histogram.add([1_000_000, 1_000_000, 2_000_000, 4_000_000])
    assert "".join(histogram.percentiles()).splitlines() == [
        "       Value     Percentile TotalCount 1/(1-Percentile)",
        "",
        "       1.000 0.500000000000          2           2.00",
        "       2.000 0.750000000000          3           4.00",
        "       4.000 1.000000000000          4",
        "#[Mean    =        2.000, StdDeviation   =        1.225]",
        "#[Max     =        4.000, Total count    =            4]",
        "#[Buckets =            1, SubBuckets     =         2048]",
    ]
