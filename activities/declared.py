"""Which incidents there are, by the ledger: what acts for one asks here first, and never the timeline's writer.

In the ledger's table, written with the first and the last entry of a chain by one transaction each:

    pk                     sk           what it holds
    declared#<incident>    declared     its runbook's digest, its mode and speed, who declared it
    declared#<incident>    severity     its severity, once that was changed, by which entry of which epoch
    declared#<incident>    ended        when it has ended
    runbook#<digest>       content      a runbook that an incident was declared under, or that the program made
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel
from temporalio.exceptions import ApplicationErrorCategory

from activities.action import RuleError
from activities.approved import are_asked, refuse_declaration, refuse_unapproved
from activities.house import House, refuse_speed
from activities.ledger.table import Item, Table, keys, text
from activities.ledger.terms import end_key
from activities.stand_ins import refuse_delegations
from activities.strange_requests import Strange, StrangeRequestError, UnrecordedError
from domain.config.runbook import ChangeStep, NoticeStep, Runbook
from domain.model.activity_io import Mode, NoticeRequest
from domain.model.declaration import Declaration
from domain.model.event_kinds import event_of
from domain.model.events import ORCHESTRATOR, SeverityChanged
from domain.model.timeline import Entry
from domain.values.canonical import canonical_json
from domain.values.errors import ErrorKind
from domain.values.ids import is_incident_id
from domain.values.severity import Severity

_SOON = timedelta(seconds=1)
_SEVERITY = "severity"
LAST_WORDS = timedelta(hours=1)


class OnRecord(BaseModel):
    """An incident as the ledger has it."""

    runbook: str
    mode: Mode
    speed: float
    declared_at: datetime
    declared_by: str
    severity: Severity | None = None


class Declared:
    """The declarations on record of one environment. Lets botocore's errors through."""

    def __init__(self, house: House, table: Table) -> None:
        self._house = house
        self._table = table

    def open_one(self, incident: str) -> OnRecord:
        """An incident that may be acted for (`dynamodb:GetItem`).

        Raises `RuleError` for one that has ended, and a retryable error for one that is not on record, or not yet:
        its first entry may still be on its way.
        """
        found = self._found(incident)
        if self.ended_at(incident) is not None:
            raise RuleError(f"{incident} has ended: nothing is done for it any more")
        return found

    def _found(self, incident: str) -> OnRecord:
        found = self._table.get(keys(_of(incident), "declared"))
        if found is None:
            raise UnrecordedError(
                f"{incident} is not on record: nothing is done for an incident that is not in the ledger",
                type=ErrorKind.NOT_YET.value,
                next_retry_delay=_SOON,
                category=ApplicationErrorCategory.BENIGN,
            )
        return OnRecord.model_validate_json(found["content"]["S"])

    def severity(self, incident: str, known: OnRecord) -> Severity | None:
        """How severe an incident is by the record (`dynamodb:GetItem`); None where an older release declared it."""
        found = self._table.get(keys(_of(incident), _SEVERITY))
        return Severity(found["severity"]["S"]) if found else known.severity

    def severity_changed(self, incident: str, epoch: int, entries: Sequence[Entry]) -> None:
        """Note the last severity of entries that stand on record (`dynamodb:PutItem`); a later one stays."""
        for entry in reversed(entries):
            event = event_of(entry) if entry.kind == _SEVERITY else None
            if isinstance(event, SeverityChanged):
                number = text(f"{epoch:06d}#{entry.seq:06d}")
                item = {**keys(_of(incident), _SEVERITY), "severity": text(event.after.value), "entry": number}
                self._table.put(
                    item, "attribute_not_exists(pk) OR #entry < :entry", {":entry": number}, {"#entry": "entry"}
                )
                return

    def ended_at(self, incident: str) -> datetime | None:
        """When an incident ended (UTC), by the record (`dynamodb:GetItem`); None while it is open."""
        found = self._table.get(end_key(incident))
        return datetime.fromisoformat(found["at"]["S"]) if found else None

    def runbook(self, digest: str) -> Runbook:
        """A runbook by its digest: of the worker's folder, or on record. Raises `RuleError` for one that is neither."""
        if (own := self._house.runbook(digest)) is not None:
            return own
        found = self._table.get(keys(f"runbook#{digest}", "content"))
        runbook = Runbook.model_validate_json(found["content"]["S"]) if found else None
        if runbook is None or runbook.digest() != digest:
            raise RuleError(
                f"the runbook of digest {digest[:12]} is none that this worker knows: give it the same files"
            )
        return runbook

    def refuse_notice(self, asked: NoticeRequest, action: str, at: datetime) -> None:
        """Raise `RuleError` unless the runbook of an incident tells just this at the step that is named.

        Its last words may still be on their way for an hour after its end; `at` is now, in UTC. Raises what `open_one`
        raises while it is not on record.
        """
        incident = self._found(asked.about.incident)
        ended = self.ended_at(asked.about.incident)
        if ended is not None and at - ended > LAST_WORDS:
            raise RuleError(f"{asked.about.incident} has ended: nobody outside is told of it any more")
        if asked.about.mode != incident.mode:
            reason = f"{asked.about.incident} is {incident.mode}, not {asked.about.mode}"
            raise StrangeRequestError(reason, Strange.UNASKED)
        step = self.runbook(incident.runbook).step(asked.step)
        given = step.params if isinstance(step, NoticeStep) and step.notice == action else None
        if given is None or canonical_json(asked.params) != canonical_json(given):
            reason = f"the runbook of {asked.about.incident} does not tell {action} so at {asked.step!r}"
            raise StrangeRequestError(reason, Strange.UNASKED)

    def refuse_unapproved(self, incident: str) -> None:
        """Raise `RuleError` for an incident on record whose runbook has to be approved yet."""
        if not are_asked(self._house.environment(), self._house.organisation()):
            return
        found = self._table.get(keys(_of(incident), "declared"))
        if found is not None:
            refuse_unapproved(self._house, self.runbook(OnRecord.model_validate_json(found["content"]["S"]).runbook))

    def know(self, runbook: Runbook) -> None:
        """Put a runbook on record; a repeat changes nothing (`dynamodb:PutItem`)."""
        content = text(runbook.model_dump_json(by_alias=True))
        self._table.put({**keys(f"runbook#{runbook.digest()}", "content"), "content": content})

    def first(self, declaration: Declaration, *, again: bool = False) -> Item:
        """What goes on record with the first entry of a chain; `again` where that stands there, and was judged then.

        Raises `RuleError` for a declaration that is not of this worker's organisation and environment, or under a
        runbook that it does not know; one that can neither change nor publish anything needs no acquaintance. In
        production also for one under a runbook that is not approved, unless it says so itself or an incident has opened
        it: then it begins, and changes nothing.
        """
        if not is_incident_id(declaration.incident_id):
            raise StrangeRequestError(f"{declaration.incident_id} is no name of an incident", Strange.FORGED)
        self._refuse_strange(declaration)
        if not again:
            refuse_declaration(self._house, declaration)
            refuse_delegations(self._house, declaration)
        self.know(declaration.runbook)  # so that what is open goes on under it, whatever becomes of the file
        known = OnRecord(
            runbook=declaration.runbook_digest,
            mode=declaration.mode,
            speed=declaration.speed,
            declared_at=declaration.declared_at,
            declared_by=declaration.declared_by,
            severity=declaration.severity,
        )
        return {**keys(_of(declaration.incident_id), "declared"), "content": text(known.model_dump_json())}

    def _refuse_strange(self, declaration: Declaration) -> None:
        environment, organisation = self._house.environment(), self._house.organisation()
        if (declaration.organisation.id, declaration.environment.name) != (organisation.id, environment.name):
            raise StrangeRequestError(
                f"{declaration.incident_id} is declared in {declaration.environment.name} of "
                f"{declaration.organisation.id}; this worker serves {environment.name} of {organisation.id} alone",
                Strange.ELSEWHERE,
            )
        if declaration.environment.kind != environment.kind:
            reason = (
                f"{declaration.incident_id} is declared in a {declaration.environment.kind}; this is {environment.kind}"
            )
            raise StrangeRequestError(reason, Strange.ELSEWHERE)
        if declaration.mode == "dry-run" or (declaration.mode == "drill" and environment.kind == "production"):
            reason = f"{declaration.incident_id} is a {declaration.mode}, of which nothing goes on record here"
            raise StrangeRequestError(reason, Strange.ELSEWHERE)
        refuse_speed(environment, declaration.speed)
        if environment.kind != "sandbox":
            self._refuse_stranger(declaration)
        if declaration.runbook.digest() != declaration.runbook_digest:
            reason = f"the runbook of {declaration.incident_id} is not what its digest was made of"
            raise StrangeRequestError(reason, Strange.FORGED)
        if any(isinstance(step, ChangeStep | NoticeStep) for step in declaration.runbook.steps()):
            self.runbook(declaration.runbook_digest)

    def _refuse_stranger(self, declaration: Declaration) -> None:
        """Raise `RuleError` for who may not declare: contacts may, and our own code upkeep, drills, and what follows.

        What an incident has opened is declared by whoever declared that one, as it is on record.
        """
        by, opened_by = declaration.declared_by, declaration.opened_by
        if self._house.organisation().contact(by) is not None:
            return
        if opened_by is not None:
            found = self._table.get(keys(_of(opened_by), "declared"))
            if found is not None and OnRecord.model_validate_json(found["content"]["S"]).declared_by == by:
                return
        elif by == ORCHESTRATOR and declaration.mode in {"upkeep", "drill"}:
            return
        raise RuleError(
            f"{declaration.incident_id} is declared by {by!r}, who is no contact of "
            f"{declaration.organisation.id}: a contact declares incidents, and our own code upkeep and drills"
        )


def _of(incident: str) -> str:
    return f"declared#{incident}"
