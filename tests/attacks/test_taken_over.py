"""Who takes over a worker of the queue of workflows changes nothing without votes, and puts nothing on record that
counts and that nobody said: outside a sandbox, with every key of the codec, amid an incident of ours.

What he still can do stands in docs/security.md, "What is missing".
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from authority.claims import Act
from domain.model.activity_io import About
from domain.model.events import Closed, Event, Mitigated
from domain.model.proofs import of_break_glass
from domain.model.timeline import Entry, Timeline
from tests.attacks.taken_over import TakenOver
from tests.e2e.account import Portal, snapshot
from tests.e2e.house import Document
from tests.e2e.staging import alone
from tests.e2e.workers import Worker, running

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

HANDS = "diagnose,remediate,forensics,notify"
WHY = "nobody answers"


class Taken(NamedTuple):
    """An incident whose workflow he runs, amid a rollback that the hands have planned for him."""

    over: TakenOver
    portal: Portal
    about: dict[str, Any]
    record: list[Entry]

    def asked(self, step: str, generation: int = 1, **more: Any) -> dict[str, Any]:
        params = {"service": "backend"} if step == "rollback" else {"service": "backend", "count": 6}
        who = {"requested_by": "devops-lead", "requested": None}
        return {"about": self.about, "step": step, "generation": generation, "params": params, **who, **more}

    def planned(self, step: str, generation: int = 1, **more: Any) -> Document:
        self.over.begins(step, generation)
        name = f"{ACTION[step]}.plan"
        found = self.over.does("remediate", name, self.asked(step, generation, **more), self.of(step, generation))
        assert "answer" in found, found
        plan: Document = found["answer"]["plan"]
        return plan

    def of(self, step: str, generation: int = 1) -> str:
        return f"{self.over.incident}/{step}/{generation}"

    def refused(self, step: str, digest: str, generation: int = 1, **more: Any) -> str:
        asked = self.asked(step, generation, digest=digest, **more)
        return self.over.refused("remediate", f"{ACTION[step]}.apply", asked, self.of(step, generation))


def _is_whole(state: Document) -> bool:
    """Whether its findings are there, and everything is written."""
    length = state["timeline"]["length"]
    return len(state["findings"]) >= FINDINGS and bool(state["timeline"]["written"] == length)


FINDINGS = 6
ACTION = {"rollback": "ecs.rollback_service", "scale-up": "ecs.scale_service"}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    folder = tmp_path_factory.mktemp("staging")
    with alone(folder) as house, running(Worker(house)) as ours:
        portal = Portal(house, "axis-imaging-cluster-staging", "axis-imaging-backend-staging")
        portal.break_()
        incident = house.start("Portal answers 503")
        state = house.until(incident, "all of it is on record", _is_whole)
        record = [Entry.model_validate(one) for one in house.timeline(incident)]
        fields = {name: state[name] for name in ("type", "title", "severity", "mode", "declared_at", "environment")}
        about = About.model_validate({"incident": incident, **fields}).model_dump(mode="json")
        ours.kill()
        ours.end()
        over = TakenOver(house, incident, folder / "keys")
        with running(Worker(house, INCIDENT_QUEUES=HANDS)) as hands, over.served():
            yield Taken(over, portal, about, record)
            hands.stop()


def test_no_change_without_the_votes_of_people(taken: Taken) -> None:
    """Made-up votes, those of others, true ones for something else, and one that counted before; then the true ones."""
    over, before = taken.over, taken.portal.deployed()
    world = snapshot(over.house, "")
    digest = taken.planned("rollback")["digest"]
    request, vote = over.request("devops-lead", "rollback"), over.vote("technical-manager", digest, "rollback")
    bare = {"by": "technical-manager", "role": "technical-manager"}
    told: list[tuple[str, dict[str, Any]]] = [
        ("0 of 1 votes", {"votes": []}),
        ("the request of devops-lead is not proven", {"votes": [vote]}),
        ("it is not signed", {"requested": request, "votes": [bare]}),
        ("requested this change", {"requested": request, "votes": [over.vote("devops-lead", digest, "rollback")]}),
        ("may not decide", {"requested": request, "votes": [over.vote("legal-counsel", digest, "rollback")]}),
        ("it is signed for another step", _other(taken, request, digest, step="scale-up")),
        ("it is signed for another change", _other(taken, request, digest, generation=2)),
        ("it is signed for another incident", _other(taken, request, digest, incident="inc-20261123-0ther")),
        ("it is signed for another environment", _other(taken, request, digest, environment="production")),
        ("another plan", {"requested": request, "votes": [over.vote("technical-manager", "ab" * 32, "rollback")]}),
        ("it is not signed", {"requested": request, "votes": [{**bare, "break_glass": WHY}]}),
        ("another act", {"requested": request, "votes": [{**vote, "break_glass": WHY}]}),
        ("is not proven", {"requested": request, "votes": [{**vote, "by": "cto", "role": "cto"}], "added": ["cto"]}),
    ]
    for why, more in told:
        said = taken.refused("rollback", digest, **more)
        assert why in said or "may not decide yet" in said, (why, said)
    claim = over.claims("technical-manager", Act.APPROVE, digest, "rollback", 1)
    stolen = {**bare, "proof": over.signed(claim, by="legal-counsel")}
    assert "the key is not technical-manager's" in taken.refused("rollback", digest, requested=request, votes=[stolen])
    glass = over.claims("security-lead", Act.BREAK_GLASS, of_break_glass("ab" * 32, WHY), "rollback", 1)
    broken = {"by": "security-lead", "role": "security-lead", "proof": over.signed(glass), "break_glass": WHY}
    assert "another plan" in taken.refused("rollback", digest, requested=request, votes=[broken])
    assert snapshot(over.house, "") == world
    asked = taken.asked("rollback", requested=request, digest=digest, votes=[vote])
    done = over.does("remediate", "ecs.rollback_service.apply", asked, taken.of("rollback"))
    assert done["answer"]["outcome"] == "applied"
    assert len(taken.portal.deployed()) == len(before) + 1
    stands = taken.portal.deployed(), taken.portal.desired()
    again = taken.planned("rollback", 2)["digest"]
    said = taken.refused("rollback", again, 2, requested=request, votes=[vote])
    assert "is not proven" in said or "was used for another change" in said
    grown = taken.planned("scale-up")["digest"]
    for who in ("nobody", "orchestrator", "devops-lead"):
        assert taken.refused("scale-up", grown, requested_by=who, votes=[])
    assert (taken.portal.deployed(), taken.portal.desired()) == stands


def _other(taken: Taken, request: dict[str, Any], digest: str, **claimed: Any) -> dict[str, Any]:
    """A true vote of who may, about something else."""
    vote = taken.over.vote("technical-manager", digest, "rollback", **claimed)
    return {"requested": request, "votes": [vote]}


def test_nothing_that_counts_goes_on_record_that_nobody_said(taken: Taken) -> None:
    """An end, a mitigation: refused without the signature of whoever it names, and nothing of them stands there."""
    over, entries = taken.over, taken.record
    well = {"summary": "all is well"}
    said: list[tuple[Event, dict[str, Any]]] = [
        (Mitigated(reason="all is well"), {"command": "mitigated", "given": well}),
        (Closed(), {"command": "close"}),
    ]
    for event, cause in said:
        chain = Timeline(dropped=len(entries), base=entries[-1].hash)
        entry = chain.record(entries[-1].at, "devops-lead", event, cause)
        call = {"incident": over.incident, "environment": over.where, "epoch": 1, "entries": [entry]}
        asked = {**call, "entries": [entry.model_dump(mode="json")]}
        assert "is not proven" in over.refused("forensics", "ledger.append", asked)


def test_nobody_but_contacts_is_paged(taken: Taken) -> None:
    over = taken.over
    page = {"about": taken.about, "page_id": f"{over.incident}/page/99", "message": "page", "reason": "r", "ask": "a"}
    assert over.refused("notify", "people.page", {**page, "to": "+61491570999", "role": "cto"})
