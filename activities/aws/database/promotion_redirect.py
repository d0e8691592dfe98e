"""What leads an application to the promoted database: the parameter that it reads, and the restart in which it does."""

import re
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.ecs.app_restart import deployment_since
from activities.aws.ecs.described_service import controller_of, described, settled, update
from activities.aws.shared.error_codes import code_of, is_denied, is_of_aws
from activities.aws.shared.pages import Pages
from domain.config.environment import Environment
from domain.model.plan import Plan, State, Verification

ADDRESS, DEPLOYMENT = "application_reads", "deployment"
"""The fields of a plan that say where the application is led, and whether it has been started anew for that."""
_OF_ECS = (DEPLOYMENT, "task_definition")
_KEPT_VERSIONS = 100
_OF_NAMES = ("text", "hostname")
"""The data types of a parameter that take a host's name (SSM API PutParameter, DataType)."""


def address(clients: Clients, parameter: str) -> str:
    """Read what the application reads (`ssm:GetParameter`); an encrypted one could not be put back as it was."""
    return str(_found(clients, parameter)["Value"])


def arn_of(environment: Environment, parameter: str) -> str:
    """The ARN of a parameter, whose name may begin with a slash (IAM, "Systems Manager", resource type parameter)."""
    return environment.arn("ssm", f"parameter/{parameter.lstrip('/')}")


def refuse_unwritable(clients: Clients, parameter: str, wanted: str) -> None:
    """Refuse what Parameter Store would not take, before anything is done that cannot be taken back.

    A value must be of the parameter's data type and match its pattern (`ssm:DescribeParameters`), and a hundredth
    version is not dropped while it has a label (`ssm:GetParameterHistory`; SSM API PutParameter,
    `ParameterMaxVersionLimitExceeded`).
    """
    ssm = clients.client("ssm")
    filters = [{"Key": "Name", "Option": "Equals", "Values": [parameter]}]
    listed = list(Pages(ssm.describe_parameters, ParameterFilters=filters).items("Parameters"))
    known = listed[0] if listed else {}
    if (kind := known.get("DataType", "text")) not in _OF_NAMES:
        raise RuleError(f"parameter {parameter} is of the data type {kind}, and takes no host name: change that first")
    pattern = known.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, wanted):
        raise RuleError(f"parameter {parameter} takes only what matches {pattern}, which {wanted} does not")
    if int(_found(clients, parameter)["Version"]) < _KEPT_VERSIONS:
        return
    versions = list(Pages(ssm.get_parameter_history, Name=parameter).items("Parameters"))
    oldest = min(versions, key=lambda one: one["Version"])
    if len(versions) >= _KEPT_VERSIONS and (labels := oldest.get("Labels")):
        raise RuleError(
            f"parameter {parameter} takes no new version: its oldest, {oldest['Version']}, has the label "
            f"{', '.join(labels)}; move that first"
        )


def restartable(clients: Clients, at: State, wanted: bool) -> tuple[dict[str, Any] | None, str]:
    """The service to restart, or None and why not: a promotion does not wait for what ECS can or cannot do.

    A service whose deployments are another controller's is refused a new one (ECS API UpdateService).
    """
    if not wanted:
        return None, "as asked"
    try:
        service = described(clients, at)
    except RuleError as missing:
        return None, str(missing)
    except clients.client("ecs").exceptions.ClientError as error:
        if code_of(error) != "ClusterNotFoundException":
            raise
        return None, f"ECS knows no cluster {at['cluster']}"
    if (controller := controller_of(service)) != "ECS":
        return None, f"its deployments are those of {controller}, and ECS restarts none of these"
    return service, ""


def restarts(plan: Plan) -> bool:
    return DEPLOYMENT in plan.before


def deployment(clients: Clients, plan: Plan) -> State:
    """The deployment of the plan's service as it stands; nothing where the plan starts none.

    Where ECS does not show it, it is taken to stand as it did: a database does not wait for ECS, and the restart meets
    the same and is told as missing.
    """
    if not restarts(plan):
        return {}
    try:
        service, _ = restartable(clients, plan.context, wanted=True)
    except Exception as error:
        if not is_of_aws(error):
            raise
        service = None
    return deployment_since(plan, service) if service else {name: plan.before[name] for name in _OF_ECS}


def lead_over(clients: Clients, plan: Plan) -> None:
    """Let the application read the plan's address when it next starts (`ssm:PutParameter`)."""
    clients.once("ssm").put_parameter(Name=plan.context["parameter"], Value=plan.after[ADDRESS], Overwrite=True)


def restart(clients: Clients, plan: Plan) -> None:
    """Start the tasks anew, once; raises `RuleError` where ECS does not restart them."""
    service, missing = restartable(clients, plan.context, wanted=True)
    if service is None:
        raise RuleError(missing)
    if deployment_since(plan, service)[DEPLOYMENT] == plan.before[DEPLOYMENT]:
        update(clients, plan.context, forceNewDeployment=True)


def restarted(clients: Clients, plan: Plan) -> Verification:
    """Whether the application answers anew; where that is denied or gone, it is said, and nothing waits for it."""
    try:
        service, missing = restartable(clients, plan.context, wanted=True)
        if service and not deployment_since(plan, service).items() <= plan.after.items():
            return Verification(done=False, message="the application is not restarted yet")
        if service:
            return settled(clients, plan.context, service)
    except Exception as error:
        if not is_of_aws(error):
            raise
        missing = f"AWS answers {code_of(error) or type(error).__name__}"
        if not is_denied(error):
            return Verification(done=False, message=f"the application is not seen to restart yet ({missing})")
    unseen = f"the application is not seen to restart ({missing}): look, and restart it by hand"
    return Verification(done=True, message=unseen)


def _found(clients: Clients, parameter: str) -> dict[str, Any]:
    found = dict(clients.client("ssm").get_parameter(Name=parameter)["Parameter"])
    if found["Type"] != "String":
        raise RuleError(f"parameter {parameter} is a {found['Type']}: point the application at the replica by hand")
    return found
