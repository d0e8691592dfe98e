"""Twelve incidents of nine types, each as far on as another: what is under way when Temporal is lost."""

from collections.abc import Callable
from typing import Any

from tests.e2e.house import Document, House
from tests.e2e.wire import Wire

ADDRESSES = {"addresses": ["198.51.100.23/32"]}
KEY = "portal-down"
FAST = 60
"""A policy minute is a second."""


class Twelve:
    """Declares them and brings each to where it is to be; ids by what they are. A thirteenth has ended.

    `linked` are those that their findings have opened.
    """

    def __init__(self, house: House, aws: Wire) -> None:
        self.house = house
        self.aws = aws
        self.ids: dict[str, str] = {}
        self.linked: set[str] = set()

    def begin(self) -> None:
        """All but the rollback's approval, at which the server dies."""
        self._declare("unanswered", "system-outage", "--speed", str(FAST))
        self._declare("declared", "system-outage", "--key", KEY)
        self._declare("acknowledged", "system-outage")
        self._declare("rolling back", "system-outage")
        self._declare("voting", "database")
        self._declare("verifying", "security")
        self._declare("signing", "data-breach", "--phi")
        self._declare("noted", "performance")
        self._declare("resolved", "alert-storm", severity="P1")
        self._declare("closed", "feature-failure", severity="P2")
        self._declare("raised", "certificate-warning", severity="P2")
        self._declare("mitigated", "backup-failure", severity="P1")
        self._declare("over", "alert-storm", severity="P2")
        for name in self.ids.keys() - {"unanswered", "declared"}:
            self.say(name, "acknowledge", by="devops-lead")
        steps: list[Callable[[], object]] = [
            self._vote,
            self._verify,
            self._sign,
            self._close,
            lambda: self.say("noted", "note", text="traffic is twice the usual"),
            lambda: self.say("raised", "reclassify", severity="P1", reason="it is the portal's certificate"),
            lambda: self.say("mitigated", "mitigated", summary="a backup was made by hand"),
            lambda: self.say("over", "false_alarm", reason="a drill"),
            lambda: self.change("rolling back", "rollback"),
        ]
        for step in steps:
            step()
        self.say("resolved", "mitigated", summary="the alarms are silent")
        self.say("resolved", "resolve", summary="for an hour")

    def _declare(self, name: str, type_: str, *more: str, severity: str = "P0") -> None:
        answer = self.house.json("start", type_, "--severity", severity, "--title", f"Lost: {name}", *more)
        self.ids[name] = answer["incident_id"]

    def say(self, name: str, command: str, by: str = "devops-lead", **payload: Any) -> None:
        self.house.asking.update(self.ids[name], command, by=by, **payload)

    def change(self, name: str, step: str, status: str = "awaiting-approval", **given: Any) -> Document:
        """Ask for a change and wait until it has come so far."""
        self.say(name, "request_change", by="technical-manager", step=step, set=given)
        return self.house.change(self.ids[name], status, step=step)

    def approve(self, change: Document, by: str) -> None:
        self.house.asking.update(change["workflow_id"], "approve", by=by, digest=change["plan"]["digest"])

    def _vote(self) -> None:
        """One of two votes."""
        self.approve(self.change("voting", "resize-instance"), by="cto")
        self.house.until(self.ids["voting"], "its vote", lambda state: state["changes"][0]["approvals"])

    def _verify(self) -> None:
        """The addresses are blocked, and AWS does not let anybody look whether they are."""
        self.aws.trap("wafv2.UpdateIPSet", "after", lambda: self.aws.dead.add("wafv2"))
        asked = self.change("verifying", "block-addresses", status="awaiting-approval", **ADDRESSES)
        self.approve(asked, by="technical-manager")
        self.house.change(self.ids["verifying"], "verifying", step="block-addresses")

    def _sign(self) -> None:
        """One of two signatures."""
        said = {"step": "assess-breach", "reference": "memo 17", "outcome": "remediated"}
        self.say("signing", "discharge_obligation", by="legal-counsel", **said)

    def _close(self) -> None:
        self.say("closed", "mitigated", summary="switched off")
        self.say("closed", "resolve", summary="nobody misses it")
        for task in self.house.state(self.ids["closed"])["tasks"]:
            if task["required"] and task["status"] == "open":
                self.say("closed", "waive_task", step=task["step"], reason="a drill")
        self.say("closed", "close")

    def settled(self) -> dict[str, Document]:
        """Wait until each has done what it does by itself, with all of it on record, and show each."""
        settled: set[str] = set()
        while new := ({one["id"] for one in self.house.json("list")} | set(self.ids.values())) - settled:
            for incident in new:  # what a late finding opens is seen at the next look
                self.house.until(incident, "it is on record", _is_settled, seconds=120)
            settled |= new
        self.linked = settled - set(self.ids.values())
        return {name: self.house.show(incident) for name, incident in self.ids.items()}

    def roll_back(self, cut: Callable[[], object]) -> None:
        """Approve the rollback, and die when AWS has done it and not answered yet."""
        change = self.house.change(self.ids["rolling back"], "awaiting-approval")
        self.aws.trap("ecs.UpdateService", "after", cut, cut=True)
        self.house.signal(change["workflow_id"], "approve", by="devops-lead", digest=change["plan"]["digest"])


def _is_settled(state: Document) -> bool:
    """Every probe has answered, evidence is preserved, and the record has it all."""
    busy = any(one["status"] in {"planning", "applying"} for one in state["changes"])
    evidence = any(
        one["step"].startswith(("preserve", "snapshot")) and one["status"] == "verifying" for one in state["changes"]
    )
    written = state["timeline"]["written"] == state["timeline"]["length"] if "written" in state["timeline"] else True
    return written and not busy and not evidence
