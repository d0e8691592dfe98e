"""What people do, by a service's log: the same whether Logs Insights reads it or we do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from activities.action import ProbeAction
from activities.aws.identity.logs_data_access import DataAccess, DataAccessParams
from activities.aws.identity.logs_failed_sign_ins import FailedSignIns, FailedSignInsParams
from activities.aws.identity.logs_privilege_escalation import PrivilegeEscalation, PrivilegeEscalationParams
from activities.aws.shared.error_mapping import kind_of
from domain.config.environment import Environment, Protected
from domain.model.finding import Finding, FindingStatus
from domain.values.errors import ErrorKind
from tests.activities.given import Stubbed
from tests.activities.log_worlds import BAD, HOME, Said, guesses, log_of, normal, record
from tests.activities.scopes import NOW, environment, scope

LOG_PROBES: list[tuple[type[ProbeAction[Any]], Any]] = [
    (FailedSignIns, FailedSignInsParams(service="backend")),
    (PrivilegeEscalation, PrivilegeEscalationParams(service="backend")),
    (DataAccess, DataAccessParams(service="backend")),
]


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture(params=[False, True], ids=["small", "busy"])
def busy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether Logs Insights reads the log; nobody waits for it."""
    monkeypatch.setattr("activities.aws.shared.logs_insights.time.sleep", lambda _seconds: None)
    return bool(request.param)


def signed(*lines: Said, busy: bool = False, where: Environment | None = None, **params: Any) -> Finding:
    about = scope(environment=where or environment())
    return FailedSignIns(log_of(*lines, busy=busy)).observe(
        about, FailedSignInsParams(service="backend", **params), NOW
    )


def accessed(*lines: Said, busy: bool = False) -> Finding:
    return DataAccess(log_of(*lines, busy=busy)).observe(scope(), DataAccessParams(service="backend"), NOW)


def test_a_success_after_an_addresses_failures_is_a_takeover(busy: bool) -> None:
    """What the runbook's list of failures leaves out: that one of the guesses was right."""
    lines = [record(5, success=True, role="patient"), *guesses(10)]
    finding = signed(*lines, busy=busy, known_roles=("patient",))
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["failures"], finding.facts["takeovers"], finding.facts["suspects"]) == (10, 1, [BAD])
    (taken,) = finding.facts["taken_over"]
    assert (taken["address"], taken["role"], taken["at"]) == (BAD, "patient", "2026-11-23T03:25:00Z")
    assert BAD in finding.facts["query"]
    assert (finding.facts["lines"], finding.facts["formats"], finding.facts["unread"]) == (11, {"json": 11}, 0)
    assert (finding.facts["bytes_scanned"] is not None) is busy


@pytest.mark.parametrize(("address", "takeovers"), [("198.51.100.3", 1), (HOME, 0)])
def test_guesses_from_many_addresses_at_one_account_are_a_takeover_too(address: str, takeovers: int) -> None:
    """An attacker who changes addresses is found by the account, its owner at home is not."""
    spread = [record(30 - n, address=f"198.51.100.{n}") for n in range(12)]
    assert signed(*spread, record(5, address=address, success=True)).facts["takeovers"] == takeovers


@pytest.mark.parametrize("failures", [0, 1, 9])
def test_people_who_mistype_are_no_attack(failures: int, busy: bool) -> None:
    """A few failures and then a success are ordinary."""
    assert signed(*guesses(failures), record(5, success=True), busy=busy).status is FindingStatus.OK


def test_our_own_addresses_are_no_attackers() -> None:
    """Behind an office's address many people mistype."""
    where = environment(protected=Protected(addresses=(f"{BAD}/32",)))
    finding = signed(*guesses(20), record(5, success=True), where=where)
    assert (finding.status, finding.facts["failures"]) == (FindingStatus.OK, 20)


@pytest.mark.parametrize(("role", "status"), [("administrator", FindingStatus.SUSPECT), ("patient", FindingStatus.OK)])
def test_only_an_administrators_takeover_is_suspect_where_roles_are_named(role: str, status: FindingStatus) -> None:
    """Severity is raised by whose account it was, not by the guessing."""
    found = signed(*guesses(20), record(5, success=True, role=role), roles=("administrator",))
    assert found.status is status


@pytest.mark.parametrize("roles", [(), ("administrator",)])
def test_a_log_without_sign_ins_is_unknown(roles: tuple[str, ...], busy: bool) -> None:
    """Nothing logged, lines that are no JSON and lines of other things do not say that all is well."""
    other = [(5.0, text) for text in ("INFO fine", "[1]", '{"eventType": "OTHER"}')]
    finding = signed(*other, busy=busy, roles=roles)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)
    assert "1 of its 3 lines are not understood" in finding.summary


def test_a_sign_in_that_does_not_say_how_it_ended_is_not_understood() -> None:
    """The fields that tell whose it was and whether it succeeded must be there."""
    finding = signed(record(5, success=True), record(4, success="perhaps"), record(3, address="nowhere"))
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 2)


def test_keys_and_words_are_the_applications_own() -> None:
    """A log of ECS's schema, with dotted keys, and success as a word."""
    keys = {"event": "event.action", "success": "event.outcome", "address": "source.ip", "account": "user.id"}
    declared = [{"format": "json", "level": "log.level", "keys": keys, "succeeded": ["success"], "failed": ["failure"]}]
    backend = environment().services["backend"].model_dump() | {"log_formats": declared}
    where = environment(services={"backend": backend})
    event, who = '"event":{"action":"AUTHENTICATION","outcome":"%s"}', '"source.ip":"192.0.2.9","user":{"id":7}'
    line = f'{{"log.level":"info",{event},{who}}}'
    lines = [(9.0, line % "failure")] * 10 + [(5.0, line % "success")]
    finding = signed(*lines, where=where)
    assert (finding.facts["failures"], finding.facts["takeovers"]) == (10, 1)
    succeeded = finding.facts["query"].split("@message like /")[1].split("/ |")[0]
    assert [said for said in ("success", "failure", "unsuccessful") if re.search(succeeded, line % said)] == ["success"]


@pytest.mark.parametrize(("probe", "params"), LOG_PROBES)
def test_no_line_and_no_name_leaves_a_probe(probe: type[ProbeAction[Any]], params: Any, busy: bool) -> None:
    """Accounts and studies are pseudonyms in findings, other ones in another incident."""
    lines = [
        *guesses(10),
        record(5, success=True),
        record(4, "DATA_ACCESS", success=True, resourceId="study of someone"),
        record(4, "PRIVILEGE_ESCALATION", success=True, requestedRole="secret"),
    ]
    clients = log_of(*lines, busy=busy)
    first, second = (
        probe(clients).observe(scope(incident=name), params, NOW).model_dump_json() for name in ("inc-a", "inc-b")
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
    granted = [record(5, event, **given) for event in ("AUTHENTICATION", "PRIVILEGE_ESCALATION")]
    clients = log_of(*guesses(10), *granted, record(4, "DATA_ACCESS", **given))
    assert "Jo Example" not in probe(clients).observe(scope(), params, NOW).model_dump_json()


@pytest.mark.parametrize(("named", "words"), [((), "other"), (("janitor",), "janitor")])
def test_a_role_that_nobody_named_is_other(named: tuple[str, ...], words: str) -> None:
    """Roles are told by the names that are known to be roles."""
    lines = [*guesses(10), record(5, success=True, role="janitor")]
    (taken,) = signed(*lines, known_roles=named).facts["taken_over"]
    assert taken["role"] == words


@pytest.mark.parametrize(("probe", "params"), LOG_PROBES)
@pytest.mark.parametrize("operation", ["describe_log_groups", "filter_log_events"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceNotFoundException", ErrorKind.NOT_FOUND),
        ("ServiceUnavailableException", ErrorKind.TRANSIENT),
        ("AccessDeniedException", ErrorKind.ACCESS_DENIED),
    ],
)
def test_a_broken_log_is_an_error_of_its_kind(
    probe: type[ProbeAction[Any]], params: Any, operation: str, code: str, kind: str
) -> None:
    """A log group that is gone, or denied, or not answering is no finding."""
    aws = Stubbed("logs")
    if operation == "filter_log_events":
        aws.answer("describe_log_groups", {"logGroups": []})
    aws.stubber.add_client_error(operation, code)
    with pytest.raises(ClientError) as failed:
        probe(aws).observe(scope(), params, NOW)
    assert kind_of(failed.value) is kind


def test_reads_count_from_the_takeover_on_and_from_its_address(busy: bool) -> None:
    """The owner's own reads, and those before, are not the attacker's; the owner's elsewhere are counted apart."""
    finding = accessed(
        *guesses(10),
        record(20, "DATA_ACCESS", success=True, resourceId="s0"),
        record(10, success=True),
        *(record(9 - number, "DATA_ACCESS", success=True, resourceId=f"s{number % 2}") for number in range(3)),
        record(3, "DATA_ACCESS", address=HOME, success=True, resourceId="s9"),
        record(2, "DATA_ACCESS", success=False, resourceId="refused"),
        busy=busy,
    )
    assert finding.status is FindingStatus.SUSPECT
    words = {name: finding.facts[name] for name in ("reads", "studies", "addresses", "first_at")}
    assert words == {"reads": 3, "studies": 2, "addresses": [BAD], "first_at": "2026-11-23T03:21:00Z"}
    assert (finding.facts["reads_of_taken_accounts_elsewhere"], finding.facts["reads_logged"]) == (1, 5)
    assert "1 read by taken accounts from other addresses, which may be their owners" in finding.summary


@pytest.mark.parametrize("seen", [0, 8])
def test_what_a_taken_account_reads_from_elsewhere_is_never_well(seen: int, busy: bool) -> None:
    """Guessed at one address and read from another, it is a breach; what the owner read before that is none."""
    own = record(25, "DATA_ACCESS", address=HOME, success=True, resourceId="s0")
    reads = [record(9 - n, "DATA_ACCESS", "203.0.113.9", success=True, resourceId=f"s{n}") for n in range(seen)]
    finding = accessed(*guesses(10), own, record(10, success=True), *reads, busy=busy)
    assert (finding.facts["reads"], finding.facts["reads_of_taken_accounts_elsewhere"]) == (0, seen)
    assert finding.status is (FindingStatus.SUSPECT if seen else FindingStatus.OK)
    assert ("8 reads by taken accounts from other addresses" in finding.summary) is bool(seen)


def test_that_no_study_was_read_says_how_it_is_known(busy: bool) -> None:
    """How many lines of which format, what share was understood, from when to when, and what it cannot see."""
    finding = accessed(*normal(), (20, "INFO tide read"), busy=busy)
    assert finding.status is FindingStatus.OK
    assert finding.summary == (
        "backend: no study was read by who guessed a password, by 1 reads and 1 sign-ins logged in the last 2h"
    )
    facts = finding.facts
    assert (facts["lines"], facts["formats"], facts["understood_percent"]) == (3, {"json": 2, "text": 1}, 100)
    assert (facts["first_line_at"], facts["last_line_at"]) == ("2026-11-23T03:10:00Z", "2026-11-23T03:22:00Z")
    assert any("does not log as DATA_ACCESS" in one for one in facts["cannot_see"])
    assert any("before 2026-11-23T01:30:00Z" in one for one in facts["cannot_see"])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (normal()[:1], "no read in the log"),
        (normal()[1:], "no sign-in in the log"),
        ([], "no sign-in and no read in the log"),
        ([*normal(), (5.0, "listening")], "1 of its 3 lines are not understood"),
        ([*normal(), record(5, "DATA_ACCESS", success=True)], "1 of its 3 lines are not understood"),
    ],
)
def test_what_a_breach_is_decided_on_is_never_well_unseen(lines: list[Said], words: str, busy: bool) -> None:
    """Without reads by anybody, without sign-ins, or with a line that is not understood, nobody knows."""
    finding = accessed(*lines, busy=busy)
    assert finding.status is FindingStatus.UNKNOWN
    assert words in finding.summary
    assert (any("not understood" in one for one in finding.facts["cannot_see"])) is ("not understood" in words)


@pytest.mark.parametrize(
    ("success", "confirmed", "status"),
    [(True, True, "suspect"), (None, True, "suspect"), (False, True, "ok"), (False, False, "suspect")],
)
def test_refused_escalations_are_attempts_and_no_more(
    success: bool | None, confirmed: bool, status: str, busy: bool
) -> None:
    """One that was refused is suspect, but confirms nothing; one that does not say counts as granted."""
    clients = log_of(record(5, "PRIVILEGE_ESCALATION", success=success), busy=busy)
    params = PrivilegeEscalationParams(service="backend", confirmed=confirmed)
    assert PrivilegeEscalation(clients).observe(scope(), params, NOW).status == status


@pytest.mark.parametrize(
    ("lines", "status"), [(normal(), FindingStatus.OK), ([(5.0, "INFO tide read")], FindingStatus.UNKNOWN)]
)
def test_no_escalation_is_well_only_where_people_are_logged(
    lines: list[Said], status: FindingStatus, busy: bool
) -> None:
    """Escalations are rare: that sign-ins are logged shows that one would be seen."""
    params = PrivilegeEscalationParams(service="backend")
    assert PrivilegeEscalation(log_of(*lines, busy=busy)).observe(scope(), params, NOW).status is status
