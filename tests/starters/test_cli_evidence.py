"""`incident evidence`: whatever happens to what was preserved is seen, and every hand it goes through is on record."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto.s3.models import s3_backends
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from activities.ledger.store import LedgerStore
from domain.model.activity_io import AppendCall, Appended
from sandbox.aws import s3_reads
from starters.client import full_timeline
from starters.client.incident_client import Account
from starters.errors import RefusedError
from starters.options import Options
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident, Said
from tests.starters.vaulted import INCIDENT, Vaulted
from tests.waiting import until

START = ("start", "system-outage", "--severity", "P0", "--title", "Portal down", "--json")


class Recording(Backstage):
    """A backstage whose ledger is a real one."""

    def __init__(self, world: Vaulted) -> None:
        self._world = world
        super().__init__()

    def append(self, call: AppendCall) -> Appended:
        return LedgerStore(self._world.clients, self._world.environment).append(call)


@pytest.fixture
def there(aws: Vaulted, incident: Incident, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Incident, Recording]]:
    backstage = Recording(aws)
    try:
        backstage.start_workers()
        monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
        yield incident, backstage
    finally:
        backstage.stop()


def ok(said: Said) -> Said:
    assert said.status == 0, said.err
    return said


def copies(aws: Vaulted) -> list[Any]:
    """The copies as moto keeps them, to do to them what AWS would not let anybody do."""
    bucket = s3_backends[aws.environment.account]["aws"].buckets[aws.bucket]
    return [key for name in list(bucket.keys) if name.startswith("evidence/") for key in bucket.keys.getlist(name)]


def test_preserved_evidence_is_listed_and_whole(incident: Incident, aws: Vaulted) -> None:
    """Copies and snapshots are listed with the entry that names them; hashed again, all is as it was."""
    aws.note(2)
    manifest, snapshot = aws.preserve(3), aws.snapshot()
    first, second = ok(incident("evidence", "list", INCIDENT, "--json")).json
    assert (first["kind"], first["copies"], first["entry"], first["manifest"]) == ("copies", 3, 4, manifest)
    assert (second["kind"], second["evidence"], second["entry"]) == ("snapshot", snapshot, 6)
    assert first["evidence"] in ok(incident("evidence", "list", INCIDENT)).out.replace("\n", "")
    said = ok(incident("evidence", "verify", INCIDENT, "--json")).json
    assert said == {"incident": INCIDENT, "intact": True, "problems": [], "copies": 3, "locks_hidden": 0, "gaps": 0}
    ok(incident("evidence", "verify", INCIDENT, first["evidence"]))
    assert "3 copies" in ok(incident("evidence", "verify", INCIDENT)).out


@pytest.mark.parametrize("harm", ["changed", "gone", "unlocked", "shortened"])
def test_evidence_that_is_not_what_it_was_is_named(incident: Incident, aws: Vaulted, harm: str) -> None:
    """A copy that was changed, deleted or unlocked is named by its id; the others are checked all the same."""
    aws.preserve(3)
    bucket = s3_backends[aws.environment.account]["aws"].buckets[aws.bucket]
    victim = copies(aws)[1]
    if harm == "changed":
        victim.value = b"record x"
    elif harm == "gone":
        del bucket.keys[victim.name]
    elif harm == "unlocked":
        victim.lock_mode = None
    else:
        victim.lock_until = "2027-01-01T00:00:00Z"
    said = incident("evidence", "verify", INCIDENT)
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert victim.name in said.err
    found = incident("evidence", "verify", INCIDENT, "--json")
    assert (found.status, found.json["intact"], len(found.json["problems"])) == (1, False, 1)


def test_a_hidden_lock_is_no_tampering(incident: Incident, aws: Vaulted) -> None:
    """Credentials that may not see locks find nothing wrong, and do not claim to know."""
    aws.preserve(2)
    with s3_reads.hidden_locks(aws.environment.account):
        said = incident("evidence", "verify", INCIDENT)
        found = incident("evidence", "verify", INCIDENT, "--json").json
    assert said.status == 1
    assert "unchanged, but whether 2 copies are still locked cannot be told" in said.err
    assert (found["intact"], found["problems"], found["locks_hidden"]) == (None, [], 2)


def test_a_manifest_that_the_record_does_not_name_is_refused(incident: Incident, aws: Vaulted) -> None:
    """A newer manifest over the first proves nothing: no entry of the signed record tells its hash."""
    key = aws.preserve(2)
    aws.clients.client("s3").put_object(Bucket=aws.bucket, Key=key, Body=b'{"versions": 0}\n')
    said = incident("evidence", "verify", INCIDENT)
    assert said.status == 1
    assert "no entry of the record holds its SHA-256" in said.err


def test_a_lost_snapshot_is_named(incident: Incident, aws: Vaulted) -> None:
    """A snapshot that the record tells of and that is gone is named."""
    name = aws.snapshot()
    aws.clients.client("rds").delete_db_snapshot(DBSnapshotIdentifier=name)
    said = incident("evidence", "verify", INCIDENT)
    assert (said.status, name in said.err) == (1, True)


def test_a_snapshot_of_a_cluster_is_evidence_too(incident: Incident, aws: Vaulted) -> None:
    """It is listed, found where it was taken, and named once it is gone."""
    name = aws.snapshot("cluster-snapshot")
    assert name in incident("evidence", "list", INCIDENT).out
    assert incident("evidence", "verify", INCIDENT).status == 0
    aws.clients.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
    said = incident("evidence", "verify", INCIDENT)
    assert (said.status, name in said.err) == (1, True)


def test_evidence_of_a_broken_record_is_not_whole(incident: Incident, aws: Vaulted) -> None:
    """Where the record itself was changed nothing that it says of the evidence is believed."""
    aws.note(3)
    aws.preserve(1)
    key: Any = {"pk": {"S": f"chain#{INCIDENT}#0001"}, "sk": {"S": "000002"}}
    aws.clients.client("dynamodb").delete_item(TableName=aws.environment.ledger_table, Key=key)
    said = incident("evidence", "verify", INCIDENT)
    assert (said.status, "entry 2: it is missing" in said.err) == (1, True)


def test_unknown_evidence_is_refused(incident: Incident, aws: Vaulted) -> None:
    """An id of no evidence, or of no incident, exits 1 in one line; a transfer to nobody exits 2."""
    aws.note(1)
    for arguments in (("verify", INCIDENT, "nothing"), ("receive", INCIDENT, "nothing", "--reason", "r")):
        said = incident("evidence", *arguments)
        assert (said.status, said.err.count("\n")) == (1, 1)
        assert "nothing" in said.err
    assert incident("evidence", "list", "inc-20200101-0000").status == 1
    assert incident("evidence", "transfer", INCIDENT, "nothing", "--reason", "r").status == 2


def forgotten(backstage: Backstage, incident: str) -> bool:
    try:
        backstage.run(backstage.client.get_workflow_handle(incident).describe())
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND
    return False


@pytest.mark.slow
def test_custody_is_on_record_before_and_after_the_end(there: tuple[Incident, Recording], aws: Vaulted) -> None:
    """Custody events stand in the signed chain: told to the open incident, written behind the closed one, and still
    when Temporal has forgotten it."""
    call, backstage = there
    aws.incident = id_ = ok(call(*START)).json["incident_id"]
    ok(call("ack", id_))
    until(lambda: call("audit", "verify", id_).status == 0, "all of it is written and signed")
    aws.clients.client("s3").put_object(Bucket=aws.bucket, Key=f"manifests/{id_}/logs/w/manifest.jsonl", Body=b"{}\n")
    piece = ok(call("evidence", "list", id_, "--json")).json[0]["evidence"]

    by = ("--by", "security-lead", "--reason", "triage")
    assert ok(call("evidence", "receive", id_, piece, *by, "--json")).json["entry"] is None
    told = ok(call("timeline", id_, "--json")).json[-1]
    assert (told["kind"], told["actor"], told["data"]["event"]) == ("custody", "security-lead", "received")
    stranger = call("evidence", "access", id_, piece, "--by", "stranger", "--reason", "r")
    assert (stranger.status, "stranger" in stranger.err) == (1, True)

    ok(call("false-alarm", id_, "--reason", "a test"))
    lab = ("--to", "a laboratory", "--reason", "analysis")
    after = ok(call("evidence", "transfer", id_, piece, *lab, "--json")).json
    backstage.run(backstage.client.get_workflow_handle(id_).result())
    closed = ok(call("timeline", id_, "--json")).json
    assert after["entry"] == len(closed) + 1
    assert ok(call("audit", "verify", id_, "--json")).json["signed"] == after["entry"]
    stranger = call("evidence", "access", id_, piece, "--by", "stranger", "--reason", "r")
    assert (stranger.status, "stranger" in stranger.err) == (1, True)

    forget = DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=WorkflowExecution(workflow_id=id_))
    backstage.run(backstage.client.workflow_service.delete_workflow_execution(forget))
    until(lambda: forgotten(backstage, id_), "Temporal has forgotten it", 90)
    assert call("show", id_).status != 0
    last = ok(call("evidence", "release", id_, piece, "--reason", "no longer needed", "--json")).json
    assert last["entry"] == after["entry"] + 1
    events = ok(call("evidence", "list", id_, "--json")).json[0]["custody"]
    assert [event["event"] for event in events] == ["received", "transferred", "released"]
    assert events[1]["to"] == "a laboratory"
    entries = ok(call("timeline", id_, "--ledger", "--json")).json
    assert [entry["seq"] for entry in entries] == list(range(1, last["entry"] + 1))
    assert entries[: len(closed)] == closed
    assert ok(call("audit", "verify", id_)).err == ""


def test_an_export_takes_the_document_along(there: tuple[Incident, Recording], tmp_path: Any) -> None:
    """While Temporal has the incident, its document stands in the archive."""
    call, _ = there
    id_ = ok(call(*START)).json["incident_id"]
    until(lambda: call("audit", "verify", id_).status == 0, "all of it is written and signed")
    assert ok(call("audit", "export", id_, "-o", str(tmp_path / "a.zip"), "--json")).json["document"] is True
    (key,) = ok(call("audit", "verify", id_, "--json")).json["keys"].values()
    archive = ("--file", str(tmp_path / "a.zip"), "--fingerprint", key)
    assert ok(call("audit", "verify", *archive, "--json")).json["incident"] == id_


def test_older_entries_come_from_the_ledger(aws: Vaulted) -> None:
    """What a long incident's workflow has let go of is put before what it carries; the account is whole."""
    aws.note(30)
    entries = [entry.model_dump(mode="json") for entry in aws.timeline.entries]
    account = Account({"id": INCIDENT, "environment": "sandbox"}, entries[21:])
    assert full_timeline.completed(Options(), account).timeline == entries
    assert full_timeline.completed(Options(), Account(account.state, entries)).timeline == entries
    other = [{**entries[21], "prev": "f" * 64}, *entries[22:]]
    with pytest.raises(RefusedError, match="audit verify"):
        full_timeline.completed(Options(), Account(account.state, other))
