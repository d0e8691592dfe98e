from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from activities.action import RuleError
from activities.aws.evidence import s3_preservation
from activities.changes.runner import ChangeRunner
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import DECLARED, EVIDENCE, LOGS, VAULT, log, preserve
from tests.activities.preserving import INSIDE, LARGE, PIECE, applied, copies, manifest
from tests.activities.scopes import environment
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


def test_every_version_of_the_window_arrives_locked(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """Each version, rewritten and large ones too, stands under its name with the source's hash and both locks."""
    contents = {
        "app/day.jsonl": [b"one", b"two"],
        "app/large": [b"x" * LARGE],
        "app/exact": [b"y" * PIECE],
        "app/empty": [b""],
    }
    wanted = {}
    for key, versions in contents.items():
        for number, content in enumerate(versions):
            wanted[key, log(key, content, INSIDE + timedelta(minutes=number))] = content
    call = applied(runner, world)
    message = verified(runner, world, call)
    head, lines, digest = manifest(s3, call)
    assert message.endswith(f"SHA-256 {digest}")
    assert (head["versions"], head["deleted"], head["gone"]) == (7, 0, 0)
    told = {(line["source"].removeprefix(f"arn:aws:s3:::{LOGS}/"), line["source_version"]): line for line in lines}
    assert len(told) == len(lines) == 7
    assert not any(key == "AWSLogs/30.json.gz" for key, _ in told)
    for (key, version), content in wanted.items():
        line = told[key, version]
        assert line["destination"] == f"evidence/{world.scope.incident}/{LOGS}/{key}/{version}"
        assert (line["sha256"], line["size"]) == (sha256(content).hexdigest(), len(content))
        there = s3.get_object(Bucket=VAULT, Key=line["destination"], VersionId=line["destination_version"])
        assert there["Body"].read() == content
        assert (there["ObjectLockMode"], there["ObjectLockLegalHoldStatus"]) == ("GOVERNANCE", "ON")
        assert f"{there['ObjectLockRetainUntilDate']:%Y-%m-%d}" == line["locked_until"][:10]
        assert (there["ServerSideEncryption"], there["SSEKMSKeyId"]) == ("aws:kms", EVIDENCE["kms_key"])
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=VAULT, Key=line["destination"], VersionId=line["destination_version"])


def test_what_s3_stored_is_what_was_hashed(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """S3's own checksum of a copy is that of the source's content."""
    log("app/a", b"content", INSIDE)
    verified(runner, world, applied(runner, world))
    (key,) = [key for key in copies(world) if "/app/a/" in key]
    found = s3.head_object(Bucket=VAULT, Key=key, ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert b64decode(found) == sha256(b"content").digest()


def test_deletions_and_losses_are_told(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion of the window is in the manifest, and so is a version that was gone before it could be copied."""
    log("app/a", b"content", INSIDE)
    s3.delete_object(Bucket=LOGS, Key="app/a")
    lost = log("app/b", b"lost", INSIDE)
    call = applied(runner, world)
    listed = vars(s3_preservation)["versions"]

    def then_lost(*asked: Any) -> Any:
        for version in listed(*asked):
            if version.version == lost:
                s3.delete_object(Bucket=LOGS, Key="app/b", VersionId=lost)
            yield version

    monkeypatch.setattr(s3_preservation, "versions", then_lost)
    message = verified(runner, world, call)
    assert "3 versions" in message
    assert "1 deletions" in message
    assert "1 were gone" in message
    _, lines, _ = manifest(s3, call)
    assert [line["gone"] for line in lines if line["source_version"] == lost] == ["NoSuchVersion"]
    assert sum("deleted" in line for line in lines) == 1


def test_asking_again_copies_only_what_came_since(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """With nothing new it is all done, by us; with something new the next window begins a day before the last's end."""
    verified(runner, world, applied(runner, world))
    again = planned(runner, world, 2)
    assert again.plan.changes_nothing
    before = copies(world)
    log("app/new", b"new", DECLARED + timedelta(minutes=5))
    call = applied(runner, world, 2)
    assert call.plan.after["manifest"] != again.plan.after["manifest"]
    verified(runner, world, call)
    head, lines, _ = manifest(s3, call)
    assert head["versions"] == len(lines) == len(before) + 1
    assert len(copies(world)) == len(before) + 1
    assert set(before) < set(copies(world))
    assert planned(runner, world, 3).plan.changes_nothing


def test_an_upload_that_ended_after_the_first_manifest_is_copied(
    runner: ChangeRunner, world: ChangeWorld, s3: Any
) -> None:
    """S3 dates it by its beginning, in the window that is copied already: the next one looks a day back, no further."""
    world.params["since"] = "72h"
    log("app/old", b"old", DECLARED - timedelta(hours=40))
    verified(runner, world, applied(runner, world))
    before = copies(world)
    begun = log("app/slow", b"slow", DECLARED - timedelta(hours=20))
    log("app/new", b"new", DECLARED + timedelta(minutes=5))
    call = applied(runner, world, 2)
    verified(runner, world, call)
    lines = manifest(s3, call)[1]
    assert begun in {line["source_version"] for line in lines}
    assert not any("app/old" in line["source"] for line in lines)
    assert len(copies(world)) == len(before) + 2
    assert planned(runner, world, 3).plan.changes_nothing
    log("app/newest", b"new", DECLARED + timedelta(minutes=6))
    third = applied(runner, world, 3)
    verified(runner, world, third)
    assert any("app/newest" in line["source"] for line in manifest(s3, third)[1])


def test_the_window_ends_where_the_plan_says(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """What is written after the plan is not of the window, although it is there when the copying begins."""
    log("app/last", b"x", DECLARED + timedelta(minutes=5))
    call = applied(runner, world)
    late = log("app/late", b"x", DECLARED + timedelta(minutes=5, seconds=1))
    assert "3 versions" in verified(runner, world, call)
    assert late not in {line["source_version"] for line in manifest(s3, call)[1]}


def test_a_key_too_long_stands_by_its_hash(runner: ChangeRunner, world: ChangeWorld, s3: Any) -> None:
    """A key that leaves no room for ours is copied too; the manifest says which it was."""
    key = "k" * 1020
    log(key, b"x", INSIDE)
    call = applied(runner, world)
    verified(runner, world, call)
    (line,) = [line for line in manifest(s3, call)[1] if line["source"].endswith(key)]
    assert sha256(key.encode()).hexdigest() in line["destination"]
    s3.head_object(Bucket=VAULT, Key=line["destination"])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"evidence": None}, "names no evidence bucket"),
        ({"evidence": {**EVIDENCE, "bucket": LOGS}}, "is the evidence bucket itself"),
        ({"evidence": {**EVIDENCE, "bucket": "unlocked"}}, "no Object Lock"),
    ],
)
def test_without_a_vault_nothing_is_planned(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, changes: dict[str, Any], match: str
) -> None:
    """Evidence that nothing protects is none: refused, saying what is missing."""
    s3.create_bucket(Bucket="unlocked", CreateBucketConfiguration={"LocationConstraint": "ap-southeast-2"})
    world.scope = world.scope.model_copy(update={"environment": environment(**changes)})
    with pytest.raises(RuleError, match=match):
        planned(runner, world)


def test_the_plan_says_what_there_is(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Versions, bytes and days of the window are in the plan; the instant of declaration bounds it."""
    log("app/yesterday", b"xxx", DECLARED - timedelta(hours=24))
    log("app/before", b"xxx", DECLARED - timedelta(hours=24, seconds=1))
    plan = planned(runner, world).plan
    assert (plan.takes_long, plan.reversible) == (True, False)
    assert "3 versions" in plan.summary
    assert plan.context["found"]["bytes"] == 9
    assert sum(plan.context["found"]["days"].values()) == 3


def test_a_huge_bucket_is_counted_in_part(
    runner: ChangeRunner, world: ChangeWorld, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is too much to count in time, the plan says so, and all of it is copied all the same."""
    monkeypatch.setattr("activities.aws.evidence.s3_versions._PAGES", 1)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    for number in range(11):
        log(f"app/{number:04}", b"x", INSIDE)
    call = applied(runner, world)
    assert "at least 9" in call.plan.summary
    assert "13 versions" in verified(runner, world, call)
    assert len({line["source_version"] for line in manifest(s3, call)[1]}) == 13
