"""What counts as a record of what people do: its event's key, in each format, and in whatever case it is written."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.aws.identity.logs_data_access import DataAccess, DataAccessParams
from activities.aws.identity.logs_failed_sign_ins import FailedSignIns, FailedSignInsParams
from activities.aws.identity.logs_privilege_escalation import PrivilegeEscalation, PrivilegeEscalationParams
from domain.model.calls import Scope
from domain.model.finding import Finding, FindingStatus
from tests.activities.log_worlds import Said, guesses, log_of, record
from tests.activities.scopes import NOW, environment, scope

DOTTED = {"format": "json", "level_if_absent": "info", "keys": {"event": "event.action"}}
LOGFMT = {"format": "logfmt", "keys": {"event": "action"}}
TRACEBACK = {"format": "python-traceback"}
_RECORD = {"event": {"action": "AUTHENTICATION"}}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("activities.aws.shared.logs_insights.time.sleep", lambda _seconds: None)
    with mock_aws():
        yield


@pytest.fixture(params=[False, True], ids=["small", "busy"])
def busy(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def logged(*formats: dict[str, Any]) -> Scope:
    backend = environment().services["backend"].model_dump() | {"log_formats": formats}
    return scope(environment=environment(services={"backend": backend}))


def escalated(where: Scope, *lines: str, busy: bool) -> Finding:
    said: list[Said] = [(5.0, line) for line in lines]
    params = PrivilegeEscalationParams(service="backend")
    return PrivilegeEscalation(log_of(*said, busy=busy)).observe(where, params, NOW)


@pytest.mark.parametrize(
    ("declared", "line", "records"),
    [
        ([DOTTED, TRACEBACK], json.dumps(_RECORD), 1),
        ([DOTTED, LOGFMT], json.dumps(_RECORD), 1),
        ([DOTTED, LOGFMT], "level=info action=AUTHENTICATION", 1),
        ([DOTTED | {"inside": "log"}, TRACEBACK], json.dumps({"log": json.dumps(_RECORD)}), 1),
        ([DOTTED], json.dumps({"msg": "transaction kept"}), 0),
        ([DOTTED], json.dumps({"transaction": "kept"}), 0),
        ([LOGFMT], "level=info transaction=kept", 0),
    ],
)
def test_only_an_events_key_makes_a_record(declared: Any, line: str, records: int, busy: bool) -> None:
    """A word that the key is part of shows no record of what people do; nor need every format have the same key."""
    finding = escalated(logged(*declared), line, busy=busy)
    assert finding.facts["records"] == records
    assert finding.status is (FindingStatus.OK if records else FindingStatus.UNKNOWN)


@pytest.mark.parametrize("name", ["privilege_escalation", "Privilege_Escalation"])
def test_an_event_is_known_in_any_case(name: str, busy: bool) -> None:
    """Some applications write their constants small."""
    line = record(5, name, success=True)[1]
    assert escalated(scope(), line, busy=busy).facts["granted"] == 1


def test_sign_ins_and_reads_are_known_in_any_case(busy: bool) -> None:
    """A takeover and what it read."""
    lines = [*guesses(10, eventType="authentication"), record(9, "authentication", success=True)]
    read = record(5, "data_access", success=True, resourceId="s1")
    finding = DataAccess(log_of(*lines, read, busy=busy)).observe(scope(), DataAccessParams(service="backend"), NOW)
    assert (finding.status, finding.facts["reads"]) == (FindingStatus.SUSPECT, 1)


@pytest.mark.parametrize(("address", "told"), [("::ffff:198.51.100.61", ["198.51.100.61"]), ("::ffff:10.0.0.7", [])])
def test_an_ipv4_address_is_one_however_it_is_written(address: str, told: list[str]) -> None:
    """A server of both families maps it: our own stays ours, and a web ACL blocks what is named."""
    where = scope(environment=environment(protected={"addresses": ["10.0.0.0/8"]}))
    params = FailedSignInsParams(service="backend")
    finding = FailedSignIns(log_of(*guesses(12, address=address))).observe(where, params, NOW)
    assert finding.facts["suspects"] == told
