"""The sandbox's ledger and evidence bucket in moto, with preserved logs in it, for commands that read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.aws.evidence.s3_preserve_logs import PreserveLogs, PreserveParams
from activities.ledger.store import LedgerStore
from domain.config.environment import Environment
from domain.model.activity_io import AppendCall
from domain.model.calls import Scope
from domain.model.events import Declared
from domain.model.timeline import Timeline
from domain.rules.ledger_progress import BATCH
from domain.values.severity import Severity
from sandbox.aws import s3 as sandbox_s3
from starters.files.organisation_folder import load_environment
from starters.files.shipped import shipped_folder
from tests.aws import aws_clients
from tests.builders import declaration

INCIDENT = "inc-20261123-7f3k"
LOGS = "axis-imaging-audit-logs-production"


class Vaulted:
    """One incident's record and evidence, as workers leave them."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.incident = INCIDENT
        self.clients = aws_clients(environment.region)
        self.timeline = Timeline()
        assert environment.evidence is not None
        self.bucket = environment.evidence.bucket
        self._create(environment.ledger_table, [environment.evidence.kms_key, environment.evidence.signing_key])

    def note(self, count: int) -> None:
        """Let so many entries be on record: a declaration, where there is none yet, and notes."""
        if self.timeline.length == 0:
            event = Declared(declaration=declaration(incident_id=self.incident, environment=self.environment))
            self.timeline.append(datetime.now(UTC), "devops-lead", event.kind, event.sentence(""), event.data())
            count -= 1
        for _ in range(count):
            number = self.timeline.length + 1
            at = datetime.now(UTC) + timedelta(seconds=number)
            self.timeline.append(at, "devops-lead", "note", f"note {number}", {"text": f"note {number}"})
        self.write()

    def write(self, upto: int | None = None) -> None:
        """Write what the ledger does not have yet."""
        entries = self.timeline.entries[:upto]
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            call = AppendCall(incident=self.incident, environment=self.environment.name, epoch=1, entries=batch)
            LedgerStore(self.clients, self.environment).append(call)

    def preserve(self, objects: int = 3) -> str:
        """Preserve a few objects of the audit logs, and put on record what that came to; gives the manifest's key."""
        for number in range(objects):
            key = f"AWSLogs/123456789012/CloudTrail/{number}.json.gz"
            self.clients.client("s3").put_object(Bucket=LOGS, Key=key, Body=f"record {number}".encode())
        change = PreserveLogs(self.clients)
        plan = change.plan(self._scope(), PreserveParams(bucket="audit-logs")).sealed()
        change.act(self._scope(), plan)
        seen = change.verify(self._scope(), plan)
        assert seen.done, seen.message
        known = {"step": "preserve-logs", "workflow_id": f"{self.incident}/preserve-logs/1"}
        now = datetime.now(UTC)
        planned = {**known, "plan": plan.model_dump(mode="json", by_alias=True)}
        self.timeline.append(now, "orchestrator", "plan", f"Plan: {plan.summary}", planned)
        text = f"Preserve logs: applied - {seen.message}"
        self.timeline.append(now, "orchestrator", "change", text, {**known, "status": "applied"})
        self.write()
        return str(plan.after["manifest"])

    def snapshot(self, kind: str = "snapshot") -> str:
        """Put a snapshot there, of an instance or a cluster, and on record; gives its name."""
        name = f"ir-{self.incident}-primary-1"
        rds = self.clients.client("rds")
        if kind == "snapshot":
            rds.create_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres")
            rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier=name)
        else:
            asked = {"Engine": "postgres", "MasterUsername": "portal", "MasterUserPassword": "not-a-secret"}
            rds.create_db_cluster(DBClusterIdentifier="db", **asked)
            rds.create_db_cluster_snapshot(DBClusterIdentifier="db", DBClusterSnapshotIdentifier=name)
        known = {"step": "snapshot-database", "workflow_id": f"{self.incident}/snapshot-database/1"}
        target = f"arn:aws:rds:{self.environment.region}:{self.environment.account}:{kind}:{name}"
        now = datetime.now(UTC)
        self.timeline.append(now, "orchestrator", "plan", "Plan: snapshot", {**known, "plan": {"target": target}})
        self.timeline.append(now, "orchestrator", "change", "Snapshot: applied", {**known, "status": "applied"})
        self.write()
        return name

    def _scope(self) -> Scope:
        return Scope(
            incident=self.incident,
            type="data-breach",
            title="Exfiltration",
            severity=Severity.P0,
            mode="live",
            declared_at=datetime.now(UTC),
            environment=self.environment,
        )

    def _create(self, table: str, keys: list[str]) -> None:
        key_schema: Any = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        kinds: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        self.clients.client("dynamodb").create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=key_schema, AttributeDefinitions=kinds
        )
        s3, where = self.clients.client("s3"), {"LocationConstraint": self.environment.region}
        s3.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where)
        s3.create_bucket(Bucket=LOGS, CreateBucketConfiguration=where)
        s3.put_bucket_versioning(Bucket=LOGS, VersioningConfiguration={"Status": "Enabled"})
        kms = self.clients.client("kms")
        for alias, (usage, spec) in zip(
            keys, [("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"), ("SIGN_VERIFY", "ECC_NIST_P256")], strict=True
        ):
            key = kms.create_key(KeyUsage=usage, KeySpec=spec)["KeyMetadata"]["KeyId"]
            kms.create_alias(AliasName=alias, TargetKeyId=key)


@contextmanager
def vaulted(patch: pytest.MonkeyPatch) -> Iterator[Vaulted]:
    """AWS in this process alone; commands find it as they would find the real one."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    sandbox_s3.install()
    with mock_aws():
        yield Vaulted(load_environment(shipped_folder(), "sandbox"))
