"""Whoever has Temporal's database has nothing of what an incident says; whoever may ask KMS reads all of it."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.runtime.state import Files
from starters.files.organisation_folder import load_organisation
from tests.e2e.account import PROBES, Portal
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import TEMPORAL, House
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("attacks")]

TITLE, NOTE, REASON = "Zanzibar portal answers 503", "Quokka was seen in the log", "Wombat says that it is worse"


@pytest.fixture(scope="module")
def sealed() -> Iterator[House]:
    """A sandbox that encrypts, with a worker."""
    with folder_for("sealed") as data_dir, opened(House(data_dir), "--encrypt") as one, running(Worker(one)):
        yield one


def stored(house: House) -> bytes:
    """All that Temporal's server has written to disk."""
    database = Files(house.data_dir).temporal
    return b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))


def test_the_database_tells_nothing(sealed: House) -> None:
    """No title, note, name or finding is in it; the command, the worker and the codec server read all of them."""
    incident = sealed.start(TITLE)
    sealed.run("note", incident, NOTE)
    sealed.run("ack", incident)
    sealed.run("severity", incident, "P1", "--reason", REASON, "--as", "cto")

    def looked() -> dict[str, Any] | None:
        shown = sealed.show(incident)
        return shown if len(shown["findings"]) >= PROBES else None

    shown = until(looked, "it has looked")
    texts = [entry["text"] for entry in sealed.timeline(incident)]
    assert shown["title"] == TITLE
    assert any(NOTE in text for text in texts)
    assert any(REASON in text for text in texts)
    assert any(row["title"] == TITLE for row in sealed.json("list"))
    content = stored(sealed)
    assert incident.encode() in content  # it is the database
    summaries = [found["summary"] for found in shown["findings"]]
    people = load_organisation(Path(sealed.variables["INCIDENT_RUNBOOKS"])).contacts
    # whom it waits for is in the clear, by role: people are called like their roles here
    names = [channel.address for one in people for channel in one.channels]
    assert len(names) >= len(people)
    told = [TITLE, NOTE, REASON, "axis-imaging-backend-production", *names, *summaries, *texts]
    assert [text for text in told if text.encode() in content] == []


def test_who_may_not_ask_kms_reads_nothing_and_is_told_so(sealed: House) -> None:
    """Without a key of the namespace, with another, or with KMS away: one line, exit status 1, no trace."""
    incident = sealed.start(TITLE)
    for key, why in (("", "set INCIDENT_CODEC_KEY"), ("alias/other", "NotFound"), ("alias/other", "asking KMS")):
        said = sealed.call("show", incident, INCIDENT_CODEC_KEY=key, TEMPORAL_CODEC_ENDPOINT="")
        assert (said.returncode, said.stderr.count("\n")) == (1, 1), said.stderr
        assert why in said.stderr
    away = sealed.call("show", incident, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert (away.returncode, away.stderr.count("\n")) == (1, 1), away.stderr


def test_an_incident_is_brought_to_its_end(sealed: House) -> None:
    """Children, updates, activities, refusals and the report work as they do in the clear."""
    portal = Portal(sealed)
    fault = portal.break_()
    incident = sealed.start(TITLE)
    sealed.run("ack", incident)
    plan = sealed.json("change", incident, "rollback")["plan"]
    refused = sealed.call("approve", incident, "rollback", "--digest", "0" * 64, "--as", "technical-manager")
    assert refused.returncode == 1
    assert "digest" in refused.stderr
    sealed.run("approve", incident, "rollback", "--digest", plan["digest"], "--as", "technical-manager")
    until(lambda: [one["status"] for one in sealed.show(incident)["changes"]] == ["applied"], "it is rolled back")
    assert portal.service()["taskDefinition"] == fault.good
    assert TITLE in sealed.run("report", incident)
    until(lambda: sealed.call("audit", "verify", incident).returncode == 0, "its record is proven")


def test_people_without_aws_read_by_the_codec_server(sealed: House) -> None:
    """They are given its address, and a token where it asks for one, as Temporal's own command is."""
    incident = sealed.start(TITLE)
    nothing = {"INCIDENT_CODEC_KEY": "", "AWS_ACCESS_KEY_ID": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    shown = sealed.call("show", incident, "--json", **nothing)
    assert json.loads(shown.stdout)["title"] == TITLE
    assert sealed.call("ack", incident, **nothing).returncode == 0
    lost = sealed.call("show", incident, TEMPORAL_CODEC_ENDPOINT="http://127.0.0.1:1", **nothing)
    assert (lost.returncode, lost.stderr.count("\n")) == (1, 1)
    assert "http://127.0.0.1:1 does not decrypt" in lost.stderr


def test_a_worker_without_the_key_leaves_an_incident_to_one_that_has_it(sealed: House) -> None:
    """It takes its tasks and fails none of its workflows: the incident begins, with what the other worker reads."""
    with running(Worker(sealed, INCIDENT_CODEC_KEY="", INCIDENT_QUEUES="incidents")):
        for incident in [sealed.start(TITLE) for _ in range(4)]:
            until(lambda one=incident: sealed.call("show", one).returncode == 0, "it has begun", 60)  # type: ignore[misc]
            assert sealed.show(incident)["status"] == "declared"


def test_people_are_heard_while_kms_is_away(sealed: House) -> None:
    """An acknowledgement goes out in the clear, with a warning; the worker hears it. So is a signal of plain JSON."""
    incident = sealed.start(TITLE)
    said = sealed.call("ack", incident, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert "not encrypted" in said.stderr
    assert until(lambda: sealed.show(incident)["acknowledged_at"], "it is heard")
    sealed.signal(incident, "note", by="devops-lead", text="in the clear")
    until(lambda: any("in the clear" in one["text"] for one in sealed.timeline(incident)), "the signal is heard")


def test_the_codec_server_reads_for_the_ui_and_the_temporal_command(sealed: House, tmp_path: Path) -> None:
    """What `temporal workflow show` gives is encrypted, and readable with the endpoint, which encrypts nothing."""
    incident = sealed.start(TITLE)
    command = [str(TEMPORAL), "workflow", "show", "-w", incident, "--output", "json", "--address"]
    command += [sealed.variables["TEMPORAL_ADDRESS"]]
    plain = {name: value for name, value in sealed.environment.items() if name != "TEMPORAL_CODEC_ENDPOINT"}
    endpoint = sealed.variables["TEMPORAL_CODEC_ENDPOINT"]

    def given(*more: str) -> list[dict[str, Any]]:
        said = subprocess.run([*command, *more], env=plain, capture_output=True, text=True, check=True, cwd=tmp_path)
        begun = json.loads(said.stdout)["events"][0]["workflowExecutionStartedEventAttributes"]
        payloads: list[dict[str, Any]] = begun["input"]["payloads"]
        return payloads

    (closed,), (clear,) = given(), given("--codec-endpoint", endpoint)
    assert TITLE.encode() not in base64.b64decode(closed["data"])
    assert TITLE.encode() in base64.b64decode(clear["data"])
    answer = requests.post(f"{endpoint}/decode", json={"payloads": [closed]}, timeout=10)
    assert answer.json()["payloads"] == [clear]
    assert requests.post(f"{endpoint}/encode", json={"payloads": [clear]}, timeout=10).json()["payloads"] == [clear]
    settings = requests.get(f"{sealed.variables['TEMPORAL_UI']}/api/v1/settings", timeout=10).json()
    assert settings["Codec"]["Endpoint"] == endpoint
