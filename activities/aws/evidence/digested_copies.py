"""The copies of CloudTrail's digests and log files in the vault, and whether the one prove the other."""

from collections.abc import Iterable, Iterator
from re import Pattern
from typing import Any

from activities.aws.evidence.digest_files import DIGEST_FILE, DIGEST_MAX, LOG_FILE, DigestFile, ended, inflated_sha256

Line = dict[str, Any]


class DigestedCopies:
    """Those that a manifest tells of, its log files in `logs`, and log files of earlier ones.

    Of each key the newest version.
    """

    def __init__(self, s3: Any, vault: str, source: str, lines: Iterable[Line], earlier: Iterable[Line]) -> None:
        self._s3 = s3
        self._vault = vault
        self._source = source
        self._digests: dict[str, Line] = {}
        self.logs: dict[str, Line] = {}
        self._earlier: dict[str, Line] = {}
        for line in lines:
            for pattern, found in ((DIGEST_FILE, self._digests), (LOG_FILE, self.logs)):
                _keep_newest(found, line, pattern)
        for line in earlier:
            _keep_newest(self._earlier, line, LOG_FILE)

    def digests(self) -> Iterator[DigestFile]:
        """Every digest that was copied, or could not be read, oldest first (`s3:GetObjectVersion`)."""
        for key in sorted(self._digests, key=ended):
            if "gap" in self._digests[key]:
                yield DigestFile(key, None, {})
            elif "destination" in self._digests[key]:
                answer = self._copy(self._digests[key])
                with answer["Body"] as body:
                    yield DigestFile(key, body.read(DIGEST_MAX), answer.get("Metadata", {}))

    def proof(self, key: str, digest: str) -> str | None:
        """Tell what is wrong with a log file, by what was read of its source, and by its copy read back."""
        line = self.logs.get(key) or self._earlier.get(key)
        if key not in self.logs and not self._stands(key):
            return "missing"
        if line is None:  # delivered before the first window: all that can be asked is whether it is still there
            return None
        if "gap" in line:
            return "unread"
        if "destination" not in line:
            return "missing"
        if line.get("inflated_sha256") != digest:
            return "altered"
        with self._copy(line)["Body"] as body:
            return None if inflated_sha256(body.read) == digest else "altered"

    def _copy(self, line: Line) -> dict[str, Any]:
        where = {"Key": line["destination"], "VersionId": line["destination_version"]}
        return dict(self._s3.get_object(Bucket=self._vault, **where))

    def _stands(self, key: str) -> bool:
        """Whether the source has it (`s3:ListBucketVersions`)."""
        page = self._s3.list_object_versions(Bucket=self._source, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key and one["IsLatest"] for one in page.get("Versions", []))


def key_of(line: Line) -> str:
    """The key in the source that a manifest's line is about."""
    return str(line["source"]).split(":::", 1)[1].split("/", 1)[1]


def _keep_newest(found: dict[str, Line], line: Line, pattern: Pattern[str]) -> None:
    """Keep a line about a key of the pattern; of two about one version that without a gap."""
    key = key_of(line)
    if pattern.fullmatch(key) and (key not in found or _rank(found[key]) <= _rank(line)):
        found[key] = line


def _rank(line: Line) -> tuple[str, bool]:
    return line["modified"], "gap" not in line
