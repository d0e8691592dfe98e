"""The CloudFormation stack of what has to be there in an AWS account before the first incident."""

import json
from typing import Any

from activities.permissions.roles import OUTSIDE, PREFLIGHT, RECOVERY, WORKER, roles
from activities.permissions.statements import ROLE_PREFIX, role_name
from deploy.policies import heartbeat
from deploy.policies.documents import (
    Document,
    boundary,
    bucket_policy,
    key_policy,
    policy,
    recovery_boundary,
    trust_policy,
)
from deploy.policies.template import Filled, Part, dumped
from domain.config.environment import Environment, Evidence

_FORENSIC = "ForensicAccount"
_KEPT: Document = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
_PARAMETERS: Document = {
    "WorkerService": {
        "Type": "String",
        "Default": "ecs-tasks.amazonaws.com",
        "Description": "The service that runs workers and console, and gives them their role",
    },
    "LogRetentionDays": {
        "Type": "Number",
        "Default": 365,
        "AllowedValues": [90, 180, 365, 731, 1827, 2557, 3653],
        "Description": "How long the logs of workers and console are kept",
    },
}


def text(environment: Environment) -> str:
    """The template. Everything that holds a record outlives the stack."""
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"What incidents of {environment.name} need in AWS. Made by `make iam`; do not edit.",
        "Parameters": _PARAMETERS | heartbeat.PARAMETER | _forensic_account(environment),
        "Resources": _portable(_resources(environment), environment, _parts(environment)),
        "Outputs": _outputs(environment),
    }
    return dumped(template)


def preflight_text(environment: Environment) -> str:
    """The template of preflight's role, a stack of its own: together they are more than CloudFormation takes."""
    trust = {**_RUN, "Statement": [*_RUN["Statement"], *trust_policy(environment, PREFLIGHT)["Statement"]]}
    name = {"RoleName": role_name(PREFLIGHT, environment), "AssumeRolePolicyDocument": trust}
    rights = [{"PolicyName": PREFLIGHT, "PolicyDocument": policy(PREFLIGHT, environment)}]
    role = {"Type": "AWS::IAM::Role", "Properties": name | {"Policies": rights}}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The role of preflight in {environment.name}. Made by `make iam`; do not edit.",
        "Parameters": {
            "WorkerService": _PARAMETERS["WorkerService"] | {"Description": "The service that runs it every night"}
        },
        "Resources": {_logical(PREFLIGHT): _portable(role, environment, {})},
    }
    return dumped(template)


def recovery_text(environment: Environment) -> str:
    """The template of the role that restores copies and deletes them, for an environment that has a place for them."""
    boundary_name = f"{_logical(RECOVERY)}Boundary"
    bounds = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": f"{role_name(RECOVERY, environment)}-boundary",
            "Description": "The most that the role of recovery tests can be given",
            "PolicyDocument": recovery_boundary(environment),
        },
    }
    parts = {boundary_name: bounds, _logical(RECOVERY): _role(RECOVERY, environment, boundary_name)}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The role of recovery tests in {environment.name}. Made by `make iam`; do not edit.",
        "Resources": {name: _portable(part, environment, {}) for name, part in parts.items()},
        "Outputs": {
            "RoleArn": _told(f"To be added to INCIDENT_ROLE_ARNS as {RECOVERY}", f"${{{_logical(RECOVERY)}.Arn}}")
        },
    }
    return dumped(template)


def _forensic_account(environment: Environment) -> Document:
    """The account that snapshots of a breach are shared with, where the environment names one."""
    forensics = environment.evidence.snapshots if environment.evidence else None
    if forensics is None:
        return {}
    asked = {"Type": "String", "Default": forensics.account, "AllowedPattern": r"\d{12}"}
    return {_FORENSIC: asked | {"Description": "The account that restores the snapshots of a breach"}}


def _resources(environment: Environment) -> Document:
    made: Document = {"LedgerTable": _table(environment), "Logs": _logs(environment)}
    if environment.evidence:
        made |= _vault(environment, environment.evidence)
    made["Boundary"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": role_name("boundary", environment),
            "Description": "The most that a role of the incident orchestrator can be given",
            "PolicyDocument": boundary(),
        },
    }
    made |= heartbeat.resources(environment)
    return made | {_logical(role): _role(role, environment) for role in roles() if role not in {PREFLIGHT, RECOVERY}}


def _table(environment: Environment) -> Document:
    return {
        "Type": "AWS::DynamoDB::Table",
        **_KEPT,
        "Properties": {
            "TableName": environment.ledger_table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "DeletionProtectionEnabled": True,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    }


def _logs(environment: Environment) -> Document:
    name = f"/{ROLE_PREFIX}/{environment.name}"
    properties = {"LogGroupName": name, "RetentionInDays": {"Ref": "LogRetentionDays"}}
    return {"Type": "AWS::Logs::LogGroup", **_KEPT, "Properties": properties}


def _vault(environment: Environment, evidence: Evidence) -> Document:
    """The evidence bucket and its key, the key that signs the ledger's heads, and that for snapshots of a breach."""
    turned = {"EnableKeyRotation": True}
    shared = {}
    if forensics := evidence.snapshots:
        own = key_policy(environment, shared_with=forensics.account)
        shared = _key("SnapshotKey", forensics.kms_key, own, turned)
    return {
        **_key("EvidenceKey", evidence.kms_key, key_policy(environment), turned),
        **shared,
        **_key(
            "SigningKey",
            evidence.signing_key,
            key_policy(environment, signs=True),
            {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        ),
        "EvidenceBucket": {"Type": "AWS::S3::Bucket", **_KEPT, "Properties": _bucket(evidence)},
        "EvidenceBucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "EvidenceBucket"},
                "PolicyDocument": bucket_policy(environment, evidence.bucket),
            },
        },
    }


def _bucket(evidence: Evidence) -> Document:
    """Each object is locked as it is put, for as long as its kind is kept: the bucket has no retention of its own."""
    encrypted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": Part("EvidenceKey.Arn")}
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "BucketName": evidence.bucket,
        "ObjectLockEnabled": True,
        "VersioningConfiguration": {"Status": "Enabled"},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": encrypted, "BucketKeyEnabled": True}
            ]
        },
    }


def _key(name: str, alias: str, own: Document, more: Document) -> Document:
    """A key under its alias. Raises `ValueError` for one named otherwise: it is there already, or its id is unknown."""
    if not alias.startswith("alias/"):
        raise ValueError(f"{alias} is no alias: the stack makes the key, so the environment's file must name an alias")
    return {
        name: {
            "Type": "AWS::KMS::Key",
            **_KEPT,
            "Properties": {"Description": f"{name} of the incident orchestrator", "KeyPolicy": own, **more},
        },
        f"{name}Alias": {
            "Type": "AWS::KMS::Alias",
            **_KEPT,
            "Properties": {"AliasName": alias, "TargetKeyId": {"Ref": name}},
        },
    }


def _role(role: str, environment: Environment, bounds: str = "Boundary") -> Document:
    """Roles of processes are given by the service that runs them, all others are assumed by the worker."""
    runs = role in OUTSIDE
    own = policy(role, environment)
    rights = [{"PolicyName": role, "PolicyDocument": own}] if own["Statement"] else []
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": role_name(role, environment),
            "PermissionsBoundary": {"Ref": bounds},
            "AssumeRolePolicyDocument": _RUN if runs else trust_policy(environment, role),
            **({"Policies": rights} if rights else {}),
        },
    }


_RUN: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": {"Ref": "WorkerService"}}, "Action": "sts:AssumeRole"}],
}


def _logical(role: str) -> str:
    return "".join(part.capitalize() for part in role.split("-")) + "Role"


def _outputs(environment: Environment) -> Document:
    """Lines for the environment's file, and the worker's setting."""
    apart = {PREFLIGHT, RECOVERY}  # made by stacks of their own
    arns = {role: f"${{{_logical(role)}.Arn}}" for role in roles() if role not in OUTSIDE | apart}
    arns[PREFLIGHT] = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{role_name(PREFLIGHT, environment)}"
    made: Document = {
        "LedgerTableLine": _told("For the environment's file", "ledger_table: ${LedgerTable}"),
        "RoleArns": _told("INCIDENT_ROLE_ARNS of the workers", json.dumps(arns)),
        "HeartbeatNamespace": heartbeat.output(environment),
        "WorkerRoleArn": _told("The role that workers run under", f"${{{_logical(WORKER)}.Arn}}"),
    }
    if environment.evidence:
        lines = [
            "evidence:",
            "  bucket: ${EvidenceBucket}",
            "  kms_key: ${EvidenceKeyAlias}",
            "  signing_key: ${SigningKeyAlias}",
            f"  retention_days: {environment.evidence.retention_days}",
        ]
        if environment.evidence.snapshots:
            lines.append(f'  snapshots: {{account: "${{{_FORENSIC}}}", kms_key: "${{SnapshotKeyAlias}}"}}')
        made["EvidenceLines"] = _told("For the environment's file", "\n".join(lines))
    return made


def _told(what: str, value: str) -> Document:
    return {"Description": what, "Value": Filled(value)}


def _portable(value: Any, environment: Environment, own: dict[str, str]) -> Any:
    """ARNs are those of the stack's `own` parts, or take partition, region and account from where it is made."""
    if isinstance(value, dict):
        return {key: _portable(one, environment, own) for key, one in value.items()}
    if isinstance(value, list):
        return [_portable(one, environment, own) for one in value]
    if not isinstance(value, str) or not value.startswith("arn:"):
        return value
    if part := own.get(value):
        return Part(f"{part}.Arn")
    _, _, service, region, account, resource = value.split(":", 5)
    places = {environment.region: "${AWS::Region}", environment.account: "${AWS::AccountId}"}
    if environment.evidence and environment.evidence.snapshots:
        places[environment.evidence.snapshots.account] = f"${{{_FORENSIC}}}"
    parts = ("arn", "${AWS::Partition}", service, places.get(region, region), places.get(account, account), resource)
    return Filled(":".join(parts))


def _parts(environment: Environment) -> dict[str, str]:
    """The parts of the stack that its policies name, by ARN: the shorter way, and one that CloudFormation waits for."""
    worker = environment.arn("iam", f"role/{role_name(WORKER, environment)}")
    found = {environment.arn("dynamodb", f"table/{environment.ledger_table}"): "LedgerTable", worker: _logical(WORKER)}
    bucket = environment.evidence.bucket if environment.evidence else None
    return found | ({environment.arn("s3", bucket): "EvidenceBucket"} if bucket else {})
