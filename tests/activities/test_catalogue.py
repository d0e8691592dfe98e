"""The catalogue finds every action by itself, in the file that its name names."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from activities import aws, catalogue
from activities.action import ProbeAction
from activities.catalogue import CHANGES, NOTICES, PROBES

ACTIONS: dict[str, type[Any]] = {**PROBES, **CHANGES, **NOTICES}


def test_an_action_lives_in_the_file_that_its_name_names() -> None:
    """`service.what` is in `service_what.py`; several of one service may share `service_subject.py`."""
    files: defaultdict[str, set[str]] = defaultdict(set)
    for name, action in ACTIONS.items():
        files[action.__module__.rsplit(".", 1)[-1]].add(name)
    astray = {}
    for stem, names in files.items():
        services = {name.split(".")[0] for name in names}
        alone = len(names) == 1 and stem == next(iter(names)).replace(".", "_")
        together = len(names) > 1 and len(services) == 1 and f"{stem}_".startswith(f"{next(iter(services))}_")
        if not (alone or together):
            astray[stem] = sorted(names)
    assert astray == {}


def test_no_action_is_overlooked() -> None:
    """Every class on the shelves that has an action's name is in the catalogue."""
    files = sorted(Path(next(iter(aws.__path__))).parent.rglob("*.py"))
    written = "".join(file.read_text(encoding="utf-8") for file in files)
    assert set(re.findall(r'^    name = "([\w.]+)"$', written, re.MULTILINE)) == set(ACTIONS)


def test_a_name_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two actions of one name are refused when the worker starts, and not one of them taken silently."""
    modules = list(catalogue._modules())
    monkeypatch.setattr(catalogue, "_modules", lambda: [*modules, *modules])
    with pytest.raises(ValueError, match="is the name of"):
        catalogue._named(ProbeAction)
