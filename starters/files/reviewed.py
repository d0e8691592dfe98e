"""What a review of a runbook shows its owner: what differs since the last one, and what the record says of its use."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from activities.ledger.incidents import Unreadable
from domain.config.runbook import Runbook
from domain.model.calls import ObserveCall
from domain.model.declaration import Declaration
from domain.model.finding import Finding, FindingStatus
from domain.model.state import IncidentState
from domain.rules.reviewing import Use, study
from domain.values.severity import Severity
from starters.files.loading import load_obligations, load_runbook
from starters.files.organisation_folder import load_organisation
from starters.files.runbook_diff import between


def finding(folder: Path, call: ObserveCall, states: Iterable[IncidentState], unreadable: list[Unreadable]) -> Finding:
    """What there is to say of the runbook that the probe names, as its file stands. Raises `InvalidFile`.

    Suspect where there is something to think about. What could not be read may have used any step: then it is unknown.
    """
    organisation = load_organisation(folder)
    runbook = load_runbook(folder, call.params["type"], organisation, call.scope.environment)
    use = study(runbook, states)
    differs: list[str] = []
    if use.last is not None:
        now = use.last.declaration.model_copy(
            update={"organisation": organisation, "obligations": load_obligations(folder, organisation)}
        )
        differs = list(_differences(use.last.declaration, now, runbook))
    look = bool(differs or use.unused or use.silent or not use.ever)
    status = FindingStatus.UNKNOWN if unreadable else FindingStatus.SUSPECT if look else FindingStatus.OK
    return Finding(
        status=status,
        summary=" ".join(_said(runbook, use, differs, unreadable)),
        facts={
            "version": runbook.version,
            "substance": runbook.substance(),
            "last_review": use.last.incident if use.last else None,
            "differs": differs,
            "incidents": use.since,
            "never_used": use.unused,
            "never_told": use.silent,
            "unreadable": [one.id for one in unreadable],
        },
    )


def _differences(was: Declaration, now: Declaration, runbook: Runbook) -> Iterator[str]:
    """What differs between what was reviewed and what stands, in words."""
    before = was.related.get(runbook.id)
    if before is None:
        yield "what was reviewed is not on record, so that only its file's history tells"
        return

    def both(severity: Severity) -> tuple[Declaration, Declaration]:
        return _under(was, before, severity), _under(now, runbook, severity)

    found = [f"{one.about}: {one.what}" for one in between(runbook.id, both)]
    yield from dict.fromkeys(found)
    if not found and before.substance() != runbook.substance():
        yield "no step, approval or page; something else in it does, which its file's history tells"


def _under(declaration: Declaration, runbook: Runbook, severity: Severity) -> Declaration:
    """A declaration under a runbook, to be simulated."""
    of_its_own = {"runbook": runbook, "runbook_digest": runbook.digest(), "severity": severity, "mode": "live"}
    return declaration.model_copy(update={**of_its_own, "scheduled": None, "opened_by": None, "key": None})


def _said(runbook: Runbook, use: Use, differs: list[str], unreadable: list[Unreadable]) -> Iterator[str]:
    if use.last is None:
        yield f"Version {runbook.version}, never reviewed before."
    else:
        note = f", who said: {use.last.note}" if use.last.note else ""
        yield f"Version {runbook.version}, last reviewed in {use.last.incident} by {use.last.by}{note}."
        yield f"Since then differs: {'; '.join(differs)}." if differs else "Nothing differs since then."
    if not use.ever:
        yield "No incident and no drill ever ran under it."
    else:
        used = f"used by {', '.join(use.since)}" if use.since else "not used"
        yield f"It was {used}{' since' if use.last else ''}."
    if use.unused:
        yield f"Never used: {', '.join(use.unused)}."
    if use.silent:
        yield f"Never found anything: {', '.join(use.silent)}."
    if unreadable:
        yield f"Could not be read: {', '.join(one.id for one in unreadable)}."
