"""The stack's alarm on signs of life that stop, and whom it tells."""

from activities.permissions.statements import HEARTBEAT, heartbeat_alarm, heartbeat_namespace
from deploy.policies.documents import Document
from domain.config.environment import Environment

PARAMETER: Document = {
    "HeartbeatMail": {
        "Type": "String",
        "AllowedPattern": r"\S+@\S+",
        "Description": "Who is told by e-mail when nobody can be paged; no channel of pages reaches it",
    },
}


def resources(environment: Environment) -> Document:
    """The alarm on signs of life that stop, and whom it tells: by SNS, as our own channels may be what is down."""
    told = {"Ref": "HeartbeatTopic"}
    return {
        "HeartbeatTopic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"Subscription": [{"Protocol": "email", "Endpoint": {"Ref": "HeartbeatMail"}}]},
        },
        "HeartbeatAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": heartbeat_alarm(environment),
                "AlarmDescription": "Nobody can be paged: Temporal, or every worker of notify, is down",
                "Namespace": heartbeat_namespace(environment),
                "MetricName": HEARTBEAT,
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 5,
                "Threshold": 1,
                "ComparisonOperator": "LessThanThreshold",
                "TreatMissingData": "breaching",
                "AlarmActions": [told],
                "OKActions": [told],
            },
        },
    }


def output(environment: Environment) -> Document:
    """The workers' setting."""
    return {"Description": "INCIDENT_HEARTBEAT_NAMESPACE of the workers", "Value": heartbeat_namespace(environment)}
