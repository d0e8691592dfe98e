"""A drawing as SVG that needs nothing else; it follows the light or dark of the page and is light on paper."""

from html import escape

from reporting.content.safe_text import legible
from reporting.picture.drawing import TONES, Bar, Diamond, Dot, Drawing, Label, Line, Shape

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"


def svg(drawing: Drawing, *, alone: bool = False) -> str:
    """Write the picture; one that stands `alone` in a file says what it is made of, and brings a ground of its own."""
    size = f'viewBox="0 0 {_number(drawing.width)} {_number(drawing.height)}"'
    if alone:
        size += f' width="{_number(drawing.width)}" height="{_number(drawing.height)}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="pic-t pic-d" class="pic">',
        f'<title id="pic-t">{_text(drawing.title)}</title>',
        f'<desc id="pic-d">{_text(drawing.description)}</desc>',
        f"<style>{_style(alone=alone)}</style>",
        *(['<rect class="ground" width="100%" height="100%"/>'] if alone else []),
        *(_shape(shape) for shape in drawing.shapes),
        "</svg>",
    ]
    return "\n".join(lines)


def _style(*, alone: bool) -> str:
    light = "".join(f"--{name}:{tone.light};" for name, tone in TONES.items())
    dark = "".join(f"--{name}:{tone.dark};" for name, tone in TONES.items())
    tones = "".join(f".pic .f-{name}{{fill:var(--{name})}}.pic .s-{name}{{stroke:var(--{name})}}" for name in TONES)
    ground = ".pic .ground{fill:#fff}" if alone else ""
    dark_ground = ".pic .ground{fill:#0f1720}" if alone else ""
    return (
        f".pic{{{light}font-family:{_FONT}}}{tones}{ground}"
        f"@media screen and (prefers-color-scheme:dark){{.pic{{{dark}}}{dark_ground}}}"
    )


def _shape(shape: Shape) -> str:
    if isinstance(shape, Label):
        weight = ' font-weight="600"' if shape.bold else ""
        anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
        place = f'x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{_number(shape.size)}"'
        return f'<text class="f-{shape.tone}" {place}{anchor}{weight}>{_text(shape.text)}</text>'
    opening, name = _outline(shape)
    if not shape.title:
        return f"<{opening}/>"
    return f"<{opening}><title>{_text(shape.title)}</title></{name}>"


def _outline(shape: Bar | Line | Dot | Diamond) -> tuple[str, str]:
    if isinstance(shape, Bar):
        size = f'width="{_number(shape.width)}" height="{_number(shape.height)}" rx="2"'
        return f'rect class="f-{shape.tone}" x="{_number(shape.x)}" y="{_number(shape.y)}" {size}', "rect"
    if isinstance(shape, Line):
        dashed = ' stroke-dasharray="4 3"' if shape.dashed else ""
        ends = f'x1="{_number(shape.x1)}" y1="{_number(shape.y1)}" x2="{_number(shape.x2)}" y2="{_number(shape.y2)}"'
        return f'line class="s-{shape.tone}" {ends} stroke-width="{_number(shape.width)}"{dashed}', "line"
    x, y, r = shape.x, shape.y, shape.radius
    if isinstance(shape, Dot):
        place = f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(r)}"'
        return f'circle class="f-{shape.tone}" {place}', "circle"
    points = " ".join(f"{_number(a)},{_number(b)}" for a, b in ((x, y - r), (x + r, y), (x, y + r), (x - r, y)))
    return f'polygon class="f-{shape.tone}" points="{points}"', "polygon"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    return escape(legible(text), quote=False)
