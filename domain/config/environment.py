"""Where things are: the logical names that runbooks speak, as the AWS resources of one environment."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from domain.config.log_formats import DatabaseLog, LineFormat
from domain.config.names import ConfigFile, Flaw, mapping, strange
from domain.config.orchestrator import Orchestrator, orchestrator_flaws
from domain.config.recovery import Recovery, own_key, recovery_flaws
from domain.values.aws_places import arn, partition_of
from domain.values.frozen import Frozen
from domain.values.telephones import is_number

_ELB_NAME_MAX = 32
_LONGEST_INCIDENT = timedelta(days=366)


def _account(value: str) -> str:
    if not re.fullmatch(r"\d{12}", value):
        raise ValueError(f"{value!r} is no AWS account id of twelve digits; write them in quotes")
    return value


def _elb_arn(value: str) -> str:
    """Refuse an ARN of something that Elastic Load Balancing would not let anybody call so."""
    found = re.search(r":(?:targetgroup|loadbalancer/\w+)/([^/]+)", value)
    if found and len(found[1]) > _ELB_NAME_MAX:
        raise ValueError(
            f"the name {found[1]!r} has {len(found[1])} characters; Elastic Load Balancing allows {_ELB_NAME_MAX}, so "
            "nothing can have it: look the ARN up"
        )
    return value


def _waf_log_group(value: str) -> str:
    if not value.startswith("aws-waf-logs-"):
        raise ValueError(f"log group {value!r} cannot receive WAF logs: its name must start aws-waf-logs-")
    return value


class Service(Frozen):
    """An ECS service, behind a target group if a load balancer is before it; `log_formats` are those of its lines."""

    cluster: str
    service: str
    family: str
    target_group_arn: Annotated[str, AfterValidator(_elb_arn)] | None = None
    log_group: str
    log_formats: tuple[LineFormat, ...] = ()


class Database(Frozen):
    """An RDS instance, or with `cluster: true` an Aurora or Multi-AZ DB cluster, which stands for its writer.

    `max_connections` is the limit of its parameter group.
    """

    identifier: str
    max_connections: int = Field(gt=0)
    replica_of: str | None = None
    cluster: bool = False
    log: DatabaseLog | None = None


class Network(Frozen):
    """A VPC; `flow_log_group` is the log group of its flow logs, which the role that reads them is given.

    `dns_firewall` is a rule group of Route 53 Resolver's DNS Firewall that blocks every name, made in peacetime: an
    isolation associates it with the VPC, as network ACLs do not stop DNS.
    """

    vpc_id: str
    dns_firewall: str | None = None
    flow_log_group: str | None = None


class HealthCheck(Frozen):
    """An HTTP endpoint that answers 2xx while the application is well."""

    url: str
    timeout_seconds: float = Field(default=3, gt=0)
    attempts: int = Field(default=3, ge=1)


class LoadBalancer(Frozen):
    """The application load balancer; `rule_arns` are the listener rules that carry the application."""

    arn: Annotated[str, AfterValidator(_elb_arn)]
    listener_arn: str
    rule_arns: tuple[str, ...] = ()


class Maintenance(Frozen):
    """Where the maintenance page is kept, and the rules that show it."""

    load_balancer: str
    bucket: str
    key: str = "maintenance.html"


class WebAcl(Frozen):
    """A WAF web ACL; its log group's name must start `aws-waf-logs-` (AWS WAF LoggingConfiguration).

    One with `scope: CLOUDFRONT` protects distributions: it, its address sets and its log are in the home region.
    """

    name: str
    scope: Literal["REGIONAL", "CLOUDFRONT"] = "REGIONAL"
    log_group: Annotated[str, AfterValidator(_waf_log_group)]
    ip_set: str
    ip_set_v6: str | None = None


class StatusPage(Frozen):
    """A Statuspage page; `components` are logical names to component ids. The key is the worker's secret."""

    page_id: str
    components: dict[str, str] = {}


class Forensics(Frozen):
    """Who may restore the snapshots of a breach: one account, by a customer managed key that lets it decrypt.

    Neither of RDS's own key: what that encrypts cannot be shared (RDS user guide, "Sharing encrypted snapshots").
    """

    account: Annotated[str, AfterValidator(_account)]
    kms_key: Annotated[str, AfterValidator(own_key)]


class Evidence(Frozen):
    """Where evidence goes: a bucket with Object Lock, made in peacetime, and the key that encrypts it.

    `signing_key` is an asymmetric KMS key (ECC_NIST_P256, SIGN_VERIFY) that signs the heads of the ledger;
    `earlier_signing_keys` are those that signed before it, whose signatures still count. `retention_days` count from
    an incident's end: what is locked while it lasts is locked for a year longer. `snapshots` of databases are copied
    under the key and shared with the account named there; without it they stay as they were taken.
    """

    bucket: str
    kms_key: str
    signing_key: str
    earlier_signing_keys: tuple[str, ...] = ()
    retention_days: int = Field(default=365, gt=0)
    snapshots: Forensics | None = None

    def locked_until(self, at: datetime) -> datetime:
        """Until when something kept at `at` must be locked, though nobody knows yet when its incident ends."""
        return at + timedelta(days=self.retention_days) + _LONGEST_INCIDENT


class Configuration(Frozen):
    """An SSM parameter that a service reads when it starts."""

    parameter: str
    service: str


class Protected(Frozen):
    """What is ours and is never blocked or isolated: our addresses (CIDR), and resources by id or ARN.

    What the orchestrator itself runs on stands in `orchestrator`.
    """

    addresses: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


def _text_sender(value: str) -> str:
    if not is_number(value) and not re.fullmatch(r"[A-Za-z0-9_-]{1,11}", value):
        raise ValueError(f"{value!r} is no sender id of at most 11 characters, and no phone number in E.164")
    return value


def _calling_number(value: str) -> str:
    if not is_number(value):
        raise ValueError(f"{value!r} is no phone number in E.164")
    return value


class Notifications(Frozen):
    """What pages and mails are sent from.

    `sms_sender` is a sender id or a phone number of AWS End User Messaging; without it AWS chooses among those of the
    account. Nobody can be called without `voice_sender`, a phone number. A configuration set tells what became of a
    message once AWS had taken it: `mail_configuration_set` is one of SES, `text_configuration_set` one of End User
    Messaging, for calls too, whose events go to the log group `text_receipts`.
    """

    mail_sender: str
    mail_configuration_set: str | None = None
    sms_sender: Annotated[str, AfterValidator(_text_sender)] | None = None
    voice_sender: Annotated[str, AfterValidator(_calling_number)] | None = None
    text_configuration_set: str | None = None
    text_receipts: str | None = None


class Environment(ConfigFile):
    """One environment, as `environments/<name>.yaml` gives it.

    `faults` are what drills inject: by the name that scenarios use, a Lambda function that injects and withdraws it.
    With `restore_silent` the watcher goes on with incidents that nobody carries on; else it pages people alone.
    """

    name: str
    kind: Literal["sandbox", "staging", "production"]
    account: Annotated[str, AfterValidator(_account)]
    region: str
    ledger_table: str
    notifications: Notifications
    status_page: StatusPage | None = None
    services: dict[str, Service] = {}
    databases: dict[str, Database] = {}
    networks: dict[str, Network] = {}
    load_balancers: dict[str, LoadBalancer] = {}
    health: dict[str, HealthCheck] = {}
    buckets: dict[str, str] = {}
    bucket_keys: dict[str, str] = {}
    maintenance: Maintenance | None = None
    web_acls: dict[str, WebAcl] = {}
    security_groups: dict[str, str] = {}
    network_acls: dict[str, str] = {}
    user_pools: dict[str, str] = {}
    trails: dict[str, str] = {}
    certificates: dict[str, str] = {}
    dashboards: dict[str, str] = {}
    database_endpoints: dict[str, Configuration] = {}
    faults: dict[str, str] = {}
    evidence: Evidence | None = None
    recovery: Recovery | None = None
    protected: Protected = Protected()
    orchestrator: Orchestrator = Orchestrator()
    restore_silent: bool = False

    @property
    def shielded(self) -> Protected:
        """What nothing may cut off: what is protected, and what the orchestrator runs on."""
        more, ours = self.protected, self.orchestrator
        return Protected(addresses=(*more.addresses, *ours.addresses), resources=(*more.resources, *ours.resources))

    @property
    def home_region(self) -> str:
        """Where AWS keeps what belongs to no region, and records its events."""
        return partition_of(self.region).home

    @property
    def replicas(self) -> dict[str, str]:
        """The replicas that RDS promotes, with their primaries, by logical name: neither of them is a cluster."""
        pairs = ((name, one.replica_of) for name, one in self.databases.items() if not one.cluster)
        return {name: of for name, of in pairs if of and not self.databases[of].cluster}

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return arn(self.region, self.account, service, resource)

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Names within an environment that lead nowhere."""
        databases, maintenance = mapping(data.get("databases")), mapping(data.get("maintenance"))
        for name, database in databases.items():
            source = mapping(database).get("replica_of")
            yield from strange(("databases", name, "replica_of"), source, databases, "database")
        for key, part in (("load_balancer", "load_balancers"), ("bucket", "buckets")):
            there = mapping(data.get(part))
            yield from strange(("maintenance", key), maintenance.get(key), there, key.replace("_", " "))
        if data.get("kind") == "production":
            for name in mapping(data.get("faults")):
                yield Flaw(("faults", name), "would be injected into production; name faults in other environments")
        for name in mapping(data.get("bucket_keys")):
            yield from strange(("bucket_keys", name), name, mapping(data.get("buckets")), "bucket")
        yield from recovery_flaws(data)
        yield from orchestrator_flaws(data)
