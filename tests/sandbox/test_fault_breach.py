"""The probes recognise the sandbox's breach, and the runbook's containment works in its account."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from activities.aws.ecs.ecs_stop_service import StopService
from activities.aws.network.network_isolate import IsolateNetwork
from activities.aws.network.wafv2_block_addresses import BlockAddresses
from activities.aws.network.wafv2_requests import Requests, RequestsParams
from domain.config.environment import Environment
from domain.config.runbook import ChangeStep, NoticeStep, ObligationStep, ProbeStep, Runbook, TaskStep
from domain.model.calls import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.severity import Severity
from sandbox.faults.breach import ATTACKER
from sandbox.faults.inject import FAULTS
from sandbox.runtime.aws_world import World
from starters.files.loading import load_obligations, load_runbook
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.shipped import shipped_folder
from tests.sandbox.worlds import other, rollouts_finish


class Hands:
    """The clients of an action, in the sandbox's account."""

    def __init__(self, world: World) -> None:
        self.client = self.once = world.client


def scope(world: World) -> Scope:
    return Scope(
        incident="inc-20261123-7f3k",
        type="data-breach",
        title="Studies are downloaded in bulk",
        severity=Severity.P0,
        mode="live",
        declared_at=datetime.now(UTC),
        environment=world.environment,
    )


@pytest.fixture
def book() -> Runbook:
    return breach()


@cache
def breach() -> Runbook:
    folder = shipped_folder()
    return load_runbook(folder, "data-breach", load_organisation(folder), load_environment(folder, "sandbox"))


def seen(world: World, book: Runbook) -> Finding:
    step = book.step("web-requests")
    assert isinstance(step, ProbeStep)
    params = RequestsParams.model_validate(step.params)
    return Requests(Hands(world)).observe(scope(world), params, datetime.now(UTC) + timedelta(seconds=1))


def test_the_probe_finds_the_attacker_alone(world: World, book: Runbook) -> None:
    """Without the fault no address stands out; with it one does, blocked at first and let through ever since."""
    assert seen(world, book).status is FindingStatus.OK
    said = FAULTS["breach-exfiltration"](world)
    finding = seen(world, book)
    assert finding.facts["suspects"] == [ATTACKER]
    first = finding.facts["by_address"][0]
    assert first["blocked"] > 0
    assert first["matching"] >= 1000
    assert f"{first['matching']} studies" in said


def test_lines_are_as_aws_waf_writes_them(world: World) -> None:
    """Each line is JSON with the fields of the WAF developer guide that a reader may rely on."""
    FAULTS["breach-exfiltration"](world)
    acl = world.environment.web_acls["portal"]
    events = world.client("logs").filter_log_events(logGroupName=acl.log_group, filterPattern=ATTACKER)["events"]
    record = json.loads(events[0]["message"])
    assert record["formatVersion"] == 1
    assert record["webaclId"].startswith("arn:aws:wafv2:")
    assert {record["action"] for record in (json.loads(one["message"]) for one in events)} <= {"ALLOW", "BLOCK"}
    assert record["timestamp"] == events[0]["timestamp"]
    wanted = {"clientIp", "country", "headers", "uri", "args", "httpVersion", "httpMethod", "requestId"}
    assert wanted <= record["httpRequest"].keys()


def test_the_audit_bucket_grows(world: World) -> None:
    """The trail's objects have CloudTrail's keys, and later ones are larger."""
    bucket = world.environment.buckets["audit-logs"]
    before = _objects(world, bucket)
    FAULTS["breach-exfiltration"](world)
    new = sorted(key for key in _objects(world, bucket).keys() - before.keys() if key.startswith("AWSLogs/"))
    assert len(new) >= 5
    assert all("/CloudTrail/" in key and key.endswith(".json.gz") for key in new)
    bodies = [world.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in new]
    records = [len(json.loads(gzip.decompress(body))["Records"]) for body in bodies]
    assert records == sorted(records)
    assert len(set(records)) == len(records)


def _objects(world: World, bucket: str) -> dict[str, Any]:
    pages = world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {one["Key"]: one for page in pages for one in page.get("Contents", [])}


def test_another_organisation_can_be_breached_too(seeded: Callable[[Environment], World]) -> None:
    """Without a web ACL or an audit bucket there is still an application that logs."""
    assert ATTACKER in FAULTS["breach-exfiltration"](seeded(other(web_acls={})))


@pytest.mark.parametrize(
    ("step", "change"),
    [("block-addresses", BlockAddresses), ("isolate-network", IsolateNetwork), ("stop-services", StopService)],
)
def test_containment_works_as_the_runbook_asks_for_it(world: World, book: Runbook, step: str, change: Any) -> None:
    """With the runbook's own parameters: planned, applied, verified, undone, verified."""
    offered = book.step(step)
    assert isinstance(offered, ChangeStep)
    asked = {"addresses": [ATTACKER]} if "addresses" in offered.ask else {}
    action, where = change(Hands(world)), scope(world)
    plan = action.plan(where, action.params.model_validate({**offered.params, **asked}))
    for way in (plan, plan.reversed()):
        action.act(where, way)
        rollouts_finish()
        assert action.verify(where, way).done
        assert action.read(where, way) == way.after


def test_nothing_is_told_outside_by_itself(book: Runbook) -> None:
    """No notice is sent by itself, not even to the status page: what is said of a breach is for people to decide."""
    assert not [step for step in book.steps() if isinstance(step, NoticeStep)]


def test_people_who_must_know_are_paged_at_once(book: Runbook) -> None:
    """The Privacy Officer, Legal and the CTO; the CEO when health information is confirmed."""
    assert set(book.page_at_once) == {"cto", "privacy-officer", "legal-counsel"}
    assert book.page_at_once_with_phi == ("ceo",)
    assert book.on_call[0] == "security-lead"
    assert book.severities == (Severity.P0,)


def test_evidence_begins_before_anything_is_cut(book: Runbook) -> None:
    """Isolating and stopping wait for both evidence steps, which start by themselves."""
    changes = {step.id: step for step in book.steps() if isinstance(step, ChangeStep)}
    evidence = {name for name, step in changes.items() if step.evidence}
    assert evidence == {"snapshot-database", "preserve-logs"}
    for name in ("isolate-network", "stop-services"):
        assert set(changes[name].evidence_first) == evidence


def test_every_item_of_the_section_has_an_owner_and_a_due_time(book: Runbook) -> None:
    """The checklists of the runbook, each item a task of somebody, by some time."""
    tasks = {step.id: step for step in book.steps() if isinstance(step, TaskStep)}
    listed = {
        *("identify-scope", "attack-vector", "data-types", "affected-records", "document-timeline"),
        *("preserve-evidence", "incident-report-form", "privacy-commissioner", "patient-letters"),
        *("document-remediation", "post-incident-review"),
    }
    assert listed <= tasks.keys()
    assert all(tasks[name].due or tasks[name].due_business_days for name in listed)
    assert all(tasks[name].required for name in listed)
    organisation = load_organisation(shipped_folder())
    owed = load_obligations(shipped_folder(), organisation)
    named = {step.id: owed.obligation(step.obligation) for step in book.steps() if isinstance(step, ObligationStep)}
    due = {name: duty.due.within for name, duty in named.items() if duty is not None}
    assert due["notify-legal-counsel"] == timedelta(minutes=15)
    assert due["oaic-statement"] == due["notify-patients"] == timedelta(hours=72)
    assert due["assess-breach"] == timedelta(days=30)
    assert {duty.id for duty in named.values() if duty} == {duty.id for duty in owed.obligations}
