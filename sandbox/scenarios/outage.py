"""A deployment that started and then broke; a revision that never ran lies between it and the last healthy one."""

from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.scenario import Aws, Check, Scenario


class SystemOutage(Scenario):
    """Nobody answers the first page; the worker dies while an approval is pending; the rollback is applied."""

    type = "system-outage"
    severity = "P0"
    title = "Patient portal answers 503"
    fault = "outage-bad-deploy"
    opening = "A release of the backend started and then broke."

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        ecs = aws("ecs")
        seen = {}
        for name, service in environment.services.items():
            found = ecs.describe_services(cluster=service.cluster, services=[service.service])["services"][0]
            seen[name] = {"revision": found["taskDefinition"], "count": found["desiredCount"]}
        return seen

    async def play(self, actors: Actors) -> None:
        actors.narrate("Every probe of the runbook starts at once; the leads and the Technical Manager are paged")
        await actors.until("every finding", lambda state: len(state["findings"]) >= 12)
        actors.narrate(
            "Nobody answers: five policy minutes later everybody is paged again and the status page is updated"
        )
        await actors.until("the second wave of pages", lambda state: len(state["pages"]) >= 8)
        await actors.until("the status page", lambda s: any(n["status"] == "sent" for n in s["notices"]))
        actors.narrate("The DevOps Lead takes command and requests the rollback that the findings suggest")
        await actors.say("devops-lead", "acknowledge")
        change = await actors.request("devops-lead", "rollback")
        await actors.until("the record to be written", lambda s: s["timeline"]["written"] == s["timeline"]["length"])
        actors.narrate("While the approval is pending, the worker dies")
        actors.kill_worker()
        actors.start_worker()
        actors.narrate("The Technical Manager reads the plan and approves exactly that plan")
        await actors.approve("technical-manager", change)
        await actors.applied("rollback")
        actors.narrate("The portal is back: mitigated, resolved, the runbook's tasks done, closed")
        await actors.finish("devops-lead", "Rolled back to the last healthy revision")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        ecs = aws("ecs")
        backend = environment.services["backend"]
        service = ecs.describe_services(cluster=backend.cluster, services=[backend.service])["services"][0]
        health = aws("elbv2").describe_target_health(TargetGroupArn=backend.target_group_arn)
        states = [target["TargetHealth"]["State"] for target in health["TargetHealthDescriptions"]]
        after = self.look(aws, environment)
        never_ran, _ = self._newest_revisions(ecs, backend.family)
        deployed = self._ever_deployed(ecs, backend.cluster, backend.service)
        was = seen_before["backend"]
        return [
            Check(f"the backend runs {was['revision'].split('/')[-1]} again", after["backend"] == was),
            Check(f"{service['runningCount']} of {was['count']} tasks run", service["runningCount"] == was["count"]),
            Check(f"targets are {', '.join(states)}", set(states) == {"healthy"}),
            Check("the frontend is unchanged", after["frontend"] == seen_before["frontend"]),
            Check(f"{never_ran.split('/')[-1]} was never deployed", never_ran not in deployed),
        ]

    @staticmethod
    def _newest_revisions(ecs: Any, family: str) -> tuple[str, str]:
        found = ecs.list_task_definitions(familyPrefix=family, sort="DESC")["taskDefinitionArns"]
        return found[1], found[0]

    @staticmethod
    def _ever_deployed(ecs: Any, cluster: str, service: str) -> set[str]:
        listed = ecs.list_service_deployments(cluster=cluster, service=service)["serviceDeployments"]
        revisions = [deployment["targetServiceRevisionArn"] for deployment in listed]
        described = ecs.describe_service_revisions(serviceRevisionArns=revisions)["serviceRevisions"]
        return {revision["taskDefinition"] for revision in described}


class OutageBesideBreaker(SystemOutage):
    """ECS takes the deployment back by itself at the moment in which people approve the rollback of it."""

    title = "Patient portal answers 503 while ECS watches its deployment"
    fault = "outage-watched-deploy"
    opening = "A release of the backend answers 503, and ECS still watches its deployment."

    async def play(self, actors: Actors) -> None:
        actors.narrate("Every probe of the runbook starts at once; the DevOps Lead takes command")
        await actors.until("every finding", lambda state: len(state["findings"]) >= 12)
        await actors.say("devops-lead", "acknowledge")
        change = await actors.request("devops-lead", "rollback")
        actors.narrate("While the Technical Manager reads the plan, ECS gives up and goes back by itself")
        actors.break_("deployment-rolled-back")
        await actors.approve("technical-manager", change)
        await actors.applied("rollback", as_="already-done")
        actors.narrate("Asked for once more, ECS is first left alone, and then there is nothing to do")
        while (await actors.request("devops-lead", "rollback"))["status"] == "failed":
            actors.narrate("Not yet: asked for again")
        await actors.applied("rollback", as_="already-done")
        await actors.finish("devops-lead", "ECS took the release back by itself")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        backend = environment.services["backend"]
        listed = aws("ecs").list_service_deployments(cluster=backend.cluster, service=backend.service)
        newest = listed["serviceDeployments"][0]["status"]
        ours = Check(f"the last deployment ended {newest}, and none of ours followed", newest == "ROLLBACK_SUCCESSFUL")
        return [*super().checks(aws, environment, seen_before), ours]
