"""AWS Backup's jobs, which moto lacks."""

import json
from datetime import datetime, timedelta
from typing import Any

from moto.backup import urls
from moto.backup.models import backup_backends
from moto.backup.responses import BackupResponse
from moto.moto_api._internal import mock_random

from sandbox.aws.moto_patch import patch

_JOBS = "backup_jobs"


def install() -> None:
    """Patch moto with these operations."""
    urls.url_paths["{0}/backup-jobs/?$"] = BackupResponse.dispatch
    patch(BackupResponse, list_backup_jobs=list_backup_jobs)


def list_backup_jobs(response: BackupResponse) -> str:
    """List jobs, latest first, filtered by `state` and `createdAfter` where given."""
    asked = response._get_params()
    state, after = asked.get("state"), asked.get("createdAfter")
    since = datetime.fromisoformat(after).timestamp() if after else 0
    kept = vars(response.backup_backend).get(_JOBS, [])
    shown = [one for one in kept if state in {None, one["State"]} and one["CreationDate"] >= since]
    return json.dumps({"BackupJobs": sorted(shown, key=lambda one: -one["CreationDate"])})


def job(account: str, region: str, resource: str, at: datetime, error: str | None = None) -> None:
    """Record a job for an RDS instance: completed, or failed with this message."""
    made: dict[str, Any] = {
        "AccountId": account,
        "BackupJobId": str(mock_random.uuid4()),
        "BackupVaultName": "Default",
        "ResourceArn": resource,
        "ResourceType": "RDS",
        "CreationDate": at.timestamp(),
        "CompletionDate": (at + timedelta(minutes=11)).timestamp(),
        "State": "FAILED" if error else "COMPLETED",
        "PercentDone": "0.0" if error else "100.0",
    }
    if error:
        made["StatusMessage"] = error
    vars(backup_backends[account][region]).setdefault(_JOBS, []).append(made)
