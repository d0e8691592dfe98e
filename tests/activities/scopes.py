"""The environment that tests of activities speak of, and a scope in it."""

from datetime import UTC, datetime
from typing import Any

from domain.config.environment import Environment
from domain.model.calls import Scope
from domain.values.severity import Severity

ACCOUNT = "123456789012"
REGION = "ap-southeast-2"
CALLS_FROM, TEXTS_BY = "+61255501234", "texts"
_LB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
BACKEND_TARGETS = f"{_LB}:targetgroup/axis-backend-tg/0123456789abcdef"
FRONTEND_TARGETS = f"{_LB}:targetgroup/axis-frontend-tg/fedcba9876543210"
LOG_FORMATS: list[dict[str, Any]] = [
    {"format": "json", "level_if_absent": "info"},
    {"format": "text", "pattern": "^(?<level>[A-Z]+) "},
    {"format": "python-traceback"},
]
NOW = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)


def environment(**changes: Any) -> Environment:
    """A full environment; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "name": "production",
        "kind": "production",
        "account": ACCOUNT,
        "region": REGION,
        "ledger_table": "incident-ledger",
        "notifications": {
            "mail_sender": "incidents@example.com",
            "sms_sender": "INCIDENT",
            "voice_sender": CALLS_FROM,
            "text_configuration_set": TEXTS_BY,
        },
        "status_page": {"page_id": "page1", "components": {"portal": "component1"}},
        "services": {
            "backend": {
                "cluster": "axis-cluster",
                "service": "axis-backend",
                "family": "axis-backend",
                "target_group_arn": BACKEND_TARGETS,
                "log_group": "/ecs/axis-backend",
                "log_formats": LOG_FORMATS,
            },
            "frontend": {
                "cluster": "axis-cluster",
                "service": "axis-frontend",
                "family": "axis-frontend",
                "target_group_arn": FRONTEND_TARGETS,
                "log_group": "/ecs/axis-frontend",
                "log_formats": LOG_FORMATS,
            },
        },
        "databases": {
            "primary": {"identifier": "axis-db", "max_connections": 100, "log": {"format": "postgres"}},
            "replica": {
                "identifier": "axis-db-replica",
                "max_connections": 100,
                "replica_of": "primary",
                "log": {"format": "postgres"},
            },
        },
        "networks": {"main": {"vpc_id": "vpc-0a1b2c3d"}},
        "load_balancers": {
            "portal": {
                "arn": f"{_LB}:loadbalancer/app/axis-alb/50dc6c495c0c9188",
                "listener_arn": f"{_LB}:listener/app/axis-alb/50dc6c495c0c9188/f2f7dc8efc522ab2",
                "rule_arns": [f"{_LB}:listener-rule/app/axis-alb/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"],
            }
        },
        "health": {"portal": {"url": "http://127.0.0.1:9/health", "timeout_seconds": 1, "attempts": 3}},
        "buckets": {"maintenance": "axis-maintenance", "audit-logs": "axis-audit-logs"},
        "maintenance": {"load_balancer": "portal", "bucket": "maintenance"},
        "web_acls": {
            "portal": {"name": "axis-waf", "log_group": "aws-waf-logs-axis", "ip_set": "axis-blocked"},
        },
    }
    return Environment.model_validate(fields | changes)


def scope(**changes: Any) -> Scope:
    """A scope of a P0 outage declared at NOW; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "incident": "inc-20261123-7f3k",
        "type": "system-outage",
        "title": "Portal down",
        "severity": Severity.P0,
        "mode": "live",
        "declared_at": NOW,
        "environment": environment(),
    }
    return Scope.model_validate(fields | changes)
