"""YAML read with lines: every value is where the file has it, and what is no good YAML is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.config.names import Keys
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import parse

FILE = Path("some.yaml")

_WORDS = st.text(st.characters(max_codepoint=0xD7FF, exclude_categories=["Cc"]), min_size=1, max_size=8)
_SCALARS = st.none() | st.booleans() | st.integers(-1000, 1000) | _WORDS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(_WORDS, inner, min_size=1, max_size=4),
    max_leaves=12,
)
_FILES = st.dictionaries(_WORDS, _VALUES, min_size=1, max_size=4)


class Writer:
    """Writes values as YAML, with a gap before some entries, and notes the line that each one goes to."""

    def __init__(self, gaps: list[int]) -> None:
        self.text: list[str] = []
        self.lines: dict[Keys, int] = {}
        self.gaps = gaps

    def write(self, value: Any, at: Keys = (), depth: int = 0) -> None:
        entries = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        for key, inner in entries:
            self.text += ["  # a comment", ""] * self.gaps[len(self.lines) % len(self.gaps)]
            head = " " * depth + (f"{json.dumps(key)}:" if isinstance(value, dict) else "-")
            nested = isinstance(inner, dict | list)
            self.text.append(head if nested else f"{head} {json.dumps(inner)}")
            self.lines[(*at, key)] = len(self.text)
            if nested:
                self.write(inner, (*at, key), depth + 2)


@given(_FILES, st.lists(st.integers(0, 2), min_size=1, max_size=7))
def test_every_key_and_item_has_its_line(value: dict[str, Any], gaps: list[int]) -> None:
    """Whatever is written comes back as it was, and each key is on the line that it was written to."""
    writer = Writer(gaps)
    writer.write(value)
    document = parse("\n".join(writer.text), FILE)
    assert document.data == value
    assert document.problems == []
    keyed = {keys: line for keys, line in writer.lines.items() if isinstance(keys[-1], str) or _is_scalar(value, keys)}
    assert {keys: document.lines[keys] for keys in keyed} == keyed


def _is_scalar(value: Any, keys: Keys) -> bool:
    """A list's item that is itself nested begins, for YAML, where its first entry stands."""
    for key in keys:
        value = value[key]
    return not isinstance(value, dict | list)


@given(_FILES)
def test_plain_yaml_means_what_it_means_elsewhere(value: dict[str, Any]) -> None:
    """Files that other programs write read as PyYAML's own safe loader reads them."""
    text = yaml.safe_dump(value, allow_unicode=True)
    assert parse(text, FILE).data == yaml.safe_load(text)


def test_keys_are_text_as_written() -> None:
    """`on`, `yes` and numbers are keys like any other, not truth values."""
    assert parse("on: mitigated\nyes: 1\n3: x\n", FILE).data == {"on": "mitigated", "yes": 1, "3": "x"}


def test_aliases_and_merges_work() -> None:
    """What an anchor names can be used again; an own key wins over a merged one, wherever it stands."""
    document = parse("a: &a {x: 1, y: 2}\nb: *a\nc:\n  y: 3\n  <<: *a\nd:\n  <<: [{y: 4}, *a]\n", FILE)
    assert document.data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}, "d": {"x": 1, "y": 4}}
    assert document.line(("c", "y")) == 4
    assert document.line(("c", "nowhere", 3)) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", "some.yaml:4: a.b: stands twice, first on line 2; keep one"),
        ("a: 1\nb: !secret x\n", "some.yaml:2: b: unknown tag !secret; leave it out"),
        ("a: 1\nb: 2024-13-45\n", "some.yaml:2: b: month must be in 1..12; put text in quotes"),
        ("a: 1\n? [x]\n: 2\n", "some.yaml:2: a key must be one word; put it in quotes"),
        ("a:\n  <<: 3\n", "some.yaml:2: a: << takes a mapping, or a list of mappings"),
    ],
)
def test_doubtful_yaml_is_told_and_read_on(text: str, problem: str) -> None:
    """A fault that leaves the rest readable is one problem among others, and the rest is read."""
    assert [str(found) for found in parse(text, FILE).problems] == [problem]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "some.yaml:1: is no mapping"),
        ("- a\n", "some.yaml:1: is no mapping"),
        ("a: 1\nb: [\n", "some.yaml:3: is not YAML"),
        ("a: 1\nb: \x07\n", "some.yaml:2: is not YAML"),
        ("a: 1\n---\nb: 2\n", "some.yaml:2: is not YAML"),
        ("a: 1\nb: *c\n", "some.yaml:2: is not YAML"),
        ("a: 1\nb: &b [*b]\n", "some.yaml:2: b[0]: contains itself"),
    ],
)
def test_unreadable_yaml_is_refused_with_its_line(text: str, where: str) -> None:
    """What cannot be read at all is refused at the line where it stops."""
    with pytest.raises(InvalidFile) as refused:
        parse(text, FILE)
    assert str(refused.value).startswith(where)


def test_aliases_cannot_grow_without_bound() -> None:
    """A small file that aliases blow up to billions of values is refused."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(InvalidFile, match="more than 100000 values"):
        parse("\n".join(lines), FILE)
