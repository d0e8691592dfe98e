"""Every action there is, by its name. Importing it imports no AWS library."""

from typing import Any

from activities.action import Change, Notice, Probe
from activities.aws.acm import Certificate
from activities.aws.alarms import Alarms, DisableAlarmActions
from activities.aws.autoscaling import ScalingActivities
from activities.aws.backups import Backups, FailedJobs
from activities.aws.cloudtrail_logging import StartLogging, TrailStatus
from activities.aws.cloudtrail_privilege import PrivilegeChanges
from activities.aws.cloudwatch import DatabaseConnections
from activities.aws.cognito_disable import DisableUsers
from activities.aws.cognito_mfa import RequireMfa
from activities.aws.cognito_pool import PoolStatus
from activities.aws.cognito_reset import ResetPasswords
from activities.aws.cognito_sign_out import SignOutUsers
from activities.aws.dashboards import Dashboard
from activities.aws.database_cause import DatabaseCause, DatabaseClassification
from activities.aws.database_metrics import DatabaseCpu, DatabaseStorage, ReplicaLag
from activities.aws.ec2 import FlowLogs
from activities.aws.ec2_restrict import RestrictNetwork
from activities.aws.ecs_deployments import RecentDeployments
from activities.aws.ecs_restart import RestartService
from activities.aws.ecs_rollback import RollbackService
from activities.aws.ecs_scale import ScaleService
from activities.aws.ecs_scale_out import ScaleOut
from activities.aws.ecs_services import Services
from activities.aws.ecs_stop import StopService
from activities.aws.elbv2_health import TargetHealth
from activities.aws.elbv2_maintenance import MaintenancePage
from activities.aws.flow_traffic import FlowTraffic
from activities.aws.freshness import LastEvent, NewestObject
from activities.aws.insights import DatabaseLoad, EnableInsights
from activities.aws.logging_extend import ExtendLogging
from activities.aws.logs import LogErrors
from activities.aws.logs_data_access import DataAccess
from activities.aws.logs_privilege import PrivilegeEscalation
from activities.aws.logs_sign_ins import FailedSignIns
from activities.aws.network_isolate import IsolateNetwork
from activities.aws.rds import DatabaseStatus
from activities.aws.rds_events import DatabaseEvents
from activities.aws.rds_failover import Failover
from activities.aws.rds_log import PostgresLog
from activities.aws.rds_promote import PromoteReplica
from activities.aws.rds_resize import ResizeInstance
from activities.aws.rds_snapshot import Snapshot
from activities.aws.s3_preserve import PreserveLogs
from activities.aws.service_load import ServiceLoad
from activities.aws.support import OpenCase, ResolveCase
from activities.aws.traces import Traces
from activities.aws.traffic import ErrorRate, ResponseTime
from activities.aws.wafv2_block import BlockAddresses
from activities.aws.wafv2_requests import Requests
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
        DatabaseEvents,
        DatabaseCpu,
        DatabaseStorage,
        ReplicaLag,
        PostgresLog,
        DatabaseClassification,
        DatabaseCause,
        FlowLogs,
        FlowTraffic,
        HealthEndpoint,
        Requests,
        FailedSignIns,
        PrivilegeEscalation,
        PrivilegeChanges,
        DataAccess,
        ScalingActivities,
        ServiceLoad,
        ResponseTime,
        ErrorRate,
        DatabaseLoad,
        Traces,
        TrailStatus,
        LastEvent,
        NewestObject,
        PoolStatus,
        Backups,
        FailedJobs,
        Certificate,
        Alarms,
        Dashboard,
    )
}
CHANGES: dict[str, type[Change[Any]]] = {
    change.name: change
    for change in (
        Snapshot,
        PreserveLogs,
        IsolateNetwork,
        StopService,
        BlockAddresses,
        RollbackService,
        ScaleService,
        MaintenancePage,
        RestartService,
        Failover,
        PromoteReplica,
        ResizeInstance,
        RestrictNetwork,
        ExtendLogging,
        DisableUsers,
        SignOutUsers,
        ResetPasswords,
        RequireMfa,
        ScaleOut,
        EnableInsights,
        StartLogging,
        DisableAlarmActions,
    )
}
NOTICES: dict[str, type[Notice[Any]]] = {
    notice.name: notice for notice in (Investigating, Identified, Monitoring, Resolved, OpenCase, ResolveCase)
}
