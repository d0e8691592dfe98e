"""Record ledgers that `test_recorded_ledgers` reads: `python -m tests.domain.record_ledgers`.

Plays whole incidents and keeps their entries, as the ledger stores them, and the states that they come to. A ledger
that is there already stays as it is: it says how events were written when it was recorded. After the shape of an event
has changed, add a play under a new name.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from domain.config.runbook import Runbook
from domain.model import change_events, commands, events, work_events
from domain.model.activity_io import Ballot, ChangeOutcome
from domain.model.effects import OpenIncident, Send
from domain.model.event_kinds import Happening
from domain.model.events import Delivered, DeliveryFailed, Event
from domain.model.finding import FindingStatus
from domain.rules import alerts, change_outcomes, lifecycle, links
from domain.rules.refusals import WRITTEN
from domain.values.severity import Severity
from tests.activities.report_worlds import Played
from tests.builders import T0, declaration, minutes, organisation, owed, with_notices
from tests.delegating import delegation
from tests.drills import exercise
from tests.upkeep import upkeep

FOLDER = Path(__file__).parent / "ledgers"


class Recorded(Played):
    """An incident whose pages and mails arrive, but every fifth."""

    def _work(self) -> None:
        state = self.incident.state
        for effect in list(self.incident.effects):
            if isinstance(effect, Send):
                self._arrives(effect.message, effect.number, state.letter(*effect).to)
        super()._work()

    def _arrives(self, message: events.Message, number: int, to: str) -> None:
        if number % 5 == 0:
            self.take(DeliveryFailed(message=message, number=number, to=to, reason="no channel took it"))
        else:
            self.take(Delivered(message=message, number=number, to=to, channel="sms", message_id=f"sms-{number}"))

    def hears(self, step: str) -> None:
        """Learn what a change says of itself."""
        self._told(step)

    def take(self, *happened: Event) -> None:
        self.incident.take([Happening(event) for event in happened], self.now)


def _commanded() -> Runbook:
    """The runbook of the builders, but that the commander alone may approve the rollback, or who stands in."""
    plain = with_notices().model_dump(mode="json", by_alias=True, exclude_unset=True)
    (rollback,) = [step for step in plain["phases"][0]["steps"] if step["id"] == "rollback"]
    rollback["approval"] = {"roles": ["incident-commander"], "quorum": 1}
    return Runbook.model_validate(plain)


def outage() -> Recorded:
    """An outage in which nearly everything happens that can, to the close and the stored report."""
    fields = {"runbook": _commanded(), "severity": Severity.P1, "phi": True, "obligations": owed(), "key": "alarm"}
    played = Recorded(declaration(**fields, title="Portal answers 503"))
    played.find("deployments", FindingStatus.SUSPECT, "3 of 3 tasks unhealthy", facts={"failed": 3, "share": 0.6})
    played.find("health", FindingStatus.OK, "the database answers")
    played.incident.take(alerts.repeated(played.incident.state, "monitoring", "again"), played.now)
    played.take(events.AccessDenied(action="logs.errors"), work_events.LedgerTold(state="failing"))
    played.take(work_events.LedgerTold(state="written-again"), work_events.LedgerTold(state="forked", epoch=2))
    played.take(work_events.LinkAsked(type="data-breach", because="found by health"))
    played.take(work_events.Linked(type="data-breach", because="found by health", incident="inc-20261123-0001"))
    played.say("request_change", "devops-lead", step="rollback")
    played.vote("rollback", "technical-manager", digest="early")
    digest = played.plan("rollback")
    played.say("acknowledge", "devops-lead", minutes(7))
    played.changes["rollback"].commander_is("devops-lead", played.now)
    played.say("reclassify", "devops-lead", severity="P0", reason="every patient is concerned")
    played.say("acknowledge", "privacy-officer", minutes(10))
    played.vote("rollback", "technical-manager", digest=digest, comment="read and agreed")
    played.changes["rollback"].evidence_forgone(played.now)
    played.end("rollback", "3 of 3 tasks healthy")
    played.take(change_events.NotPlanned(step="scale-up", title="Scale up", reason="not planned, it needs count"))
    entries = played.entries
    played.take(events.Restored(term=2, entries=len(entries), until=entries[-1].at))
    played.say("note", "cto", text="The dump is with the vendor.")
    played.say("custody", "cto", evidence="dump-1", event="transferred", to="the vendor", reason="for analysis")
    played.say("mitigated", "devops-lead", summary="rolled back")
    played.say("resolve", "devops-lead", summary="steady")
    played.say("reopen", "cto", reason="it is slow again")
    played.say("acknowledge", "cto", minutes(1))
    played.say("mitigated", "cto", summary="restarted")
    played.say("resolve", "cto", summary="steady for an hour", after=minutes(60))
    played.say("complete_task", "devops-lead", step="assess", note="Revision 8 lacked a migration.")
    played.say("waive_task", "technical-manager", step="review", reason="it was held at once")
    played.say("record_fact", "privacy-officer", fact="belief_at", at="2026-11-23T04:00:00Z", reason="logs were read")
    played.say("discharge_obligation", "privacy-officer", step="statement", reference="NDB-117", after=minutes(90))
    played.say("discharge_obligation", "cto", step="statement")
    played.say("close", "devops-lead")
    played.take(work_events.ReportStored(places=("reports/inc/000001.md",)))
    return played


def false_alarm() -> Recorded:
    """A finding that asks for work, and nothing to it."""
    asked = {"id": "rescue", "task": "Give another way", "owner": "cto", "due": "1h", "opened_by": ["deployments"]}
    plain = with_notices().model_dump(mode="json", by_alias=True)
    phases = [*plain["phases"], {"id": "more", "title": "More", "steps": [asked]}]
    played = Recorded(declaration(runbook=with_notices().model_validate({**plain, "phases": phases})))
    played.find("deployments", FindingStatus.SUSPECT, "3 of 3 tasks unhealthy")
    played.say("false_alarm", "devops-lead", reason="the monitor was wrong")
    return played


def kept_up() -> Recorded:
    """Upkeep: of two things that are wrong one is opened and one was open already; one person does not answer."""
    played = Recorded(upkeep())
    played.find("names", FindingStatus.SUSPECT, "2 of 9", wrong={"trails.account": "missing", "buckets.audit": "wrong"})
    trail, bucket = (OpenIncident(link.type, link.key) for link in played.incident.state.links)
    played.incident.take(links.opened(played.incident.state, trail, "inc-20261123-0001"), played.now)
    played.incident.take(links.opened(played.incident.state, bucket, None), played.now)
    played.say("complete_task", "cto", step="review")
    played.wait(timedelta(days=3))
    missed = OpenIncident("maintenance", "contact:cto")
    played.incident.take(links.opened(played.incident.state, missed, "inc-20261126-0001"), played.now)
    played.incident.take(lifecycle.end_upkeep(played.incident.state, played.now), played.now)
    return played


def drilled() -> Recorded:
    """A drill whose time is up while a change waits for votes and a duty is open."""
    played = Recorded(declaration(mode="drill", phi=True, obligations=owed(), drill=exercise()))
    played.say("acknowledge", "devops-lead", minutes(7))
    played.say("request_change", "devops-lead", step="promote")
    played.plan("promote")
    over = lifecycle.end_drill(played.incident.state, "time-box", "its time of 2h is up")
    played.incident.take(over, played.now, {"drill": "end"})
    cancel = commands.Cancel(by=events.ORCHESTRATOR, reason="the drill is over")
    played.changes["promote"].hear("cancel", cancel, played.now)
    played.hears("promote")
    return played


def delayed() -> Recorded:
    """A change that is not planned for minutes."""
    played = Recorded(declaration())
    played.say("request_change", "devops-lead", step="rollback")
    played.wait(minutes(6))
    return played


def flooded() -> Recorded:
    """More that is refused than is written."""
    played = Recorded(declaration())
    for _ in range(WRITTEN + 1):
        played.say("close", "devops-lead", after=timedelta(seconds=1))
    return played


def lost() -> Recorded:
    """Two changes whose workflows are ended from outside: one goes on, of the other nothing was done."""
    played = Recorded(declaration())
    state = played.incident.state
    votes = (Ballot(by="technical-manager", role="technical-manager"),)
    for step in ("rollback", "promote"):
        played.say("request_change", "devops-lead", step=step)
        played.plan(step)
    rollback, promote = (change.workflow_id for change in state.changes)
    for name, found in (
        (rollback, ChangeOutcome(outcome="begun", votes=votes)),
        (promote, ChangeOutcome(outcome="nothing")),
    ):
        played.incident.take(change_outcomes.lost(state, name), played.now, {"answer": "change"})
        cause = {"answer": "changes.outcome"}
        played.incident.take(change_outcomes.found(state, name, found), played.now, cause)
    return played


def handed_over() -> Recorded:
    """Command is offered and not taken, then taken; who commands then falls silent, and somebody else acknowledges."""
    played = Recorded(declaration(organisation=organisation(sign_of_life="30m")))
    played.say("acknowledge", "devops-lead")
    played.say("hand_over", "devops-lead", to="cto")
    played.wait(minutes(12))
    played.say("hand_over", "devops-lead", to="development-lead")
    played.say("take_command", "development-lead", of="devops-lead")
    played.wait(minutes(40))
    played.say("acknowledge", "security-lead")
    return played


def stood_in() -> Recorded:
    """Two stand in: one by the declaration, until their time is over, one told of later, until they are back."""
    first = delegation(until=T0 + minutes(20))
    second = delegation(role="cto", to="security-lead", by="cto", at=T0, since=T0 + minutes(5))
    played = Recorded(declaration(delegations=(first,)))
    played.say("delegate", "cto", delegation=second.model_dump(mode="json"))
    played.say("acknowledge", "privacy-officer", minutes(10))
    played.say("end_delegation", "security-lead", delegation=second.id, reason="the CTO is back")
    played.wait(minutes(15))
    return played


PLAYS: dict[str, Callable[[], Recorded]] = {
    "outage-1": outage,
    "false-alarm-1": false_alarm,
    "upkeep-1": kept_up,
    "drill-1": drilled,
    "delayed-1": delayed,
    "flooded-1": flooded,
    "lost-1": lost,
    "handed-over-1": handed_over,
    "stand-ins-1": stood_in,
}
"""By the name of the file that each is kept in."""


def main() -> None:
    """Record what is not recorded yet."""
    FOLDER.mkdir(exist_ok=True)
    for name, play in PLAYS.items():
        file = FOLDER / f"{name}.jsonl"
        if file.exists():
            continue
        played = play()
        file.write_text("".join(f"{entry.canonical()}\n" for entry in played.entries), encoding="utf-8")
        state = played.incident.state.model_dump_json(indent=1)
        (FOLDER / f"{name}.state.json").write_text(f"{state}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
