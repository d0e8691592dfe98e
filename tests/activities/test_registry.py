from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import registry
from activities.action import Clients, NoParams, ProbeAction
from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.permissions.roles import queue_of, roles
from activities.registry import Activity, activities
from activities.statuspage_client import StatusPageClient
from domain.config.runbook import NoticeStep
from domain.model.activity_io import NoticeRequest, ObserveRequest, PageRequest, ReleaseRequest
from domain.model.calls import Scope
from domain.model.finding import Finding, FindingStatus
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import NOW, environment, scope
from tests.activities.telephones import telephones
from tests.activities.world import create_table
from tests.house import FixedHouse, about, asked_by, asking, on_record, runbook_of

Todo = dict[str, dict[str, Activity]]
HOUSEKEEPING = {
    "changes.outcome",
    "changes.release",
    "drills.inject",
    "drills.withdraw",
    "ledger.append",
    "ledger.follow",
    "ledger.restorable",
    "ledger.restore",
    "proofs.witness",
    "report.store",
}


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        yield clients


@pytest.fixture
def todo(aws: RecordedAws) -> Todo:
    create_table(aws.client("dynamodb"))
    aws.calls.clear()
    given = activities(lambda _: aws, StatusPageClient("http://127.0.0.1:9", ""), FixedHouse(environment()))
    return {queue: {_name(one): one for one in each} for queue, each in given.items()}


def _name(one: Activity) -> str:
    definition = activity._Definition.must_from_callable(one)
    assert definition.name
    assert not definition.is_async
    assert len(definition.arg_types or []) == 1
    assert definition.ret_type is not None
    return definition.name


def test_every_action_is_an_activity_of_its_queue(todo: Todo) -> None:
    """Reading, changing, preserving and telling are queues apart; every action is on exactly one, by its own name."""
    evidence = {name for name, change in CHANGES.items() if change.evidence}
    expected = {
        "diagnose": {f"{name}.observe" for name in PROBES},
        "remediate": _steps(CHANGES.keys() - evidence),
        "forensics": _steps(evidence),
        "notify": {f"{name}.send" for name in NOTICES} | {"people.page", "people.page_wave", "strangers.note"},
    }
    found = {queue: {name for name in names if name not in HOUSEKEEPING} for queue, names in todo.items()}
    assert {queue: names for queue, names in found.items() if names} == {
        queue: names for queue, names in expected.items() if names
    }
    assert {"changes.release", "drills.inject", "drills.withdraw"} <= set(todo["remediate"])


def _steps(changes: Iterable[str]) -> set[str]:
    return {f"{name}.{step}" for name in changes for step in ("plan", "apply", "verify")}


@pytest.mark.parametrize("queue", ["diagnose", "remediate", "forensics", "notify"])
def test_each_role_gets_its_own_clients(aws: RecordedAws, queue: str) -> None:
    """Only the roles of the queues that a worker serves are asked for, each once; all but those that serve none are."""
    asked: list[str] = []

    def clients_for(role: str) -> Clients:
        asked.append(role)
        return aws

    create_table(aws.client("dynamodb"))
    house = FixedHouse(environment())
    given = activities(clients_for, StatusPageClient("http://127.0.0.1:9", ""), house, ("incidents", queue))
    for one in given[queue]:
        if one.__temporal_activity_definition.name == "changes.release":  # type: ignore[attr-defined]
            asked_by(f"{scope().incident}/step/1").run(
                one, ReleaseRequest(about=about(scope()), step="step", generation=1, digest="of a plan")
            )
    assert sorted(asked) == sorted(role for role in roles() if queue_of(role) == queue)
    assert list(given) == [queue]


def test_bad_parameters_are_final(todo: Todo) -> None:
    """Parameters that the action does not take fail at once, naming the parameter."""
    call = ObserveRequest(about=about(scope()), step="look", params={"colour": "red"}, at=NOW)
    error = _fails(todo["diagnose"]["elbv2.target_health.observe"], call)
    assert (error.type, error.non_retryable) == ("InvalidRequest", True)
    assert "colour" in error.message


class Talkative(ProbeAction[NoParams]):
    """Finds more than any entry could hold."""

    name = "test.talkative"

    def observe(self, scope: Scope, params: NoParams, at: datetime) -> Finding:  # noqa: ARG002
        return Finding(status=FindingStatus.SUSPECT, summary="too much", facts={"lines": ["x" * 100] * 1000})


def test_a_finding_leaves_its_probe_bounded(aws: RecordedAws) -> None:
    """What is too big for the record never reaches the workflow; that it was suspect does."""
    call = ObserveRequest(about=about(scope()), step="health", params={}, at=NOW)
    finding = asking(call).run(registry._observe(Talkative(aws), FixedHouse(environment())), call)
    assert (finding.status, finding.summary) == (FindingStatus.SUSPECT, "too much")
    assert list(finding.facts) == ["left_out"]


def test_errors_of_aws_get_their_kind(todo: Todo, aws: RecordedAws) -> None:
    """An error of AWS leaves as its kind, names the activity, and leaves behind what AWS answered."""
    aws.fail("DescribeServices", "AccessDenied")
    call = ObserveRequest(about=about(scope()), step="look", params={"service": "backend"}, at=NOW)
    error = _fails(todo["diagnose"]["elbv2.target_health.observe"], call)
    assert (error.type, error.non_retryable) == ("AccessDenied", True)
    assert error.message.startswith("elbv2.target_health.observe: ")
    assert error.__cause__ is None


def test_errors_that_have_a_kind_pass(todo: Todo, aws: RecordedAws) -> None:
    """A missing key of the status page reaches the incident as a refusal that says so."""
    told = {"id": "tell", "notice": "statuspage.investigating", "title": "Tell", "with": {}}
    runbook = runbook_of(NoticeStep.model_validate(told))
    on_record(aws, scope(), runbook)
    given = activities(
        lambda _: aws, StatusPageClient("http://127.0.0.1:9", ""), FixedHouse(environment(), None, runbook)
    )
    (tell,) = (one for one in given["notify"] if _name(one) == "statuspage.investigating.send")
    call = NoticeRequest(about=about(scope()), step="tell", params={}, sequence=1)
    error = _fails(tell, call)
    assert (error.type, error.non_retryable) == ("Refused", True)
    assert "STATUSPAGE_API_KEY" in error.message


def test_a_dry_run_tells_nobody(todo: Todo, aws: RecordedAws) -> None:
    """In a dry run no notice leaves, whatever asked for it."""
    call = NoticeRequest(about=about(scope(mode="dry-run")), step="tell", params={}, sequence=1)
    error = _fails(todo["notify"]["support.open_case.send"], call)
    assert error.type == "Refused"
    assert aws.calls == []


def test_a_page_goes_out(todo: Todo, aws: RecordedAws) -> None:
    """The page activity sends by the notify queue's clients."""
    telephones()
    call = PageRequest(
        about=about(scope()),
        page_id="p1",
        message="page",
        to="devops-lead",
        role="devops-lead",
        reason="now",
        ask="Acknowledge",
    )
    assert asking(call).run(todo["notify"]["people.page"], call).channel == "sms"
    assert len(aws.sent("SendTextMessage")) == 1


def test_nothing_to_release_is_fine(todo: Todo, aws: RecordedAws) -> None:
    """Releasing no lock succeeds, so that a change can always end by releasing."""
    call = ReleaseRequest(about=about(scope()), step="s", generation=1, digest="of a plan")
    released: Any = asked_by(f"{scope().incident}/s/1").run(todo["remediate"]["changes.release"], call)
    assert released is None
    assert [name for name, _ in aws.calls] == ["GetItem"]


def _fails(one: Activity, call: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        asking(call).run(one, call)
    return raised.value
