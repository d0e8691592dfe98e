import sys
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.evidence import s3_preservation
from activities.changes.runner import ChangeRunner
from activities.heartbeat import keeping
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import DECLARED, LOGS, VAULT, log, preserve, stored
from tests.activities.preserving import INSIDE, LARGE, applied, copies, manifest, uploads
from tests.activities.test_change_catalogue import verified


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield preserve()


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


@pytest.fixture
def s3(world: ChangeWorld) -> Any:
    return world.clients.inner.client("s3")


@pytest.mark.parametrize(
    ("theirs", "lock", "match"),
    [
        (b"something else", {"ObjectLockMode": "GOVERNANCE", "ObjectLockLegalHoldStatus": "ON"}, "something else"),
        (b"{}", {}, "without our lock"),
        (b"{}", {"ObjectLockMode": "GOVERNANCE"}, "without our lock"),
    ],
    ids=["changed", "unlocked", "without a hold"],
)
def test_a_foreign_copy_is_never_taken_for_evidence(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, theirs: bytes, lock: dict[str, Any], match: str
) -> None:
    """Where something else stands, or the same without our lock, it says so, and there is no manifest."""
    call = applied(runner, world)
    version = s3.list_object_versions(Bucket=LOGS, Prefix="AWSLogs/1.")["Versions"][0]["VersionId"]
    key = f"evidence/{world.scope.incident}/{LOGS}/AWSLogs/1.json.gz/{version}"
    until = {"ObjectLockRetainUntilDate": DECLARED + timedelta(days=9)} if lock else {}
    s3.put_object(Bucket=VAULT, Key=key, Body=theirs, ChecksumAlgorithm="SHA256", **lock, **until)
    with pytest.raises(RuleError, match=match) as refused:
        verified(runner, world, call)
    assert VAULT in str(refused.value)
    assert "AWSLogs" not in str(refused.value)
    assert call.plan.after["manifest"] not in stored(world.clients)
    assert any("AWSLogs/2.json.gz" in copy for copy in copies(world))


def test_one_that_cannot_be_read_keeps_the_manifest_from_being_written(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are copied, the error is raised as it came, and a later attempt ends it."""
    for number in range(5):
        log(f"app/{number}", b"x", INSIDE)
    broken = log("app/3x", b"broken", INSIDE)
    call = applied(runner, world)
    inner = world.clients.inner.client("s3")
    get_object = inner.get_object

    def breaking(**asked: Any) -> Any:
        if asked.get("VersionId") == broken:
            raise ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "GetObject")
        return get_object(**asked)

    monkeypatch.setattr(inner, "get_object", breaking)
    with pytest.raises(ClientError, match="InternalError"):
        verified(runner, world, call)
    assert len(copies(world)) == 7
    assert call.plan.after["manifest"] not in stored(world.clients)
    monkeypatch.undo()
    assert "8 versions" in verified(runner, world, call)


def test_half_a_content_is_never_evidence(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the source breaks off nothing is put, and the next attempt copies all of it."""
    log("app/half", b"x" * 1000, INSIDE)
    call = applied(runner, world)
    inner = world.clients.inner.client("s3")
    get_object = inner.get_object

    def breaking(**asked: Any) -> Any:
        answer = get_object(**asked)
        if asked["Key"] == "app/half":
            answer["ContentLength"] += 1
        return answer

    monkeypatch.setattr(inner, "get_object", breaking)
    with pytest.raises(ConnectionError):
        verified(runner, world, call)
    assert not any("app/half" in copy for copy in copies(world))
    monkeypatch.undo()
    assert "3 versions" in verified(runner, world, call)


def test_a_foreign_order_or_manifest_is_told(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """What somebody else put in place of our manifest does not pass for it."""
    call = applied(runner, world)
    s3.put_object(Bucket=VAULT, Key=call.plan.after["manifest"], Body=b'{"incident":"another"}\n')
    with pytest.raises(ApplicationError, match="not of this order") as failed:
        verified(runner, world, call)
    assert failed.value.type == "VerificationFailed"


def test_what_an_earlier_attempt_copied_is_compared_and_not_sent(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the cursor of the attempt before, nothing is put again; the manifest is as complete."""
    for number in range(5):
        log(f"app/{number}", b"x", INSIDE)
    call = applied(runner, world)

    with monkeypatch.context() as dying:
        dying.setattr(s3_preservation.Preservation, "_write_part", lambda *_: sys.exit())
        with pytest.raises(SystemExit), keeping([]) as reached:
            verified(runner, world, call)
    assert [one["versions"] for one in reached] == [7]
    made = len(world.clients.writes)
    with keeping(reached):
        verified(runner, world, call)
    assert world.clients.writes[made:] == ["s3.put_object"] * 2  # the part and the manifest
    assert len(manifest(s3, call)[1]) == 7


def test_a_foreign_part_of_the_manifest_is_not_believed(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """A part that is not locked as ours are was written by somebody else."""
    call = applied(runner, world)
    s3.put_object(
        Bucket=VAULT, Key=f"{call.plan.context['records']}parts/000001.jsonl", Body=b'{"source_version":"1"}\n'
    )
    with pytest.raises(RuleError, match="somebody else"):
        verified(runner, world, call)
    assert copies(world) == []


@pytest.mark.parametrize("locked", [True, False])
def test_a_record_that_somebody_else_was_quicker_with_is_not_believed(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """Put between our look and our write: what is not about the same versions, or not locked, ends it at once."""
    call = applied(runner, world)
    inner = world.clients.inner.client("s3")
    put_object = inner.put_object

    def overtaken(**asked: Any) -> Any:
        if asked["Key"].endswith("parts/000001.jsonl"):
            lock = {key: value for key, value in asked.items() if locked and key.startswith("ObjectLock")}
            where = {"Bucket": asked["Bucket"], "Key": asked["Key"], "ChecksumAlgorithm": "SHA256"}
            put_object(**where, **lock, Body=b'{"source_version":"theirs"}\n')
        return put_object(**asked)

    monkeypatch.setattr(inner, "put_object", overtaken)
    with pytest.raises(RuleError, match="somebody else"):
        verified(runner, world, call)
    assert call.plan.after["manifest"] not in stored(world.clients)


@pytest.mark.parametrize("look", [0, 3], ids=["sent again", "compared"])
def test_a_large_copy_that_stands_is_taken_as_it_is(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    """The attempt before died after the copy: it is found to be the same, and no half of another is left."""
    log("AWSLogs/0", b"x" * LARGE, INSIDE)
    call = applied(runner, world)
    with monkeypatch.context() as dying:
        dying.setattr(s3_preservation.Preservation, "_write_part", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            verified(runner, world, call)
    stood = copies(world)
    with keeping([{"versions": look}]):
        verified(runner, world, call)
    assert copies(world) == stood
    assert uploads(s3) == []
    (line,) = [line for line in manifest(s3, call)[1] if line["size"] == LARGE]
    assert line["sha256"] == sha256(b"x" * LARGE).hexdigest()


def test_an_upload_that_fails_leaves_nothing_behind(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that S3 does not take ends the upload and gives its room back: nothing hangs, the next attempt copies."""
    for number in range(6):
        log(f"app/{number}", b"x" * LARGE, INSIDE)
    call = applied(runner, world)
    inner = world.clients.inner.client("s3")

    def failing(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "UploadPart")

    with monkeypatch.context() as broken:
        broken.setattr(inner, "upload_part", failing)
        with pytest.raises(ClientError, match="SlowDown"):
            verified(runner, world, call)
    assert len(copies(world)) == 2
    assert uploads(s3) == []
    assert "8 versions" in verified(runner, world, call)
