"""`incident simulate` by the files that are shipped: the contract's table of pages, and what is turned away."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.starters.conftest import Incident

LEADS = ["devops-lead", "development-lead", "security-lead"]
FOUR = [*LEADS, "technical-manager"]
NOBODY: dict[str, dict[int, list[str]]] = {
    "P0": {0: FOUR, 15: [*FOUR, "cto"], 30: [*FOUR, "cto", "ceo"]},
    "P1": {0: LEADS[:1], 15: LEADS[:2], 30: LEADS, 60: FOUR, 120: [*FOUR, "cto"], 480: [*FOUR, "cto", "ceo"]},
    "P2": {0: LEADS[:1], 60: LEADS[:2], 120: LEADS, 240: FOUR, 960: [*FOUR, "cto"]},
    "P3": {0: LEADS[:1], 480: LEADS[:2], 960: LEADS, 2880: FOUR},
}
"""Nobody acknowledges: who is paged from which minute on."""
EVERY = {"P0": 5, "P1": 15, "P2": 60, "P3": 480}
ACKNOWLEDGED: dict[str, dict[int, list[str]]] = {
    "P0": {0: FOUR, 30: ["cto"], 60: ["ceo"]},
    "P1": {0: LEADS[:1], 120: ["technical-manager"], 240: ["cto"], 480: ["ceo"]},
    "P2": {0: LEADS[:1], 480: ["technical-manager"], 960: ["cto"]},
    "P3": {0: LEADS[:1], 2880: ["technical-manager"]},
}
"""Acknowledged at 3, never mitigated: each of these pages, and no other."""
HOURS = 60


def simulated(incident: Incident, *arguments: str) -> dict[str, Any]:
    done = incident("simulate", *arguments, "--json")
    assert done.status == 0, done.err
    document: dict[str, Any] = done.json
    return document


def _by_minute(pages: list[dict[str, Any]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for page in pages:
        found[page["minute"]].append(page["role"])
    return dict(found)


@pytest.mark.parametrize("severity", sorted(NOBODY))
def test_pages_are_those_of_the_table(incident: Incident, severity: str) -> None:
    """Both columns, for every severity, over sixty hours: these pages and no other."""
    every, table = EVERY[severity], NOBODY[severity]
    expected = {
        minute: table[max(start for start in table if start <= minute)] for minute in range(0, HOURS * 60 + 1, every)
    }
    asked = ("system-outage", "--severity", severity.lower(), "--for", f"{HOURS}h")
    assert _by_minute(simulated(incident, *asked)["pages"]) == expected
    answered = simulated(incident, *asked, "--answer", "ack at 3m by devops-lead")
    assert _by_minute(answered["pages"]) == ACKNOWLEDGED[severity]
    assert answered["status"] == "acknowledged"


def test_a_script_goes_from_declaration_to_closed(incident: Incident, tmp_path: Path) -> None:
    """What people say, one a line; what a probe tells comes in its time; what is refused is told."""
    script = tmp_path / "night.txt"
    script.write_text(
        "# a good night\n"
        "ack at 3m by devops-lead\n\n"
        "change rollback at 5m by development-lead\n"
        "approve rollback at 7m by technical-manager\n"
        "mitigated at 9m by devops-lead\n"
        "resolve at 12m by devops-lead\n"
        "close at 13m by devops-lead\n"
    )
    found = simulated(
        incident, "system-outage", "--severity", "P0", "--script", str(script), "--finding", "error-logs=suspect@2m"
    )
    assert found["status"] == "resolved"
    assert [(one["minute"], one["command"]) for one in found["refused"]] == [(13, "close")]
    assert [page["minute"] for page in found["pages"] if page["reason"].startswith("approval needed")] == [5, 5]
    assert {"minute": 9, "step": "publish-monitoring", "status": "sent"} in found["notices"]


def test_votes_that_nobody_casts_expire(incident: Incident) -> None:
    """The chain is asked level by level, and then the change has expired."""
    asked = ["ack at 3m by devops-lead", "change rollback at 5m by development-lead"]
    found = simulated(
        incident, "system-outage", "--severity", "P0", *(f"--answer={one}" for one in asked), "--for", "3h"
    )
    assert [one["what"] for one in found["expiries"]].count("votes on rollback") == 1


def test_duties_are_shown_with_their_reminders(incident: Incident) -> None:
    """A breach of health information: who owes what until when, and who is reminded of it."""
    found = simulated(incident, "data-breach", "--severity", "P0", "--phi", "--for", "2d")
    duties = {duty["step"]: (duty["state"], duty["due_minute"]) for duty in found["duties"]}
    assert duties["notify-privacy-officer"] == ("open", 5)
    assert {"minute": 15, "what": "ack overdue"} in found["expiries"]
    told = [(one["minute"], one["to"]) for one in found["reminders"] if "Tell the Privacy Officer" in one["subject"]]
    assert told == [(5, "privacy-officer")]


def test_what_a_finding_opens_pages_on_the_same_clock(incident: Incident) -> None:
    """An incident of another type is played beside this one, from the minute in which the probe tells."""
    found = simulated(incident, "alert-storm", "--severity", "P2", "--finding", "health-check=suspect@7m")
    [opened] = found["opened"]
    assert (opened["type"], min(page["minute"] for page in opened["pages"])) == ("system-outage", 7)


def test_the_report_of_what_would_be(incident: Incident, tmp_path: Path) -> None:
    """As HTML, with its picture."""
    target = tmp_path / "would.html"
    done = incident("simulate", "system-outage", "--severity", "P1", "-o", str(target))
    assert done.status == 0
    assert "<svg" in target.read_text(encoding="utf-8")
    assert done.out.startswith("Simulated: system-outage P1; its status at the end is declared\n")
    assert "Pages" in done.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--answer", "ack by devops-lead"), "--answer 1: 'ack by devops-lead': write VERB [ARGUMENT] at TIME by WHO"),
        (("--answer", "jump at 3m by cto"), "there is no 'jump' in a simulation; known: ack,"),
        (("--answer", "ack at soon by cto"), "'soon' is no time"),
        (("--answer", "ack now at 3m by cto"), "ack takes no argument"),
        (("--answer", "done at 3m by cto"), "done takes one argument, its step"),
        (("--answer", "severity P9 at 3m by cto"), "severity: "),
        (("--answer", "ack colour=red at 3m by cto"), "there is no colour in this command"),
        (("--finding", "error-logs"), "--finding 1: 'error-logs': write STEP=STATUS[@TIME]"),
        (("--finding", "nothing=ok"), "'nothing' is no probe of system-outage"),
        (("--for", "long"), "'long' is no duration"),
    ],
)
def test_what_cannot_be_read_is_refused(incident: Incident, given: tuple[str, ...], said: str) -> None:
    """Exit status 2, with what is wrong and what to write instead; nothing is played."""
    done = incident("simulate", "system-outage", "--severity", "P0", *given)
    assert done.status == 2
    assert said in done.err
    assert done.out == ""


def test_a_script_names_the_line(incident: Incident, tmp_path: Path) -> None:
    script = tmp_path / "night.txt"
    script.write_text("ack at 3m by devops-lead\nsleep\n")
    done = incident("simulate", "system-outage", "--severity", "P0", "--script", str(script))
    assert (done.status, f"{script}:2: 'sleep'" in done.err) == (2, True)
