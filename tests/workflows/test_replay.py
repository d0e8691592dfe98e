"""What earlier versions began can be moved to this one: recorded histories are replayed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from domain.values import ids
from tests.workflows.record_histories import DRILL, FOLDER, IDENTITY, PLAYS, RESTORED, SCHEDULED
from workflows.catalogue import WORKFLOWS

RECORDED = sorted(FOLDER.glob("*.json"))
REPLAYER = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)


def content(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def attributes(history: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """What the events of one kind say, in order."""
    return [event[kind] for event in history["events"] if kind in event]


def workflow_id(file: Path) -> str:
    """The id that the recorded workflow had: the workflow reads it, so a replay needs the same."""
    incident = f"inc-20261123-{file.stem.split('.')[0]}"
    part = file.stem.partition(".")[2]
    if part == "key":
        return ids.key_workflow_id("production", "alarm-1")
    if part.startswith("inc-"):
        return part
    if part == "run":
        return DRILL if file.stem.startswith("drill.") else SCHEDULED
    if part == "restore":
        return ids.restore_workflow_id(RESTORED)
    if part == "follow-up":
        return ids.follow_up_workflow_id(incident)
    step, _, generation = part.rpartition("-")
    return f"{incident}/{step}/{generation}" if part else incident


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
async def test_a_recorded_history_replays(file: Path) -> None:
    """The workflows give the same commands as when the history was recorded."""
    await REPLAYER.replay_workflow(WorkflowHistory.from_json(workflow_id(file), content(file)))


def test_every_kind_of_history_is_there() -> None:
    """Each play of the recorder, its changes and a key have a history, and each incident's goes to its end."""
    assert {file.stem.split(".")[0] for file in RECORDED} == {*PLAYS, RESTORED, SCHEDULED, "drill"}
    kinds = {
        attributes(content(file), "workflowExecutionStartedEventAttributes")[0]["workflowType"]["name"]
        for file in RECORDED
    }
    assert kinds == {one.__name__ for one in WORKFLOWS}
    for file in RECORDED:
        assert attributes(content(file), "workflowExecutionCompletedEventAttributes"), file.name
    began = {
        child["workflowId"]
        for file in RECORDED
        for child in attributes(content(file), "startChildWorkflowExecutionInitiatedEventAttributes")
    }
    assert began <= {workflow_id(file) for file in RECORDED}
    assert len(began) == 13


async def replay(stem: str, history: dict[str, Any]) -> None:
    await REPLAYER.replay_workflow(WorkflowHistory.from_json(workflow_id(FOLDER / f"{stem}.json"), history))


@pytest.mark.parametrize("stem", ["unanswered", "stale.rollback-1"])
async def test_another_activity_does_not_replay(stem: str) -> None:
    """The replay sees it when a workflow schedules another activity than was recorded."""
    history = content(FOLDER / f"{stem}.json")
    attributes(history, "activityTaskScheduledEventAttributes")[0]["activityType"]["name"] += ".other"
    with pytest.raises(NondeterminismError):
        await replay(stem, history)


async def test_another_order_does_not_replay() -> None:
    """The replay sees it when a workflow gives the same commands in another order."""
    history = content(FOLDER / "unanswered.json")
    kinds = ("upsertWorkflowSearchAttributesEventAttributes", "activityTaskScheduledEventAttributes")
    one, other = (next(index for index, e in enumerate(history["events"]) if kind in e) for kind in kinds)
    assert other == one + 1
    first, second = history["events"][one], history["events"][other]
    history["events"][one] = {**second, "eventId": first["eventId"]}
    history["events"][other] = {**first, "eventId": second["eventId"]}
    with pytest.raises(NondeterminismError):
        await replay("unanswered", history)


def values(value: Any, key: str) -> Iterator[Any]:
    """Everything that stands under a key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner, key)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_history_tells_nothing_of_the_recorder(file: Path) -> None:
    """No machine, process or file of the recorder is named."""
    history = content(file)
    assert set(values(history, "identity")) <= {IDENTITY, "history-service"}
    assert set(values(history, "buildId")) == {IDENTITY}
    assert list(values(history, "stackTrace")) == []
