"""`incident runbook graph`: every shipped runbook as Mermaid, as SVG and as nodes and edges."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from domain.config.runbook import Runbook
from reporting.picture.drawing import Bar
from reporting.runbook.graph import drawing, mermaid
from starters.files.organisation_folder import list_runbooks
from starters.files.shipped import shipped_folder
from tests.builders import runbook
from tests.starters.conftest import Incident


@pytest.mark.parametrize("name", list_runbooks(shipped_folder()))
def test_every_step_stands_once_and_what_it_leads_to(incident: Incident, name: str) -> None:
    """Each step has one node, each edge two that exist; the SVG is well-formed and has all of them."""
    document = incident("runbook", "graph", name, "--json").json
    steps = [
        step["id"] for phase in incident("runbook", "show", name, "--json").json["phases"] for step in phase["steps"]
    ]
    nodes = [node["id"] for node in document["nodes"]]
    assert [node for node in nodes if not node.startswith("incident:")] == steps
    assert {edge[end] for edge in document["edges"] for end in ("source", "target")} <= set(nodes)
    picture = ET.fromstring(incident("runbook", "graph", name, "--format", "svg").out)  # noqa: S314 - our own
    titles = "\n".join(element.text or "" for element in picture.iter() if element.tag.endswith("title"))
    for node in document["nodes"]:
        assert f"{node['id']}: " in titles
    text = incident("runbook", "graph", name).out
    assert len(re.findall(r"^    [si]_\w+\[", text, re.MULTILINE)) == len(set(nodes))
    assert text.count("-->") == len(document["edges"])


def _with(**step: object) -> Runbook:
    first, *rest = runbook().model_dump(mode="json", by_alias=True)["phases"]
    return runbook(phases=[{**first, "steps": [*first["steps"], step]}, *rest])


def test_titles_cannot_break_out() -> None:
    """A title with quotes and angle brackets stays text."""
    book = _with(id="odd", task='Say "stop" <script>', owner="devops-lead")
    assert 's_odd["Say &quot;stop&quot; &lt;script&gt; (devops-lead)"]:::task' in mermaid(book)


def test_boxes_do_not_overlap() -> None:
    """No two boxes of the picture cover each other, whatever the phase holds."""
    boxes = [
        shape for shape in drawing(_with(id="more", task="More", owner="devops-lead")).shapes if isinstance(shape, Bar)
    ]
    steps = [box for box in boxes if box.title]
    for number, one in enumerate(steps):
        for other in steps[number + 1 :]:
            apart = abs(one.x - other.x) >= one.width or abs(one.y - other.y) >= one.height
            assert apart, (one.title, other.title)


def test_it_is_written_to_a_file(incident: Incident, tmp_path: Path) -> None:
    target = tmp_path / "outage.svg"
    assert incident("runbook", "graph", "system-outage", "--format", "svg", "-o", str(target)).status == 0
    assert target.read_text(encoding="utf-8").startswith("<svg")
