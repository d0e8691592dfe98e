"""What an action is: a probe that looks, a change that plans and acts, or a notice that informs somebody outside.

Each is one class with a name, a parameter model and its methods. The registry turns them into the
Temporal activities `<name>.observe`, `<name>.plan`, `<name>.apply`, `<name>.verify` and `<name>.send`.
Actions receive their clients; they read no settings, no clock of their own and no environment variables. What
stands under `needs` is a part of the environment's file that may be left out, but not where the action is used.
They let botocore's errors through: `activities.aws.shared.error_mapping` gives each its kind in one place.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from domain.config.approval import ApprovalClass
from domain.config.environment import Environment, Evidence
from domain.config.organisation import Organisation
from domain.model.activity_io import Noticed
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.model.plan import Plan, State, Verification


class Params(BaseModel):
    """Parameters of an action, as `with:` and `--set` give them; unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParams(Params):
    """For actions that take none."""


P = TypeVar("P", bound=Params)
T = TypeVar("T")


def iam(*permissions: str) -> tuple[str, ...]:
    """IAM actions in short: `iam("rds:DescribeDBInstances ModifyDBInstance")` are two of one service."""
    split = [one.partition(":") for one in permissions]
    return tuple(f"{service}:{name}" for service, _, names in split for name in names.split())


class Clients(Protocol):
    """The boto3 clients an action may use, built once in the worker."""

    def client(self, service: str) -> Any:
        """The client that retries transient failures by itself: for reads and for absolute writes."""

    def once(self, service: str) -> Any:
        """The client that makes one attempt: for writes that have no token and are read back before a retry."""


class StatusPageApi(Protocol):
    """Statuspage's REST API, limited to one request a second for all incidents of the worker."""

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and return the decoded answer; raises an `ApplicationError` of the right kind."""


class RuleError(Exception):
    """A rule of ours forbids it; the text says which, and what would be allowed. Never retried."""


class PartlyDoneError(Exception):
    """Pieces of a change could not be done, while others may be; `errors` has why, by the piece."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class _Action(Generic[P]):
    """What all actions have. `params` is the model in the brackets of the base class: `ProbeAction[LoadParams]`.

    `permissions` are the IAM actions that it needs, beside those of the mechanism that every change goes through.
    """

    name: ClassVar[str]
    params: ClassVar[type[Params]]
    needs: ClassVar[tuple[str, ...]] = ()
    permissions: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Params):
                    cls.params = argument

    def __init__(self, clients: Clients) -> None:
        self.clients = clients


class ProbeAction(_Action[P], ABC):
    """Looks at the world and says what it saw; never changes anything."""

    @abstractmethod
    def observe(self, scope: Scope, params: P, at: datetime) -> Finding:
        """Look once. Windows end at `at` (UTC), which a retry repeats exactly.

        Lets botocore's errors through; what AWS does not find is final, what passes is tried again.
        """


class ChangeAction(_Action[P], ABC):
    """A compare-and-set on one resource. One that preserves `evidence` runs on the forensics queue.

    `classes` are those that its plans can have, the usual one first: who may approve them all must exist.
    `irreversible` says why no plan of its can be undone; where it is empty, one can, unless the plan says otherwise.
    """

    classes: ClassVar[tuple[ApprovalClass, ...]]
    evidence: ClassVar[bool] = False
    irreversible: ClassVar[str] = ""

    @abstractmethod
    def plan(self, scope: Scope, params: P) -> Plan:
        """Read, and say what would change. `before == after` says that nothing has to. Writes nothing."""

    def proposed(
        self,
        target: str,
        summary: str,
        before: State,
        after: State,
        impact: str,
        *,
        approval_class: ApprovalClass | None = None,
        locks: Iterable[str] = (),
        **more: Any,
    ) -> Plan:
        """Make a plan of this action: of its usual class and with its target as only lock, unless others are given."""
        return Plan(
            action=self.name,
            target=target,
            summary=summary,
            before=before,
            after=after,
            impact=impact,
            approval_class=approval_class or self.classes[0],
            locks=tuple(sorted(locks)) or (target,),
            **{"reversible": not self.irreversible} | more,
        )

    @abstractmethod
    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the fields of `plan.before` as they stand now."""

    @abstractmethod
    def act(self, scope: Scope, plan: Plan) -> None:
        """Make it so. Called when `read` gave `before`, or a mixture of `before` and `after` that we left ourselves.

        What is made of pieces that stand alone tries them all, and raises `PartlyDoneError` where some cannot be done.
        """

    def resume(self, scope: Scope, plan: Plan, since: datetime, at: datetime) -> None:  # noqa: ARG002
        """Make it so after an attempt whose end nobody knows: its intent is of `since`, this attempt begins `at`.

        Here it acts again. Where a second write would have a second effect that `read` cannot show at once, an action
        looks for the first one's.
        """
        self.act(scope, plan)

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """Raise `RuleError` where what the plan looked at has turned bad since, or `NotYet` where that will pass.

        Called until an intent is on record, before the first write: people took their time to approve. Writes nothing.
        Here AWS refuses the write itself, or `read` shows it.
        """

    def refuse_undo(self, scope: Scope, plan: Plan) -> None:
        """Raise `RuleError` where AWS would refuse `plan`, which undoes one that stands as it was left. Writes nothing.

        Here nothing stands in its way that `read` does not show.
        """

    @abstractmethod
    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether the world really is `after`: steady and healthy, not only asked for."""


class NoticeAction(_Action[P], ABC):
    """Informs an outside party, at most once; in a drill nobody.

    `audience` says who hears it. One that tells the organisation's own people is `inside`.
    """

    audience: ClassVar[str]
    inside: ClassVar[bool] = False

    def __init__(self, clients: Clients, status_page: StatusPageApi) -> None:
        super().__init__(clients)
        self.status_page = status_page

    @abstractmethod
    def send(self, scope: Scope, params: P, sequence: int) -> Noticed:
        """Send it, unless a look shows that it was sent before. `sequence` orders the notices of one incident."""

    def refuse(self, organisation: Organisation, params: P) -> None:
        """Raise `RuleError` for a reader whom the worker's organisation does not know. Here they are fixed."""

    @abstractmethod
    def words(self, scope: Scope, params: P) -> str:
        """What is said, in short; reads nothing."""

    def recorded(self, scope: Scope, params: P) -> Noticed:
        """Tell nobody: what would have been said, and to whom, for the record of a drill."""
        return Noticed(reference="drill", text=f"nothing (drill); to {self.audience}: {self.words(scope, params)}")


def needed(value: T | None, environment: Environment, field: str) -> T:
    """What an action cannot do without. Raises `RuleError` for an environment whose file does not give it."""
    if value is None:
        raise RuleError(f"environment {environment.name} has no {field}: add it to its file")
    return value


def evidence_of(environment: Environment) -> Evidence:
    """Where evidence goes. Raises `RuleError` for an environment whose file names no bucket for it."""
    if environment.evidence is None:
        raise RuleError(
            f"environment {environment.name} names no evidence bucket: make one with Object Lock, and fill in evidence "
            "in its file"
        )
    return environment.evidence


class Logical(NamedTuple):
    """Marks a parameter that is a logical name.

    `kind` is the field of `Environment` that must know it, and `needs` a field that what it names must have there.
    """

    kind: str
    needs: str | None = None


class OnRequest:
    """Marks a parameter that only whoever asks for the change may give: no runbook's `with` has it."""


ServiceName = Annotated[str, Logical("services")]
BalancedServiceName = Annotated[str, Logical("services", needs="target_group_arn")]
LoggedServiceName = Annotated[str, Logical("services", needs="log_formats")]
ComponentName = Annotated[str, Logical("status_page.components")]
DatabaseName = Annotated[str, Logical("databases")]
LoggedDatabaseName = Annotated[str, Logical("databases", needs="log")]
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


class ServiceParams(Params):
    """For actions on one service."""

    service: ServiceName


class DatabaseParams(Params):
    """For actions on one database."""

    database: DatabaseName
