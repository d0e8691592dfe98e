"""Every colour of the report can be read, in light and in dark."""

import pytest

from reporting.picture.drawing import TONES


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.1."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(scheme: str) -> None:
    """Text on its ground 4.5 to 1, marks on theirs 3 to 1 (WCAG 2.1, 1.4.3 and 1.4.11), in light and in dark."""
    tones = {name: getattr(tone, scheme) for name, tone in TONES.items()}
    ground = {"light": "#ffffff", "dark": "#0f1720"}[scheme]
    for text in ("ink", "soft", "bad"):
        assert contrast(tones[text], tones["band"]) >= 4.5, text
        assert contrast(tones[text], ground) >= 4.5, text
    for fill in ("P0", "P1", "P2", "P3", "idle", "busy", "good", "person", "page"):
        assert contrast(tones["on"], tones[fill]) >= 4.5, fill
        assert contrast(tones[fill], tones["band"]) >= 3, fill
