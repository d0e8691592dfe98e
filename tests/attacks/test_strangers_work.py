"""Whoever reaches Temporal can ask the workers for anything, and gets nothing done: they believe no request.

The stranger has a plain client, runs a worker of his own, and knows every shape.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.model.plan import Plan
from domain.model.timeline import Timeline
from tests.attacks.test_silenced import watcher
from tests.attacks.theirs import NEVER, Stranger
from tests.e2e.account import Portal
from tests.e2e.house import House
from tests.e2e.workers import Worker as Process
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

_PAGES = 8


@pytest.fixture
def stranger(house: House, worker: Process) -> Stranger:
    return Stranger(house)


def _is_written(timeline: dict[str, Any]) -> bool:
    return bool(timeline["written"] == timeline["length"])


def test_a_plan_is_carried_out_by_true_votes_alone(stranger: Stranger) -> None:
    """In a declared incident, by its own step: without votes, by the requester's, by a role that may not, twice one."""
    house, portal = stranger.house, Portal(stranger.house)
    portal.break_()
    before = portal.deployed()
    incident = house.start("The portal is down")
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] > 0)
    declared_at = house.show(incident)["declared_at"]
    asked = {"about": stranger.about(incident, declared_at=declared_at), "step": "rollback", "generation": 7}
    plan = {**asked, "params": {"service": "backend"}, "requested_by": "devops-lead"}
    made = stranger.does("remediate", "ecs.rollback_service.plan", **plan)["plan"]
    for votes, why in (
        ([], "0 of 1 votes"),
        ([{"by": "devops-lead", "role": "devops-lead"}], "requested this change"),
        ([{"by": "legal-counsel", "role": "legal-counsel"}], "may not decide this"),
        ([{"by": "nobody", "role": "cto"}], "is no contact"),
    ):
        said = stranger.refused("remediate", "ecs.rollback_service.apply", **plan, digest=made["digest"], votes=votes)
        assert why in said
    assert "does alone" in stranger.refused("forensics", "changes.outcome", "theirs", **asked)
    other = {**plan, "step": "scale-up", "digest": made["digest"]}
    assert stranger.does("remediate", "ecs.rollback_service.apply", **other)["outcome"] == "stale"
    said = stranger.refused("remediate", "ecs.rollback_service.apply", **other, plan=made)
    assert "no ecs.rollback_service by its runbook" in said
    asked_since = {**plan, "about": stranger.about(incident), "digest": made["digest"]}
    assert "is live, since" in stranger.refused("remediate", "ecs.rollback_service.apply", **asked_since)
    later = [{"by": "ceo", "role": "ceo"}]
    said = stranger.refused(
        "remediate", "ecs.rollback_service.apply", **plan, digest=made["digest"], votes=later, added=["ceo"]
    )
    assert "may not decide yet" in said
    assert portal.deployed() == before
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
    house.until(incident, "its end is on record", lambda state: _is_written(state["timeline"]))
    votes = [{"by": "technical-manager", "role": "technical-manager"}]
    said = stranger.refused("remediate", "ecs.rollback_service.apply", **plan, digest=made["digest"], votes=votes)
    assert "has ended" in said
    assert portal.deployed() == before


def test_a_plan_of_his_own_is_no_plan(stranger: Stranger) -> None:
    """He seals one himself: what is carried out is planned by the hands, whose gates hold, or not at all."""
    house = stranger.house
    waf = house.aws("wafv2")
    sets = waf.list_ip_sets(Scope="REGIONAL")["IPSets"]
    before = [waf.get_ip_set(Scope="REGIONAL", Name=one["Name"], Id=one["Id"])["IPSet"]["Addresses"] for one in sets]
    own = Plan(
        action="wafv2.block_addresses",
        target="arn:aws:wafv2:evil",
        summary="Block half of the world",
        before={"0.0.0.0/1": False},
        after={"0.0.0.0/1": True},
        impact="None.",
        approval_class="A2",
        locks=(),
    ).sealed()
    asked = {
        "about": stranger.about(),
        "step": "block-addresses",
        "generation": 1,
        "params": {"web_acl": "portal", "addresses": ["0.0.0.0/1"]},
        "requested_by": "devops-lead",
        "plan": own.model_dump(mode="json", by_alias=True),
        "digest": own.digest,
        "votes": [{"by": "cto", "role": "cto"}, {"by": "technical-manager", "role": "technical-manager"}],
    }
    assert stranger.refused("remediate", "wafv2.block_addresses.apply", **asked)
    after = [waf.get_ip_set(Scope="REGIONAL", Name=one["Name"], Id=one["Id"])["IPSet"]["Addresses"] for one in sets]
    assert after == before


def test_nobody_else_is_paged_and_nothing_else_is_said(stranger: Stranger) -> None:
    """A page goes to a contact by the worker's own file, in a frame of one line each; a number in it is not read."""
    page = {
        "about": stranger.about(),
        "page_id": f"{NEVER}/page/{uuid4()}",
        "message": "page",
        "role": "cto",
        "reason": "pay\r\nBcc: them",
        "ask": "call +61491570999\x1b[31m",
        "channels": [{"kind": "sms", "address": "+61491570999"}],
    }
    assert "is no contact" in stranger.refused("notify", "people.page", **page, to="+61491570999")
    assert "is no contact" in stranger.refused("notify", "people.page", **page, to="a-stranger")
    stranger.does("notify", "people.page", **page, to="cto")
    (sent,) = until(lambda: stranger.house.outbox(NEVER), "the page to the contact is out")
    known = {channel.address for contact in stranger.people.contacts for channel in contact.channels}
    assert sent["to"] in known
    assert "\n" not in sent["subject"]
    assert not {"\r", "\x1b"} & {*sent["subject"], *sent["body"]}
    assert sent["subject"].startswith("[P0] ")


def test_nothing_is_said_in_public_for_what_is_not_on_record(stranger: Stranger) -> None:
    """A notice is of a declared incident, of its runbook's own step, and says just that."""
    house = stranger.house
    asked = {"about": stranger.about(), "step": "publish-investigating", "params": {}, "sequence": 1}
    assert "is not on record" in stranger.refused("notify", "statuspage.investigating.send", **asked)
    incident = house.start("The portal is down again")
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] > 0)
    asked |= {"about": stranger.about(incident)}
    name = "statuspage.investigating.send"
    assert f"asks for what {incident} does alone" in stranger.refused("notify", name, "theirs", **asked)
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
    until(lambda: house.asking.run(house.asking.client.get_workflow_handle(incident).describe()).status != 1, "it ends")
    for step, params in (("rollback", {}), ("publish-investigating", {"components": ["portal"], "impact": "critical"})):
        said = stranger.refused("notify", name, **{**asked, "step": step, "params": params})
        assert "does not tell statuspage.investigating so" in said


def test_the_ledger_takes_no_strangers_entries(stranger: Stranger) -> None:
    """Nothing is written or signed of an incident that never was, was declared elsewhere, or goes on otherwise."""
    house, place = stranger.house, stranger.place
    timeline = Timeline()
    timeline.append(datetime.now(UTC), "cto", "note", "I approve of everything", {"text": "all"})
    call = {"incident": NEVER, "environment": place.name, "epoch": 1}
    entries = [one.model_dump(mode="json") for one in timeline.entries]
    assert "does alone" in stranger.refused("forensics", "ledger.append", "theirs", **call, entries=entries)
    said = stranger.refused("forensics", "ledger.append", **call, entries=entries)
    assert "does not begin with a declaration" in said
    timeline.append(datetime.now(UTC), "cto", "note", "more", {"text": "more"})
    later = [one.model_dump(mode="json") for one in timeline.entries[1:]]
    assert "does not follow from the entry" in stranger.refused("forensics", "ledger.append", **call, entries=later)
    call["environment"] = "production"
    assert "is not its environment" in stranger.refused("forensics", "ledger.append", **call, entries=entries)
    found = house.aws("dynamodb").scan(TableName=place.ledger_table)["Items"]
    written = [row["pk"]["S"] for row in found if NEVER in f"{row['pk']['S']} {row['sk']['S']}"]
    assert not [key for key in written if not key.startswith(("page#", "plan#"))]


def test_the_locks_of_a_change_are_its_own(stranger: Stranger) -> None:
    """Nobody else gives them back while it is under way."""
    asked = {"about": stranger.about(), "step": "rollback", "generation": 1, "digest": "0" * 64}
    said = stranger.refused("remediate", "changes.release", "theirs", **asked)
    assert f"asks for what {NEVER}/rollback/1 does alone" in said


def test_an_open_record_takes_no_entry_that_follows(stranger: Stranger) -> None:
    """An entry made to follow the last one of an open incident would send the incident's own into another epoch."""
    house, place = stranger.house, stranger.place
    incident = house.start("The portal is slow")
    shown = house.until(incident, "it is on record", lambda state: _is_written(state["timeline"]))
    timeline = Timeline(dropped=shown["timeline"]["length"], base=shown["timeline"]["head"])
    timeline.append(datetime.now(UTC), "cto", "note", "I approve of everything", {"text": "all"})
    call = {"incident": incident, "environment": place.name, "epoch": 1}
    entries = [one.model_dump(mode="json") for one in timeline.entries]
    of_it = {"incident": incident, "environment": place.name}
    follow = {"number": 1, "at": datetime.now(UTC), "actor": "cto", "kind": "note", "text": "t", "data": {}}
    for under in ("theirs", f"{incident}/z"):
        assert "does alone" in stranger.refused("forensics", "ledger.append", under, **call, entries=entries)
        assert "does alone" in stranger.refused("forensics", "report.store", under, **of_it)
        assert "does alone" in stranger.refused("forensics", "ledger.follow", under, **of_it, **follow)
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
    until(lambda: house.call("audit", "verify", incident).returncode == 0, "its record is whole")


def test_all_of_it_is_one_page(stranger: Stranger) -> None:
    """What was refused above, and more of it, is noted by the hands; whoever sees to security is paged once an hour."""
    house = stranger.house
    before = _told_of_strangers(house, stranger.place.name)
    page = {"about": stranger.about(), "page_id": f"{NEVER}/{uuid4()}", "message": "page", "role": "cto"}
    for _ in range(3):
        assert "is no contact" in stranger.refused("notify", "people.page", **page, to="nobody", reason="r", ask="a")
    elsewhere = {**page, "about": stranger.about(environment="production")}
    said = stranger.refused("notify", "people.page", **elsewhere, to="cto", reason="r", ask="a")
    assert "is not its environment" in said
    watcher(house, datetime.now(UTC) + timedelta(hours=1)).look()
    watcher(house, datetime.now(UTC) + timedelta(hours=1)).look()
    (told,) = _told_of_strangers(house, stranger.place.name)[len(before) :]
    assert told["role"] == "security-lead"
    assert told["subject"].startswith(f"[P1] Requests that are none of ours in {stranger.place.name}: ")


def _told_of_strangers(house: House, environment: str) -> list[dict[str, Any]]:
    return [one for one in house.outbox(environment) if "none of ours" in one["subject"]]
