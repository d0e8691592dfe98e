"""Nothing is bound to one of AWS's partitions or regions: they come from the environment or the session."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_ROOMS = ("activities", "authority", "domain", "reporting", "sandbox", "starters", "worker", "workflows")
_KNOWS = {
    "domain/values/aws_places.py",  # the table itself
    "sandbox/seed/account.py",  # S3 takes no location constraint for one region alone
}
_FIXED = re.compile(r"arn:aws[:-]|\b(?:us|eu|ap|cn|ca|sa|me|af)(?:-gov|-iso\w?)?-[a-z]+-\d\b")


def test_no_partition_and_no_region_stands_in_the_code() -> None:
    """Only the table of partitions names any; runbooks' and environments' files are their organisation's."""
    fixed = {
        f"{path.relative_to(ROOT)}:{number}"
        for room in _ROOMS
        for path in (ROOT / room).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _FIXED.search(line) and str(path.relative_to(ROOT)) not in _KNOWS
    }
    assert fixed == set()
