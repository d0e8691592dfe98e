"""What a benchmark tells: a ratio of two things run in turns, its mark, and the noise it stands in."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One ratio. `ours` and `base` are medians in `unit`; `noise` is how far the base lies from itself."""

    benchmark: str
    what: str
    unit: str
    ours: float
    base: float
    ratio: float
    noise: float
    mark: float | None
    at_most: bool
    pairs: int

    @property
    def met(self) -> bool | None:
        """Whether the mark is met; None for what has no mark and is only told."""
        if self.mark is None:
            return None
        return self.ratio <= self.mark if self.at_most else self.ratio >= self.mark

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}

    def row(self) -> str:
        mark = "" if self.mark is None else f"{'<=' if self.at_most else '>='} {self.mark:g}"
        answer = {None: "told", True: "met", False: "NOT met"}[self.met]
        return (
            f"{self.benchmark:<11} {self.what:<44} {self.ours:>10.4g} {self.base:>10.4g} {self.unit:<11}"
            f" {self.ratio:>6.2f} {mark:>8}  {answer:<7} {self.noise:>6.0%} {self.pairs:>5}"
        )


HEADING = (
    f"{'benchmark':<11} {'what':<44} {'ours':>10} {'base':>10} {'unit':<11}"
    f" {'ratio':>6} {'mark':>8}  {'':<7} {'noise':>6} {'pairs':>5}"
)


def compared(
    benchmark: str, what: str, unit: str, pairs: Sequence[tuple[float, float]], mark: float | None, *, at_most: bool
) -> Figure:
    """Make a figure of pairs of (ours, base): the median of the pairs' ratios, not the ratio of the medians.

    The noise is the base's range as a share of its median; with one pair there is none to tell, and it is 0.
    """
    base = [theirs for _, theirs in pairs]
    middle = statistics.median(base)
    return Figure(
        benchmark=benchmark,
        what=what,
        unit=unit,
        ours=statistics.median(mine for mine, _ in pairs),
        base=middle,
        ratio=statistics.median(mine / theirs for mine, theirs in pairs),
        noise=(max(base) - min(base)) / middle,
        mark=mark,
        at_most=at_most,
        pairs=len(pairs),
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile; of few values a high one is the greatest."""
    ordered = sorted(values)
    return ordered[max(-(-percent * len(ordered) // 100) - 1, 0)]
