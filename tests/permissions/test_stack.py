"""The stack makes what has to be there before the first incident: as CloudFormation takes it, and as moto makes it."""

import json
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from moto.kms.models import kms_backends

from activities.catalogue import CHANGES
from activities.permissions.roles import CONSOLE, OUTSIDE, PREFLIGHT, RECOVERY, WORKER, role_of, roles
from activities.permissions.statements import role_name
from deploy.policies import files, stack
from deploy.policies.documents import boundary, control_policy, policy, recovery_boundary, trust_policy
from domain.config.environment import Environment
from tests.sandbox.worlds import other, shipped

_TEMPLATE = files.DEPLOY / "aws" / "stack.yaml"
_PREFLIGHT = _TEMPLATE.with_name("preflight.yaml")
_RECOVERY = _TEMPLATE.with_name("recovery.yaml")
_MOST_BYTES = 51_200
"""What CloudFormation takes without a bucket to upload to (CloudFormation quotas, template body)."""


def _in_full(document: str) -> dict[str, Any]:
    """A policy as moto keeps it, with its lists of one text as lists."""
    found: dict[str, Any] = literal_eval(document)
    for said in found["Statement"]:
        said |= {name: [said[name]] for name in ("Action", "Resource") if isinstance(said.get(name), str)}
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The stack in moto, in the environment's account: its outputs."""
    where = shipped()
    monkeypatch.setenv("MOTO_ACCOUNT_ID", where.account)
    monkeypatch.setenv("AWS_DEFAULT_REGION", where.region)
    with mock_aws():
        formation = boto3.client("cloudformation")
        formation.create_stack(
            StackName="incident",
            TemplateBody=_TEMPLATE.read_text(encoding="utf-8"),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": "HeartbeatMail", "ParameterValue": "on-call@example.com"}],
        )
        [found] = formation.describe_stacks(StackName="incident")["Stacks"]
        yield {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}


def test_its_outputs_are_the_lines_of_the_environments_file(made: dict[str, Any]) -> None:
    """What people copy is what the file says, and every role that workers act under is in their setting."""
    where = shipped()
    lines = yaml.safe_load("\n".join((made["LedgerTableLine"], made["EvidenceLines"])))
    assert lines["ledger_table"] == where.ledger_table
    assert where.evidence
    assert lines["evidence"] == where.evidence.model_dump(include=set(lines["evidence"]))
    arns = json.loads(made["RoleArns"])
    assert arns == {
        role: where.arn("iam", f"role/{role_name(role, where)}") for role in roles() if role not in {*OUTSIDE, RECOVERY}
    }
    assert made["WorkerRoleArn"] == where.arn("iam", f"role/{role_name(WORKER, where)}")


def test_silence_of_those_who_page_rings_elsewhere(made: dict[str, Any]) -> None:
    """The alarm takes missing signs for trouble and tells a mailbox by SNS: it needs none of our own channels."""
    [told] = boto3.client("sns").list_subscriptions()["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "on-call@example.com")
    alarm = stack._resources(shipped())["HeartbeatAlarm"]["Properties"]  # which moto does not make
    assert (alarm["TreatMissingData"], alarm["Namespace"]) == ("breaching", made["HeartbeatNamespace"])
    assert alarm["AlarmActions"] == [{"Ref": "HeartbeatTopic"}]


@pytest.mark.usefixtures("made")
def test_the_record_cannot_be_lost() -> None:
    """The table can be taken back to any second and not be deleted; the bucket encrypts with the key."""
    where = shipped()
    assert where.evidence
    dynamodb, s3, kms = (boto3.client(name) for name in ("dynamodb", "s3", "kms"))
    table = dynamodb.describe_table(TableName=where.ledger_table)["Table"]
    assert table["DeletionProtectionEnabled"]
    bucket = where.evidence.bucket
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    aliases = {one["AliasName"]: one["TargetKeyId"] for one in kms.list_aliases()["Aliases"] if "TargetKeyId" in one}
    encrypting = aliases[where.evidence.kms_key]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == where.arn("kms", f"key/{encrypting}")
    assert aliases[where.evidence.signing_key] != encrypting
    assert where.evidence.snapshots
    assert aliases[where.evidence.snapshots.kms_key] not in {encrypting, aliases[where.evidence.signing_key]}
    [group] = boto3.client("logs").describe_log_groups(logGroupNamePrefix="/incident/")["logGroups"]
    assert group["retentionInDays"] == 365


@pytest.mark.usefixtures("made")
def test_roles_have_their_policies() -> None:
    """Each has the policy that is made for it under the boundary; the console has none."""
    where, iam = shipped(), boto3.client("iam")
    for role in set(roles()) - {PREFLIGHT, RECOVERY}:
        name = role_name(role, where)
        assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(
            "-boundary"
        )
        found = {
            one: _in_full(iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"])  # as moto keeps it
            for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
        assert found == ({} if role == CONSOLE else {role: policy(role, where)})


@pytest.mark.usefixtures("made")
def test_roles_of_changes_are_told_for_whom() -> None:
    """A worker says who approved as it becomes one that changes something; of those that change nothing nobody asks."""
    where, iam = shipped(), boto3.client("iam")
    told = set()
    for role in set(roles()) - {PREFLIGHT, RECOVERY, *OUTSIDE}:
        trust = iam.get_role(RoleName=role_name(role, where))["Role"]["AssumeRolePolicyDocument"]
        actions = {one["Principal"]["AWS"]: one["Action"] for one in trust["Statement"]}
        worker = actions[where.arn("iam", f"role/{role_name(WORKER, where)}")]
        told |= {role} if worker == ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"] else set()
        assert role in told or worker == "sts:AssumeRole"
    assert told == {role_of(change) for change in CHANGES.values()} - {RECOVERY}
    assert trust_policy(where, RECOVERY) == trust_policy(where, "remediate-database")


@pytest.mark.usefixtures("made")
def test_preflight_has_a_stack_of_its_own() -> None:
    """Its role has its policy and no other; the role of evidence alone trusts it, and it trusts the worker's."""
    where, iam = shipped(), boto3.client("iam")
    boto3.client("cloudformation").create_stack(
        StackName="preflight",
        TemplateBody=_PREFLIGHT.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    name = role_name(PREFLIGHT, where)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == [PREFLIGHT]
    found = iam.get_role_policy(RoleName=name, PolicyName=PREFLIGHT)["PolicyDocument"]
    assert _in_full(found) == policy(PREFLIGHT, where)
    trusting = {
        role
        for role in set(roles()) - {RECOVERY}
        if name in str(iam.get_role(RoleName=role_name(role, where))["Role"]["AssumeRolePolicyDocument"])
    }
    assert trusting == {"forensics"}
    trusted = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert [one.get("Condition") for one in trusted] == [
        None,
        {"ArnEquals": {"aws:PrincipalArn": [where.arn("iam", f"role/{role_name(WORKER, where)}")]}},
    ]


@pytest.mark.usefixtures("made")
def test_recovery_has_a_stack_of_its_own() -> None:
    """Its role alone may delete databases, and no more than what has our name and tag; no other can be given that."""
    where, iam = shipped(), boto3.client("iam")
    boto3.client("cloudformation").create_stack(
        StackName="recovery",
        TemplateBody=_RECOVERY.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    name = role_name(RECOVERY, where)
    assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(
        "-remediate-recovery-boundary"
    )
    found = iam.get_role_policy(RoleName=name, PolicyName=RECOVERY)["PolicyDocument"]
    assert _in_full(found) == policy(RECOVERY, where)
    assert "rds:DeleteDBInstance" not in str(boundary())
    deleting = [one for one in recovery_boundary(where)["Statement"] if "rds:DeleteDBInstance" in one["Action"]]
    assert [one["Resource"][0].rpartition(":")[2] for one in deleting] == ["restore-test-*"]
    assert [one["Condition"] for one in deleting] == [{"StringEquals": {"aws:ResourceTag/purpose": "recovery-test"}}]
    nowhere = [one for one in control_policy(other())["Statement"] if "rds:DeleteDBInstance" in one.get("Action", [])]
    assert [one.get("Resource") for one in nowhere] == ["*"]


def test_what_moto_does_not_make_stands_in_the_template() -> None:
    """Recovery to any second, the bucket's lock and its own policy; and what holds a record outlives the stack."""
    made = stack._resources(shipped())
    recovery = made["LedgerTable"]["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True}
    assert made["EvidenceBucket"]["Properties"]["ObjectLockEnabled"] is True
    signing = made["SigningKey"]["Properties"]
    assert (signing["KeySpec"], signing["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    said = made["EvidenceBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [one["Sid"] for one in said] == ["Encrypted", "Kept", "WrittenByItsKeepers"]
    ends = ("DeletionPolicy", "UpdateReplacePolicy")
    kept = {name for name, one in made.items() if all(one.get(end) == "Retain" for end in ends)}
    assert {"EvidenceBucket", "EvidenceKey", "LedgerTable", "SigningKey"} <= kept


def test_cfn_lint_has_nothing_to_say() -> None:
    """Not even a warning."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), str(_TEMPLATE), str(_PREFLIGHT), str(_RECOVERY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_can_be_given_to_cloudformation_as_it_is() -> None:
    """It needs no bucket to be uploaded to."""
    assert len(stack.text(shipped()).encode()) <= _MOST_BYTES


@pytest.mark.usefixtures("made")
def test_the_forensic_account_uses_its_key_by_grants() -> None:
    """What a breach's snapshots are shared under can be read there, and lent to AWS's services alone; nothing else."""
    where = shipped()
    assert where.evidence
    assert where.evidence.snapshots
    said = _key_policy(where.evidence.snapshots.kms_key)
    theirs = [one for one in said["Statement"] if where.evidence.snapshots.account in str(one["Principal"])]
    assert [(set(one["Action"]), one.get("Condition")) for one in theirs] == [
        ({"kms:Decrypt", "kms:DescribeKey"}, None),
        (
            {"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"},
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
    assert where.evidence.snapshots.account not in str(_key_policy(where.evidence.kms_key))


def _key_policy(alias: str) -> Any:
    """As moto was given it: of a key that CloudFormation made, it answers nothing that its policy decides."""
    where = shipped()
    listed = boto3.client("kms").list_aliases()["Aliases"]
    [key] = [one["TargetKeyId"] for one in listed if one["AliasName"] == alias]
    return kms_backends[where.account][where.region].keys[key].policy


def test_what_is_not_shared_needs_no_key_for_it() -> None:
    """Without a forensic account there is neither its parameter nor its key."""
    where = shipped()
    assert where.evidence
    alone = stack.text(other(evidence=where.evidence.model_copy(update={"snapshots": None})))
    assert "ForensicAccount" not in alone
    assert "SnapshotKey" not in alone


def test_what_has_no_evidence_makes_none() -> None:
    """An environment without evidence gets table and roles, and no bucket."""
    template = stack.text(other(evidence=None))
    assert "AWS::S3::Bucket" not in template
    assert "AWS::DynamoDB::Table" in template


def test_a_key_without_an_alias_is_refused() -> None:
    """A key's id is given by AWS: no stack can make one under it."""
    where: Environment = shipped()
    assert where.evidence
    named = where.evidence.model_copy(update={"kms_key": "1b2c3d4e-0000-4000-8000-000000000001"})
    with pytest.raises(ValueError, match="must name an alias"):
        stack.text(where.model_copy(update={"evidence": named}))
