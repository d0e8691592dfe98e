import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.action import ProbeAction
from activities.aws.identity.cloudtrail_privilege_changes import PrivilegeChanges, PrivilegeChangesParams
from activities.aws.identity.logs_data_access import DataAccess, DataAccessParams
from activities.aws.identity.logs_failed_sign_ins import FailedSignIns, FailedSignInsParams
from activities.aws.identity.logs_privilege_escalation import PrivilegeEscalation, PrivilegeEscalationParams
from activities.aws.shared.error_mapping import kind_of
from domain.config.environment import Protected
from domain.model.finding import FindingStatus
from domain.values.errors import ErrorKind
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, environment, scope

BAD, HOME = "198.51.100.61", "192.0.2.44"
VICTIM = "someone@example.com"
LOG_PROBES: list[tuple[type[ProbeAction[Any]], Any]] = [
    (FailedSignIns, FailedSignInsParams(service="backend")),
    (PrivilegeEscalation, PrivilegeEscalationParams(service="backend")),
    (DataAccess, DataAccessParams(service="backend")),
]


def line(minutes_ago: float, event: str = "AUTHENTICATION", address: str = BAD, **more: Any) -> dict[str, Any]:
    words = {"eventType": event, "success": False, "sourceIp": address, "userId": VICTIM, **more}
    when = NOW - timedelta(minutes=minutes_ago)
    return {"timestamp": int(when.timestamp() * 1000), "message": json.dumps(words), "logStreamName": "a"}


def logs(*lines: dict[str, Any], token: str | None = None) -> Stubbed:
    aws = Stubbed("logs")
    aws.answer("filter_log_events", {"events": list(lines), **({"nextToken": token} if token else {})})
    return aws


def guesses(count: int, **more: Any) -> list[dict[str, Any]]:
    return [line(30 - number / 10, **more) for number in range(count)]


def signed(aws: Stubbed, **params: Any) -> Any:
    return FailedSignIns(aws).observe(scope(), FailedSignInsParams(service="backend", **params), NOW)


def test_a_success_after_an_addresses_failures_is_a_takeover() -> None:
    """What the runbook's list of failures leaves out: that one of the guesses was right."""
    finding = signed(logs(line(5, success=True, role="patient"), *guesses(10)), known_roles=("patient",))
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["failures"], finding.facts["takeovers"], finding.facts["suspects"]) == (10, 1, [BAD])
    (taken,) = finding.facts["taken_over"]
    assert (taken["address"], taken["role"], taken["at"]) == (BAD, "patient", "2026-11-23T03:25:00Z")
    assert BAD in finding.facts["query"]


def test_guesses_from_many_addresses_at_one_account_are_a_takeover_too() -> None:
    """An attacker who changes addresses is found by the account, its owner at home is not."""
    spread = [line(30 - n, address=f"198.51.100.{n}") for n in range(12)]
    theirs = signed(logs(*spread, line(5, address="198.51.100.3", success=True)))
    assert theirs.facts["takeovers"] == 1
    owner = signed(logs(*spread, line(5, address=HOME, success=True)))
    assert (owner.status, owner.facts["takeovers"]) == (FindingStatus.OK, 0)


@pytest.mark.parametrize("failures", [0, 1, 9])
def test_people_who_mistype_are_no_attack(failures: int) -> None:
    """A few failures and then a success are ordinary."""
    assert signed(logs(*guesses(failures), line(5, success=True))).status is FindingStatus.OK


def test_our_own_addresses_are_no_attackers() -> None:
    """Behind an office's address many people mistype."""
    where = environment(protected=Protected(addresses=(f"{BAD}/32",)))
    aws = logs(*guesses(20), line(5, success=True))
    finding = FailedSignIns(aws).observe(scope(environment=where), FailedSignInsParams(service="backend"), NOW)
    assert (finding.status, finding.facts["failures"]) == (FindingStatus.OK, 20)


def test_only_an_administrators_takeover_is_suspect_where_roles_are_named() -> None:
    """Severity is raised by whose account it was, not by the guessing."""
    for role, status in (("administrator", FindingStatus.SUSPECT), ("patient", FindingStatus.OK)):
        aws = logs(*guesses(20), line(5, success=True, role=role))
        assert signed(aws, roles=("administrator",)).status is status


@pytest.mark.parametrize("roles", [(), ("administrator",)])
def test_a_log_without_sign_ins_is_unknown(roles: tuple[str, ...]) -> None:
    """Nothing logged, lines that are no JSON and lines of other things do not say that all is well."""
    other = [{"timestamp": 1, "message": text} for text in ("INFO fine", "[1]", '{"eventType": "OTHER"}')]
    finding = signed(logs(*other), roles=roles)
    assert (finding.status, finding.facts["unreadable"]) == (FindingStatus.UNKNOWN, 2)


@pytest.mark.parametrize(("probe", "params"), LOG_PROBES)
def test_a_search_without_end_is_cut_and_does_not_say_that_all_is_well(
    probe: type[ProbeAction[Any]], params: Any
) -> None:
    """After 50 pages a probe stops; having found nothing, it is unknown."""
    aws = Stubbed("logs")
    for number in range(50):
        events = [line(5, success=True, address=HOME)]
        aws.answer("filter_log_events", {"events": events, "nextToken": str(number)})
    finding = probe(aws).observe(scope(), params, NOW)
    aws.all_asked()
    assert (finding.status, finding.facts["truncated"]) == (FindingStatus.UNKNOWN, True)


@pytest.mark.parametrize(("probe", "params"), LOG_PROBES)
def test_no_line_and_no_name_leaves_a_probe(probe: type[ProbeAction[Any]], params: Any) -> None:
    """Accounts and studies are pseudonyms in findings, other ones in another incident."""
    lines = [
        *guesses(10),
        line(5, success=True),
        line(4, "DATA_ACCESS", success=True, resourceId="study of someone"),
        line(4, "PRIVILEGE_ESCALATION", success=True, requestedRole="secret"),
    ]
    first, second = (
        json.dumps(probe(logs(*lines)).observe(scope(incident=name), params, NOW).model_dump(mode="json"))
        for name in ("inc-a", "inc-b")
    )
    assert "someone" not in first
    assert "secret" not in first
    if probe is not DataAccess:
        assert first != second


@pytest.mark.parametrize(("probe", "params"), LOG_PROBES)
@pytest.mark.parametrize("field", ["sourceIp", "role", "userId", "resourceId", "requestedRole"])
def test_a_name_in_any_field_stays_in_the_log(probe: type[ProbeAction[Any]], params: Any, field: str) -> None:
    """An application that writes a name where an address or a role should stand tells it to nobody through us."""
    given: dict[str, Any] = {"success": True, field: "Jo Example"}
    granted = [line(5, event, **given) for event in ("AUTHENTICATION", "PRIVILEGE_ESCALATION")]
    lines = [*guesses(10), *granted, line(4, "DATA_ACCESS", **given)]
    finding = probe(logs(*lines)).observe(scope(), params, NOW)
    assert "Jo Example" not in finding.model_dump_json()


def test_a_role_that_nobody_named_is_other() -> None:
    """Roles are told by the names that are known to be roles."""
    lines = [*guesses(10), line(5, success=True, role="janitor")]
    for named, words in (((), "other"), (("janitor",), "janitor")):
        (taken,) = signed(logs(*lines), known_roles=named).facts["taken_over"]
        assert taken["role"] == words


@pytest.mark.parametrize(("probe", "params"), LOG_PROBES)
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceNotFoundException", ErrorKind.NOT_FOUND),
        ("ServiceUnavailableException", ErrorKind.TRANSIENT),
        ("AccessDeniedException", ErrorKind.ACCESS_DENIED),
    ],
)
def test_a_broken_log_is_an_error_of_its_kind(probe: type[ProbeAction[Any]], params: Any, code: str, kind: str) -> None:
    """A log group that is gone, or denied, or not answering is no finding."""
    aws = Stubbed("logs")
    aws.stubber.add_client_error("filter_log_events", code)
    with pytest.raises(ClientError) as failed:
        probe(aws).observe(scope(), params, NOW)
    assert kind_of(failed.value) is kind


def test_reads_count_from_the_takeover_on_and_from_its_address() -> None:
    """The owner's own reads, and those before, are not the attacker's; the owner's elsewhere are counted apart."""
    aws = logs(
        *guesses(10),
        line(20, "DATA_ACCESS", success=True, resourceId="s0"),
        line(10, success=True),
        *(line(9 - number, "DATA_ACCESS", success=True, resourceId=f"s{number % 2}") for number in range(3)),
        line(3, "DATA_ACCESS", address=HOME, success=True, resourceId="s9"),
        line(2, "DATA_ACCESS", success=False, resourceId="refused"),
    )
    finding = DataAccess(aws).observe(scope(), DataAccessParams(service="backend"), NOW)
    assert finding.status is FindingStatus.SUSPECT
    words = {name: finding.facts[name] for name in ("reads", "studies", "addresses", "first_at")}
    assert words == {"reads": 3, "studies": 2, "addresses": [BAD], "first_at": "2026-11-23T03:21:00Z"}
    assert finding.facts["reads_of_taken_accounts_elsewhere"] == 1


@pytest.mark.parametrize(
    ("success", "confirmed", "status"),
    [(True, True, "suspect"), (None, True, "suspect"), (False, True, "ok"), (False, False, "suspect")],
)
def test_refused_escalations_are_attempts_and_no_more(success: bool | None, confirmed: bool, status: str) -> None:
    """One that was refused is suspect, but confirms nothing; one that does not say counts as granted."""
    aws = logs(line(5, "PRIVILEGE_ESCALATION", success=success))
    params = PrivilegeEscalationParams(service="backend", confirmed=confirmed)
    assert PrivilegeEscalation(aws).observe(scope(), params, NOW).status == status


class Trail(Stubbed):
    """CloudTrail's clients of the one region in which IAM's events are."""

    def client(self, service: str) -> Any:
        assert service == "cloudtrail@us-east-1"
        return super().client("cloudtrail")


def changed(
    name: str = "CreateAccessKey",
    arn: str = "arn:aws:iam::1:user/jane.doe",
    error: str | None = None,
    address: str = BAD,
) -> Any:
    record = {"userIdentity": {"type": "IAMUser", "arn": arn}, "sourceIPAddress": address, "errorCode": error}
    return {"EventId": "e", "EventName": name, "EventTime": NOW, "CloudTrailEvent": json.dumps(record)}


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the probe waited between pages; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr("activities.aws.shared.pages.time.sleep", waited.append)
    return waited


def test_every_page_of_iam_events_is_read_at_two_a_second(paces: list[float]) -> None:
    """CloudTrail throttles faster readers; empty pages are read past."""
    aws = Trail("cloudtrail")
    asked = {
        "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": "iam.amazonaws.com"}],
        "StartTime": NOW - timedelta(hours=2),
        "EndTime": NOW,
        "MaxResults": 50,
    }
    aws.answer("lookup_events", {"Events": [changed("ListUsers")], "NextToken": "1"}, asked)
    aws.answer("lookup_events", {"Events": [], "NextToken": "2"}, asked | {"NextToken": "1"})
    aws.answer("lookup_events", {"Events": [changed(), changed(error="AccessDenied")]}, asked | {"NextToken": "2"})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    aws.all_asked()
    assert paces == [0.5, 0.5]
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["changes"], finding.facts["refused"]) == (1, 1)
    assert "jane" not in json.dumps(finding.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("event", "expected"),
    [(changed(arn="arn:aws:iam::1:role/release"), ("arn:aws:iam::*:role/release",)), (changed(error="Denied"), ())],
)
def test_expected_and_refused_changes_are_not_suspect(event: Any, expected: tuple[str, ...]) -> None:
    """The delivery pipeline's own changes raise no alarm, and what AWS refused did not happen."""
    aws = Trail("cloudtrail")
    aws.answer("lookup_events", {"Events": [event]})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(expected=expected), NOW)
    assert finding.status is FindingStatus.OK


@pytest.mark.parametrize(
    ("address", "words"),
    [(BAD, BAD), ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"), ("Jo Example's laptop", None)],
)
def test_where_a_change_came_from_is_an_address_or_a_service(address: str, words: str | None) -> None:
    """Whatever else stands there is not told."""
    aws = Trail("cloudtrail")
    aws.answer("lookup_events", {"Events": [changed(address=address)]})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    assert finding.facts["events"][0]["address"] == words


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ThrottlingException", ErrorKind.TRANSIENT), ("InvalidTimeRangeException", ErrorKind.INVALID_REQUEST)],
)
def test_a_trail_that_does_not_answer_is_an_error_of_its_kind(code: str, kind: str) -> None:
    """The event history throttled, or asked wrongly, is no finding."""
    aws = Trail("cloudtrail")
    for _ in range(3):
        aws.stubber.add_client_error("lookup_events", code)
    with pytest.raises(ClientError) as failed:
        PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    assert kind_of(failed.value) is kind


def test_the_search_for_iam_events_ends(paces: list[float]) -> None:
    """After 40 pages the probe stops within its time and says that there is more."""
    aws = Trail("cloudtrail")
    for number in range(40):
        aws.answer("lookup_events", {"Events": [], "NextToken": str(number)})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    assert (finding.status, finding.facts["truncated"]) == (FindingStatus.UNKNOWN, True)
    assert sum(paces) < 30


def test_windows_end_when_the_workflow_says() -> None:
    """A retry looks at the same window."""
    aws = Stubbed("logs")
    start, end = (int(moment.timestamp() * 1000) for moment in (NOW - timedelta(hours=2), NOW))
    pattern = '{ ($.eventType = "AUTHENTICATION") || ($.eventType = "DATA_ACCESS") }'
    ask = {"logGroupName": "/ecs/axis-backend", "filterPattern": pattern, "startTime": start, "endTime": end}
    aws.answer("filter_log_events", {"events": []}, ask | {"startFromHead": False})
    finding = DataAccess(aws).observe(scope(), DataAccessParams(service="backend"), NOW)
    aws.all_asked()
    assert datetime.fromisoformat(finding.facts["to"]) == NOW
