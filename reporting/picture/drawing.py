"""A picture as shapes, before it is SVG or a page of a PDF. Units are those of the picture's own width and height."""

from typing import Literal, NamedTuple

Anchor = Literal["start", "middle", "end"]


class Bar(NamedTuple):
    """A filled rectangle; `title` is what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str = ""


class Line(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    tone: str
    width: float = 1
    dashed: bool = False
    title: str = ""


class Dot(NamedTuple):
    x: float
    y: float
    radius: float
    tone: str
    title: str = ""


class Diamond(NamedTuple):
    x: float
    y: float
    radius: float
    tone: str
    title: str = ""


class Label(NamedTuple):
    """Text whose baseline begins, is centred or ends at a point."""

    x: float
    y: float
    text: str
    tone: str = "ink"
    size: float = 11
    anchor: Anchor = "start"
    bold: bool = False


Shape = Bar | Line | Dot | Diamond | Label


class Drawing(NamedTuple):
    """`title` and `description` describe the picture to whoever does not see it."""

    width: float
    height: float
    title: str
    description: str
    shapes: list[Shape]


class Tone(NamedTuple):
    """A colour on white and on a dark page."""

    light: str
    dark: str


TONES = {
    "ink": Tone("#1c2733", "#e6edf3"),
    "soft": Tone("#5a6775", "#9fb0c0"),
    "grid": Tone("#d9e0e7", "#2c3947"),
    "band": Tone("#f4f7fa", "#18222d"),
    "on": Tone("#ffffff", "#ffffff"),
    "P0": Tone("#b3203a", "#c93a54"),
    "P1": Tone("#b4550f", "#b45a14"),
    "P2": Tone("#7d6608", "#8a7412"),
    "P3": Tone("#45617c", "#567594"),
    "idle": Tone("#68747f", "#627086"),
    "busy": Tone("#2f6db3", "#3a76ba"),
    "good": Tone("#1f7a4d", "#22815a"),
    "bad": Tone("#b3203a", "#e4637c"),
    "person": Tone("#5b4aa0", "#7867c8"),
    "page": Tone("#9c5900", "#a5670f"),
}
"""Tones by name; text in `on` is read on each of those that fill bars."""


def width_of(text: str, size: float) -> float:
    """About how wide a text is: enough to keep labels apart, whatever the sans-serif."""
    return sum(0.3 if c in "iIljt.,:;'| " else 0.88 if c in "MWmw@%" else 0.58 for c in text) * size


def cut(text: str, size: float, width: float) -> str:
    """A text that is no wider, its end replaced by an ellipsis where it must be."""
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"
