"""A simulation and Temporal agree, page by page: twenty scripts on both, told the same."""

from datetime import datetime, timedelta
from typing import Any

from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import Applied, ApplyRequest
from domain.model.declaration import Declaration
from domain.rules.document import document
from domain.simulation.play import Simulation
from domain.simulation.script import Said, look, said
from domain.values.severity import Severity
from tests.builders import declaration, with_notices
from tests.workflows.told import Told
from tests.workflows.world import CLASSES, World

_HOURS = timedelta(hours=3)
_NIGHT = (
    "ack at 3m by devops-lead",
    "change rollback at 6m by development-lead",
    "approve rollback at 8m by technical-manager",
    "mitigated at 11m by devops-lead",
    "resolve at 23m by devops-lead",
    "done assess at 24m by devops-lead",
)
_SCRIPTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nobody, P0": ("P0", ()),
    "nobody, P1": ("P1", ()),
    "nobody, P2": ("P2", ()),
    "nobody, P3": ("P3", ()),
    "acknowledged, P0": ("P0", _NIGHT[:1]),
    "acknowledged, P1": ("P1", _NIGHT[:1]),
    "acknowledged by the manager": ("P0", ("ack at 17m by technical-manager",)),
    "mitigated at once": ("P0", ("ack at 1m by devops-lead", "mitigated at 2m by devops-lead")),
    "to the end": ("P0", (*_NIGHT, "done review at 32m by technical-manager", "close at 33m by devops-lead")),
    "resolved": ("P1", _NIGHT),
    "never voted on": ("P0", _NIGHT[:2]),
    "rejected": ("P0", (*_NIGHT[:2], "reject rollback at 9m by technical-manager")),
    "two votes": (
        "P0",
        (_NIGHT[0], "change promote at 4m by development-lead", "approve promote at 7m by cto"),
    ),
    "two votes, both": (
        "P0",
        (
            _NIGHT[0],
            "change promote at 4m by development-lead",
            "approve promote at 7m by cto",
            "approve promote at 18m by devops-lead",
        ),
    ),
    "raised": ("P2", ("severity P0 at 7m by devops-lead",)),
    "lowered": ("P0", ("ack at 3m by devops-lead", "severity P2 at 7m by devops-lead")),
    "reopened": ("P0", (*_NIGHT[:4], "reopen at 19m by devops-lead")),
    "a false alarm": ("P0", ("ack at 3m by devops-lead", "false-alarm at 12m by devops-lead")),
    "by a stranger": ("P1", ("ack at 3m by a-stranger", "mitigated at 4m by devops-lead")),
    "undone": ("P1", (*_NIGHT[:3], "undo rollback at 31m by devops-lead")),
}


class Lasting(World):
    """Each incident has a resource of its own: what one sets is not there for the next."""

    def apply(self, call: ApplyRequest) -> Applied:
        self.intended(call)
        return Applied(outcome="applied")


async def test_twenty_scripts_agree(skipping: WorkflowEnvironment) -> None:
    """The same pages at the same minutes to the same people for the same reason, the same reminders and end."""
    async with Lasting().workers(skipping.client):
        for number, (name, (severity, lines)) in enumerate(_SCRIPTS.items()):
            declared = declaration(
                incident_id=f"inc-{number}",
                severity=Severity(severity),
                declared_at=await skipping.get_current_time(),
                runbook=with_notices(),
            )
            answers = [said(line) for line in lines]
            played = Simulation(declared, CLASSES, map(look, ("health=ok", "deployments=suspect")))
            played.run(answers, _HOURS)
            drafted = played.incident.timeline.entries
            entries = [{"kind": one.kind, "at": one.at.isoformat(), "text": one.text} for one in drafted]
            simulated = _told(document(played.incident.state), entries, declared.declared_at)
            assert simulated == await _lived(skipping, declared, answers), name


async def _lived(skipping: WorkflowEnvironment, declared: Declaration, answers: list[Said]) -> dict[str, Any]:
    """What the same comes to on Temporal; one incident at a time, or the server that skips time may not skip it."""
    told, now = await Told.start(skipping.client, declared), timedelta(0)
    await told.until(lambda state: len(state["findings"]) == 2)
    for one in answers:
        await skipping.sleep(one.at - now)
        now = one.at
        await _say(told, one)
    await skipping.sleep(_HOURS - now)
    lived = _told(await told.state(), await told.timeline(), declared.declared_at)
    if lived["status"] not in {"closed", "false-alarm"}:
        await told.handle.terminate()
    return lived


async def _say(told: Told, one: Said) -> None:
    if not one.is_vote:
        await told.handle.signal(one.command, one.given)
        return
    state = await told.state()
    [*_, change] = [change for change in state["changes"] if change["step"] == one.given["step"]]
    vote = {**one.given, "digest": change["plan"]["digest"]}
    await told.client.get_workflow_handle(change["workflow_id"]).signal(one.command, vote)


def _told(state: dict[str, Any], timeline: list[dict[str, Any]], started: datetime) -> dict[str, Any]:
    def minute(at: str) -> int:
        return round((datetime.fromisoformat(at) - started) / timedelta(minutes=1))

    reminders = [(minute(one["at"]), one["text"]) for one in timeline if one["kind"] == "reminder"]
    return {
        "pages": sorted((minute(one["at"]), one["to"], one["role"], one["reason"]) for one in state["pages"]),
        "reminders": sorted(reminders),
        "status": state["status"],
        "changes": [(change["step"], change["status"]) for change in state["changes"]],
        "clocks": sorted((clock["name"], clock["state"]) for clock in state["clocks"] if clock["name"] != "record"),
        "refused": sorted(one["text"] for one in timeline if one["kind"] == "refused"),
    }
