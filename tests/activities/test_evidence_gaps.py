"""What S3 will not give, or will not show, costs neither the rest nor the truth about it."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.evidence import s3_preservation
from activities.changes.runner import ChangeRunner
from sandbox.aws import s3_reads
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import DECLARED, LOGS, VAULT, log, preserve
from tests.activities.preserving import INSIDE, applied, copies, manifest
from tests.activities.scopes import ACCOUNT
from tests.activities.test_change_catalogue import planned, verified


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


def put(s3: Any, key: str, **how: Any) -> str:
    return str(s3.put_object(Bucket=LOGS, Key=key, Body=b"kept", **how)["VersionId"])


def archived(world: ChangeWorld) -> str:
    return put(world.clients.inner.client("s3"), "app/old", StorageClass="DEEP_ARCHIVE")


def under_a_disabled_key(world: ChangeWorld) -> str:
    kms = world.clients.inner.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    made = put(world.clients.inner.client("s3"), "app/old", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    kms.disable_key(KeyId=key)
    return made


def under_a_withheld_key(world: ChangeWorld) -> str:
    s3_reads.withhold(ACCOUNT, "theirs")
    return put(world.clients.inner.client("s3"), "app/old", ServerSideEncryption="aws:kms", SSEKMSKeyId="theirs")


def under_a_customers_key(world: ChangeWorld) -> str:
    own = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    return put(world.clients.inner.client("s3"), "app/old", **own)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (archived, "InvalidObjectState"),
        (under_a_disabled_key, "KMS.DisabledException"),
        (under_a_withheld_key, "AccessDenied"),
        (under_a_customers_key, "InvalidRequest"),
    ],
)
def test_what_cannot_be_read_is_a_named_gap(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, made: Any, code: str
) -> None:
    """One version that S3 will not give leaves a manifest of all others, which names it and why."""
    gap = made(world)
    call = applied(runner, world)
    message = verified(runner, world, call)
    assert f"NOT COPIED, as they could not be read: 1 {code}" in message
    head, lines, _ = manifest(s3, call)
    assert (head["versions"], head["gaps"]) == (2, {code: 1})
    assert [line["gap"] for line in lines if line["source_version"] == gap] == [code]
    assert len(copies(world)) == 2


def test_the_plan_tells_what_is_archived(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Who asks learns beforehand that it takes a restore first."""
    archived(world)
    assert "1 versions are archived" in planned(runner, world).plan.impact


def test_asked_again_a_gap_is_tried_again(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """Nothing came since, but the key may be used again: there is a second manifest, and nothing is copied twice."""
    under_a_disabled_key(world)
    first = applied(runner, world)
    verified(runner, world, first)
    before = copies(world)
    kms = world.clients.inner.client("kms")
    kms.enable_key(KeyId=kms.list_keys()["Keys"][0]["KeyId"])
    second = applied(runner, world, 2)
    assert second.plan.after["manifest"] != first.plan.after["manifest"]
    assert "NOT COPIED" not in verified(runner, world, second)
    assert manifest(s3, second)[0]["versions"] == 3
    assert len(copies(world)) == len(before) + 1
    assert planned(runner, world, 3).plan.changes_nothing


def test_a_role_that_may_read_nothing_is_told(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """That is no gap but a role that lacks a right: no manifest claims to be all there is."""
    for found in s3.list_object_versions(Bucket=LOGS)["Versions"]:
        s3.delete_object(Bucket=LOGS, Key=found["Key"], VersionId=found["VersionId"])
    under_a_withheld_key(world)
    call = applied(runner, world)
    with pytest.raises(RuleError, match="may read nothing"):
        verified(runner, world, call)
    assert "app/old" not in " ".join(copies(world))


def test_what_is_readable_behind_a_part_of_denials_is_preserved(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest may be under a key that is withheld: whether a role may read nothing shows at the window's end."""
    monkeypatch.setattr(s3_preservation, "_PART_LINES", 2)
    s3_reads.withhold(ACCOUNT, "theirs")
    for number in range(3):
        put(s3, f"AAA/{number}", ServerSideEncryption="aws:kms", SSEKMSKeyId="theirs")
    call = applied(runner, world)
    assert "NOT COPIED, as they could not be read: 3 AccessDenied" in verified(runner, world, call)
    assert manifest(s3, call)[0]["versions"] == 2
    assert len(copies(world)) == 2


def test_an_error_while_looking_behind_denials_is_not_the_end(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed may be readable later: that error is raised, not that the role may read nothing."""
    monkeypatch.setattr(s3_preservation, "_PART_LINES", 1)
    s3_reads.withhold(ACCOUNT, "theirs")
    for number in range(2):
        put(s3, f"AAA/{number}", ServerSideEncryption="aws:kms", SSEKMSKeyId="theirs")
    call = applied(runner, world)
    real = s3.get_object

    def broken(**asked: Any) -> Any:
        if asked["Key"].startswith("AWSLogs/"):
            raise ConnectionError
        return real(**asked)

    with monkeypatch.context() as breaking:
        breaking.setattr(s3, "get_object", broken)
        with pytest.raises(ConnectionError):
            verified(runner, world, call)
    assert "2 versions" in verified(runner, world, call)


def test_a_lock_that_is_hidden_is_not_missing(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """Where this role may not see locks, what stands there is taken for ours, and the manifest says what was unseen."""
    call = applied(runner, world)
    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(s3_preservation.Preservation, "_write_part", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            verified(runner, world, call)
    with s3_reads.hidden_locks(ACCOUNT):
        message = verified(runner, world, call)
    assert "its lock is hidden from this role" in message
    assert {line.get("lock") for line in manifest(s3, call)[1]} == {"hidden"}


def test_metadata_goes_along(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """CloudTrail's signature of a digest is in its object's metadata: without it the copy proves nothing."""
    put(s3, "app/digest", Metadata={"signature": "ab12"})
    call = applied(runner, world)
    verified(runner, world, call)
    (line,) = [one for one in manifest(s3, call)[1] if one["source"].endswith("app/digest")]
    assert s3.head_object(Bucket=VAULT, Key=line["destination"])["Metadata"] == {"signature": "ab12"}


def test_the_newest_day_is_copied_first(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """Days of AWS's own folders come before the rest of the bucket, latest first, and nothing comes twice."""
    days = [DECLARED - timedelta(hours=hours) for hours in (23, 1)]
    for day in days:
        for region in ("ap-southeast-2", "us-east-1"):
            log(f"AWSLogs/1/CloudTrail/{region}/{day:%Y/%m/%d}/{day:%H}.json.gz", b"{}", INSIDE)
    log("AAA/first-by-name", b"x", INSIDE)
    call = applied(runner, world)
    verified(runner, world, call)
    keys = [line["source"].split("/", 1)[1] for line in manifest(s3, call)[1]]
    assert len(keys) == len(set(keys)) == 7
    dated = [key for key in keys if "CloudTrail" in key]
    assert keys[:4] == dated
    assert f"{days[1]:%Y/%m/%d}" in dated[0]
    if days[0].date() != days[1].date():
        assert f"{days[0]:%Y/%m/%d}" in dated[-1]


def test_copying_begins_with_the_first_page(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket whose listing breaks off has been copied up to there, and the next attempt goes on behind that."""
    monkeypatch.setattr(s3_preservation, "_PART_LINES", 2)
    for number in range(100):
        log(f"app/{number:03}", b"x", INSIDE)
    call = applied(runner, world)
    listed = vars(s3_preservation)["versions"]

    def broken(*asked: Any) -> Any:
        for number, version in enumerate(listed(*asked)):
            if number == 80:
                raise ConnectionError
            yield version

    monkeypatch.setattr(s3_preservation, "versions", broken)
    with pytest.raises(ConnectionError):
        verified(runner, world, call)
    begun: list[str | None] = []

    def noted(*asked: Any) -> Any:
        begun.append(asked[-1])
        return listed(*asked)

    monkeypatch.setattr(s3_preservation, "versions", noted)
    assert "102 versions" in verified(runner, world, call)
    assert begun[0] is not None
    assert len({line["source_version"] for line in manifest(s3, call)[1]}) == 102
