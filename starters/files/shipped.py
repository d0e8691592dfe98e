"""Where the organisation that comes with the program has its files."""

from pathlib import Path

import runbooks


def shipped_folder() -> Path:
    """The folder of the organisation that comes with the program."""
    return Path(runbooks.__path__[0]) / "axis-imaging"
