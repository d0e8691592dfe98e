"""What is kept of a folder that was checked is used only while nothing has changed, and never matters otherwise."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from domain.model.declaration import Declaration
from starters.files import kept
from starters.files.declarable import declarable
from starters.files.problems import InvalidFile
from starters.files.shipped import shipped_folder

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SOURCES = sorted(str(file.relative_to(shipped_folder())) for file in kept.sources(shipped_folder()))
ANSWER = {"title": "Störung"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "incident-orchestrator"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_folder(), tmp_path / "axis"))


def asked(folder: Path, *question: str) -> bool:
    """Ask, and tell whether the answer had to be worked out."""
    calls = []

    def answer() -> kept.Document:
        calls.append(question)
        return ANSWER

    assert kept.kept(folder, question, answer) == ANSWER
    return bool(calls)


def test_it_is_worked_out_once_and_for_its_user_alone(cache: Path, folder: Path) -> None:
    assert [asked(folder), asked(folder)] == [True, False]
    (file,) = cache.iterdir()
    assert (cache.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_each_question_has_its_own_answer(cache: Path, folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    assert all(asked(where, *question) for where in (folder, other) for question in (("a", "b"), ("ab",), ("b", "a")))
    assert len(list(cache.iterdir())) == 6


@pytest.mark.parametrize("name", SOURCES)
def test_a_change_in_any_file_counts(cache: Path, folder: Path, name: str) -> None:
    """A single byte, in the same place, with the file's times as they were."""
    asked(folder)
    file = folder / name
    before, content = file.stat(), file.read_bytes()
    file.write_bytes(content[:-1] + b" ")
    subprocess.run(["touch", "-d", f"@{before.st_mtime}", str(file)], check=True)
    assert asked(folder)
    assert not asked(folder)


def test_a_file_that_comes_or_goes_counts(cache: Path, folder: Path) -> None:
    asked(folder)
    shutil.copy(folder / "database.yaml", folder / "environments" / "database.yaml")
    assert asked(folder)
    (folder / "environments" / "database.yaml").unlink()
    assert asked(folder)


def test_another_version_of_a_library_counts(cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(folder)
    monkeypatch.syspath_prepend(str(folder))
    (folder / "holidays-99.0.dist-info").mkdir()
    assert asked(folder)


def test_another_version_of_the_program_counts(cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = ModuleType("program")
    program.__path__ = [str(folder)]
    (folder / "inner").mkdir()
    (folder / "inner" / "one.py").write_text("LIMIT = 3")
    monkeypatch.setattr(kept, "_PROGRAM", (*kept._PROGRAM, program))
    assert [asked(folder), asked(folder)] == [True, False]
    (folder / "inner" / "one.py").write_text("LIMIT = 4")
    assert asked(folder)


def test_what_works_it_out_is_the_program() -> None:
    """Every module of ours that working it out imports is in the packages whose sources count."""
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC; before = set(sys.modules);"
        "from starters.files import kept, declarable; from starters.files.shipped import shipped_folder as folder;"
        "declarable._worked_out(folder(), 'data-breach', 'sandbox', datetime.now(UTC));"
        "places = tuple(package.__path__[0] for package in kept._PROGRAM);"
        "files = {name: getattr(sys.modules[name], '__file__', None) for name in set(sys.modules) - before};"
        "root = str(Path(places[0]).parent) + '/';"
        "print(sorted(n for n, f in files.items()"
        " if f and f.startswith(root) and '/.venv/' not in f and not f.startswith(places)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # a class of errors, and where the files are, which is part of the question
    assert done.stdout.strip() == "['runbooks', 'starters', 'starters.errors']"


def broken(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def break_it(file: Path) -> None:
        file.write_bytes(change(file.read_bytes()))

    return break_it


@pytest.mark.parametrize(
    "spoil",
    [
        broken(lambda _: b""),
        broken(lambda text: text[:-1]),
        broken(lambda text: text.replace(b"title", b"tidal")),
        broken(lambda text: text.split(b"\n")[1]),
        broken(lambda text: b"0" * 64 + text[64:]),
        broken(lambda _: b"\xff\n{}"),
    ],
)
def test_one_that_is_broken_is_made_anew(cache: Path, folder: Path, spoil: Callable[[Path], None]) -> None:
    asked(folder)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    spoil(file)
    assert [asked(folder), asked(folder)] == [True, False]
    assert file.read_bytes() == whole


def test_another_folders_answer_is_none(cache: Path, folder: Path) -> None:
    """An answer that stands under the name of another question, whole as it is."""
    asked(folder, "a")
    (first,) = cache.iterdir()
    asked(folder, "b")
    (second,) = set(cache.iterdir()) - {first}
    shutil.copy(first, second)
    assert asked(folder, "b")


def test_somebody_elses_is_not_used(cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(folder)
    (file,) = cache.iterdir()
    monkeypatch.setattr("os.geteuid", lambda: file.stat().st_uid + 1)
    assert asked(folder)


def test_without_a_place_to_keep_it_all_goes_on(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [asked(folder), asked(folder)] == [True, True]
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification says to ignore it
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert [asked(folder), asked(folder)] == [True, False]
    assert (tmp_path / "home/.cache/incident-orchestrator").is_dir()

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert [asked(folder), asked(folder)] == [True, True]


def test_what_is_saved_meanwhile_is_not_mixed_up(cache: Path, folder: Path) -> None:
    """The answer of files that changed while it was worked out may be of either state: it is given, and not kept."""

    def answer() -> kept.Document:
        (folder / "database.yaml").touch()
        (folder / "organisation.yaml").write_text("id: other")
        return ANSWER

    before = (folder / "organisation.yaml").read_text(encoding="utf-8")
    assert kept.kept(folder, (), answer) == ANSWER
    (folder / "organisation.yaml").write_text(before, encoding="utf-8")
    assert asked(folder)


def test_every_file_that_is_read_counts(folder: Path) -> None:
    """Seen from below, as the interpreter opens them."""
    program = (
        "import sys; opened = set(); from pathlib import Path; folder = Path(sys.argv[1]);"
        "sys.addaudithook(lambda event, given: event == 'open' and opened.add(str(given[0])));"
        "from starters.files import kept, declarable; from datetime import datetime, UTC;"
        "declarable._worked_out(folder, 'data-breach', 'sandbox', datetime.now(UTC));"
        "inside = {name for name in opened if name.startswith(str(folder))};"
        "print(len(inside), sorted(inside - set(map(str, kept.sources(folder)))))"
    )
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4 []"


def test_a_refusal_is_not_kept(cache: Path, folder: Path) -> None:
    """Nor does an answer that was kept hide what was broken since."""
    whole = declarable(folder, "database", "sandbox", NOW)
    text = (folder / "database.yaml").read_text(encoding="utf-8")
    (folder / "database.yaml").write_text(text.replace("owner:", "owners:", 1), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InvalidFile, match="owners"):
            declarable(folder, "database", "sandbox", NOW)
    (folder / "database.yaml").write_text(text, encoding="utf-8")
    assert declarable(folder, "database", "sandbox", NOW) == whole


def test_the_next_year_has_its_own_holidays(cache: Path, folder: Path) -> None:
    this, then = (declarable(folder, "database", "sandbox", NOW.replace(year=year)) for year in (2026, 2027))
    assert this["calendar"]["holidays"] != then["calendar"]["holidays"]


def test_it_is_what_a_declaration_holds(cache: Path, folder: Path) -> None:
    """Kept or not, a worker reads from it the same models, and nothing in it is unknown to them."""
    first, second = (declarable(folder, "data-breach", "sandbox", NOW) for _ in range(2))
    assert list(json.dumps(first)) == list(json.dumps(second))
    said = {"incident_id": "", "title": "x", "severity": "P0", "declared_at": NOW, "declared_by": "cto"}
    declaration = Declaration.model_validate(first | said)
    assert first.keys() <= Declaration.model_fields.keys()
    assert declaration.model_dump(mode="json", by_alias=True, include=set(first)) == first
    assert declaration.runbook_digest == declaration.runbook.digest()


def test_what_is_kept_needs_neither_models_nor_yaml(cache: Path, folder: Path) -> None:
    """Which is what makes it quick: to load these takes as long as everything else."""
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC; import starters.client.start_once;"
        "from starters.files.declarable import declarable;"
        "declarable(Path(sys.argv[1]), 'database', 'sandbox', datetime.now(UTC));"
        "print(sorted({'pydantic', 'yaml', 'activities.catalogue'} & set(sys.modules)))"
    )
    for loaded in (["activities.catalogue", "pydantic", "yaml"], []):
        done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(loaded)
