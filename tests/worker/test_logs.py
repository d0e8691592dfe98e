import json
import logging
from typing import Any
from unittest.mock import Mock

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from temporalio import workflow

from worker.logs import configure_logs


@pytest.fixture(autouse=True)
def _restored() -> Any:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_json_lines_with_ids(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches, every event is one JSON line on stderr with the incident, the step and the trace."""
    configure_logs("info")
    with (
        structlog.contextvars.bound_contextvars(incident="inc-1", step="look"),
        TracerProvider().get_tracer("test").start_as_current_span("work") as span,
    ):
        structlog.get_logger("ours").info("looked", count=3)
        logging.getLogger("theirs").warning("careful: %s", "slow")
    ours, theirs = _lines(capsys)
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert (ours["event"], ours["count"], ours["incident"], ours["step"]) == ("looked", 3, "inc-1", "look")
    assert (theirs["event"], theirs["level"], theirs["incident"]) == ("careful: slow", "warning", "inc-1")
    assert ours["trace_id"] == theirs["trace_id"] == trace_id


def test_no_trace_no_ids(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a span no trace id is made up; below the level nothing is written."""
    configure_logs("info")
    structlog.get_logger("ours").debug("whispered")
    structlog.get_logger("ours").info("said")
    [line] = _lines(capsys)
    assert "trace_id" not in line
    assert line["event"] == "said"


@pytest.mark.parametrize("replaying", [True, False])
def test_replays_say_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, replaying: bool
) -> None:
    """What a workflow says is logged once, however often it is replayed."""
    monkeypatch.setattr(workflow, "in_workflow", Mock(return_value=True))
    monkeypatch.setattr(workflow.unsafe, "is_replaying", Mock(return_value=replaying))
    configure_logs("info")
    structlog.get_logger("ours").info("said")
    logging.getLogger("theirs").info("said")
    assert len(_lines(capsys)) == (0 if replaying else 2)


@pytest.mark.parametrize("as_json", [True, False])
def test_tracebacks_hold_no_values(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """A traceback tells where it broke, and nothing of what the variables there held."""
    configure_logs("info", as_json=as_json)

    def breaks(file_of_bed_9: str) -> None:
        raise LookupError(len(file_of_bed_9))

    try:
        breaks("terces"[::-1])
    except LookupError:
        structlog.get_logger("ours").exception("broke")
        logging.getLogger("theirs").exception("broke")
    said = capsys.readouterr().err
    assert said.count("LookupError") >= 2
    assert "breaks" in said
    assert "secret" not in said
