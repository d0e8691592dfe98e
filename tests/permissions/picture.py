"""Draw docs/images/permissions.svg, roles by calls: `python -m tests.permissions.picture`, or `make iam`."""

from html import escape
from pathlib import Path

from activities.permissions.roles import roles
from tests.permissions.matrix import Asked, Row, rows
from tests.permissions.unmade import UNMADE

FILE = Path(__file__).parents[2] / "docs" / "images" / "permissions.svg"
_LABEL, _CELL, _LINE, _HEAD, _GAP = 380, 20, 14, 150, 30
_COLUMNS = 2
_LEGEND = (
    "filled: allowed, and made by an action of the role · ring: allowed for what trouble brings about · empty: denied"
)
_STYLE = (
    "text{font:10px ui-sans-serif,system-ui,sans-serif;fill:#1f2933}.role{font-weight:600}.on{fill:#7b8794}"
    ".grid{fill:none;stroke:#d9dee4;stroke-width:.5}.made{fill:#0b6e4f}.rare{fill:none;stroke:#0b6e4f;stroke-width:1.5}"
)


def text() -> str:
    """The picture: two columns of rows, each with every role; what is not filled is denied."""
    known = list(rows().items())
    size = -(-len(known) // _COLUMNS)
    width = _LABEL + _CELL * len(roles())
    parts = [
        part
        for column in range(_COLUMNS)
        for part in _column(known[column * size : (column + 1) * size], column * (width + _GAP))
    ]
    whole, high = _COLUMNS * (width + _GAP), _HEAD + size * _LINE + 40
    legend = f'<text x="8" y="{high - 12}">{_LEGEND}</text>'
    ground = f'<rect width="{whole}" height="{high}" fill="#fff"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {high}" role="img">'
    title = f"<title>{len(known)} calls under {len(roles())} roles</title><style>{_STYLE}</style>"
    return "\n".join((head + title, ground, *parts, legend, "</svg>", ""))


def _column(known: list[tuple[Row, Asked]], left: int) -> list[str]:
    parts = [_named(role, left + _LABEL + number * _CELL + _CELL // 2) for number, role in enumerate(roles())]
    parts.append(_grid(left + _LABEL, len(known)))
    for line, (row, asked) in enumerate(known):
        parts += _line(row, asked, left, _HEAD + line * _LINE)
    return parts


def _grid(left: int, lines: int) -> str:
    wide, high = _CELL * len(roles()), _LINE * lines
    across = [f"M{left} {_HEAD + line * _LINE}h{wide}" for line in range(lines + 1)]
    down = [f"M{left + number * _CELL} {_HEAD}v{high}" for number in range(len(roles()) + 1)]
    return f'<path class="grid" d="{"".join((*across, *down))}"/>'


def _named(role: str, x: int) -> str:
    return f'<text class="role" transform="translate({x + 3},{_HEAD - 6}) rotate(-60)">{role}</text>'


def _line(row: Row, asked: Asked, left: int, top: int) -> list[str]:
    action, kind = row
    shown = kind.removeprefix(f"{action.partition(':')[0]}:").removesuffix("/")
    on = "" if kind == "*" else f' <tspan class="on">{escape(shown)}</tspan>'
    parts = [f'<text x="{left + 8}" y="{top + 10}">{escape(action)}{on}</text>']
    for number, role in enumerate(roles()):
        x = left + _LABEL + number * _CELL
        mark = "made" if role in asked.makers else "rare" if (role, action) in UNMADE else ""
        if mark:
            parts.append(f'<circle class="{mark}" cx="{x + _CELL / 2:g}" cy="{top + _LINE / 2:g}" r="4"/>')
    return parts


def main() -> None:
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
