"""Benchmarks run. What they measure is not asserted: a machine that is busy tells nothing."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest
import pytest_asyncio
import temporalio.activity

import workflows
from benchmarks import memory, outage
from benchmarks.__main__ import BENCHMARKS, EVIDENCE, measured
from benchmarks.bare import Marks, Op, Shape
from benchmarks.figures import Figure, compared, percentile
from benchmarks.stage import Size, Stage, stage

SMALLEST = Size(pairs=1, quick=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on() -> AsyncIterator[Stage]:
    """The processes that all are measured in."""
    async with stage(outages=1) as current:
        yield current


@pytest.mark.long
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", BENCHMARKS)
async def test_benchmark_runs_and_yields_ratios(on: Stage, name: str) -> None:
    """At the smallest size every benchmark yields figures, each a ratio above nothing, and names the mark's answer."""
    judged(name, await BENCHMARKS[name][0](on, SMALLEST))


async def test_benchmarks_are_run_by_name() -> None:
    """The command begins what it was asked for and nothing else; copying evidence needs no stage."""
    begun: list[str] = []
    judged(EVIDENCE, [one async for some in measured([EVIDENCE], SMALLEST, begun.append) for one in some])
    assert begun == [EVIDENCE]


def judged(name: str, figures: list[Figure]) -> None:
    assert {figure.benchmark for figure in figures} == {name}
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


def test_memory_answers_whatever_a_workflow_asks_the_record_or_people_for() -> None:
    """No incident of a benchmark waits for an activity that nobody serves; none is restored there."""
    asked = {
        name
        for file in Path(workflows.__path__[0]).glob("*.py")
        for name in re.findall(r'"((?:ledger|people|changes|report)\.[a-z_]+)"', file.read_text())
    }
    served = {
        temporalio.activity._Definition.must_from_callable(one).name
        for one in memory.activities(outage.declaration("none").runbook, Marks())
    }
    assert asked - served == {"ledger.restore"}
    assert len(asked) > 7


def test_bare_begins_with_as_many_bytes() -> None:
    """The bare workflow's input is filled up to the size of the input that it stands for, its child's included."""
    child = Shape(segments=[[Op("call", "bare-remediate", 100, 50)]], size=2000)
    padded = Shape(segments=[[Op("child")], [Op("timer")]], size=9000, child=child).padded()
    assert len(json.dumps(asdict(padded))) == 9000
    assert padded.child is not None
    assert len(json.dumps(asdict(padded.child))) == 2000
