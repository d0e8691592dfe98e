"""Files of signed entries, which a program only ever adds to, at the end."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from starters.errors import RefusedError
from starters.files.organisation_folder import ORGANISATION
from starters.files.yaml_lines import Document, parse


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines, such as a signature, as it stands."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep every other program from adding to a folder's files meanwhile."""
    with (folder / ORGANISATION).open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def grown(file: Path, head: str, entry: dict[str, Any], read: Callable[[Document], tuple[Any, ...]]) -> str:
    """The file's text with one more entry at its end; `head` is that of a file that is not there yet.

    `read` gives the entries of a document, and raises `InvalidFile` where they would not be taken. Raises
    `RefusedError` where the file is not as it is written here, so that nothing can be added at its end.
    """
    before = file.read_text(encoding="utf-8") if file.exists() else head
    count = len(read(parse(before, file))) if file.exists() else 0
    before += "" if before.endswith("\n") else "\n"
    text = before + yaml.dump([entry], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)
    if len(read(parse(text, file))) != count + 1:
        list_ = head.rstrip().rsplit("\n", 1)[-1].rstrip(":")
        raise RefusedError(f"{file}: {list_} must be its last key, as a list of blocks, for a program to add to it")
    return text
