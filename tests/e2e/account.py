"""What stands in a sandbox's account: the portal's deployments, and everything that a rollback must leave alone."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.house import House
from tests.waiting import until

CLUSTER = "axis-imaging-cluster-production"
BACKEND = "axis-imaging-backend-production"
PROBES = 12
"""How many probes a system outage has."""

_MOVES = {"taskDefinition", "deployments", "events", "runningCount", "pendingCount"}
"""What a deployment of a service moves."""


@dataclass(frozen=True)
class Fault:
    """What a bad deployment left: full ARNs of the revision before it, of itself, of one that never ran, of another."""

    good: str
    bad: str
    never: str
    other: str


@dataclass(frozen=True)
class Portal:
    """The backend of one sandbox; another organisation's goes by other names."""

    house: House
    cluster: str = CLUSTER
    name: str = BACKEND

    def service(self) -> dict[str, Any]:
        found: dict[str, Any] = self.house.aws("ecs").describe_services(cluster=self.cluster, services=[self.name])
        service: dict[str, Any] = found["services"][0]
        return service

    def desired(self) -> int:
        """How many tasks it is to have."""
        return int(self.service()["desiredCount"])

    def revisions(self) -> list[str]:
        """Every registered task definition of the backend, oldest first."""
        listed = self.house.aws("ecs").list_task_definitions(familyPrefix=self.name)
        found: list[str] = listed["taskDefinitionArns"]
        return found

    def deployed(self) -> list[str]:
        """The task definition of every service deployment, oldest first."""
        ecs = self.house.aws("ecs")
        listed = ecs.list_service_deployments(cluster=self.cluster, service=self.name, maxResults=100)
        targets = [one["targetServiceRevisionArn"] for one in reversed(listed["serviceDeployments"])]
        found = []
        for start in range(0, len(targets), 20):
            page = ecs.describe_service_revisions(serviceRevisionArns=targets[start : start + 20])
            found += [one["taskDefinition"] for one in page["serviceRevisions"]]
        return found

    def deploy(self, task_definition: str) -> None:
        """Deploy by hand, past the orchestrator."""
        self.house.aws("ecs").update_service(cluster=self.cluster, service=self.name, taskDefinition=task_definition)

    def steady(self) -> bool:
        service = self.service()
        return len(service["deployments"]) == 1 and service["runningCount"] == service["desiredCount"]

    def break_(self, fault: str = "outage-bad-deploy") -> Fault:
        """Inject a bad deployment; what an earlier test left broken is mended first."""
        if not self.house.healthy():
            self.deploy(self.revisions()[0])
            until(lambda: self.house.healthy() and self.steady(), "the portal is well before it is broken")
        good, before = self.service()["taskDefinition"], self.revisions()
        self.house.run("sandbox", "break", fault, "--data-dir", str(self.house.data_dir))
        bad = self.service()["taskDefinition"]
        (never,) = set(self.revisions()) - {*before, bad}
        other = next(one for one in before if one != good)
        assert not self.house.healthy()
        return Fault(good=good, bad=bad, never=never, other=other)


def snapshot(house: House, moved: str) -> dict[str, Any]:
    """Everything in the account that a rollback could touch, but for what it moves in the service named `moved`."""
    ecs, elb, s3 = house.aws("ecs"), house.aws("elbv2"), house.aws("s3")
    definitions = ecs.list_task_definitions()["taskDefinitionArns"]
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    return {
        "services": _services(ecs, moved),
        "task definitions": [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in definitions],
        "listeners": _listeners(elb),
        "target groups": elb.describe_target_groups()["TargetGroups"],
        "scalable targets": house.aws("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
            "ScalableTargets"
        ],
        "buckets": {name: _objects(s3, name) for name in buckets},
        "databases": _databases(house.aws("rds")),
        "security groups": house.aws("ec2").describe_security_groups()["SecurityGroups"],
        "address sets": house.aws("wafv2").list_ip_sets(Scope="REGIONAL")["IPSets"],
    }


def _services(ecs: Any, moved: str) -> list[dict[str, Any]]:
    found = []
    for cluster in ecs.list_clusters()["clusterArns"]:
        arns = ecs.list_services(cluster=cluster)["serviceArns"]
        for service in ecs.describe_services(cluster=cluster, services=arns)["services"]:
            left_out = _MOVES if service["serviceName"] == moved else set()
            found.append({name: value for name, value in service.items() if name not in left_out})
    return found


def _databases(rds: Any) -> list[dict[str, Any]]:
    """Describe the databases; the time that they can be restored to goes on by itself."""
    found = rds.describe_db_instances()["DBInstances"]
    return [{name: value for name, value in one.items() if name != "LatestRestorableTime"} for one in found]


def _listeners(elb: Any) -> list[Any]:
    balancers = [one["LoadBalancerArn"] for one in elb.describe_load_balancers()["LoadBalancers"]]
    found = [one for arn in balancers for one in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]]
    return [(one, elb.describe_rules(ListenerArn=one["ListenerArn"])["Rules"]) for one in found]


def _objects(s3: Any, bucket: str) -> list[Any]:
    """List a bucket's objects, but for the record of incidents, which grows as people are told of this and others."""
    versions = s3.list_object_versions(Bucket=bucket).get("Versions", [])
    return [one for one in versions if not one["Key"].startswith(("ledger/", "reports/"))]
