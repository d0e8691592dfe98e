"""The worlds of what contains a breach: a web ACL with its address sets, a network, two services."""

from typing import Any

from activities.aws.ecs.ecs_stop_service import StopService
from activities.aws.network.network_isolate import IsolateNetwork
from activities.aws.network.wafv2_block_addresses import BlockAddresses
from sandbox.aws import ec2 as sandbox_ec2
from sandbox.aws import resolver_firewall
from tests.activities.change_worlds import ChangeWorld, Worlds, ecs_at_once
from tests.activities.fake_ecs import CLUSTER
from tests.activities.scopes import environment, scope
from tests.activities.world import WorldClients, create_ledger

ACL, SET_V4, SET_V6 = "axis-waf", "axis-blocked", "axis-blocked-v6"
BALANCER = environment().load_balancers["portal"].arn
THEIRS_V4, THEIRS_V6 = "203.0.113.200/32", "2001:db8:ffff::1/128"
ATTACKER_V4, ATTACKER_V6 = "198.51.100.23/32", "2001:db8::23/128"
FIREWALL = "rslvr-frg-blocks-all"
SERVICES = ("axis-backend", "axis-frontend")
_SCALING = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
VISIBLE = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


class Waf:
    """A web ACL before a load balancer; its rules block two address sets, in which somebody else's address stands."""

    def __init__(self, clients: WorldClients) -> None:
        self.client: Any = clients.inner.client("wafv2")
        self.sets = {name: self._set(name, *held) for name, held in _HELD.items()}
        rules = [self.rule(number, arn) for number, arn in enumerate(self.arns())]
        self.acl = self.client.create_web_acl(
            Name=ACL,
            Scope="REGIONAL",
            Description="the portal",
            DefaultAction={"Allow": {"CustomRequestHandling": {"InsertHeaders": [{"Name": "seen", "Value": "waf"}]}}},
            Rules=rules,
            VisibilityConfig=VISIBLE,
        )["Summary"]
        self.client.associate_web_acl(WebACLArn=self.acl["ARN"], ResourceArn=BALANCER)

    def arns(self) -> list[str]:
        return [self.sets[SET_V4]["ARN"], self.sets[SET_V6]["ARN"]]

    def rule(self, number: int, arn: str, action: str = "Block") -> dict[str, Any]:
        return {
            "Name": f"rule-{number}",
            "Priority": number,
            "Statement": {"IPSetReferenceStatement": {"ARN": arn}},
            "Action": {action: {}},
            "VisibilityConfig": VISIBLE,
        }

    def _set(self, name: str, version: str, addresses: list[str]) -> dict[str, Any]:
        made = self.client.create_ip_set(
            Name=name, Scope="REGIONAL", IPAddressVersion=version, Addresses=addresses, Description="known bad"
        )
        found: dict[str, Any] = made["Summary"]
        return found

    def place(self, name: str) -> dict[str, str]:
        return {"Name": name, "Scope": "REGIONAL", "Id": self.sets[name]["Id"]}

    def held(self, name: str) -> list[str]:
        return sorted(self.client.get_ip_set(**self.place(name))["IPSet"]["Addresses"])

    def put(self, name: str, addresses: list[str]) -> None:
        token = self.client.get_ip_set(**self.place(name))["LockToken"]
        self.client.update_ip_set(**self.place(name), Addresses=addresses, Description="known bad", LockToken=token)

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_web_acl(Name=ACL, Scope="REGIONAL", Id=self.acl["Id"])
        return found

    def write(self, **changes: Any) -> None:
        found = self.read()
        kept = {name: found["WebACL"][name] for name in ("Name", "Id", "DefaultAction", "Rules", "VisibilityConfig")}
        self.client.update_web_acl(**{**kept, **changes}, Scope="REGIONAL", LockToken=found["LockToken"])

    def only_count(self) -> None:
        """Somebody lets the rules count what they blocked."""
        self.write(Rules=[self.rule(number, arn, "Count") for number, arn in enumerate(self.arns())])


_HELD: dict[str, tuple[str, list[str]]] = {SET_V4: ("IPV4", [THEIRS_V4]), SET_V6: ("IPV6", [THEIRS_V6])}


def where(**changes: Any) -> Any:
    """The environment whose web ACL has a set for IPv6."""
    acl = {"name": ACL, "log_group": "aws-waf-logs-axis", "ip_set": SET_V4, "ip_set_v6": SET_V6}
    return environment(**{"web_acls": {"portal": acl}, **changes})


def block(*addresses: str) -> ChangeWorld:
    clients = WorldClients()
    create_ledger(clients)
    waf = Waf(clients)
    return ChangeWorld(
        clients=clients,
        change=BlockAddresses(clients),
        snapshot=lambda: (waf.held(SET_V4), waf.held(SET_V6), waf.read()["WebACL"]["Rules"]),
        meddle=waf.only_count,
        scope=scope(environment=where()),
        params={"web_acl": "portal", "addresses": list(addresses or (ATTACKER_V4, ATTACKER_V6))},
    )


class Estate:
    """A VPC whose network ACL lets everything through, and two security groups."""

    def __init__(self, clients: WorldClients) -> None:
        self.client: Any = clients.inner.client("ec2")
        self.resolver: Any = clients.inner.client("route53resolver")
        self.vpc = self.client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.client.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}]
        self.acl = self.client.describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"]
        self.frontend = self._group("frontend")
        self.backend = self._group("backend")
        web = {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        self._let_in(self.frontend, {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **web})
        peer = [{"GroupId": self.frontend, "Description": "from the frontend"}]
        self._let_in(self.backend, {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": peer})

    def _group(self, name: str) -> str:
        return str(self.client.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"])

    def _let_in(self, group: str, permission: dict[str, Any]) -> None:
        self.client.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])

    def ssh(self) -> None:
        """Somebody opens another port."""
        self._let_in(
            self.backend, {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        )

    def ingress(self, group: str) -> list[Any]:
        """What a group lets in, one source at a time, in no order of AWS's."""
        found = self.client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        rules = [rule for rule in found["SecurityGroupRules"] if not rule["IsEgress"]]
        unnamed = ("SecurityGroupRuleId", "SecurityGroupRuleArn", "Tags")
        return sorted(
            ([(name, str(rule[name])) for name in sorted(rule) if name not in unnamed] for rule in rules), key=str
        )

    def firewalls(self) -> list[Any]:
        """The rule groups of the DNS firewall, each with its priority."""
        found = self.resolver.list_firewall_rule_group_associations(VpcId=self.vpc)["FirewallRuleGroupAssociations"]
        return sorted((one["FirewallRuleGroupId"], one["Priority"]) for one in found)

    def firewall(self, group: str, priority: int) -> None:
        """Somebody associates a rule group."""
        self.resolver.associate_firewall_rule_group(
            CreatorRequestId=group, FirewallRuleGroupId=group, VpcId=self.vpc, Priority=priority, Name=group
        )

    def entries(self) -> list[Any]:
        found = self.client.describe_network_acls(NetworkAclIds=[self.acl])["NetworkAcls"][0]["Entries"]
        return sorted(([(name, str(entry[name])) for name in sorted(entry)] for entry in found), key=str)


def isolated(**changes: Any) -> tuple[ChangeWorld, Waf, Estate]:
    ecs_at_once()  # so is the DNS firewall
    sandbox_ec2.install()
    resolver_firewall.install()
    clients = WorldClients()
    create_ledger(clients)
    waf, estate = Waf(clients), Estate(clients)
    places: dict[str, Any] = {
        "security_groups": {"backend": estate.backend, "frontend": estate.frontend},
        "network_acls": {"application": estate.acl},
        "networks": {"main": {"vpc_id": estate.vpc, "dns_firewall": FIREWALL}},
    }
    place = where(**places | changes)
    world = ChangeWorld(
        clients=clients,
        change=IsolateNetwork(clients),
        snapshot=lambda: (
            waf.read()["WebACL"],
            estate.entries(),
            estate.ingress(estate.backend),
            estate.ingress(estate.frontend),
            estate.firewalls(),
        ),
        meddle=estate.ssh,
        scope=scope(environment=place),
        params={"web_acl": "portal", "security_groups": ["backend", "frontend"], "network_acl": "application"},
    )
    return world, waf, estate


def isolate() -> ChangeWorld:
    return isolated()[0]


def stop() -> ChangeWorld:
    """The backend scales by itself, its scale-in suspended already; the frontend does not."""
    ecs_at_once()
    clients = WorldClients()
    create_ledger(clients)
    ecs, scaling = clients.inner.client("ecs"), clients.inner.client("application-autoscaling")
    ecs.create_cluster(clusterName=CLUSTER)
    for name in SERVICES:
        ecs.register_task_definition(family=name, containerDefinitions=[{"name": "app", "image": "app", "memory": 64}])
        ecs.create_service(cluster=CLUSTER, serviceName=name, taskDefinition=name, desiredCount=3)
    suspended = {"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False}
    scaling.register_scalable_target(
        **_SCALING,
        ResourceId=f"service/{CLUSTER}/{SERVICES[0]}",
        MinCapacity=2,
        MaxCapacity=8,
        SuspendedState={**suspended, "ScheduledScalingSuspended": False},
    )

    def snapshot() -> tuple[Any, ...]:
        services = ecs.describe_services(cluster=CLUSTER, services=list(SERVICES))["services"]
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        limits = [(one["MinCapacity"], one["MaxCapacity"], one["SuspendedState"]) for one in targets]
        return [one["desiredCount"] for one in services], limits

    return ChangeWorld(
        clients=clients,
        change=StopService(clients),
        snapshot=snapshot,
        meddle=lambda: scaling.register_scalable_target(
            **_SCALING, ResourceId=f"service/{CLUSTER}/{SERVICES[0]}", MinCapacity=3
        ),
        params={"services": ["backend", "frontend"]},
    )


CHANGE_WORLDS: Worlds = {
    BlockAddresses.name: (block, 2),
    IsolateNetwork.name: (isolate, 6),
    StopService.name: (stop, 3),
}
