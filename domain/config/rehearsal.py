"""What an organisation means to be otherwise from now on, when stored incidents are run again."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field

from domain.config.names import ConfigFile, Flaw, parts
from domain.values.frozen import Frozen


class Meant(Frozen):
    """Differences that are meant, and the reason. `*` stands for any text; what is left out fits everything."""

    what: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    incident: str = "*"
    because: str = "*"

    def fits(self, incident: str, what: str, because: str) -> bool:
        pairs = ((incident, self.incident), (what, self.what), (because, self.because))
        return all(fnmatchcase(value, pattern) for value, pattern in pairs)


class MeantDifferences(ConfigFile):
    """`rehearsal.yaml`, or another file of that shape."""

    meant: tuple[Meant, ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Rows that say the same as one before."""
        seen: set[tuple[Any, ...]] = set()
        for at, row in parts(data, "meant"):
            same = tuple(row.get(name, "*") for name in ("incident", "what", "because"))
            if same in seen and row.get("what"):
                yield Flaw(at, "fits the same as a row before; leave one of the two out")
            seen.add(same)
