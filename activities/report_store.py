"""The report of an ended incident, kept beside its evidence in every format."""

from datetime import datetime, timedelta

from activities.action import Clients, RuleError, evidence_of
from activities.aws.shared.s3_objects import put_once
from activities.ledger.reader import LedgerReader
from domain.audit.storage_format import report_place
from domain.audit.verdict import account
from domain.config.environment import Environment
from domain.model.activity_io import Reported
from domain.rules.evolve import NoIncidentError
from domain.values.local_time import Clock, zone_of
from reporting.formats.rendering import ENDINGS, rendered

_TYPES = {
    "markdown": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}


def store_report(clients: Clients, environment: Environment, timezone: str, incident: str, now: datetime) -> Reported:
    """Render what the ledger has of an incident, and put each format into the evidence bucket, in GOVERNANCE mode.

    A repeat writes nothing new: what stands at the place of the same last entry stays. Raises `RuleError` when the
    ledger does not tell the incident; lets botocore's errors through (`dynamodb:Query`, `s3:PutObject`,
    `s3:PutObjectRetention`).
    """
    evidence = evidence_of(environment)
    try:
        entries = account(LedgerReader(clients, environment).read_chain(incident))
    except ValueError as error:
        raise RuleError(f"the ledger of {incident} is broken") from error
    clock = Clock(zone_of(timezone))
    seq = entries[-1].seq
    places = []
    for format_, ending in ENDINGS.items():
        place = report_place(incident, seq, ending)
        try:
            content = rendered(entries, format_, clock)
        except NoIncidentError as error:
            raise RuleError(f"the ledger does not tell {incident}: {error}") from error
        put_once(
            clients.client("s3"),
            evidence.bucket,
            place,
            content,
            ContentType=_TYPES[format_],
            ObjectLockMode="GOVERNANCE",
            ObjectLockRetainUntilDate=now + timedelta(days=evidence.retention_days),
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=evidence.kms_key,
            BucketKeyEnabled=True,
        )
        places.append(place)
    return Reported(seq=seq, places=tuple(places))
