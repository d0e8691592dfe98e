"""Whatever people say to incidents of the shipped runbooks goes on record: the guard refuses nothing that was taken."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

import pytest

from activities.ledger import proving
from authority.claims import Claim
from domain.config.obligation import Obligations
from domain.config.organisation import Organisation
from domain.config.runbook import ProbeStep, Runbook
from domain.model.finding import FindingStatus
from domain.model.proofs import ClaimAsked
from starters.files.loading import load_obligations, load_runbook
from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation
from starters.files.shipped import shipped_folder
from tests.activities.ledger_worlds import place
from tests.builders import declaration
from tests.people import People
from tests.proven import Proving

MODES = [("live", "devops-lead"), ("live", "devops-lead"), ("drill", "orchestrator"), ("upkeep", "orchestrator")]
Said = tuple[str, dict[str, Any]]


class Quick(People):
    """They sign without a key: what a signature proves is tried elsewhere."""

    def signed(self, claim: Claim, token: Any = None) -> dict[str, Any]:  # noqa: ARG002 - the same
        return {"claim": claim.model_dump(mode="json"), "method": "ssh", "key": "k", "signature": "s"}


@cache
def shipped() -> tuple[Organisation, Obligations, list[Runbook]]:
    folder = shipped_folder()
    organisation, where = load_organisation(folder), load_environment(folder, "sandbox")
    names = list_runbooks(folder)
    return (
        organisation,
        load_obligations(folder, organisation),
        [load_runbook(folder, name, organisation, where) for name in names],
    )


def lived(random: Random) -> Proving:
    """An incident in which people say one thing after the other, much of it too early or by the wrong one."""
    organisation, obligations, books = shipped()
    book, (mode, by) = random.choice(books), random.choice(MODES)
    made = Proving(
        declaration(
            environment=place(kind="staging"),
            organisation=organisation,
            runbook=book,
            obligations=obligations,
            phi=random.random() < 0.5,
            severity=random.choice(book.severities),
            mode=mode,
            declared_by=by,
            related={one.id: one for one in books},
        ),
        Quick(),
    )
    probes = [step.id for step in book.steps() if isinstance(step, ProbeStep)]
    for _ in range(random.randint(20, 60)):
        if made.incident.state.ended:
            break
        if probes and random.random() < 0.1:
            made.find(random.choice(probes), random.choice(list(FindingStatus)), "seen")
            continue
        name, payload = something(random, made, obligations)
        who = random.choice(organisation.contacts).id
        made.say(name, who, timedelta(minutes=random.choice([0, 0, 1, 20])), **payload)
    return made


def something(random: Random, made: Proving, obligations: Obligations) -> Said:
    state = made.incident.state
    task = random.choice([one.step for one in state.tasks] or ["none"])
    fact: dict[str, Any] = {"fact": random.choice(obligations.facts).id, "reason": "r"}
    if random.random() < 0.5:
        fact["at"] = (made.now - timedelta(minutes=random.choice([-10, 5, 600]))).isoformat()
    return random.choice(
        [
            ("acknowledge", {}),
            ("hand_over", {"to": random.choice(state.declaration.organisation.contacts).id}),
            ("take_command", {"of": state.hand_over.by if state.hand_over else "nobody"}),
            ("note", {"text": "t"}),
            ("reclassify", {"severity": random.choice(["P0", "P1", "P2", "P3"]), "reason": "r"}),
            ("mitigated", {"summary": "m"}),
            ("resolve", {"summary": "m"}),
            ("reopen", {"reason": "m"}),
            ("close", {}),
            ("record_fact", fact),
            ("complete_task", {"step": task, "note": "n"}),
            ("waive_task", {"step": task, "reason": "n"}),
            ("custody", {"evidence": "e", "event": "released", "reason": "r", "to": "x"}),
            *(_of_a_duty(random, made, obligations) for _ in range(3)),
        ]
    )


def _of_a_duty(random: Random, made: Proving, obligations: Obligations) -> Said:
    owed = made.incident.state.obligations
    if not owed:
        return "acknowledge", {}
    record = random.choice(owed)
    if record.ending is not None and random.random() < 0.6:
        return "discharge_obligation", {"step": record.step, "proposal": record.ending.digest()}
    if random.random() < 0.3:
        return "obligation_not_required", {"step": record.step, "reason": "none"}
    definition = obligations.obligation(record.obligation)
    outcomes = definition.outcomes if definition else ()
    said = {"step": record.step, "reference": "r", "justification": "j"}
    return "discharge_obligation", {**said, **({"outcome": random.choice(outcomes)} if outcomes else {})}


def _believed(_house: Any, asked: ClaimAsked, *_how: Any) -> Claim:
    return Claim.model_validate(asked.proof["claim"])


@pytest.mark.parametrize("seed", range(12))
def test_what_was_taken_is_not_refused(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("claim_on_record", "claimed"):
        believed: Callable[..., Claim] = _believed
        monkeypatch.setattr(proving, name, believed)
    random = Random(seed)
    for _ in range(10):
        made = lived(random)
        declared = made.incident.state.declaration
        nobody: Any = None
        looker = proving.Looker(nobody, nobody, declared, 1, None)
        used = looker.used(made.entries, made.entries[0].at)
        assert len({one.claim.nonce for one in used.values()}) == len(used) > 0
