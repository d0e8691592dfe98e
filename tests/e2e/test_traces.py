"""One trace from the command to the call of AWS, seen by a collector that speaks OTLP."""

import pytest

from tests.e2e.house import House
from tests.e2e.workers import Worker, running
from tests.waiting import until
from tests.worker.collector import collector

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_one_trace_from_the_command_to_aws(house: House, usual: Worker) -> None:
    """`incident start`, the workflow, an activity and the call of AWS are spans of one trace, each below the other."""
    with collector() as collected:
        otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        usual.stop()
        with running(Worker(house, **otlp)):
            house.start("Traced", **otlp)

            def path() -> list[tuple[str, str]] | None:
                found = collected.path_to("ECS.ListServiceDeployments")
                return found if found and found[0][0] == "incident-starter" else None

            found = until(path, "the whole path is collected")
            until(lambda: collected.path_to("RunWorkflow:Incident"), "the workflow's span is collected")
    assert found == [
        ("incident-starter", "StartWorkflow:Incident"),
        ("incident-worker", "StartActivity:ecs.recent_deployments.observe"),
        ("incident-worker", "RunActivity:ecs.recent_deployments.observe"),
        ("incident-worker", "ECS.ListServiceDeployments"),
    ]
    named = {name for _, name in found} | {"RunWorkflow:Incident"}
    traces = {span.trace_id for _, span in collected.spans.values() if span.name in named}
    assert len(traces) == 1
