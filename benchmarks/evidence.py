"""Copying evidence against copying without hashing: how much of plain boto3's throughput is left, and the memory.

`python -m benchmarks.evidence` at small size; `--full` for 10,000 objects of 10 KiB and one of 1 GiB. Both copies read
every version and write it to another bucket of the same simulated S3 with as many threads. The plain one computes no
checksum and sets no lock. Over plain HTTP botocore itself hashes each body to sign it, in both.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from activities.aws.evidence.s3_content import MIB
from activities.aws.evidence.s3_preserve_logs import PreserveLogs, PreserveParams
from activities.aws.evidence.s3_versions import Version, versions
from activities.aws.shared.clients import AwsClients
from domain.config.environment import Environment
from domain.model.calls import Scope
from domain.values.severity import Severity

SOURCE, VAULT, PLAIN = "bench-source", "bench-vault", "bench-plain"
REGION, ACCOUNT = "ap-southeast-2", "123456789012"
THREADS = 16
DECLARED = datetime.now(UTC).replace(microsecond=0)
KIB = 1024
_KEYS = ("bench", "bench")
_SPAWN = get_context("spawn")


class Taken(NamedTuple):
    """What one copy took; the CPU is the copying process's alone."""

    seconds: float
    cpu_seconds: float
    memory_mib: float


def serve(pipe: Connection, shapes: list[tuple[int, int]]) -> None:
    """Be S3, furnished with `shapes` of (objects, bytes); then forget the copies each time that one asks."""
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    from sandbox.aws import s3

    s3.install()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client: Any = boto3.Session(*_KEYS, region_name=REGION).client("s3", endpoint_url=f"http://{host}:{port}")
    located = {"LocationConstraint": REGION}
    for bucket in (SOURCE, VAULT, PLAIN):
        client.create_bucket(
            Bucket=bucket, CreateBucketConfiguration=located, ObjectLockEnabledForBucket=bucket == VAULT
        )
    client.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    backend = s3_backends[ACCOUNT]["aws"]
    for shape, (count, size) in enumerate(shapes):
        for number in range(count):
            made = backend.put_object(SOURCE, f"{shape}/{number:06}", number.to_bytes(8, "big") + bytes(size - 8))
            made.last_modified = DECLARED.replace(tzinfo=None) - timedelta(hours=1)
    pipe.send(f"http://{host}:{port}")
    while pipe.recv() == "forget":
        for bucket in (VAULT, PLAIN):
            backend.get_bucket(bucket).keys.clear()
        pipe.send("forgotten")


def evidence_copy(session: boto3.Session) -> Callable[[], None]:
    """The change as the worker runs it: its plan and its order beforehand, then all that verifying does."""
    change = PreserveLogs(AwsClients(session, REGION))
    where = Environment(
        name="bench",
        kind="sandbox",
        account=ACCOUNT,
        region=REGION,
        ledger_table="bench",
        notifications={"mail_sender": "bench@example.com", "sms_sender": "BENCH"},
        status_page={"page_id": "bench"},
        buckets={"logs": SOURCE},
        evidence={"bucket": VAULT, "kms_key": "alias/bench", "signing_key": "alias/bench"},
    )
    scope = Scope(
        incident="inc-bench",
        type="bench",
        title="Bench",
        severity=Severity.P0,
        mode="live",
        declared_at=DECLARED,
        environment=where,
    )
    plan = change.plan(scope, PreserveParams(bucket="logs")).sealed()
    change.act(scope, plan)

    def copy() -> None:
        seen = change.verify(scope, plan)
        if not seen.done:
            raise RuntimeError(seen.message)

    return copy


def plain_copy(session: boto3.Session) -> Callable[[], None]:
    """Read and write every version; large ones as boto3's transfer does it, in parts and several at once."""
    config = Config(
        max_pool_connections=50,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    s3: Any = session.client("s3", config=config)

    def one(version: Version) -> None:
        body = s3.get_object(Bucket=SOURCE, Key=version.key, VersionId=version.version)["Body"]
        if version.size < 8 * MIB:
            s3.put_object(Bucket=PLAIN, Key=version.key, Body=body.read())
        else:
            s3.upload_fileobj(body, PLAIN, version.key)

    def copy() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(one, versions(s3, SOURCE, (DECLARED - timedelta(hours=24), DECLARED), [""])))

    return copy


def measure(pipe: Connection, how: str, endpoint: str) -> None:
    """Copy once, in a process of its own, and send what it took."""
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    copy = {"ours": evidence_copy, "plain": plain_copy}[how](boto3.Session(*_KEYS, region_name=REGION))
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    started, worked = time.perf_counter(), time.process_time()
    copy()
    taken = time.perf_counter() - started, time.process_time() - worked
    pipe.send(Taken(*taken, _memory("VmHWM") - before))


def _memory(name: str) -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith(name)) / KIB


def _in_process(target: Callable[..., None], *arguments: Any) -> tuple[Any, Any]:
    mine, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=target, args=(theirs, *arguments))
    process.start()
    theirs.close()
    return process, mine


def run(shapes: list[tuple[int, int]], pairs: int) -> dict[str, Any]:
    """Copy in turns, `pairs` times, and tell the median of the pairs' ratios and the plain copy's own spread."""
    server, to_server = _in_process(serve, shapes)
    endpoint = to_server.recv()
    taken: dict[str, list[Taken]] = {"plain": [], "ours": []}
    try:
        for _ in range(pairs):
            for how, results in taken.items():
                process, pipe = _in_process(measure, how, endpoint)
                results.append(pipe.recv())
                process.join()
                to_server.send("forget")
                to_server.recv()
    finally:
        server.terminate()
    ours, plain = taken["ours"], taken["plain"]
    pairs_of = list(zip(plain, ours, strict=True))
    plain_seconds = [one.seconds for one in plain]
    return {
        "objects": [{"count": count, "bytes": size} for count, size in shapes],
        "pairs": pairs,
        "plain_seconds": statistics.median(plain_seconds),
        "our_seconds": statistics.median(one.seconds for one in ours),
        "ratio": statistics.median(theirs.seconds / mine.seconds for theirs, mine in pairs_of),
        "cpu_ratio": statistics.median(mine.cpu_seconds / theirs.cpu_seconds for theirs, mine in pairs_of),
        "noise": (max(plain_seconds) - min(plain_seconds)) / statistics.median(plain_seconds),
        "our_memory_mib": max(one.memory_mib for one in ours),
        "plain_memory_mib": max(one.memory_mib for one in plain),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Evidence copy against a plain copy (PERFORMANCE.md, 9)")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--object-kib", type=int, default=10)
    parser.add_argument("--large-mib", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="10,000 objects of 10 KiB, and one of 1 GiB")
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = parser.parse_args()
    small = (10_000, 10 * KIB) if given.full else (given.objects, given.object_kib * KIB)
    large = (1, (1024 if given.full else given.large_mib) * MIB)
    results = {name: run([shape], given.pairs) for name, shape in (("small", small), ("large", large))}
    if given.as_json:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    for name, result in results.items():
        count, size = result["objects"][0].values()
        print(f"{name}: {count} x {size / KIB:,.0f} KiB, {result['pairs']} pairs")
        print(f"  plain {result['plain_seconds']:.2f} s, ours {result['our_seconds']:.2f} s")
        print(f"  {result['ratio']:.2f} of plain's throughput (mark: 0.9; noise {result['noise']:.0%})")
        print(f"  {result['cpu_ratio']:.2f} of plain's CPU")
        print(f"  memory grew by {result['our_memory_mib']:.0f} MiB (mark: 64), plain {result['plain_memory_mib']:.0f}")


if __name__ == "__main__":
    main()
