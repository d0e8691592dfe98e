"""A drawing on a page of a PDF, as vectors."""

from fpdf import FPDF

from reporting.formats.pdf_text import FONT, encodable, width_of
from reporting.picture.drawing import TONES, Bar, Diamond, Dot, Drawing, Label, Line, Shape

_POINTS = 72 / 25.4


def draw(pages: FPDF, drawing: Drawing, left: float, top: float, scale: float) -> None:
    """Draw with the picture's corner at `left` and `top`; `scale` is in millimetres for each of its units."""
    for shape in drawing.shapes:
        _shape(pages, shape, left, top, scale)
    pages.set_dash_pattern()
    pages.set_text_color(28, 39, 51)


def _shape(pages: FPDF, shape: Shape, left: float, top: float, scale: float) -> None:
    red, green, blue = _rgb(shape.tone)
    if isinstance(shape, Label):
        _label(pages, shape, left, top, scale)
    elif isinstance(shape, Line):
        pages.set_draw_color(red, green, blue)
        pages.set_line_width(shape.width * scale)
        pages.set_dash_pattern(*((4 * scale, 3 * scale) if shape.dashed else (0, 0)))
        ends = (left + shape.x1 * scale, top + shape.y1 * scale, left + shape.x2 * scale, top + shape.y2 * scale)
        pages.line(*ends)
    else:
        pages.set_fill_color(red, green, blue)
        _filled(pages, shape, left, top, scale)


def _filled(pages: FPDF, shape: Bar | Dot | Diamond, left: float, top: float, scale: float) -> None:
    x, y = left + shape.x * scale, top + shape.y * scale
    if isinstance(shape, Bar):
        pages.rect(x, y, shape.width * scale, shape.height * scale, style="F")
    elif isinstance(shape, Dot):
        pages.circle(x, y, shape.radius * scale, style="F")
    else:
        r = shape.radius * scale
        pages.polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], style="F")


def _label(pages: FPDF, label: Label, left: float, top: float, scale: float) -> None:
    text = encodable(label.text)
    pages.set_font(FONT, "B" if label.bold else "", label.size * scale * _POINTS)
    pages.set_text_color(*_rgb(label.tone))
    back = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * width_of(pages, text)
    pages.text(left + label.x * scale - back, top + label.y * scale, text)


def _rgb(tone: str) -> tuple[int, int, int]:
    value = TONES[tone].light
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
