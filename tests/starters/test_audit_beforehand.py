"""An archive says by what a change has begun without votes, and who had signed that; its bounds are held."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from authority.preauthorisations import claim as claimed
from domain.config.preauthorisation import PreAuthorisation
from domain.model.preauthorised import PreAuthorised
from tests.activities.scopes import environment
from tests.builders import T0, declaration, minutes, organisation
from tests.preauthorising import terms
from tests.records import INCIDENT
from tests.signed_records import HOME, Entries, classified, entry, keys
from tests.starters.audited import Checks

BOTH = ("technical-manager", "cto")
DAY = timedelta(days=1)
SIGNED_AT = T0 - 10 * DAY


def allowed(**changes: Any) -> PreAuthorisation:
    return terms(**{"since": SIGNED_AT, "until": T0 + 20 * DAY, **changes})


def signed(one: PreAuthorisation, *by: str) -> PreAuthorised:
    """As a declaration holds it, signed by these people."""
    proofs = [keys().proof(claimed(HOME, one, who, SIGNED_AT).model_dump(mode="json")) for who in by or BOTH]
    return PreAuthorised.model_validate({"terms": one, "signed": proofs})


def record(one: PreAuthorised, **declared: Any) -> Entries:
    """An incident that carries it, in which it has begun a rollback."""
    people = organisation().model_copy(update={"preauthorisers": BOTH})
    fields = {"incident_id": INCIDENT, "environment": environment(kind="production"), "organisation": people}
    begun = declaration(**{**fields, "preauthorisations": (one,), **declared}).model_dump(mode="json", by_alias=True)
    return [entry(0, "devops-lead", "declared", {"declaration": begun}, {"command": "start"}), started(one)]


def started(one: PreAuthorised, minute: float = 2, number: int = 1) -> dict[str, Any]:
    by = {"digest": one.terms.digest(), "signed_by": list(one.signers)}
    data = {"step": "rollback", "workflow_id": f"{INCIDENT}/rollback/{number}", "generation": number}
    data |= {"action": "test.rollback", "title": "Roll back", "params": {"service": "backend"}, "preauthorised": by}
    due = {"deadline": "rollback", "due_at": (T0 + minutes(minute)).isoformat()}
    return entry(minute, "orchestrator", "change-requested", data, due)


@cache
def _good() -> Entries:
    return record(signed(allowed()))


def good() -> Entries:
    return deepcopy(_good())


def test_who_had_signed_it_is_told(check: Checks) -> None:
    found = check(good())
    assert found.good, found.said
    assert found.answers == {2: "proven"}
    (act,) = found.json["acts"]
    called = allowed().digest()[:12]
    assert act["what"] == f"starts {INCIDENT}/rollback/1 by pre-authorisation {called} of technical-manager and cto"
    for who in BOTH:
        assert f"signed beforehand by {who} with {keys().name(who)}" in act["why"]
        assert f"signed beforehand by {who} by a " in found.said
    assert f"starts {INCIDENT}/rollback/1 by pre-authorisation" in found.said


def test_what_was_stale_is_planned_again_by_it(check: Checks) -> None:
    """Whenever that was: its first beginning was in time."""
    one = signed(allowed(until=T0 + minutes(3)))
    again = started(one, 5, 2)
    del again["cause"]["due_at"]
    assert check([*record(one), again]).answers == {2: "proven", 3: "proven"}


def test_it_is_for_a_p0(check: Checks) -> None:
    one = signed(allowed())
    lowered = [*record(one)[:1], classified(1, "cto", "P1", "half of them"), started(one)]
    found = check(lowered)
    assert found.answers == {2: "proven", 3: "wrong"}
    assert "the incident was P1, of mode live" in found.said


def test_it_is_for_one_that_was_raised_too(check: Checks) -> None:
    one = signed(allowed())
    raised = [*record(one, severity="P1")[:1], classified(1, "cto", "P0", "all of them", "P1"), started(one)]
    assert check(raised).answers == {2: "proven", 3: "proven"}


def _data(entries: Entries, **changes: Any) -> None:
    entries[1]["data"] |= changes


def _terms(entries: Entries, **changes: Any) -> None:
    """Alter what it says, and name it so."""
    one = entries[0]["data"]["declaration"]["preauthorisations"][0]
    one["terms"] |= changes
    digest = PreAuthorisation.model_validate(one["terms"]).digest()
    entries[1]["data"]["preauthorised"]["digest"] = digest


def _proof(entries: Entries, **changes: Any) -> None:
    entries[0]["data"]["declaration"]["preauthorisations"][0]["signed"][1] |= changes


def _declared(entries: Entries, **changes: Any) -> None:
    entries[0]["data"]["declaration"] |= changes


def _organisation(entries: Entries, **changes: Any) -> None:
    entries[0]["data"]["declaration"]["organisation"] |= changes


def _alone(entries: Entries) -> None:
    one = entries[0]["data"]["declaration"]["preauthorisations"][0]
    del one["signed"][1]
    entries[1]["data"]["preauthorised"]["signed_by"] = ["technical-manager"]


WRONG: dict[str, tuple[Callable[[Entries], Any], str]] = {
    "none": (lambda it: _declared(it, preauthorisations=[]), "declared with no such pre-authorisation"),
    "other signers": (
        lambda it: _data(it, preauthorised={"digest": allowed().digest(), "signed_by": ["cto"]}),
        "declared with no such pre-authorisation",
    ),
    "more often": (lambda it: _terms(it, most=50), "over something else|signed for another subject"),
    "for longer": (lambda it: _terms(it, until="2026-12-24T03:00:00Z"), "over something else|for another subject"),
    "another step": (lambda it: _terms(it, step="scale-up"), "is about something else"),
    "another action": (lambda it: _data(it, action="test.scale"), "changes of this kind cannot be pre-authorised"),
    "other parameters": (lambda it: _data(it, params={"service": "frontend"}), "other parameters"),
    "somebody's": (lambda it: it[1].update(actor="devops-lead"), "somebody has asked for it"),
    "an undo": (lambda it: _data(it, undo_of=1), "somebody has asked for it, or it takes something back"),
    "another name": (lambda it: _data(it, workflow_id=f"{INCIDENT}/rollback/7"), "is called otherwise"),
    "too late": (
        lambda it: it[1].update(at=T0 + 21 * DAY, cause={}),
        "its pre-authorisation did not hold then",
    ),
    "in a dry run": (lambda it: _declared(it, mode="dry-run"), "of mode dry-run"),
    "another signature": (
        lambda it: _proof(
            it,
            signature=keys().proof(claimed(HOME, allowed(most=9), "cto", SIGNED_AT).model_dump(mode="json"))[
                "signature"
            ],
        ),
        "signature is not over this claim|the signature proves nothing",
    ),
    "one signature": (_alone, "not all have signed its pre-authorisation"),
    "no roles": (lambda it: _organisation(it, preauthorisers=[]), "not all have signed its pre-authorisation"),
    "other roles": (lambda it: _organisation(it, preauthorisers=["ceo"]), "not all have signed its pre-authorisation"),
}


@pytest.mark.parametrize("which", WRONG)
def test_what_is_not_allowed_is_called_wrong(check: Checks, which: str) -> None:
    """By both programs, for the same reason."""
    alter, why = WRONG[which]
    entries = good()
    alter(entries)
    found = check(entries)
    assert (found.good, found.answers) == (False, {2: "wrong"}), found.said
    first, _, second = why.partition("|")
    told = [found.said, found.json["acts"][0]["why"]]
    assert all(first in one or (second and second in one) for one in told), told
