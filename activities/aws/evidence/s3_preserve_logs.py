"""Preserve what a bucket of logs holds of the time in question, before anybody can change it."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

from activities.action import BucketName, ChangeAction, Params, RuleError, evidence_of, iam
from activities.aws.evidence.evidence_bucket import Vault
from activities.aws.evidence.s3_manifests import MANIFEST, next_window, unused
from activities.aws.evidence.s3_preservation import Preservation
from activities.aws.evidence.s3_versions import Survey, dated_folders, survey
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.s3_objects import head, small
from domain.config.approval import ApprovalClass
from domain.config.environment import Evidence
from domain.model.calls import Scope
from domain.model.plan import Plan, State, Verification
from domain.values.durations import Duration
from domain.values.timestamps import short_time, stamp_to_second

_ABSENT = "absent"


class PreserveParams(Params):
    """`bucket` is the logical name of what is copied; `since` is how long before the declaration it may have begun."""

    bucket: BucketName
    since: Duration = timedelta(hours=24)


class PreserveLogs(ChangeAction[PreserveParams]):
    """Copies every version of the window into the evidence bucket, locked, and ends with a manifest of them all.

    The state is the `order`, by its SHA-256, and the `manifest`, by its key. Applying puts the order on record and
    returns; verifying does the copying, which can take hours and goes on where it was cut. Copies stand under
    `evidence/<incident>/<bucket>/<key>/<version>`. What cannot be read at its source is named as a gap. Log files of
    CloudTrail's are held against its signed digests, as they were read and as they stand in the vault. The role needs
    to read the bucket and its versions, to decrypt with the bucket's own key, and to put and read, not to delete, in
    the evidence bucket.

    Logs are delivered minutes after what they tell of: asked for again, it copies what has come since, and what was a
    gap.
    """

    name = "s3.preserve_logs"
    permissions = iam(
        "cloudtrail:ListPublicKeys",
        "kms:Decrypt GenerateDataKey",
        "s3:AbortMultipartUpload GetBucketObjectLockConfiguration GetObject GetObjectLegalHold GetObjectRetention",
        "s3:GetObjectVersion ListBucket ListBucketVersions PutObject PutObjectLegalHold PutObjectRetention",
    )
    classes = (ApprovalClass.A1,)
    needs = ("evidence",)
    evidence = True
    irreversible = "the copies are locked for years"

    def plan(self, scope: Scope, params: PreserveParams) -> Plan:
        """Count what there is since the suspected onset and fix the window.

        It ends with the newest version there is, so that asking again when nothing came since finds it all done.
        Raises `RuleError` when there is no evidence bucket that locks.
        """
        s3 = self.clients.client("s3")
        evidence = evidence_of(scope.environment)
        source = scope.environment.buckets[params.bucket]
        _refuse_unlocked(s3, evidence.bucket, source)
        begin = scope.declared_at - params.since
        found = survey(s3, source, begin)
        folder = f"manifests/{scope.incident}/{source}/"
        since, until = next_window(s3, evidence.bucket, folder, begin, max(found.until, scope.declared_at))
        if since > begin:
            found = survey(s3, source, since)
        context = _context(scope, evidence, source, since, until) | {
            "folders": dated_folders(s3, source),
            "found": {
                "versions": found.versions,
                "bytes": found.size,
                "deleted": found.deleted,
                "archived": found.archived,
                "days": found.days,
            },
        }
        context["records"] = unused(s3, evidence.bucket, context["records"])
        manifest = f"{context['records']}{MANIFEST}"
        after = {"order": sha256(_order(context)).hexdigest(), "manifest": manifest}
        return self.proposed(
            target=scope.environment.arn("s3", f"{evidence.bucket}/{manifest}"),
            summary=f"Preserve {_counted(found)} of {source} since {short_time(since)}",
            before=self._state(evidence.bucket, context["records"]),
            after=after,
            impact=_impact(context, evidence.bucket),
            takes_long=True,
            context=context,
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Look whether order and manifest stand in the evidence bucket (`s3:GetObject`, `s3:ListBucket`)."""
        return self._state(evidence_of(scope.environment).bucket, str(plan.context["records"]))

    def act(self, scope: Scope, plan: Plan) -> None:
        """Put the order on record, locked; one that is there stays, and must be the same.

        Raises `RuleError` when somebody else put another one there since the look.
        """
        if self.read(scope, plan)["order"] == _ABSENT:
            with self._vault(scope, plan) as vault:
                if vault.put_record(f"{plan.context['records']}order.json", BytesIO(_order(plan.context)).read):
                    return
            if self.read(scope, plan)["order"] != plan.after["order"]:
                raise RuleError("somebody else put another order on record where ours belongs")

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Copy what is not copied yet, then write the manifest; look at it and report its hash.

        A repeat copies nothing that stands in the evidence bucket already, and finds the same manifest.
        Heartbeat details: `{"versions": n, "bytes": n, "last": <version id>}`, what is done, in order.
        """
        stands = self.read(scope, plan)
        if stands["order"] != plan.after["order"]:
            return Verification(
                done=False, failed=True, message="the order on record is another than the one put there"
            )
        with self._vault(scope, plan) as vault:
            work = Preservation(self.clients, vault, plan.context)
            if stands["manifest"] == _ABSENT:
                work.carry_out()
            return work.report()

    def _vault(self, scope: Scope, plan: Plan) -> Vault:
        evidence = evidence_of(scope.environment)
        until = datetime.fromisoformat(plan.context["locked_until"])
        return Vault(self.clients.client("s3"), evidence.bucket, evidence.kms_key, until)

    def _state(self, bucket: str, records: str) -> State:
        s3 = self.clients.client("s3")
        order, manifest = small(s3, bucket, f"{records}order.json"), f"{records}{MANIFEST}"
        return {
            "order": _ABSENT if order is None else sha256(order).hexdigest(),
            "manifest": _ABSENT if head(s3, bucket, manifest) is None else manifest,
        }


def _refuse_unlocked(s3: Any, bucket: str, source: str) -> None:
    """Make sure that the evidence bucket locks (`s3:GetBucketObjectLockConfiguration`)."""
    if bucket == source:
        raise RuleError(f"{bucket} is the evidence bucket itself: what it holds is preserved already")
    try:
        s3.get_object_lock_configuration(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if code_of(error) != "ObjectLockConfigurationNotFoundError":
            raise
        raise RuleError(f"{bucket} has no Object Lock, so nothing in it is safe: make a bucket that has") from error


def _context(scope: Scope, evidence: Evidence, source: str, since: datetime, until: datetime) -> State:
    stamps = [f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (since, until)]
    return {
        "incident": scope.incident,
        "account": scope.environment.account,
        "region": scope.environment.region,
        "bucket": source,
        "since": since.astimezone(UTC).isoformat(),
        "until": until.astimezone(UTC).isoformat(),
        "copies": f"evidence/{scope.incident}/{source}/",
        "records": f"manifests/{scope.incident}/{source}/{'-'.join(stamps)}/",
        "kms_key": evidence.kms_key,
        "locked_until": stamp_to_second(evidence.locked_until(until)),
    }


def _order(context: State) -> bytes:
    """What shall be copied where, as it is put on record: the window, not what was found in it so far."""
    return json.dumps({name: value for name, value in context.items() if name != "found"}, sort_keys=True).encode()


def _counted(found: Survey) -> str:
    markers = f" and {found.deleted} deletions" if found.deleted else ""
    least = "" if found.complete else "at least "
    return f"{least}{found.versions} versions ({found.size / 2**20:.1f} MiB){markers}"


def _impact(context: State, bucket: str) -> str:
    archived, until = context["found"]["archived"], context["locked_until"][:10]
    gaps = f"{archived} versions are archived, which makes them gaps: restore them and ask again. " if archived else ""
    return (
        f"Nothing in {context['bucket']} changes. Copies go to {bucket}, under a legal hold and locked in GOVERNANCE "
        f"mode until {until}; order and manifest are locked in COMPLIANCE mode until then, which nobody can lift. That "
        f"is why it cannot be undone. Copying takes up requests and transfer. {gaps}CloudTrail and other services "
        "deliver minutes late: ask again for what comes later."
    )
