"""Drift: what an environment's file names and is not there is told with its line; what was not seen is unknown."""

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError
from temporalio.testing import ActivityEnvironment

from activities.aws.shared.bearers import only_reading
from activities.aws.shared.clients import AwsClients, assumed_session, own_session
from activities.permissions.roles import PREFLIGHT
from activities.preflight.check import Check, Room
from activities.preflight.run import run
from activities.statuspage_client import StatusPageClient
from domain.model.activity_io import Mode, ObserveRequest
from domain.model.finding import Finding, FindingStatus
from sandbox.aws.sms_voice import sms_voice_backends
from sandbox.runtime.aws_world import World
from starters.files.organisation_folder import load_environment
from starters.files.shipped import shipped_folder
from tests.activities.scopes import scope
from tests.aws import aws_clients
from tests.builders import T0
from tests.house import about
from tests.sandbox.preflight_rooms import KEY, room_of, served
from worker import folder_activities
from worker.folder import Folder

ROLE = "arn:aws:iam::123456789012:role/incident-sandbox-preflight"


def folder(tmp: Path) -> Folder:
    """The shipped folder, with a health endpoint that answers."""
    shutil.copytree(shipped_folder(), tmp, dirs_exist_ok=True)
    file = tmp / "environments" / "sandbox.yaml"
    text = file.read_text(encoding="utf-8")
    url = load_environment(tmp, "sandbox").health["api"].url
    file.write_text(text.replace(url, f"{served()}/health"), encoding="utf-8")
    return Folder(tmp, "sandbox")


def found(world: World, clients: Any = None, mode: Mode = "upkeep") -> Finding:
    """What the worker's probe says, under clients that are asked for by the role of preflight alone."""
    environment = world.environment
    roles: list[str] = []

    def clients_for(role: str) -> Any:
        roles.append(role)
        return clients or aws_clients(environment.region)

    with TemporaryDirectory() as tmp:
        made: dict[str, Callable[..., Any]] = {
            getattr(one, "__temporal_activity_definition").name: one
            for one in folder_activities.of_diagnose(folder(Path(tmp)), clients_for, StatusPageClient(served(), KEY))
        }
        call = ObserveRequest(about=about(scope(environment=environment, mode=mode)), step="drift", params={}, at=T0)
        finding: Finding = ActivityEnvironment().run(made["environment.drift.observe"], call)
    assert roles == [PREFLIGHT]
    return finding


def line(file: str, text: str) -> str:
    lines = (shipped_folder() / file).read_text(encoding="utf-8").splitlines()
    return f"{file}:{next(number for number, one in enumerate(lines, start=1) if text in one)}"


def test_nothing_is_wrong_in_a_seeded_account(world: World) -> None:
    """Everything that the file names is there."""
    finding = found(world)
    assert (finding.status, finding.wrong, finding.facts["unread"]) == (FindingStatus.OK, {}, 0)


def test_a_dry_run_looks_at_as_much(world: World) -> None:
    """No check needs more than to read, in whichever thread it looks; one that would is held back."""
    finding = found(world, mode="dry-run")
    assert (finding.status, finding.wrong, finding.facts["unread"]) == (FindingStatus.OK, {}, 0)
    room = room_of(world.environment)

    def writes(room: Room, _: str) -> Any:
        room.client("s3").delete_bucket(Bucket="anything")

    with only_reading("looking"):
        [row] = run([Check("write", lambda _: {"one": "one"}, writes, ())], room)
    assert row.status == "unknown"
    assert "s3:DeleteBucket writes, and a dry run only reads" in row.detail


def test_what_is_missing_is_told_by_its_name_and_its_line(world: World) -> None:
    """A log group that somebody deleted, and a number that does not take our texts: whose it is, not which number."""
    group = world.environment.services["backend"].log_group
    world.client("logs").delete_log_group(logGroupName=group)
    texts = sms_voice_backends["123456789012"]["ap-southeast-2"]
    texts.opted_out["Default"] = {"+61491570157"}
    finding = found(world)
    assert finding.status is FindingStatus.SUSPECT
    number = "contacts.security-lead.channels[0]"
    assert set(finding.wrong) == {"services.backend", "services.backend.log_group", number}
    missing = finding.wrong["services.backend.log_group"]
    assert missing.startswith(f"{line('environments/sandbox.yaml', f'log_group: {group}')}: log group missing: ")
    assert finding.wrong[number].startswith(f"{line('organisation.yaml', '+61491570157')}: opt-out wrong: ")


def test_a_role_that_cannot_be_assumed_leaves_all_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of AWS was seen, so nothing of it is well, and nothing is called missing."""
    calls = getattr(botocore.client.BaseClient, "_make_api_call")  # noqa: B009 - botocore's types leave it out

    def refuse(client: Any, operation: str, asked: Any) -> Any:
        if operation == "AssumeRole":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, operation)
        return calls(client, operation, asked)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    region = world.environment.region
    clients = AwsClients(assumed_session(own_session(region), ROLE, "incident-preflight", region), region)
    finding = found(world, clients)
    assert (finding.status, set(finding.wrong)) == (FindingStatus.UNKNOWN, {"preflight"})
    assert "could not look, such as" in finding.wrong["preflight"]
    assert finding.facts["unread"] > 60
    assert "AccessDenied" in finding.facts["not_read"][0]
