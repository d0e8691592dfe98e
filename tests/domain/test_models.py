"""What models refuse, what a plan's digest binds, and what survives JSON."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.config.organisation import Contact, Organisation
from domain.config.runbook import Runbook
from domain.config.severity_policy import SeverityPolicy
from domain.model.declaration import Declaration
from domain.model.plan import Plan
from domain.model.records import ChangeRecord
from domain.values.durations import Duration, spoken
from domain.values.placeholders import placeholders
from tests.activities.scopes import environment
from tests.builders import T0, declaration, minutes, organisation, runbook
from tests.domain.changing import plan

DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


def changed(model: Any, path: str, value: Any) -> dict[str, Any]:
    """The JSON of a model with one value replaced; the path has keys and indexes, with dots."""
    content: dict[str, Any] = model.model_dump(mode="json", by_alias=True)
    inner: Any = content
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        inner = inner[part]
    inner[last] = value
    return content


SMS = [{"kind": "sms", "address": "+61491570006"}]
STEPS = "phases.0.steps"


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("contacts.0.channels.0.address", "0491 570 006", "no phone number in E.164"),
        ("contacts.0.channels.0", {"kind": "email", "address": "example.com"}, "no mail address"),
        ("contacts.0.channels.0.kind", "pager", "'sms', 'voice' or 'email'"),
        ("contacts.0.channels.0", {"kind": "voice", "address": "0491 570 006"}, "no phone number in E.164"),
        ("contacts.0.channels", [], "at least 1 item"),
        ("contacts.0.roles", [], "at least 1 item"),
        ("contacts.1.id", "devops-lead", "contacts[1].id: id 'devops-lead' stands at contacts[0].id already"),
        ("externals.0.id", "cto", "externals[0].id: id 'cto' stands at contacts["),
        ("chain", [], "at least 1 item"),
        ("chain", ["technical-manager", "chair"], "chain[1]: unknown role 'chair'; known: "),
        ("unheard_of", 1, "Extra inputs are not permitted"),
        ("severities", {}, "no policy for P0, P1, P2, P3"),
        ("severities.P0.repage", "0m", "must be longer than nothing"),
        ("severities.P0.levels.1.unacknowledged", "40m", "cannot be engaged earlier (unacknowledged)"),
        ("severities.P0.levels.1.unmitigated", "90m", "cannot be engaged earlier (unmitigated)"),
        ("severities.P0.respond", "15", "'15' is no duration"),
        ("severities.P0.respond", 15, "15 has no unit"),
    ],
)
def test_an_organisation_refuses(path: str, value: Any, problem: str) -> None:
    """A file of people in which somebody could not be reached or engaged is refused with the reason."""
    with pytest.raises(ValidationError) as refused:
        Organisation.model_validate(changed(organisation(), path, value))
    assert problem in str(refused.value)


def test_what_is_not_urgent_calls_nobody_who_can_be_written_to() -> None:
    """A reminder goes by mail, else by text message, and rings somebody up only where nothing else is left."""
    channels = [
        {"kind": "voice", "address": "+61491570006"},
        *SMS,
        {"kind": "email", "address": "lead@example.com"},
    ]
    contact = Contact.model_validate({"id": "lead", "roles": ["devops-lead"], "channels": channels})
    assert [one.kind for one in contact.mail_first()] == ["email", "sms", "voice"]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("account", "12345", "no AWS account id of twelve digits"),
        ("kind", "laptop", "'sandbox', 'staging' or 'production'"),
        ("databases.replica.replica_of", "secondary", "unknown database 'secondary'; known: "),
        ("databases.primary.max_connections", 0, "greater than 0"),
        ("maintenance.load_balancer", "x", "unknown load balancer 'x'; "),
        ("maintenance.bucket", "x", "unknown bucket 'x'; "),
        ("web_acls.portal.log_group", "axis-waf", "its name must start aws-waf-logs-"),
        ("notifications.sms_sender", "INCIDENTDESK", "at most 11 characters"),
        ("notifications.sms_sender", "+1 202 555", "no phone number in E.164"),
        ("notifications.voice_sender", "INCIDENT", "no phone number in E.164"),
        (
            "services.backend.target_group_arn",
            "arn:aws:elasticloadbalancing:r:123456789012:targetgroup/axis-imaging-backend-production-tg/1",
            "has 34 characters; Elastic Load Balancing allows 32",
        ),
        ("unheard_of", {}, "Extra inputs are not permitted"),
    ],
)
def test_an_environment_refuses(path: str, value: Any, problem: str) -> None:
    """A file of places that AWS could not have, or that name each other wrongly, is refused with the reason."""
    with pytest.raises(ValidationError) as refused:
        Environment.model_validate(changed(environment(), path, value))
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (f"{STEPS}.0.id", "Health Check", "String should match pattern"),
        (f"{STEPS}.1.id", "health", "id 'health' stands at phases[0].steps[0].id already"),
        (f"{STEPS}.0.id", "immediate", "id 'immediate' stands at phases[0].id already"),
        (f"{STEPS}.0.task", "also a task", "exactly one of the keys probe, change, notice, task"),
        (f"{STEPS}.0", {"id": "a", "title": "neither"}, "exactly one of the keys probe, change, notice, task"),
        (f"{STEPS}.0.unheard_of", 1, "Extra inputs are not permitted"),
        (f"{STEPS}.2.suggested_by", ["rollback"], "steps[2].suggested_by[0]: unknown probe 'rollback'; "),
        (f"{STEPS}.4.approval.quorum", -1, "greater than or equal to 0"),
        (f"{STEPS}.5.due", 15, "15 has no unit"),
        (f"{STEPS}.5", {"id": "n", "notice": "a.b", "title": "t", "unless": ["x"]}, "unknown probe 'x'; known: "),
        ("phases.1.starts", "someday", "'declared', 'mitigated' or 'resolved'"),
        ("phases", [], "at least 1 item"),
        ("severities", [], "at least 1 item"),
        ("severities", ["P4"], "'P0', 'P1', 'P2' or 'P3'"),
    ],
)
def test_a_runbook_refuses(path: str, value: Any, problem: str) -> None:
    """A runbook whose steps are unclear or name what is not there is refused with the reason."""
    with pytest.raises(ValidationError) as refused:
        Runbook.model_validate(changed(runbook(), path, value))
    assert problem in str(refused.value)


def test_a_runbook_s_digest_binds_its_content() -> None:
    """Any change in a runbook changes its digest; a trip through JSON does not."""
    digest = runbook().digest()
    assert Runbook.model_validate_json(to_json(runbook())).digest() == digest
    for path, value in ((f"{STEPS}.2.with.service", "frontend"), ("version", "1.1"), ("phases.0.within", "16m")):
        assert Runbook.model_validate(changed(runbook(), path, value)).digest() != digest


OTHER: dict[str, Any] = {
    "action": "test.other",
    "target": "arn:aws:ecs:other",
    "summary": "other",
    "before": {"revision": 9},
    "after": {"revision": 6},
    "impact": "none",
    "approval_class": ApprovalClass.A1,
    "locks": (),
    "reversible": False,
    "takes_long": True,
    "moving": ("revision",),
    "context": {"cluster": "other"},
}


def test_a_plan_s_digest_binds_every_field() -> None:
    """No field of a plan can change under an approval: each has a part in the digest."""
    assert set(OTHER) | {"digest"} == set(Plan.model_fields)
    sealed = plan()
    digests = {sealed.digest}
    for field, value in OTHER.items():
        altered = sealed.model_copy(update={field: value})
        assert not altered.is_sealed(), field
        digests.add(altered.sealed().digest)
    assert len(digests) == 1 + len(OTHER)


def test_a_seal_survives_json_and_not_tampering() -> None:
    """A plan is sealed after a trip through JSON; one without a digest, or with another's, is not."""
    assert Plan.model_validate_json(to_json(plan())).is_sealed()
    assert plan().sealed() == plan()
    assert not plan().model_copy(update={"digest": ""}).is_sealed()
    assert not plan().model_copy(update={"digest": plan(summary="another").digest}).is_sealed()
    assert not plan().reversed().is_sealed()


def test_a_reversed_plan_swaps_and_keeps_the_rest() -> None:
    """An undo goes from `after` to `before` on the same target, under the same class and locks."""
    forth, back = plan(), plan().reversed().sealed()
    assert (back.before, back.after) == (forth.after, forth.before)
    same = {"action", "target", "approval_class", "locks", "reversible", "context"}
    assert back.model_dump(include=same) == forth.model_dump(include=same)
    assert back.digest != forth.digest


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("vpc-XXX", [((), "vpc-XXX")]),
        ({"a": {"b": ["fine", "YOUR_ACCOUNT"]}}, [(("a", "b", 1), "YOUR_ACCOUNT")]),
        ({"d": "[Current Date]", "c": "CHANGE_ME"}, [(("d",), "[Current Date]"), (("c",), "CHANGE_ME")]),
        ({"n": "<BUCKET NAME>", "m": "<b>bold</b>", "i": 3, "x": None}, [(("n",), "<BUCKET NAME>")]),
        ({"XXX": "a key is no value"}, []),
    ],
)
def test_placeholders_are_found_where_they_stand(value: Any, found: list[Any]) -> None:
    """Every text that nobody has filled in is named with the keys that lead to it, and nothing else is."""
    assert list(placeholders(value)) == found


@given(st.timedeltas(timedelta(0), timedelta(days=1000)))
def test_durations_survive_json(duration: timedelta) -> None:
    """A duration means the same to the next run of a workflow, to the microsecond."""
    assert DURATION.validate_json(DURATION.dump_json(duration)) == duration


@given(st.integers(0, 5000), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_durations_as_people_write_them(count: int, unit: tuple[str, int]) -> None:
    """A whole number and a unit say how long."""
    assert DURATION.validate_python(f"{count}{unit[0]}").total_seconds() == count * unit[1]


@pytest.mark.parametrize("written", ["15", "m", "1.5h", "15 m", "-5m", "15M", "1h30m", "", 15, 1.5])
def test_unclear_durations_are_refused(written: Any) -> None:
    """Without a whole number and a unit there is no duration."""
    with pytest.raises(ValidationError):
        DURATION.validate_python(written)


def test_durations_are_said_shortly() -> None:
    """A duration is said in its two greatest units, without a sign."""
    cases = {5400: "1h 30m", 45: "45s", 172800: "2d", 0: "0s", -90: "1m 30s", 90061: "1d 1h"}
    assert {seconds: spoken(timedelta(seconds=seconds)) for seconds in cases} == cases


@pytest.mark.parametrize("speed", [1, 7, 60, 3600])
def test_a_declaration_survives_json(speed: float) -> None:
    """What an incident is started with is the same for the workflow that reads it, policies at speed included."""
    declared = declaration(speed=speed)
    read = Declaration.model_validate_json(to_json(declared))
    assert read == declared
    for severity in declared.organisation.severities:
        policy = read.policy(severity)
        assert policy == declared.policy(severity)
        assert SeverityPolicy.model_validate_json(to_json(policy)) == policy


def test_speed_divides_every_duration() -> None:
    """At speed 60 each minute of a policy is a second."""
    slow, fast = declaration().policy(declaration().severity), declaration(speed=60).policy(declaration().severity)
    assert fast.respond * 60 == slow.respond == minutes(15)
    assert fast.update is not None
    assert slow.update is not None
    assert fast.update * 60 == slow.update
    assert [level.unmitigated for level in fast.levels] == [minutes(0), minutes(0.5), minutes(1)]


def test_a_change_record_is_written_as_the_contract_says() -> None:
    """The class of a change is `class` in JSON, and both spellings are read."""
    record = ChangeRecord(
        step="rollback",
        generation=1,
        workflow_id="w",
        action="a",
        requested_by="cto",
        requested_at=T0,
        approval_class=ApprovalClass.A2,
    )
    assert record.model_dump(by_alias=True)["class"] == "A2"
    assert ChangeRecord.model_validate_json(to_json(record)) == record
    assert ChangeRecord.model_validate_json(record.model_dump_json(by_alias=False)) == record
