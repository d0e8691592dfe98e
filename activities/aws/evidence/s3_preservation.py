"""The copying of a window of a bucket into the vault, newest first, and its manifest. Cut anywhere, it goes on.

Everything that a later attempt needs stands in the evidence bucket, under the plan's `records`:

    parts/000001.jsonl    the manifest's lines of the first 500 versions or more, and so on; written as they are done
    manifest.jsonl        a head, and the lines of all parts; written last: where it stands, all that can be is copied

Copying begins with the first page of the bucket's listing. A part ends with the last version of a key, behind which an
attempt that comes later takes the listing up.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from itertools import chain
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.evidence.digest_files import check, public_keys
from activities.aws.evidence.digested_copies import DigestedCopies, key_of
from activities.aws.evidence.evidence_bucket import Vault, refuse_unlocked
from activities.aws.evidence.s3_content import MIB, of_lines
from activities.aws.evidence.s3_copying import DENIED, Copier, in_order
from activities.aws.evidence.s3_manifests import MANIFEST, lines_of
from activities.aws.evidence.s3_versions import Version, stretches, versions
from activities.aws.shared.windows import Window
from activities.heartbeat import last_progress, progress
from domain.model.plan import State, Verification

_PART_LINES = 500
_GIVE_UP_AFTER = 25
Line = dict[str, Any]


class Preservation:
    """One order being carried out. `context` is the plan's, which the order repeats."""

    def __init__(self, clients: Clients, vault: Vault, context: State) -> None:
        self._clients = clients
        self._s3 = clients.client("s3")
        self._vault = vault
        self._bucket = vault.bucket
        self._context = {name: value for name, value in context.items() if name != "found"}
        self._source = str(context["bucket"])
        self._window = Window(*(datetime.fromisoformat(context[name]) for name in ("since", "until")))
        self._records = str(context["records"])
        self._copier = Copier(self._s3, vault, self._source, str(context["copies"]))
        self._parts = self._done = 0
        self._of_trails = False
        self._last: str | None = None
        self._totals: Counter[str] = Counter(versions=0, bytes=0, deleted=0, gone=0)
        self._gaps: Counter[str] = Counter()

    def carry_out(self) -> None:
        """Copy everything and write the manifest, from wherever earlier attempts came to.

        What is gone from the source by now, or cannot be read there (archived, encrypted under a key that cannot be
        used), is noted in the manifest. Any other version that cannot be copied is raised once all the others are, and
        then there is no manifest. Raises `RuleError` where this role may read nothing of the whole window.
        """
        collector = self._clients.client("sts").get_caller_identity()["Arn"]
        while (part := self._standing(self._parts + 1)) is not None:
            self._count(_of_part(part))
        self._copy(self._behind(self._last))
        about = {"collector": collector, "tool": str(self._s3.meta.config.user_agent), "gaps": dict(self._gaps)}
        first = {**self._context, **self._totals, **about, **self._proven()}
        self._vault.put_record(self._records + MANIFEST, of_lines(chain([_json(first)], self._written())))

    def report(self) -> Verification:
        """Read the manifest as it stands, and say what it holds, where it is and its hash."""
        key = self._records + MANIFEST
        answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        digest, begin = sha256(), b""
        with answer["Body"] as body:
            while read := body.read(MIB):
                digest.update(read)
                begin = begin or read
        first = json.loads(begin.split(b"\n", 1)[0])
        if any(first.get(name) != value for name, value in self._context.items()):
            return Verification(done=False, failed=True, message="the manifest that stands there is not of this order")
        lock = refuse_unlocked(self._s3, self._bucket, key, answer)
        hidden = "; its lock is hidden from this role" if lock.hidden else ""
        where = f"s3://{self._bucket}/{key} version {answer['VersionId']}"
        return Verification(
            done=True, message=f"{_said(first)}; manifest {where}{hidden}, SHA-256 {digest.hexdigest()}"
        )

    def _behind(self, last: str | None) -> Iterator[Version]:
        """The versions to be copied; with a key, those that come behind it."""
        order = stretches(self._context["folders"], *self._window)
        return versions(self._s3, self._source, self._window, order, last)

    def _copy(self, wanted: Iterator[Version]) -> None:
        """Copy what no part tells of yet, and write a part for every 500 lines or a few more."""
        known = int((last_progress() or {}).get("versions", 0))
        done, moved = self._done, self._totals["bytes"]
        lines: list[Line] = []
        numbered = enumerate(wanted, start=done)
        # no part is written past a failure, but what can be copied is
        for came in in_order(lambda one: self._copier.copy(one[1], look=one[0] < known), numbered, _GIVE_UP_AFTER):
            if len(lines) >= _PART_LINES and came["source"] != lines[-1]["source"]:
                self._write_part(lines)
                lines = []
            lines.append(came)
            done, moved = done + 1, moved + came.get("size", 0)
            progress({"versions": done, "bytes": moved, "last": came["source_version"]})
        if lines:
            self._write_part(lines)

    def _write_part(self, lines: list[Line]) -> None:
        """Write the next part; where another attempt wrote it, that one counts, if it is about the same versions."""
        if not self._parts and all(line.get("gap") == DENIED for line in lines):
            self._refuse_blind(key_of(lines[-1]))
        number = self._parts + 1
        if not self._vault.put_record(self._part(number), BytesIO(b"".join(map(_json, lines))).read):
            mine, lines = lines, _of_part(self._standing(number) or b"")
            if [line["source_version"] for line in lines] != [line["source_version"] for line in mine]:
                raise RuleError("a part of the manifest is not about what the bucket lists: somebody else wrote there")
        self._count(lines)

    def _refuse_blind(self, last: str) -> None:
        """Make sure that this role may read something behind a first part that it may not, before that is written."""
        if not any(in_order(self._copier.may_read, self._behind(last))):
            raise RuleError(
                f"this role may read nothing of {self._source}: it takes s3:GetObjectVersion, and kms:Decrypt with the "
                "key that its objects are encrypted under (bucket_keys of the environment's file)"
            )

    def _written(self) -> Iterator[bytes]:
        """All parts, each as it stands."""
        for number in range(1, self._parts + 1):
            if (part := self._standing(number)) is None:
                raise RuleError(
                    "a record that was just put is gone from the evidence bucket: somebody else writes there"
                )
            yield part

    def _proven(self) -> dict[str, Any]:
        """What CloudTrail's digests among the copies say of the log files, before and after they were copied.

        Digests come after the files that they name, which may stand in an earlier manifest of the incident's.
        """
        if not self._of_trails:
            return {}
        lines = (json.loads(line) for part in self._written() for line in part.splitlines())
        earlier = lines_of(self._s3, self._bucket, self._records.rsplit("/", 2)[0] + "/")
        copies = DigestedCopies(self._s3, self._bucket, self._source, lines, earlier)
        keys = public_keys(self._clients, self._window)
        verdict = check(copies.digests(), self._source, keys, copies.proof, self._window.start)
        uncovered = copies.logs.keys() - verdict.named
        return {"digests": {"told": str(verdict), **verdict.facts(), "not_named_yet": len(uncovered)}}

    def _count(self, lines: list[Line]) -> None:
        self._parts += 1
        self._done += len(lines)
        self._last = key_of(lines[-1])
        for line in lines:
            self._of_trails = self._of_trails or "/CloudTrail" in line["source"]
            if "gap" in line:
                self._gaps[line["gap"]] += 1
                continue
            kind = next((kind for kind in ("deleted", "gone") if kind in line), "versions")
            self._totals.update({kind: 1, "bytes": line.get("size", 0)})

    def _standing(self, number: int) -> bytes | None:
        """Read a part; None when there is none (`s3:GetObject`, `s3:ListBucket`)."""
        key = self._part(number)
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        refuse_unlocked(self._s3, self._bucket, key, answer)
        with answer["Body"] as body:
            return bytes(body.read())

    def _part(self, number: int) -> str:
        return f"{self._records}parts/{number:06d}.jsonl"


def _of_part(part: bytes) -> list[Line]:
    """The lines of a part; raises `RuleError` for what is none."""
    lines = [json.loads(line) for line in part.splitlines()]
    if not lines or any({"source", "source_version", "evidence_id"} - line.keys() for line in lines):
        raise RuleError("a part of the manifest is not as we write them: somebody else wrote there")
    return lines


def _said(first: Line) -> str:
    deletions = f" and {first['deleted']} deletions" if first["deleted"] else ""
    gone = f"; {first['gone']} were gone before they could be copied" if first["gone"] else ""
    gaps = ", ".join(f"{count} {code}" for code, count in first["gaps"].items())
    gaps = f"; NOT COPIED, as they could not be read: {gaps}" if gaps else ""
    digests = f"; {first['digests']['told']}" if "digests" in first else ""
    until = first["locked_until"][:10]
    size = f"{first['bytes'] / MIB:.1f} MiB"
    return (
        f"{first['versions']} versions ({size}){deletions} of {first['bucket']} preserved, locked until {until}"
        f"{gone}{gaps}{digests}"
    )


def _json(line: Line) -> bytes:
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
