"""A runbook as a graph: its steps by phase, and what each of them leads to."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from domain.config.runbook import AnyStep, ChangeStep, NoticeStep, ObligationStep, ProbeStep, Runbook, TaskStep
from domain.values.durations import spoken
from reporting.picture.drawing import Bar, Dot, Drawing, Label, Line, Shape, cut

KINDS = ("probe", "change", "notice", "task", "duty")
_TONES = dict(zip(KINDS, ("busy", "P1", "page", "good", "person"), strict=True)) | {"incident": "bad"}
_COLUMNS = {"probe": 0, "change": 1, "notice": 1, "task": 2, "duty": 2, "incident": 2}
_LEFT, _WIDTH, _GAP = 20.0, 300.0, 110.0
_ROW, _BOX, _HEAD, _SIZE = 30.0, 24.0, 34.0, 11.0
_ROUND = 12.0
_INCIDENT = "incident:"
"""What no step's id begins with."""


class Node(NamedTuple):
    """A step, or an incident of another type; `text` is its title with what a reader of a picture needs."""

    id: str
    kind: str
    text: str


class Edge(NamedTuple):
    """`source` leads to `target`, and how."""

    source: str
    target: str
    how: str


def nodes(step: AnyStep) -> Iterator[Node]:
    """A step, and the incident that it may open."""
    match step:
        case ProbeStep():
            raises = f" (raises to {step.raises_to})" if step.raises_to else ""
            yield Node(step.id, "probe", step.title + raises)
            if step.opens:
                yield Node(f"{_INCIDENT}{step.opens}", "incident", f"incident: {step.opens}")
        case ChangeStep():
            yield Node(step.id, "change", step.title)
        case NoticeStep():
            after = f", {spoken(step.after)} later" if step.after else ""
            yield Node(step.id, "notice", f"{step.title} (when {step.on}{after})")
        case TaskStep():
            due = f", {spoken(step.due)}" if step.due else ""
            yield Node(step.id, "task", f"{step.task} ({step.owner}{due})")
        case ObligationStep():
            yield Node(step.id, "duty", step.obligation)


def edges(book: Runbook) -> Iterator[Edge]:
    """What leads to what, in the runbook's order."""
    for step in book.steps():
        match step:
            case ProbeStep() if step.opens:
                yield Edge(step.id, f"{_INCIDENT}{step.opens}", "opens")
            case ChangeStep():
                yield from (Edge(probe, step.id, "suggests") for probe in step.suggested_by)
                yield from (Edge(evidence, step.id, "comes first") for evidence in step.evidence_first)
            case NoticeStep():
                yield from (Edge(probe, step.id, "holds back") for probe in step.unless)
            case TaskStep():
                yield from (Edge(cause, step.id, "opens") for cause in step.opened_by)
            case _:
                pass


def mermaid(book: Runbook) -> str:
    """A Mermaid flowchart: a subgraph for each phase."""
    lines, seen = ["flowchart LR"], set()
    for number, phase in enumerate(book.phases):
        lines.append(f'  subgraph phase{number}["{_quoted(_phase(phase.title, phase.starts))}"]')
        for node in (node for step in phase.steps for node in nodes(step)):
            if node.id not in seen:
                seen.add(node.id)
                lines.append(f'    {_name(node.id)}["{_quoted(node.text)}"]:::{node.kind}')
        lines.append("  end")
    lines += [f"  {_name(edge.source)} -->|{edge.how}| {_name(edge.target)}" for edge in edges(book)]
    return "\n".join(lines)


def drawing(book: Runbook) -> Drawing:
    """Probes at the left, changes and notices amid, tasks, duties and other incidents at the right; a band a phase."""
    shapes: list[Shape] = []
    places: dict[str, tuple[float, float]] = {}
    width = 2 * _LEFT + 3 * _WIDTH + 2 * _GAP
    y = _LEFT + _HEAD
    for phase in book.phases:
        found = {node.id: node for step in phase.steps for node in nodes(step) if node.id not in places}
        rows = [0, 0, 0]
        boxes: list[Shape] = []
        for node in found.values():
            column = _COLUMNS[node.kind]
            x, top = _LEFT + column * (_WIDTH + _GAP), y + _HEAD + rows[column] * _ROW
            rows[column] += 1
            places[node.id] = (x, top + _BOX / 2)
            boxes.append(Bar(x, top, _WIDTH, _BOX, _TONES[node.kind], f"{node.id}: {node.text}"))
            boxes.append(Label(x + 8, top + 16, cut(node.text, _SIZE, _WIDTH - 34), "on", _SIZE))
        height = _HEAD + max(*rows, 1) * _ROW + 6
        title = Label(_LEFT, y + 20, _phase(phase.title, phase.starts), size=13, bold=True)
        shapes += [Bar(_LEFT / 2, y, width - _LEFT, height, "band"), title, *boxes]
        y += height + 10
    arrows = [shape for edge in edges(book) for shape in _arrow(edge, places)]
    head = [
        Label(_LEFT, _LEFT + 4, f"{book.title} ({book.id}, version {book.version})", size=15, bold=True),
        *_legend(),
    ]
    told = "; ".join(f"{edge.source} {edge.how} {edge.target}" for edge in edges(book)) or "no step leads to another"
    return Drawing(width, y + 10, f"The runbook {book.id}", told, [*head, *shapes, *arrows])


def _arrow(edge: Edge, places: dict[str, tuple[float, float]]) -> Iterator[Shape]:
    """A line from box to box; within a column it goes round at the right."""
    (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
    title, dashed = f"{edge.source} {edge.how} {edge.target}", edge.how == "holds back"
    corners = [(x1 + _WIDTH, y1), (x2, y2)]
    if x1 >= x2:
        corners = [corners[0], (x1 + _WIDTH + _ROUND, y1), (x1 + _WIDTH + _ROUND, y2), (x2 + _WIDTH, y2)]
    for (xa, ya), (xb, yb) in pairwise(corners):
        yield Line(xa, ya, xb, yb, "soft", 1.2, dashed, title)
    yield Dot(*corners[-1], 3, "soft", title)


def _legend() -> Iterator[Shape]:
    x = _LEFT
    for kind, tone in _TONES.items():
        yield Dot(x + 5, _LEFT + 20, 5, tone)
        yield Label(x + 15, _LEFT + 24, kind, "soft")
        x += 90
    yield Label(x, _LEFT + 24, "a dashed line holds back", "soft")


def _phase(title: str, starts: str) -> str:
    return title if starts == "declared" else f"{title} (once it is {starts})"


def _name(node: str) -> str:
    """A name that Mermaid takes: `end` alone is a word of its own there, and an incident may be called as a step is."""
    prefix, name = ("i", node.removeprefix(_INCIDENT)) if node.startswith(_INCIDENT) else ("s", node)
    return f"{prefix}_{name.replace('-', '_')}"


def _quoted(text: str) -> str:
    """Text within Mermaid's quotes."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
