"""CloudTrail's signed digests: what was removed, rewritten or forged is found, at the source and in the vault."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.s3.models import s3_backends

from activities.aws.evidence.cloudtrail_digests import Digests, DigestsParams
from activities.aws.evidence.digest_files import Inflated
from activities.changes.runner import ChangeRunner
from domain.model.finding import Finding, FindingStatus
from sandbox.aws import cloudtrail, trail_digests
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import DECLARED, LOGS, log, preserve
from tests.activities.preserving import applied, manifest
from tests.activities.scopes import ACCOUNT, REGION
from tests.activities.test_change_catalogue import verified
from tests.activities.unread import Case, Look, ProbeCases

NOW = (datetime.now(UTC) - timedelta(minutes=20)).replace(minute=0, second=0, microsecond=0)  # its digest is delivered
HOURS = 4


def delivered(hours: int = HOURS, account: str = ACCOUNT, trail: str = "account") -> dict[str, bytes]:
    """A trail's files of so many hours, with a digest of each; gives the log files."""
    cloudtrail.install()
    files: dict[str, bytes] = {}
    before = None
    for number in range(hours, 0, -1):
        end = NOW - timedelta(hours=number - 1)
        at = end - timedelta(minutes=40)
        name = f"{account}_CloudTrail_{REGION}_{at:%H%M}Z_{trail}.json.gz"
        key = f"AWSLogs/{account}/CloudTrail/{REGION}/{at:%Y/%m/%d}/{name}"
        files[key] = gzip.compress(f'{{"Records": [{number}]}}'.encode(), mtime=0)
        log(key, files[key], at)
        before = trail_digests.digest((account, REGION), LOGS, end, [(key, files[key])], before, trail)
        log(before.key, before.content, end)
        _object(before.key).set_metadata(before.metadata)
    return files


def _object(key: str) -> Any:
    return s3_backends[ACCOUNT]["aws"].get_object(LOGS, key)


def keys(folder: str) -> list[str]:
    found = s3_backends[ACCOUNT]["aws"].get_bucket(LOGS).keys
    return sorted(key for key in found if f"/{folder}/" in key)


def rewritten() -> None:
    _object(keys("CloudTrail")[0]).value = gzip.compress(b'{"Records": []}')


def removed() -> None:
    del s3_backends[ACCOUNT]["aws"].get_bucket(LOGS).keys[keys("CloudTrail")[1]]


def forged() -> None:
    """A digest that names what the forger left, signed by nobody."""
    found = _object(keys("CloudTrail-Digest")[1])
    found.value = gzip.compress(gzip.decompress(found.value).replace(b"hashValue", b"hashvalue"))


def swollen() -> None:
    """A digest that unpacks to a thousand times its size."""
    _object(keys("CloudTrail-Digest")[1]).value = gzip.compress(bytes(80 * 2**20))


def deep() -> None:
    _object(keys("CloudTrail-Digest")[1]).value = gzip.compress(b"[" * 200_000)


def broken_chain() -> None:
    del s3_backends[ACCOUNT]["aws"].get_bucket(LOGS).keys[keys("CloudTrail-Digest")[1]]


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        world = preserve()
        delivered()
        yield world


def look(world: ChangeWorld) -> Finding:
    asked = DigestsParams(bucket="audit-logs", window=timedelta(hours=HOURS))
    return Digests(world.clients).observe(world.scope, asked, NOW)


def test_a_bucket_as_it_was_delivered_is_well(world: ChangeWorld) -> None:
    """Every digest is signed and follows the one before, and every file is as it was named."""
    finding = look(world)
    assert finding.status is FindingStatus.OK, finding
    assert (finding.facts["digests"], finding.facts["logs"]) == (HOURS, HOURS)


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        *((rewritten, "altered"), (removed, "missing"), (forged, "unproven"), (broken_chain, "unproven")),
        *((swollen, "unproven"), (deep, "unproven")),
    ],
)
def test_what_somebody_did_is_a_finding(world: ChangeWorld, harm: Any, kind: str) -> None:
    """A file that was rewritten or removed, a digest that was, or one that CloudTrail did not sign."""
    harm()
    finding = look(world)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.facts[f"{kind}_count"] == 1
    assert len(finding.facts[kind]) == 1


def without(*numbers: int) -> None:
    """Log files and digests of these hours are gone, the oldest first."""
    there = s3_backends[ACCOUNT]["aws"].get_bucket(LOGS).keys
    gone = [keys(folder)[number] for folder in ("CloudTrail", "CloudTrail-Digest") for number in numbers]
    for key in gone:
        del there[key]


def test_hours_that_are_gone_at_the_windows_ends_are_seen(world: ChangeWorld) -> None:
    """Whoever removes files takes their digests along: the next one names what is gone, and the last one is missed."""
    without(0)
    first = look(world)
    assert (first.status, first.facts["unproven_count"]) == (FindingStatus.SUSPECT, 1)


def test_a_chain_that_ends_early_is_not_well(world: ChangeWorld) -> None:
    """A trail that was stopped looks the same, so that it is no proof of harm."""
    without(-1, -2, -3)
    finding = look(world)
    assert (finding.status, finding.facts["silent"]) == (FindingStatus.UNKNOWN, 1)


@pytest.mark.parametrize("code", ["KMS.DisabledException", "InvalidRequest", "InvalidObjectState"])
def test_a_file_that_cannot_be_read_spoils_none_of_the_others(
    world: ChangeWorld, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Its key is disabled, or the customer's own, or it is archived; what is altered beside it is found."""
    s3 = world.clients.inner.client("s3")
    get, bad = s3.get_object, keys("CloudTrail")[1]

    def refuse(**asked: Any) -> Any:
        if asked["Key"] == bad:
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")
        return get(**asked)

    monkeypatch.setattr(s3, "get_object", refuse)
    assert (look(world).status, look(world).facts["unread"]) == (FindingStatus.UNKNOWN, 1)
    rewritten()
    assert (look(world).status, look(world).facts["unread"]) == (FindingStatus.SUSPECT, 1)


@pytest.mark.parametrize(("account", "trail"), [("210987654321", "account"), (ACCOUNT, "second")])
def test_each_trail_of_each_account_has_a_chain_of_its_own(world: ChangeWorld, account: str, trail: str) -> None:
    """An organisation's trail, or a second one to the same bucket, breaks no chain; each is checked all the same."""
    delivered(account=account, trail=trail)
    finding = look(world)
    assert finding.status is FindingStatus.OK, finding
    assert finding.facts["digests"] == 2 * HOURS
    broken_chain()
    assert look(world).facts["unproven_count"] == 1


def refusing(world: ChangeWorld, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "ListPublicKeys")

    monkeypatch.setattr(world.clients.inner.client(f"cloudtrail@{REGION}"), "list_public_keys", refuse)


@pytest.mark.parametrize("code", ["AccessDeniedException", "RegionDisabledException", "OperationNotPermittedException"])
def test_keys_that_may_not_be_read_prove_nothing_and_accuse_nobody(
    world: ChangeWorld, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Without a region's keys its digests are unread, in the finding and in the manifest: unknown, not suspect."""
    refusing(world, monkeypatch, code)
    finding = look(world)
    assert finding.status is FindingStatus.UNKNOWN
    assert (finding.facts["unread"], finding.facts["unproven_count"]) == (HOURS, 0)
    runner = ChangeRunner(world.clients)
    call = applied(runner, world)
    assert "unchanged" not in verified(runner, world, call)
    told = manifest(world.clients.inner.client("s3"), call)[0]["digests"]
    assert (told["unread"], told["unproven_count"]) == (HOURS, 0)


@pytest.mark.parametrize("code", ["ThrottlingException", "ExpiredTokenException", "InternalFailure"])
def test_what_passes_is_asked_again(world: ChangeWorld, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Nothing is judged, and no manifest locked, on an answer that the next attempt gets."""
    refusing(world, monkeypatch, code)
    with pytest.raises(ClientError):
        look(world)
    runner = ChangeRunner(world.clients)
    call = applied(runner, world)
    with pytest.raises(ClientError):
        verified(runner, world, call)
    monkeypatch.undo()
    verified(runner, world, call)
    assert manifest(world.clients.inner.client("s3"), call)[0]["digests"]["unread"] == 0


def test_a_digest_that_cannot_be_read_breaks_no_chain(world: ChangeWorld) -> None:
    """One that is archived is unread, in place and as a gap among the copies; the one behind it is proven."""
    _object(keys("CloudTrail-Digest")[1]).set_storage_class("DEEP_ARCHIVE")
    finding = look(world)
    assert finding.status is FindingStatus.UNKNOWN
    assert (finding.facts["unread"], finding.facts["unproven_count"]) == (1, 0)
    runner = ChangeRunner(world.clients)
    call = applied(runner, world)
    verified(runner, world, call)
    told = manifest(world.clients.inner.client("s3"), call)[0]["digests"]
    assert (told["unread"], told["unproven_count"]) == (1, 0)


@pytest.mark.parametrize(("harm", "kind"), [(None, None), (rewritten, "altered"), (removed, "missing")])
def test_the_manifest_names_what_digests_show(world: ChangeWorld, harm: Any, kind: str | None) -> None:
    """Evidence is preserved all the same, and says what of it CloudTrail does not vouch for."""
    if harm:
        harm()
    runner = ChangeRunner(world.clients)
    call = applied(runner, world)
    message = verified(runner, world, call)
    told = manifest(world.clients.inner.client("s3"), call)[0]["digests"]
    counts = {name: told[f"{name}_count"] for name in ("altered", "missing", "unproven")}
    assert counts == dict.fromkeys(counts, 0) | ({kind: 1} if kind else {})
    assert ("all there, unchanged" in message) is (kind is None)
    assert told["not_named_yet"] == 0


@pytest.mark.parametrize("content", [b'{"Records": [1]}', b'{"Records": []}'], ids=["genuine", "rewritten"])
def test_a_digest_that_came_late_proves_what_an_earlier_manifest_holds(world: ChangeWorld, content: bytes) -> None:
    """The file was copied by the first request, its digest by the second: the copy is held against it."""
    world.params["since"] = "72h"
    at = DECLARED - timedelta(hours=30)
    key = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{at:%Y/%m/%d}/late.json.gz"
    log(key, gzip.compress(content), at)
    runner = ChangeRunner(world.clients)
    verified(runner, world, applied(runner, world))
    named = [(key, gzip.compress(b'{"Records": [1]}'))]
    late = trail_digests.digest((ACCOUNT, REGION), LOGS, NOW, named, None, "late")
    log(late.key, late.content, DECLARED + timedelta(minutes=5))
    _object(late.key).set_metadata(late.metadata)
    call = applied(runner, world, 2)
    verified(runner, world, call)
    told = manifest(world.clients.inner.client("s3"), call)[0]["digests"]
    assert told["altered"] == ([key] if b"[]" in content else [])
    assert (told["missing"], told["unproven"]) == ([], [])


def test_hashing_what_is_unpacked_takes_little_memory() -> None:
    """A file that unpacks to a thousand times its size is hashed a MiB at a time; a broken one has no hash."""
    content = gzip.compress(bytes(32 * 2**20))
    parts = iter([content[:100], content[100:], b""])
    inflated = Inflated(lambda _: next(parts))
    while inflated.read(1):
        pass
    assert inflated.sha256 is not None
    ends = iter([content[:-9], b""])
    cut = Inflated(lambda _: next(ends))
    while cut.read(1):
        pass
    assert cut.sha256 is None


def _shown(*harms: Any, hours: int = HOURS, window: int = HOURS, at: datetime = NOW) -> Look:
    world = preserve()
    delivered(hours)
    for harm in harms:
        harm()
    return Look(world.clients, {"bucket": "audit-logs", "window": f"{window}h"}, world.scope, at)


def _archived() -> None:
    _object(keys("CloudTrail")[0]).set_storage_class("DEEP_ARCHIVE")


def _cut_off() -> Look:
    return _shown(hours=24, window=24)


PROBE_CASES: ProbeCases = {
    "cloudtrail.digests": {
        Case.NO_SOURCE: lambda: _shown(hours=0),
        Case.EMPTY: lambda: _shown(hours=0),
        Case.UNRECOGNISED: "what is no digest by its name is none; a digest that cannot be read is suspect",
        Case.OLD: lambda: _shown(at=NOW + timedelta(hours=20)),
        Case.ONE_UNREADABLE: lambda: _shown(_archived),
        Case.CUT_OFF: "four hundred digests are a day of every region: more are told as truncated, which is unknown",
        Case.TROUBLE_BESIDE_UNREADABLE: lambda: _shown(_archived, removed),
    }
}
