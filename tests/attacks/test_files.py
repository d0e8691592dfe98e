"""Files that break readers, and places that lead writers astray: one clear error, and nothing is read or written."""

import ast
import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import click
import pytest

from activities import local_files
from starters.cli.output import write
from starters.files.problems import InvalidFile
from starters.files.shipped import shipped_folder
from starters.files.yaml_lines import read
from tests.forked import ROOT
from tests.rooms import ROOMS
from tests.starters.conftest import Incident

BOMB = "\n".join(["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)])
BROKEN = {
    "flow of depth 20,000": ("a: 1\nb: " + "[" * 20_000, "2: nests deeper than 100 levels"),
    "flow of depth 2,000,000": ("{a: " * 900_000, "1: nests deeper"),
    "blocks of depth 20,000": ("".join(f"{' ' * n}a:\n" for n in range(2_000)), "101: nests deeper"),
    "lists of depth 20,000": ("a: 1\nb:\n" + "- " * 20_000 + "x", "3: nests deeper"),
    "5,000 digits": ("a: 1\nb: " + "9" * 5_000, "2: b: is no number that can be used"),
    "hexadecimal without end": ("a: 1\nb: 0x" + "f" * 1_000_000, "2: b: is no number"),
    "sexagesimal without end": ("b: 1" + ":59" * 1_000_000, "1: b: is no number"),
    "an infinite number": ("b: -.inf", "1: b: is no number"),
    "no number": ("b: .nan", "1: b: is no number"),
    "a number beyond 64 bits": ("b: 9223372036854775808", "1: b: is no number"),
    "nothing as a number": ('b: !!int ""', "1: b: does not fit the tag"),
    "no truth value": ("b: !!bool x", "1: b: does not fit the tag"),
    "no time": ("b: !!timestamp x", "1: b: does not fit the tag"),
    "aliases merged over and over": (BOMB, "holds more than 100000 values"),
    "one text over and over": (f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1_000)}]", "holds more than"),
    "a NUL": ("a: 1\nb: x\0y", "2: is not YAML"),
    "more than 4 MB": ("a: " + "x" * 5_000_000, "larger than"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped organisation's folder."""
    return Path(shutil.copytree(shipped_folder(), tmp_path / "runbooks"))


@pytest.mark.parametrize("broken", BROKEN)
def test_yaml_that_breaks_readers_is_told_by_file_and_line(tmp_path: Path, broken: str) -> None:
    """Depth, numbers, tags, aliases, NUL bytes: each is one problem at its line, and soon."""
    text, problem = BROKEN[broken]
    file = tmp_path / "some.yaml"
    file.write_text(text)
    try:
        told = [str(found) for found in read(file).problems]
    except InvalidFile as refused:
        told = [str(found) for found in refused.problems]
    assert len(told) == 1
    assert told[0].startswith(f"{file}:")
    assert problem in told[0]
    assert len(told[0]) < 500


ORGANISATION, ENVIRONMENT, RUNBOOK = "organisation.yaml", "environments/sandbox.yaml", "system-outage.yaml"
START = ("start", "system-outage", "--severity", "P0", "--title", "Down")
SIMULATE = ("simulate", "system-outage", "--severity", "P0")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *((command, name) for command in (("runbook", "lint"), START, SIMULATE) for name in (ORGANISATION, RUNBOOK)),
        *((command, ENVIRONMENT) for command in (("runbook", "lint"), START, SIMULATE, ("preflight",), ("stats",))),
        (("runbook", "show", "system-outage"), RUNBOOK),
    ],
)
def test_every_command_refuses_deep_yaml(incident: Incident, folder: Path, command: tuple[str, ...], name: str) -> None:
    """Exit status 2 and the line, of whichever file it is that a command reads."""
    file = folder / name
    with file.open("a") as stream:
        stream.write("\nmore: " + "[" * 20_000 + "\n")
    said = incident(*command, "--runbooks", str(folder))
    assert said.status == 2
    assert f"{name}:{len(file.read_text().splitlines())}: nests deeper than 100 levels" in said.err
    assert "Traceback" not in said.err


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Whatever the umask allows."""
    before = os.umask(0)
    yield
    os.umask(before)


WRITERS = [("simulate", "system-outage", "--severity", "P0"), ("runbook", "graph", "system-outage")]


@pytest.mark.parametrize("command", WRITERS, ids=" ".join)
@pytest.mark.usefixtures("open_umask")
def test_what_is_written_is_the_owners_alone(incident: Incident, tmp_path: Path, command: tuple[str, ...]) -> None:
    """A new file has mode 0600, and so has one that stood there with another; nothing else is left beside it."""
    new, old = tmp_path / "new.html", tmp_path / "old.html"
    old.write_text("before")
    old.chmod(0o644)
    for file in (new, old):
        assert incident(*command, "-o", str(file)).status == 0
        assert S_IMODE(file.stat().st_mode) == 0o600
        assert len(file.read_bytes()) > 100
    assert sorted(tmp_path.iterdir()) == [new, old]


@pytest.mark.parametrize("command", WRITERS, ids=" ".join)
def test_a_link_is_not_followed(incident: Incident, tmp_path: Path, command: tuple[str, ...]) -> None:
    """To a file, to one that is not there yet, or to itself: refused in one line, and all stays as it was."""
    aim, gone = tmp_path / "aim", tmp_path / "gone"
    aim.write_text("before")
    for to in (aim, gone, tmp_path / "link"):
        link = tmp_path / "link"
        link.symlink_to(to)
        said = incident(*command, "-o", str(link))
        assert (said.status, said.out) == (2, "")
        assert "is a symbolic link" in said.err
        assert link.readlink() == to
        link.unlink()
    assert aim.read_text() == "before"
    assert sorted(tmp_path.iterdir()) == [aim]


def test_a_runbook_is_not_approved_through_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    """A file that people edit is written as it was, but never where a link leads."""
    file, link = tmp_path / "some.yaml", tmp_path / "link.yaml"
    file.write_text("a: 1")
    file.chmod(0o644)
    link.symlink_to(file)
    write(file, b"a: 2", keep_mode=True)
    with pytest.raises(click.UsageError, match="is a symbolic link"):
        write(link, b"a: 3", keep_mode=True)
    assert (file.read_text(), S_IMODE(file.stat().st_mode)) == ("a: 2", 0o644)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a kill: the old file stands whole, and no draft beside it."""
    file = tmp_path / "some"
    file.write_text("before")

    def full(_descriptor: int, _mode: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(OSError, match="No space"):
        local_files.write(file, b"after", keep_mode=True)
    assert (file.read_text(), list(tmp_path.iterdir())) == ("before", [file])


def test_a_device_is_written_to(incident: Incident) -> None:
    """`-o /dev/null` is no file to replace."""
    assert incident(*WRITERS[0], "-o", "/dev/null").status == 0
    assert Path("/dev/null").is_char_device()


def test_what_is_added_to_is_the_owners_alone(tmp_path: Path) -> None:
    """Logs, the outbox and locks too: mode 0600, and through no link."""
    with local_files.appending(tmp_path / "log") as log:
        log.write(b"one")
    with local_files.appending(tmp_path / "log") as log:
        log.write(b"two")
    assert (tmp_path / "log").read_bytes() == b"onetwo"
    assert S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "log")
    with pytest.raises(OSError, match="is a symbolic link"):
        local_files.appending(tmp_path / "link")


CODE = ("deploy", *ROOMS)
WRITING = {"write_text", "write_bytes", "touch", "mkstemp", "NamedTemporaryFile", "copyfile", "copy2"}
BY_ITSELF = {"activities/local_files.py", "reporting/archive/verify_archive.py", "reporting/archive/verify_keys.py"}
"""The helper, and the program in an archive, which writes into a folder that it makes for itself."""


def sources() -> Iterator[Path]:
    """Every module of the program."""
    for room in CODE:
        yield from sorted((ROOT / room).rglob("*.py"))


def test_nobody_else_writes_files() -> None:
    """All of the program's files go through the one helper."""
    found = {f"{file.relative_to(ROOT)}:{line}" for file in sources() for line in _writers(file)}
    assert {one for one in found if one.rpartition(":")[0] not in BY_ITSELF} == set()
    assert {one.rpartition(":")[0] for one in found} == BY_ITSELF


def _writers(file: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and _writes(node):
            yield node.lineno


def _writes(call: ast.Call) -> bool:
    """Whether it is one of the calls that make a file, or opens one by a mode that writes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in WRITING:
        return True
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in {"mode", "flags"})]
    if any(isinstance(one, ast.Attribute) and one.attr == "devnull" for one in call.args):
        return False
    modes = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    by_mode = any(re.fullmatch(r"[rwxabt+]{1,3}", mode) and set(mode) & set("wxa+") for mode in modes)
    is_os = (
        isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "os"
    )
    return name in {"open", "fdopen"} and (is_os or by_mode)


def test_nobody_else_reads_yaml() -> None:
    """All of the program's YAML goes through the one reader."""
    loads = re.compile(r"\byaml\.(safe_|full_|unsafe_)?(load|compose|parse|scan)")
    found = [str(file.relative_to(ROOT)) for file in sources() if loads.search(file.read_text())]
    assert found == ["starters/files/yaml_lines.py"]
