"""What an action is: a probe that looks, a change that plans and acts, or a notice that tells.

Each is one class with a name, a parameter model and its methods. The registry turns them into the
Temporal activities `<name>.observe`, `<name>.plan`, `<name>.apply`, `<name>.verify` and `<name>.send`.
Actions receive their clients; they read no settings, no clock of their own and no environment variables. What
stands under `needs` is a part of the environment's file that may be left out, but not where the action is used.
They let botocore's errors through: `activities.aws.shared.error_mapping` gives each its kind in one place.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.config.approval import ApprovalClass
from domain.config.environment import Environment
from domain.model.activity_io import Noticed, Scope
from domain.model.finding import Finding
from domain.model.plan import Plan, State, Verification


class Params(BaseModel):
    """Parameters of an action, as `with:` and `--set` give them; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParams(Params):
    """For actions that need to be told nothing."""


P = TypeVar("P", bound=Params)
T = TypeVar("T")


class Clients(Protocol):
    """The boto3 clients an action may use, built once in the worker."""

    def client(self, service: str) -> Any:
        """The client that retries transient failures by itself: for reads and for absolute writes."""

    def once(self, service: str) -> Any:
        """The client that makes one attempt: for writes that have no token and are read back before a retry."""


class RuleError(Exception):
    """A rule of ours forbids it; the text says which, and what would be allowed. Never retried."""


class Probe(ABC, Generic[P]):
    """Looks at the world and says what it saw; never changes anything."""

    name: ClassVar[str]
    params: ClassVar[type[Params]]
    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    @abstractmethod
    def observe(self, scope: Scope, params: P, at: datetime) -> Finding:
        """Look once. Windows end at `at` (UTC), which a retry repeats exactly."""


class Change(ABC, Generic[P]):
    """A compare-and-set on one resource. One that preserves `evidence` runs on the forensics queue.

    A plan has class `approval_class`, or one of `graver_classes` where it asks for much: more accounts, wider
    ranges. Lint makes sure that each of them could be approved, so a plan of any other class is refused.
    """

    name: ClassVar[str]
    params: ClassVar[type[Params]]
    needs: ClassVar[tuple[str, ...]] = ()
    approval_class: ClassVar[ApprovalClass]
    graver_classes: ClassVar[tuple[ApprovalClass, ...]] = ()
    evidence: ClassVar[bool] = False

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    @classmethod
    def classes(cls) -> tuple[ApprovalClass, ...]:
        """Every class that a plan of this change may have."""
        return (cls.approval_class, *cls.graver_classes)

    @abstractmethod
    def plan(self, scope: Scope, params: P) -> Plan:
        """Read, and say what would change. `before == after` says that nothing has to. Writes nothing."""

    @abstractmethod
    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the fields of `plan.before` as they stand now."""

    @abstractmethod
    def act(self, scope: Scope, plan: Plan) -> None:
        """Make it so. Called when `read` gave `before`, or a mixture of `before` and `after` that we left ourselves."""

    @abstractmethod
    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the world really is `after`: steady and healthy, not only asked for."""


class Notice(ABC, Generic[P]):
    """Tells an outside party something, at most once."""

    name: ClassVar[str]
    params: ClassVar[type[Params]]
    needs: ClassVar[tuple[str, ...]] = ()
    approval_class: ClassVar[ApprovalClass] = ApprovalClass.A1

    def __init__(self, outside: "Outside") -> None:
        self.outside = outside

    @abstractmethod
    def send(self, scope: Scope, params: P, sequence: int) -> Noticed:
        """Tell it, unless a look shows that it has been told. `sequence` orders the notices of one incident."""


class StatusPageApi(Protocol):
    """Statuspage's REST API, limited to one request a second for all incidents of the worker."""

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and return the decoded answer; raises an `ApplicationError` of the right kind."""


class Outside(Protocol):
    """What notices may use."""

    clients: Clients
    status_page: StatusPageApi


def needed(value: T | None, environment: Environment, field: str) -> T:
    """What an action cannot do without. Raises `RuleError` for an environment whose file does not give it."""
    if value is None:
        raise RuleError(f"environment {environment.name} has no {field}: add it to its file")
    return value


class Logical:
    """Marks a parameter that is a logical name.

    `kind` is the field of `Environment` that must know it, and `needs` a field that what it names must have there.
    """

    def __init__(self, kind: str, needs: str | None = None) -> None:
        self.kind = kind
        self.needs = needs


ServiceName = Annotated[str, Logical("services")]
BalancedServiceName = Annotated[str, Logical("services", needs="target_group_arn")]
ComponentName = Annotated[str, Logical("status_page.components")]
DatabaseName = Annotated[str, Logical("databases")]
NetworkName = Annotated[str, Logical("networks")]
EndpointName = Annotated[str, Logical("health")]
LoadBalancerName = Annotated[str, Logical("load_balancers")]
BucketName = Annotated[str, Logical("buckets")]
WebAclName = Annotated[str, Logical("web_acls")]
SecurityGroupName = Annotated[str, Logical("security_groups")]
NetworkAclName = Annotated[str, Logical("network_acls")]
UserPoolName = Annotated[str, Logical("user_pools")]
TrailName = Annotated[str, Logical("trails")]
DashboardName = Annotated[str, Logical("dashboards")]
CertificateName = Annotated[str, Logical("certificates")]
DatabaseEndpointName = Annotated[str, Logical("database_endpoints")]
