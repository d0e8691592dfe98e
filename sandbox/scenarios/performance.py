"""Two overloaded tasks, and autoscaling that removes every task added: its minimum is raised too."""

from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.scenario import Aws, Check, Scenario

_COUNT = 6


class Performance(Scenario):
    """Raised to P1 by errors and the response time; scaled out after checks; Performance Insights is enabled."""

    type = "performance"
    severity = "P2"
    title = "The portal is slow"
    fault = "performance-cpu"
    opening = "Two tasks are overloaded. Autoscaling counts requests, takes them for idle, and removes tasks."

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        return {"limits": _limits(aws, environment)}

    async def play(self, actors: Actors) -> None:
        actors.narrate(
            "Every probe of the runbook starts; requests fail, or take over twice the promised time: either makes it P1"
        )
        await actors.until("every finding", lambda state: len(state["findings"]) >= 14)
        state = await actors.until("P1", lambda state: state["severity"] == "P1")
        suspect = [one["step"] for one in state["findings"] if one["status"] == "suspect"]
        actors.narrate(f"Suspect: {', '.join(suspect)}. The DevOps Lead takes command")
        await actors.say("devops-lead", "acknowledge")
        actors.narrate("The tasks are busy and the database has connections to spare, so more tasks help")
        await actors.request("devops-lead", "scale-out")
        await actors.applied("scale-out")
        actors.narrate("The database's load is not visible yet: Performance Insights is enabled")
        await actors.request("devops-lead", "enable-insights")
        await actors.applied("enable-insights")
        actors.narrate("The portal is fast again: mitigated, resolved, the runbook's tasks done, closed")
        await actors.finish("devops-lead", "Scaled out, with autoscaling's minimum raised")

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
            Check(f"its maximum is still {maximum}", maximum == was[1]),
            Check("nothing has lowered the count since", not lowered),
            Check("Performance Insights is on", bool(instance["PerformanceInsightsEnabled"])),
        ]


def _limits(aws: Aws, environment: Environment) -> tuple[int, int]:
    backend = environment.services["backend"]
    (target,) = aws("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{backend.cluster}/{backend.service}"]
    )["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]


def _lowers(message: str) -> bool:
    """Whether an ECS service event reports a lower desired count."""
    _, found, counts = message.partition("desired count from ")
    if not found:
        return False
    before, _, after = counts.rstrip(".").partition(" to ")
    return int(after) < int(before)
