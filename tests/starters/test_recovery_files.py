"""Where snapshots are restored stands in the environment's file, and the recovery test is made from it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.config.runbook import ChangeStep, TaskStep
from domain.model.scheduled import ScheduledCall, ScheduledRun
from starters.files.made_recovery import recovery_test
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.problems import InvalidFile
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from tests.organisations.folders import HARBOUR, written

ENVIRONMENT = "environments/docks.yaml"
PLACE: dict[str, Any] = {
    "sources": {"berths": "arn:aws:rds:eu-north-1:111122223333:db:berths-live"},
    "subnet_group": "copies",
    "security_group": "sg-0a1b2c3d4e5f60999",
    "kms_key": "alias/copies",
    "instance_class": "db.r6g.large",
    "count_function": "count-berths",
}
NOW = datetime(2026, 11, 11, 9, 0, tzinfo=UTC)


def lines(tmp_path: Path, kind: str = "staging", security_groups: Any = None, **place: Any) -> list[str]:
    """What lint says of a file with this place, by line and field."""
    folder = written(tmp_path, {})
    file = folder / ENVIRONMENT
    given = yaml.safe_load(file.read_text(encoding="utf-8")) | {"kind": kind, "recovery": PLACE | place}
    given |= {"security_groups": security_groups} if security_groups else {}
    file.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    try:
        load_environment(folder, "docks")
    except InvalidFile as refused:
        told = [str(one).removeprefix(f"{file}:").partition(": ")[2] for one in refused.problems]
        return [line for line in told if line.startswith("recovery")]
    return []


def _region() -> str:
    return load_environment(HARBOUR, "docks").region


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, None),
        ({"kind": "production"}, "recovery: nothing is restored in production"),
        ({"kms_key": "alias/aws/rds"}, "recovery.kms_key: alias/aws/rds is AWS's own key"),
        ({"sources": {"berths": "berths-live"}}, "recovery.sources.berths: 'berths-live' is no ARN of an RDS instance"),
        (
            {"sources": {"berths": "arn:aws:rds:us-west-1:111122223333:db:berths-live"}},
            "recovery.sources.berths: berths is in us-west-1, and snapshots are restored in",
        ),
        ({"sources": {}}, "recovery.sources: "),
        ({"instance_class": "large"}, "recovery.instance_class: "),
    ],
)
def test_a_place_that_cannot_be_is_told_with_its_field(tmp_path: Path, given: dict[str, Any], said: str | None) -> None:
    """Never in production, never with AWS's own key, only from where snapshots can come."""
    sources = {"berths": PLACE["sources"]["berths"].replace("eu-north-1", _region())}
    told = lines(tmp_path, **{"sources": sources, **given})
    assert len(told) == (said is not None)
    assert all(line.startswith(said or "") for line in told)


def test_the_application_s_own_group_isolates_nothing(tmp_path: Path) -> None:
    """What the services are behind is where they are reached, and reach what is restored."""
    group = PLACE["security_group"]
    sources = {"berths": PLACE["sources"]["berths"].replace("eu-north-1", _region())}
    (told,) = lines(tmp_path, security_groups={"application": group}, sources=sources)
    assert told == f"recovery.security_group: {group} is application's own group; name one that isolates"


def run(environment: str) -> Any:
    asked = ScheduledRun(schedule="recovery-test", environment=environment, declares="recovery-test")
    return declared(shipped_folder(), ScheduledCall(run=asked, at=NOW, now=NOW))


def test_each_source_is_restored_and_removed() -> None:
    """By a change that people approve, against the organisation's targets; the owner signs off with a note."""
    made = run("sandbox")
    steps = made.runbook.steps()
    restore, *_ = [step for step in steps if isinstance(step, ChangeStep)]
    assert restore.change == "rds.restore_test"
    assert restore.params == {"database": "primary", "point": "3600s", "time": "14400s"}
    tasks = {step.id: step for step in steps if isinstance(step, TaskStep)}
    assert tasks["remove-primary"].until_undone == restore.id
    assert tasks["ask-primary"].key == "recovery:sandbox:primary"
    assert tasks["sign-off"].noted
    assert (made.mode, made.environment.recovery is None) == ("upkeep", False)
    assert tasks["remove-primary"].due == timedelta(days=1)


def test_a_replica_is_promoted_and_made_anew() -> None:
    """Whoever asks says that it is a rehearsal; the way back is asked for at once, and ends by nothing but itself."""
    steps = run("sandbox").runbook.steps()
    _, promote, renew = [step for step in steps if isinstance(step, ChangeStep)]
    assert (promote.id, promote.change) == ("promote-replica", "rds.promote_replica")
    assert (promote.params, promote.ask) == ({"replica": "replica", "endpoint": "primary"}, ("primary_is_lost",))
    assert (renew.id, renew.change) == ("renew-replica", "rds.renew_replica")
    assert renew.params == {"replica": "replica", "endpoint": "primary", "time": "14400s"}
    tasks = {step.id: step for step in steps if isinstance(step, TaskStep)}
    assert tasks["ask-promote-replica"].key == "recovery:sandbox:promote-replica"
    back = tasks["put-back-replica"]
    assert (back.until_undone, back.undone_by, back.due) == (promote.id, renew.id, timedelta(days=1))


@pytest.mark.parametrize("lacking", ["database_endpoints", "security_groups", "databases"])
def test_what_cannot_be_promoted_is_not_rehearsed(lacking: str, tmp_path: Path) -> None:
    """Nothing leads to its primary, no group fences that, or there is none; restores are tried all the same."""
    folder = tmp_path / "axis-imaging"
    shutil.copytree(shipped_folder(), folder)
    file = folder / "environments" / "sandbox.yaml"
    given = yaml.safe_load(file.read_text(encoding="utf-8"))
    given[lacking] = {"primary": given[lacking]["primary"]} if lacking == "databases" else {}
    file.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    organisation, where = load_organisation(folder), load_environment(folder, "sandbox")
    steps = recovery_test(folder, organisation, where, "maintenance").steps()
    assert [step.change for step in steps if isinstance(step, ChangeStep)] == ["rds.restore_test"]


def test_without_a_place_there_is_no_test() -> None:
    """The file that lacks it is named, and what to do."""
    asked = ScheduledRun(schedule="recovery-test", environment="docks", declares="recovery-test")
    with pytest.raises(InvalidFile, match=r"docks.yaml: recovery: docks has no "):
        declared(HARBOUR, ScheduledCall(run=asked, at=NOW, now=NOW))
