"""Quantiles of a histogram that takes little memory."""

from __future__ import annotations

import pytest

from trioecho.model.spread import Spread


def spread(*samples: int) -> Spread:
    one = Spread()
    for sample in samples:
        one.add(sample)
    return one


def test_without_samples_there_is_no_quantile() -> None:
    assert spread().quantile(0.5) is None


@pytest.mark.parametrize("sample", [0, 1, 31, 32, 33, 1_000_003])
def test_a_single_sample_is_each_of_its_quantiles(sample: int) -> None:
    one = spread(sample)
    assert (one.count, one.least, one.greatest) == (1, sample, sample)
    assert [one.quantile(part) for part in (0, 0.5, 0.95, 1)] == [sample] * 4


@pytest.mark.parametrize(("part", "value"), [(0.5, 10), (0.51, 11), (0.95, 19), (0.951, 20)])
def test_small_samples_are_exact(part: float, value: int) -> None:
    assert spread(*range(20, 0, -1)).quantile(part) == value


@pytest.mark.parametrize(
    ("pair", "together"),
    [((30, 31), False), ((32, 33), True), ((33, 34), False), ((64, 67), True), ((67, 68), False)],
)
def test_five_leading_bits_count(pair: tuple[int, int], together: bool) -> None:
    """From 32 on a bucket is two wide, from 64 on four."""
    assert (len(spread(*pair).buckets) == 1) is together


def test_a_quantile_is_within_three_per_cent() -> None:
    one = spread(*range(1_000, 101_000))
    for part in (0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        assert one.quantile(part) == pytest.approx(1_000 + part * 100_000, rel=0.03)


@pytest.mark.parametrize("sample", [990_000, 1_010_000])
def test_no_quantile_lies_outside_of_the_samples(sample: int) -> None:
    """The middle of their bucket is 999,424."""
    assert list(spread(sample).buckets) == [983_040]
    assert spread(sample, sample).quantile(0.5) == sample


def test_it_keeps_few_buckets_of_many_samples() -> None:
    """Sixteen for each doubling."""
    assert len(spread(*range(1, 1 << 16)).buckets) == 31 + 16 * 11


def test_spreads_do_not_share_their_samples() -> None:
    spread(1)
    assert spread().buckets == {}
