"""A rule that lets whoever asks decide alone, on what cannot be taken back."""

from pathlib import Path

import pytest

from starters.files.loading import lint
from tests.organisations.folders import RUNBOOK, written
from tests.starters.test_approval_lint import GROW


def _told(folder: Path) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/") for problem in lint(folder)]


@pytest.mark.parametrize("rule", ["{quorum: 0}", "{roles: [harbour-master], quorum: 0}"])
def test_lint_refuses_a_step_that_lets_the_requester_alone_decide_what_is_a3(tmp_path: Path, rule: str) -> None:
    resize = (
        "        change: rds.resize_instance\n        title: Other\n"
        "        with: {database: main, instance_class: db.r6g.2xlarge}\n        ask: []\n"
        f"        approval: {rule}\n"
    )
    assert [line for line in _told(written(tmp_path, {RUNBOOK: (GROW, resize)})) if "approval" in line]


def test_lint_refuses_it_for_a_class_too(tmp_path: Path) -> None:
    text = "A3:\n    roles: [east, west, harbour-master]\n    quorum: 2"
    told = _told(written(tmp_path, {"organisation.yaml": (text, "A3:\n    roles: []\n    quorum: 0")}))
    assert [line for line in told if "A3" in line]
