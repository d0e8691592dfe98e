"""An environment in which every name is the field of the environment's file that gives it: for tables that say both."""

from domain.config.environment import Environment


def of_fields() -> Environment:
    """Everything an environment can have, once."""
    return Environment.model_validate(
        {
            **_named("name", "ledger_table"),
            "kind": "staging",
            "account": "000000000000",
            "region": "region",
            "notifications": {
                **_named("mail_sender", "mail_configuration_set", "text_configuration_set"),
                "sms_sender": "sms_sender",
                "voice_sender": "+12025550100",
            },
            "services": {"one": _named("cluster", "service", "family", "log_group")},
            "databases": {
                "one": {"identifier": "<identifier>", "max_connections": 1},
                "two": {"identifier": "<cluster>", "max_connections": 1, "cluster": True},
                "three": {"identifier": "<replica>", "max_connections": 1, "replica_of": "one"},
            },
            "networks": {"one": _named("vpc_id", "flow_log_group", "dns_firewall")},
            "load_balancers": {
                "one": {"arn": _arn("<arn>"), "listener_arn": _arn("<listener_arn>"), "rule_arns": [_arn("<rule_arn>")]}
            },
            "bucket_keys": {"one": "alias/<bucket_key>"},
            "faults": {"one": "<function>"},
            "buckets": {"one": "<bucket>", "page": "<maintenance.bucket>"},
            "maintenance": {"load_balancer": "one", "bucket": "page", "key": "<key>"},
            "web_acls": {"one": {"name": "<web_acl>", "log_group": "aws-waf-logs-<log_group>", "ip_set": "<ip_set>"}},
            "security_groups": {"one": "<security_group>"},
            "network_acls": {"one": "<network_acl>"},
            "user_pools": {"one": "<user_pool>"},
            "trails": {"one": "<trail>"},
            "certificates": {"one": _arn("<certificate>")},
            "dashboards": {"one": "<dashboard>"},
            "database_endpoints": {"one": {"parameter": "<parameter>", "service": "one"}},
            "recovery": {
                "sources": {"one": "arn:aws:rds:region:111111111111:db:source"},
                "subnet_group": "<recovery.subnet_group>",
                "security_group": "sg-recovery",
                "kms_key": "alias/<recovery.kms_key>",
                "instance_class": "db.any",
                "count_function": "<recovery.count_function>",
            },
            "evidence": {
                "bucket": "<evidence.bucket>",
                "kms_key": "alias/<evidence.kms_key>",
                "signing_key": "alias/<evidence.signing_key>",
                "snapshots": {"account": "000000000000", "kms_key": "alias/<evidence.snapshots.kms_key>"},
            },
        }
    )


def _named(*fields: str) -> dict[str, str]:
    return {field: f"<{field}>" for field in fields}


def _arn(name: str) -> str:
    return f"arn:aws:any:region:000000000000:{name}"
