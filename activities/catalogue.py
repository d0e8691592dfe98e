"""Every action there is, by its name. Importing it imports no AWS library."""

from typing import Any

from activities.action import Change, Notice, Probe
from activities.aws.database.backups import Backups, FailedJobs
from activities.aws.database.cloudwatch_database import DatabaseCpu, DatabaseStorage, ReplicaLag
from activities.aws.database.cloudwatch_database_connections import DatabaseConnections
from activities.aws.database.database_cause import DatabaseCause, DatabaseClassification
from activities.aws.database.performance_insights import DatabaseLoad, EnableInsights
from activities.aws.database.rds_events import DatabaseEvents
from activities.aws.database.rds_failover import Failover
from activities.aws.database.rds_postgres_log import PostgresLog
from activities.aws.database.rds_promote_replica import PromoteReplica
from activities.aws.database.rds_resize_instance import ResizeInstance
from activities.aws.database.rds_snapshot import Snapshot
from activities.aws.database.rds_status import DatabaseStatus
from activities.aws.ecs.app_restart import RestartService
from activities.aws.ecs.autoscaling_activities import ScalingActivities
from activities.aws.ecs.cloudwatch_service_load import ServiceLoad
from activities.aws.ecs.ecs_recent_deployments import RecentDeployments
from activities.aws.ecs.ecs_rollback_service import RollbackService
from activities.aws.ecs.ecs_scale_out import ScaleOut
from activities.aws.ecs.ecs_scale_service import ScaleService
from activities.aws.ecs.ecs_services import Services
from activities.aws.ecs.ecs_stop_service import StopService
from activities.aws.evidence.s3_preserve_logs import PreserveLogs
from activities.aws.identity.cloudtrail_privilege_changes import PrivilegeChanges
from activities.aws.identity.cognito_disable_users import DisableUsers
from activities.aws.identity.cognito_pool_status import PoolStatus
from activities.aws.identity.cognito_require_mfa import RequireMfa
from activities.aws.identity.cognito_reset_passwords import ResetPasswords
from activities.aws.identity.cognito_sign_out_users import SignOutUsers
from activities.aws.identity.logs_data_access import DataAccess
from activities.aws.identity.logs_failed_sign_ins import FailedSignIns
from activities.aws.identity.logs_privilege_escalation import PrivilegeEscalation
from activities.aws.network.acm_certificate import Certificate
from activities.aws.network.cloudwatch_traffic import ErrorRate, ResponseTime
from activities.aws.network.ec2_flow_logs import FlowLogs
from activities.aws.network.ec2_flow_traffic import FlowTraffic
from activities.aws.network.ec2_restrict_network import RestrictNetwork
from activities.aws.network.elbv2_maintenance_page import MaintenancePage
from activities.aws.network.elbv2_target_health import TargetHealth
from activities.aws.network.network_isolate import IsolateNetwork
from activities.aws.network.wafv2_block_addresses import BlockAddresses
from activities.aws.network.wafv2_requests import Requests
from activities.aws.observability.cloudtrail_logging import StartLogging, TrailStatus
from activities.aws.observability.cloudwatch_alarms import Alarms, DisableAlarmActions
from activities.aws.observability.cloudwatch_dashboard import Dashboard
from activities.aws.observability.freshness import LastEvent, NewestObject
from activities.aws.observability.logging_extend import ExtendLogging
from activities.aws.observability.logs_errors import LogErrors
from activities.aws.observability.support_cases import OpenCase, ResolveCase
from activities.aws.observability.xray_traces import Traces
from activities.http_health import HealthEndpoint
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
