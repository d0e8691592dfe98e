"""Every action there is, by its name. Importing it imports no AWS library."""

from typing import Any

from activities.action import Change, Notice, Probe
from activities.aws.cloudwatch import DatabaseConnections
from activities.aws.ec2 import FlowLogs
from activities.aws.ecs_deployments import RecentDeployments
from activities.aws.ecs_rollback import RollbackService
from activities.aws.ecs_scale import ScaleService
from activities.aws.ecs_services import Services
from activities.aws.elbv2_health import TargetHealth
from activities.aws.elbv2_maintenance import MaintenancePage
from activities.aws.logs import LogErrors
from activities.aws.rds import DatabaseStatus
from activities.aws.support import OpenCase, ResolveCase
from activities.health import HealthEndpoint
from activities.statuspage import Identified, Investigating, Monitoring, Resolved

PROBES: dict[str, type[Probe[Any]]] = {
    probe.name: probe
    for probe in (
        TargetHealth,
        Services,
        RecentDeployments,
        LogErrors,
        DatabaseStatus,
        DatabaseConnections,
        FlowLogs,
        HealthEndpoint,
    )
}
CHANGES: dict[str, type[Change[Any]]] = {
    change.name: change for change in (RollbackService, ScaleService, MaintenancePage)
}
NOTICES: dict[str, type[Notice[Any]]] = {
    notice.name: notice for notice in (Investigating, Identified, Monitoring, Resolved, OpenCase, ResolveCase)
}
