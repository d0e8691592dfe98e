"""The picture of many incidents: how many, how long they took, and how often the service levels were met."""

from collections.abc import Iterator, Sequence

from reporting.picture.drawing import Bar, Diamond, Dot, Drawing, Label, Line, Shape, cut
from reporting.picture.lanes import EDGE
from reporting.picture.time_scale import TimeScale, median_and_mean
from reporting.statistics.tally import Group, Kept, Spread, Stats

_ROW = 46
_NAME = 150
_COUNT = (160, 80)
_ACKNOWLEDGE = (284, 200)
_RESOLVE = (524, 200)
_RESPONSE = (756, 88)
_ESCALATION = (878, 88)
_KEPT = 120
_HEADS = (
    (_COUNT, "Incidents"),
    (_ACKNOWLEDGE, "Time to acknowledge"),
    (_RESOLVE, "Time to resolve"),
    (_RESPONSE, "Response"),
    (_ESCALATION, "Escalation"),
)


def stats_picture(stats: Stats, title: str, foot: Sequence[str]) -> Drawing:
    """Draw one row for the whole, each severity and each type; title and `foot` stand under them."""
    scales = (TimeScale(stats.total.time_to_acknowledge), TimeScale(stats.total.time_to_resolve))
    most = max(stats.total.incidents, 1)
    shapes: list[Shape] = [Label(x, 22, text, "ink", 12, bold=True) for (x, _), text in _HEADS]
    y = 34.0
    for name, groups in (("", [stats.total]), ("By severity", stats.by_severity), ("By type", stats.by_type)):
        if not groups:
            continue
        top = y + 24
        bottom = top + len(groups) * _ROW
        shapes.append(Bar(0, y, EDGE, bottom - y, "band"))
        shapes.append(Label(8, y + 17, name, "ink", 12, bold=True))
        for (x, width), scale in zip((_ACKNOWLEDGE, _RESOLVE), scales, strict=True):
            shapes += _marks(scale, x, width, top, bottom)
        for number, group in enumerate(groups):
            shapes += _row(group, scales, most, top + number * _ROW)
        y = bottom + 8
    shapes += _legend(y + 14)
    shapes.append(Label(8, y + 38, cut(" ".join([f"{title}.", *foot]), 10.5, EDGE - 16), "soft", 10.5))
    return Drawing(EDGE, y + 48, title, _described(stats), shapes)


def _row(group: Group, scales: tuple[TimeScale, TimeScale], most: int, y: float) -> Iterator[Shape]:
    name = "All incidents" if group.name == "all" else group.name
    yield Label(8, y + 16, cut(name, 11, _NAME - 8), "ink", 11)
    yield Label(8, y + 31, cut(", ".join(apart(group)), 9.5, _NAME - 8), "soft", 9.5)
    x, width = _COUNT
    if group.incidents:
        yield Bar(x, y + 6, max(width * group.incidents / most, 2), 12, "busy")
    yield Label(x + width * group.incidents / most + 6, y + 16, str(group.incidents), "ink", 11)
    if group.open:
        yield Label(x, y + 31, f"{group.open} open", "soft", 9.5)
    for (left, wide), scale, spread in zip(
        (_ACKNOWLEDGE, _RESOLVE), scales, (group.time_to_acknowledge, group.time_to_resolve), strict=True
    ):
        yield from _spread(spread, scale, left, wide, y)
    yield from _kept(group.response, *_RESPONSE, y)
    yield from _kept(group.escalation, *_ESCALATION, y)


def apart(group: Group) -> list[str]:
    """What is counted apart from a group's incidents, in words."""
    counts = ((group.false_alarms, "false alarm"), (group.drills, "drill"))
    return [f"{count} {name}" if count == 1 else f"{count} {name}s" for count, name in counts if count]


def _spread(spread: Spread, scale: TimeScale, left: float, width: float, y: float) -> Iterator[Shape]:
    """From the shortest to the longest, with the mean and the median on it."""
    words = median_and_mean(spread)
    if spread.min_seconds is not None and spread.max_seconds is not None:
        first, last = (left + width * scale.place(at) for at in (spread.min_seconds, spread.max_seconds))
        yield Line(first, y + 12, max(last, first + 2), y + 12, "idle", 3, title=words)
        yield Dot(left + width * scale.place(spread.mean_seconds or 0), y + 12, 4.5, "page", f"mean\n{words}")
        yield Diamond(left + width * scale.place(spread.median_seconds or 0), y + 12, 6, "busy", f"median\n{words}")
    yield Label(left, y + 33, words, "soft", 9.5)


def _marks(scale: TimeScale, left: float, width: float, top: float, bottom: float) -> Iterator[Shape]:
    for mark in scale.marks(0.16):
        x = left + width * mark.place
        yield Line(x, top - 4, x, bottom, "grid")
        yield Label(x, top - 8, mark.label, "soft", 9.5, "middle")


def _kept(kept: Kept, left: float, width: float, y: float) -> Iterator[Shape]:
    if kept.ended:
        met = width * kept.met / kept.ended
        if kept.met:
            yield Bar(left, y + 6, met, 12, "good", f"{kept.met} met")
        if kept.breached:
            yield Bar(left + met, y + 6, width - met, 12, "bad", f"{kept.breached} missed")
    running = f", {kept.running} running" if kept.running else ""
    ended = f"{kept.met} of {kept.ended} met" if kept.ended else "none ended"
    yield Label(left, y + 33, cut(ended + running, 9.5, _KEPT), "soft", 9.5)


def _legend(y: float) -> Iterator[Shape]:
    yield Diamond(14, y - 3, 6, "busy")
    yield Label(25, y + 1, "median", "soft", 10.5)
    yield Dot(84, y - 3, 4.5, "page")
    yield Label(94, y + 1, "mean", "soft", 10.5)
    yield Line(134, y - 3, 158, y - 3, "idle", 3)
    yield Label(164, y + 1, "shortest to longest; each mark of the scale is several times the one before", "soft", 10.5)
    for x, tone, text in ((620, "good", "met"), (672, "bad", "missed")):
        yield Bar(x, y - 9, 16, 11, tone)
        yield Label(x + 21, y + 1, text, "soft", 10.5)


def _described(stats: Stats) -> str:
    total = stats.total
    return (
        f"{total.incidents} incidents, {total.open} of them open. "
        f"Time to acknowledge: {median_and_mean(total.time_to_acknowledge)}. "
        f"Time to resolve: {median_and_mean(total.time_to_resolve)}. "
        f"Response met in {total.response.met} of {total.response.ended}, "
        f"escalation in {total.escalation.met} of {total.escalation.ended}."
    )
