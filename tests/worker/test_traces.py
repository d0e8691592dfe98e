import asyncio
import sys

from temporalio.testing import WorkflowEnvironment

from tests.worker.collector import collector
from tests.worker.processes import WAIT_SECONDS, environment, worker_process


async def test_one_trace_from_the_starter_to_aws(bare_server: WorkflowEnvironment) -> None:
    """With an OTLP endpoint one trace leads from the starter through workflow and activity to the call of AWS."""
    address = bare_server.client.service_client.config.target_host
    with collector() as collected:
        otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        # nothing answers there: a call that fails is traced like any other
        aws = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        async with worker_process(TEMPORAL_ADDRESS=address, **otlp, **aws) as worker:
            await worker.event("worker ready")
            starter = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.worker.starter", address, "elbv2.target_health", env=environment(**otlp)
            )
            assert await starter.wait() == 0
            path: list[tuple[str, str]] = []
            async with asyncio.timeout(WAIT_SECONDS):
                while not path or path[0][0] != "incident-starter":
                    await asyncio.sleep(0.05)
                    path = collected.path_to("ECS.DescribeServices")
    assert path == [
        ("incident-starter", "StartWorkflow:Incident"),
        ("incident-worker", "StartActivity:elbv2.target_health.observe"),
        ("incident-worker", "RunActivity:elbv2.target_health.observe"),
        ("incident-worker", "ECS.DescribeServices"),
    ]
    assert collected.path_to("RunWorkflow:Incident") == [path[0], ("incident-worker", "RunWorkflow:Incident")]
