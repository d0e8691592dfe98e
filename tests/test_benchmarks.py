"""Benchmarks run. What they measure is not asserted: a machine that is busy tells nothing."""

from collections import Counter

import pytest

from benchmarks.__main__ import BENCHMARKS, EVIDENCE, measured
from benchmarks.figures import compared, percentile
from benchmarks.stage import Size


async def test_each_benchmark_runs_and_yields_ratios() -> None:
    """At the smallest size every benchmark yields figures, each a ratio above nothing, and names the mark's answer."""
    names = [*BENCHMARKS, EVIDENCE]
    begun: list[str] = []
    figures = await measured(names, Size(pairs=1, quick=True), begun.append)
    assert begun == names
    told = Counter(figure.benchmark for figure in figures)
    assert set(told) == set(names)
    for figure in figures:
        assert figure.ratio > 0, figure
        assert (figure.met is None) == (figure.mark is None)


def test_ratio_is_the_median_of_the_pairs() -> None:
    """The ratio is the median over pairs, the noise the base's own range, and the mark's side decides."""
    pairs = [(2.0, 1.0), (30.0, 10.0), (4.0, 4.0)]
    figure = compared("some", "thing", "s", pairs, 2, at_most=True)
    assert figure.ratio == 2
    assert figure.noise == pytest.approx(9 / 4)
    assert figure.met
    assert not compared("some", "thing", "s", pairs, 2.5, at_most=False).met


def test_percentiles_are_values_that_were_seen() -> None:
    """The nearest rank: the 50th of a hundred, and of few the greatest for a high percentile."""
    assert percentile(range(1, 101), 50) == 50
    assert percentile(range(1, 101), 99) == 99
    assert percentile([3.0, 1.0, 2.0], 99) == 3
