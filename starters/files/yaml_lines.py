"""YAML as plain values that remember the lines they stand on.

Read by PyYAML's safe loader (libyaml's where it is there). A mapping's keys are text as written, so that
`on:` stays `on`, and no key may stand twice. Anchors, aliases and `<<` work. Whatever a file holds, it is read or it is
refused at a line: how deep it nests, what its aliases grow to and how long a number may be are bounded.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from domain.config.names import Flaw, Keys, written
from starters.files.problems import InvalidFile, Problem

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_BYTES_MAX = 4 * 1024 * 1024
_DEPTH_MAX = 100
"""Far deeper than any file of ours, and shallow enough for libyaml, whose recursion has no end of its own."""
_VALUES_MAX = 100_000
_DIGITS_MAX = 40
_INTEGERS = range(-(2**63), 2**63)
_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What PyYAML's constructors raise on a scalar that does not fit its tag: `!!int ""`, `!!bool x`, `!!timestamp x`."""


class Document(NamedTuple):
    """A file's values, and the line of each by its keys. `problems` are those of the YAML itself."""

    file: Path
    data: Any
    lines: dict[Keys, int]
    problems: list[Problem]

    def line(self, at: Keys) -> int:
        """The line of a value, or of the nearest value around it that is there."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)

    def problem(self, flaw: Flaw) -> Problem:
        message = flaw.said(lambda twin: f"on line {self.line(twin)}")
        return Problem(self.file, self.line(flaw.at), written(flaw.at), message)


def read(file: Path) -> Document:
    """Read one YAML file. Raises `InvalidFile` when it is not YAML, not UTF-8, or not there."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_BYTES_MAX + 1)
        if len(content) > _BYTES_MAX:
            raise InvalidFile([Problem(file, None, "", f"is larger than {_BYTES_MAX} bytes; split it")])
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidFile([Problem(file, None, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidFile([Problem(file, None, "", "is not UTF-8; save it as UTF-8")]) from error
    return parse(text, file)


def parse(text: str, file: Path) -> Document:
    """Read YAML text. Raises `InvalidFile` when it is not YAML, empty, or not a mapping."""
    try:
        _refuse_deep(text, file)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            values = _Values(file, loader)
            data = values.take(node, ()) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise InvalidFile([Problem(file, mark.line + 1 if mark else None, "", f"is not YAML: {said}")]) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise InvalidFile([Problem(file, line, "", f"is not YAML: {error.reason}")]) from error
    if not isinstance(data, dict):
        raise InvalidFile([Problem(file, 1, "", "is no mapping; write keys and values, such as id: …")])
    return Document(file, data, values.lines, values.problems)


def _refuse_deep(text: str, file: Path) -> None:
    """Raise `InvalidFile` where the text nests too deep. Events come without recursion, nodes do not."""
    depth = 0
    events: Iterator[Any] = yaml.parse(text, _Loader)
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH_MAX:
            line = event.start_mark.line + 1
            raise InvalidFile([Problem(file, line, "", f"nests deeper than {_DEPTH_MAX} levels; write it flatter")])


class _Values:
    """Turns YAML nodes into values, and notes lines and problems on the way."""

    def __init__(self, file: Path, loader: Any) -> None:
        self.file = file
        self.loader = loader
        self.lines: dict[Keys, int] = {}
        self.problems: list[Problem] = []
        self._around: list[yaml.Node] = []
        self._taken = 0
        self._length = 0

    def take(self, node: yaml.Node, at: Keys) -> Any:
        self.lines.setdefault(at, _line(node))
        self._taken += 1
        self._length += len(node.value)
        if why := self._endless(node):
            raise InvalidFile([Problem(self.file, _line(node), written(at), f"{why}; write it out")])
        self._around.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, at)
            if isinstance(node, yaml.SequenceNode):
                return [self.take(inner, (*at, index)) for index, inner in enumerate(node.value)]
            return self._scalar(node, at)
        finally:
            self._around.pop()

    def _endless(self, node: yaml.Node) -> str | None:
        """Why the values taken so far do not end, or not soon; aliases count each time that they are used."""
        if node in self._around:
            return "contains itself"
        if self._taken > _VALUES_MAX:
            return f"holds more than {_VALUES_MAX} values"
        return f"holds more than {_BYTES_MAX} characters" if self._length > _BYTES_MAX else None

    def _scalar(self, node: yaml.Node, at: Keys) -> Any:
        try:
            if node.tag not in _NUMBERS:
                return self.loader.construct_object(node)
            if len(node.value) <= _DIGITS_MAX and _is_sane(number := self.loader.construct_object(node)):
                return number
            self._refuse(node, at, "is no number that can be used; put text in quotes")
        except yaml.constructor.ConstructorError:
            self._refuse(node, at, f"unknown tag {node.tag}; leave it out")
        except ValueError as error:
            self._refuse(node, at, f"{error}; put text in quotes")
        except _MISFITS:
            self._refuse(node, at, f"does not fit the tag {node.tag}; leave that out")
        return node.value

    def _mapping(self, node: yaml.MappingNode, at: Keys) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, inner in node.value:
            if key.tag == _MERGE:
                for source in inner.value if isinstance(inner, yaml.SequenceNode) else [inner]:
                    taken = self.take(source, at)
                    if isinstance(taken, dict):
                        values = taken | values
                    else:
                        self._refuse(key, at, "<< takes a mapping, or a list of mappings")
        own: set[str] = set()
        for key, inner in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, at, "a key must be one word; put it in quotes")
            elif key.value in own:
                first = self.lines[(*at, key.value)]
                self._refuse(key, (*at, key.value), f"stands twice, first on line {first}; keep one")
            else:
                own.add(key.value)
                self.lines[(*at, key.value)] = _line(key)
                values[key.value] = self.take(inner, (*at, key.value))
        return values

    def _refuse(self, node: yaml.Node, at: Keys, message: str) -> None:
        self.problems.append(Problem(self.file, _line(node), written(at), message))


def _is_sane(number: Any) -> bool:
    return number in _INTEGERS if isinstance(number, int) else math.isfinite(number)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
