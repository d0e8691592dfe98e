"""Two tasks at the end of their tether, and autoscaling that takes away what is added: the minimum is raised too."""

from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Stage
from sandbox.scenarios.scenario import Aws, Check

_COUNT = 6


class Performance:
    """Raised to P1 by what patients feel; scaled out behind its gates; Performance Insights is switched on."""

    type = "performance"
    severity = "P2"
    title = "The portal is slow"
    fault = "performance-cpu"
    opening = "Two tasks do the work of many. Autoscaling counts requests, finds them idle, and takes tasks away."

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        return {"limits": _limits(aws, environment)}

    async def play(self, stage: Stage) -> None:
        stage.narrate("Every probe of the runbook starts; answers take more than twice what we promise, so it is P1")
        await stage.until("every finding", lambda state: len(state["findings"]) >= 14)
        state = await stage.until("P1", lambda state: state["severity"] == "P1")
        suspect = [one["step"] for one in state["findings"] if one["status"] == "suspect"]
        stage.narrate(f"Suspect: {', '.join(suspect)}. The DevOps Lead takes command")
        await stage.say("devops-lead", "acknowledge")
        stage.narrate("The tasks are busy and the database has connections to spare: more tasks help")
        await stage.request("devops-lead", "scale-out")
        await stage.applied("scale-out")
        stage.narrate("What the database does meanwhile cannot be seen yet: Performance Insights is switched on")
        await stage.request("devops-lead", "enable-insights")
        await stage.applied("enable-insights")
        stage.narrate("The portal answers quickly again: mitigated, resolved, the tasks of the runbook done, closed")
        await stage.finish("devops-lead", "Scaled out, with autoscaling's minimum raised")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        backend, primary = environment.services["backend"], environment.databases["primary"]
        service = aws("ecs").describe_services(cluster=backend.cluster, services=[backend.service])["services"][0]
        minimum, maximum = _limits(aws, environment)
        running, was = service["runningCount"], seen_before["limits"]
        instance = aws("rds").describe_db_instances(DBInstanceIdentifier=primary.identifier)["DBInstances"][0]
        lowered = [event for event in service["events"] if _lowers(event["message"])]
        return [
            Check(f"{running} of {service['desiredCount']} tasks run", running == service["desiredCount"] == _COUNT),
            Check(f"autoscaling's minimum went from {was[0]} to {minimum}", minimum == _COUNT > was[0]),
            Check(f"its maximum is {maximum} as before", maximum == was[1]),
            Check("since then nothing has lowered the count", not lowered),
            Check("Performance Insights is on", bool(instance["PerformanceInsightsEnabled"])),
        ]


def _limits(aws: Aws, environment: Environment) -> tuple[int, int]:
    backend = environment.services["backend"]
    (target,) = aws("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{backend.cluster}/{backend.service}"]
    )["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def _lowers(message: str) -> bool:
    """Whether an event tells of a count that goes down, as ECS words it."""
    _, found, counts = message.partition("desired count from ")
    if not found:
        return False
    before, _, after = counts.rstrip(".").partition(" to ")
    return int(after) < int(before)
