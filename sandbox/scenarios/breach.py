"""A bulk download of studies: evidence is preserved before containment, and all that was cut off is restored."""

import json
from typing import Any

from domain.config.environment import Environment
from sandbox.faults.breach import ATTACKER
from sandbox.scenarios.actors import Actors, ScenarioError
from sandbox.scenarios.scenario import Aws, Check, Scenario

_CUT = ("isolate-network", "stop-services")
_COPY = "-copy"


class DataBreach(Scenario):
    """The attacker is blocked, the network isolated and the services stopped, as approved; later both are undone."""

    type = "data-breach"
    severity = "P0"
    title = "Studies are downloaded in bulk"
    fault = "breach-exfiltration"
    opening = "One address has been downloading patients' studies for a quarter of an hour."

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        self._aws, self._environment = aws, environment
        acl = environment.web_acls["portal"]
        listed = aws("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
        number = next(one["Id"] for one in listed if one["Name"] == acl.name)
        found = aws("wafv2").get_web_acl(Name=acl.name, Scope="REGIONAL", Id=number)["WebACL"]
        return {
            "blocked": self._blocked(),
            "web_acl": {name: found[name] for name in ("DefaultAction", "Rules", "Description")},
            "network_acl": self._entries(),
            "dns_firewall": self._dns_firewall(),
            "ingress": self._ingress(),
            "services": self._services(),
        }

    async def play(self, actors: Actors) -> None:
        actors.narrate(
            "Evidence preservation starts by itself; leads, Technical Manager, CTO, Privacy and Legal are paged"
        )
        state = await actors.until("every finding", lambda state: len(state["findings"]) >= 6)
        await actors.until("evidence under way", lambda state: {"snapshot-database", "preserve-logs"} <= _asked(state))
        await actors.say("security-lead", "acknowledge")
        suspects = _suspects(state)
        actors.narrate(
            f"The web ACL's log names the attacker: {', '.join(suspects)}; blocking an address needs no approval"
        )
        await actors.request("security-lead", "block-addresses", addresses=suspects)
        await actors.applied("block-addresses")
        actors.narrate("Containment cuts the portal off: the Technical Manager approves two plans, exactly as shown")
        for step in _CUT:
            await actors.approve("technical-manager", await actors.request("security-lead", step))
            await actors.applied(step)
        for step in ("snapshot-database", "preserve-logs"):
            await actors.applied(step)
        self._contained = self.look(self._aws, self._environment)
        actors.narrate(
            "The portal is rebuilt and cleared, and comes back: each undo is planned and approved like any change"
        )
        for step in _CUT:
            await actors.approve("technical-manager", await actors.undo("security-lead", step))
            await actors.applied(step)
        actors.narrate(
            "Privacy Officer and Legal Counsel acknowledge; an obligation ends once all its signers have signed"
        )
        for role in ("privacy-officer", "legal-counsel"):
            await actors.say(role, "acknowledge")
        await actors.discharge("notify-insurer", ["legal-counsel"], reference="Notice to the insurer, 17")
        signers, found = (
            ["legal-counsel", "compliance-officer"],
            "Assessment 3: cut off before harm was likely",
        )
        await actors.discharge("assess-breach", signers, reference=found, outcome="remediated")
        actors.narrate("The owners finish their tasks and the incident is closed; nothing was published")
        await actors.finish("security-lead", "The attacker is blocked, the evidence preserved, the portal back")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        after, cut = self.look(aws, environment), self._contained
        stood = set(seen_before["blocked"])
        return [
            Check(f"{ATTACKER} is blocked", f"{ATTACKER}/32" in after["blocked"]),
            Check(f"the {len(stood)} addresses blocked before are still blocked", stood <= set(after["blocked"])),
            Check("nothing else is blocked", set(after["blocked"]) - stood == {f"{ATTACKER}/32"}),
            Check("when contained, the web ACL blocked by default", "Block" in cut["web_acl"]["DefaultAction"]),
            Check("when contained, the network ACL denied everything first", _denied(cut["network_acl"])),
            Check(
                "when contained, the DNS firewall refused every name",
                cut["dns_firewall"] == [one.dns_firewall for one in environment.networks.values()],
            ),
            Check(
                "when contained, the services' security groups let nothing in", not any(_of_services(cut["ingress"]))
            ),
            Check(
                "when contained, the database's security group was unchanged", _database(cut) == _database(seen_before)
            ),
            Check(
                "when contained, no task ran and autoscaling was suspended",
                all(map(_stopped, cut["services"].values())),
            ),
            Check("the snapshot of the database is available", self._snapshot(aws, environment) == "available"),
            Check("its copy may be restored by the forensic account, and by nobody else", _shared(aws, environment)),
            *self._manifest(aws, environment),
            *[
                Check(f"{told} exactly as before", after[name] == seen_before[name])
                for name, told in (
                    ("web_acl", "the web ACL is"),
                    ("network_acl", "the network ACL is"),
                    ("dns_firewall", "the DNS firewall is"),
                    ("ingress", "the security groups are"),
                    ("services", "the services are"),
                )
            ],
        ]

    def _blocked(self) -> list[str]:
        waf, acl = self._aws("wafv2"), self._environment.web_acls["portal"]
        sets = [
            one for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"] if one["Name"] in (acl.ip_set, acl.ip_set_v6)
        ]
        held = [waf.get_ip_set(Name=one["Name"], Scope="REGIONAL", Id=one["Id"])["IPSet"]["Addresses"] for one in sets]
        return sorted(address for addresses in held for address in addresses)

    def _entries(self) -> list[dict[str, Any]]:
        ids = [self._environment.network_acls["application"]]
        found = self._aws("ec2").describe_network_acls(NetworkAclIds=ids)["NetworkAcls"][0]["Entries"]
        return sorted(found, key=lambda entry: (entry["Egress"], entry["RuleNumber"]))

    def _dns_firewall(self) -> list[str]:
        """The rule groups that the networks' resolvers go by."""
        listed = self._aws("route53resolver").list_firewall_rule_group_associations()["FirewallRuleGroupAssociations"]
        return [one["FirewallRuleGroupId"] for one in listed]

    def _ingress(self) -> dict[str, list[Any]]:
        """The ingress rules of each security group, without their ids: a restored rule gets a new one."""
        ec2 = self._aws("ec2")
        seen: dict[str, list[Any]] = {}
        for name, group in self._environment.security_groups.items():
            found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
            seen[name] = sorted(found, key=lambda one: str(sorted(one.items())))
        return seen

    def _services(self) -> dict[str, Any]:
        ecs, scaling = self._aws("ecs"), self._aws("application-autoscaling")
        seen = {}
        for name, where in self._environment.services.items():
            service = ecs.describe_services(cluster=where.cluster, services=[where.service])["services"][0]
            ids = [f"service/{where.cluster}/{where.service}"]
            target = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=ids)["ScalableTargets"][0]
            seen[name] = {
                "desired": service["desiredCount"],
                "running": service["runningCount"],
                "limits": (target["MinCapacity"], target["MaxCapacity"]),
                "suspended": sorted(key for key, value in (target.get("SuspendedState") or {}).items() if value),
            }
        return seen

    @staticmethod
    def _snapshot(aws: Aws, environment: Environment) -> str | None:
        identifier = environment.databases["primary"].identifier
        found = aws("rds").describe_db_snapshots(DBInstanceIdentifier=identifier, SnapshotType="manual")["DBSnapshots"]
        taken = [one for one in found if not one["DBSnapshotIdentifier"].endswith(_COPY)]
        return str(taken[0]["Status"]) if len(taken) == 1 else None

    @staticmethod
    def _manifest(aws: Aws, environment: Environment) -> list[Check]:
        """The audit logs' manifest, in spite of a version that is archived and of locks that are hidden."""
        bucket = environment.evidence.bucket if environment.evidence else ""
        pages = aws("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="manifests/")
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        found = [key for key in keys if key.endswith("/manifest.jsonl")]
        text = aws("s3").get_object(Bucket=bucket, Key=found[0])["Body"].read() if found else b"{}"
        head = json.loads(text.splitlines()[0])
        digests = head.get("digests", {})
        return [
            Check("the audit logs' manifest is in the evidence bucket", bool(found)),
            Check(
                "the manifest names the archived version as its one gap", head.get("gaps") == {"InvalidObjectState": 1}
            ),
            Check(
                "CloudTrail's digests vouch for its log files", digests.get("told", "").endswith("all there, unchanged")
            ),
        ]


def _asked(state: dict[str, Any]) -> set[str]:
    return {change["step"] for change in state["changes"]}


def _suspects(state: dict[str, Any]) -> list[str]:
    """The addresses that the web ACL's log incriminates."""
    found = next(finding for finding in state["findings"] if finding["step"] == "web-requests")
    if not found["facts"].get("suspects"):
        raise ScenarioError(f"the web ACL's log names nobody: {found['summary']}")
    return [str(address) for address in found["facts"]["suspects"]]


def _denied(entries: list[dict[str, Any]]) -> bool:
    first = [next(entry for entry in entries if entry["Egress"] is egress) for egress in (False, True)]
    return all(
        (entry["RuleAction"], entry["Protocol"], entry["CidrBlock"]) == ("deny", "-1", "0.0.0.0/0") for entry in first
    )


def _shared(aws: Aws, environment: Environment) -> bool:
    """Whether the copy of the database's snapshot is shared with the environment's forensic account alone."""
    rds, identifier = aws("rds"), environment.databases["primary"].identifier
    found = rds.describe_db_snapshots(DBInstanceIdentifier=identifier, SnapshotType="manual")["DBSnapshots"]
    names = [one["DBSnapshotIdentifier"] for one in found if one["DBSnapshotIdentifier"].endswith(_COPY)]
    shared = [
        account
        for name in names
        for one in rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)["DBSnapshotAttributesResult"][
            "DBSnapshotAttributes"
        ]
        for account in one["AttributeValues"]
    ]
    forensics = environment.evidence.snapshots if environment.evidence else None
    return forensics is not None and shared == [forensics.account]


def _of_services(ingress: dict[str, list[Any]]) -> list[list[Any]]:
    return [permissions for name, permissions in ingress.items() if name != "database"]


def _database(seen: dict[str, Any]) -> Any:
    return seen["ingress"]["database"]


def _stopped(service: dict[str, Any]) -> bool:
    return (service["desired"], service["running"], len(service["suspended"])) == (0, 0, 3)
