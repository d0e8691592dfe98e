"""What leads an application to the promoted database: the parameter that it reads, and the restart in which it does."""

import re
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.ecs.described_service import described
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.pages import Pages
from domain.model.plan import State

_KEPT_VERSIONS = 100


def address(clients: Clients, parameter: str) -> str:
    """Read what the application reads (`ssm:GetParameter`); an encrypted one could not be put back as it was."""
    return str(_found(clients, parameter)["Value"])


def refuse_unwritable(clients: Clients, parameter: str, wanted: str) -> None:
    """Refuse what Parameter Store would not take, before anything is done that cannot be taken back.

    A value must match the parameter's pattern (`ssm:DescribeParameters`), and a hundredth version is not dropped while
    it has a label (`ssm:GetParameterHistory`; SSM API PutParameter, `ParameterMaxVersionLimitExceeded`).
    """
    ssm = clients.client("ssm")
    filters = [{"Key": "Name", "Option": "Equals", "Values": [parameter]}]
    listed = list(Pages(ssm.describe_parameters, ParameterFilters=filters).items("Parameters"))
    pattern = listed[0].get("AllowedPattern") if listed else None
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
    controller = service.get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        return None, f"its deployments are those of {controller}, and ECS restarts none of these"
    return service, ""


def _found(clients: Clients, parameter: str) -> dict[str, Any]:
    found = dict(clients.client("ssm").get_parameter(Name=parameter)["Parameter"])
    if found["Type"] != "String":
        raise RuleError(f"parameter {parameter} is a {found['Type']}: point the application at the replica by hand")
    return found
