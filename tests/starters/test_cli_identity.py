"""Keys are enrolled, listed, revoked and tried by the command, with the system's own agent and `ssh-keygen`."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import __path__ as shipped
from starters.files.loading import lint
from tests.authority.signing import generated
from tests.starters.conftest import Incident


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped organisation, which has no keys yet."""
    copy = tmp_path / "axis"
    shutil.copytree(Path(shipped[0]) / "axis-imaging", copy)
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(copy))
    return copy


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An agent of the system's own, with nothing in it."""
    socket = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as running:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        while not socket.exists():
            assert running.poll() is None
        yield
        running.terminate()


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    """Keys of three people, in files."""
    made = {}
    for name in ("technical-manager", "cto", "devops-lead"):
        (tmp_path / name).mkdir()
        made[name] = generated(tmp_path / name, "ed25519")
    return made


def enrolled(incident: Incident, keys: dict[str, Path], contact: str, by: str, *more: str) -> int:
    public = keys[contact].with_name("ed25519.pub")
    return incident("identity", "enrol", contact, "--public", str(public), "--as", by, *more).status


@pytest.mark.usefixtures("agent")
def test_a_key_is_enrolled_signed_and_tried(incident: Incident, folder: Path, keys: dict[str, Path]) -> None:
    """The first without a signature, told so; every other signed by the agent's key of who may."""
    first = incident(
        "identity",
        "enrol",
        "technical-manager",
        "--public",
        str(keys["technical-manager"]),
        "--as",
        "technical-manager",
    )
    assert "the first, unsigned: the file's owner vouches for it" in first.out
    subprocess.run(["ssh-add", "-q", str(keys["technical-manager"])], check=True)
    assert enrolled(incident, keys, "cto", "technical-manager") == 0
    assert lint(folder) == []
    one, two = incident("identity", "list", "--json").json["keys"]
    assert (one["contact"], one["enrols"], two["contact"], two["by"]) == (
        "technical-manager",
        True,
        "cto",
        "technical-manager",
    )
    assert "devops-lead" in incident("identity", "list").out.split("Without a key that is good now:")[1]
    tried = incident("identity", "test", "--as", "technical-manager", "--json").json
    assert tried == {
        "by": "technical-manager",
        "method": "ssh",
        "key": one["key"],
        "holder_verified": False,
    }
    said = incident("identity", "test", "--as", "cto")
    assert said.status == 1
    assert "the agent does not hold" in said.err
    assert incident("identity", "test", "--as", "cto", "--sign-with", str(keys["cto"])).status == 0


def test_whoever_may_not_enrol_does_not(incident: Incident, folder: Path, keys: dict[str, Path]) -> None:
    """Nothing is written then."""
    assert enrolled(incident, keys, "technical-manager", "technical-manager") == 0
    signs = ("--sign-with", str(keys["technical-manager"]))
    assert enrolled(incident, keys, "cto", "technical-manager", *signs) == 0
    before = (folder / "identities.yaml").read_bytes()
    public = str(keys["devops-lead"])
    for by, key in (("cto", "cto"), ("technical-manager", "cto"), ("cto", "technical-manager")):
        said = incident(
            "identity", "enrol", "devops-lead", "--public", public, "--as", by, "--sign-with", str(keys[key])
        )
        assert said.status == 2, said
        assert "entries[2]" in said.err
    assert incident("identity", "enrol", "nobody", "--public", public, "--as", "cto").status == 2
    assert (folder / "identities.yaml").read_bytes() == before


def test_a_revoked_key_proves_nothing_more(incident: Incident, folder: Path, keys: dict[str, Path]) -> None:
    """It is named by its end; a line that somebody alters afterwards is found by lint."""
    assert enrolled(incident, keys, "technical-manager", "technical-manager") == 0
    signs = ("--sign-with", str(keys["technical-manager"]), "--as", "technical-manager")
    assert enrolled(incident, keys, "cto", "technical-manager", *signs[:2]) == 0
    name = incident("identity", "list", "--json").json["keys"][1]["key"]
    assert incident("identity", "revoke", name[-6:], *signs).status == 0
    said = incident("identity", "test", "--as", "cto", "--sign-with", str(keys["cto"]))
    assert said.status == 1
    assert "cto is not proven: the key does not prove anything at that time" in said.err
    assert incident("identity", "revoke", "SHA256:none", *signs).status == 1
    file = folder / "identities.yaml"
    file.write_text(file.read_text().replace("contact: cto", "contact: ceo"))
    (problem,) = lint(folder)
    assert (problem.line, problem.field) == (11, "entries[1]")
    assert problem.message == "the signature proves nothing: it is not over this claim"


def test_a_file_that_a_program_cannot_add_to_is_left(incident: Incident, folder: Path, keys: dict[str, Path]) -> None:
    (folder / "identities.yaml").write_text("entries: []\n")
    said = incident("identity", "enrol", "cto", "--public", str(keys["cto"]), "--as", "cto")
    assert said.status == 2
    assert (folder / "identities.yaml").read_text() == "entries: []\n"


def test_what_is_no_public_key_is_refused(incident: Incident, folder: Path, tmp_path: Path) -> None:
    """Before anything is written; a private key without its other half beside it too."""
    for name, text in (("short.pub", "ssh-ed25519 AAAA"), ("private", "-----BEGIN")):
        (tmp_path / name).write_text(text)
        said = incident("identity", "enrol", "cto", "--public", str(tmp_path / name), "--as", "cto")
        assert said.status == 1, said
    weak = generated(tmp_path, "rsa", 2048)
    said = incident("identity", "enrol", "cto", "--public", str(weak), "--as", "cto")
    assert "an RSA key of 2048 bits; from 3072 bits on it is taken" in said.err
    assert not (folder / "identities.yaml").exists()


def test_the_register_cannot_be_locked_up(incident: Incident, folder: Path, keys: dict[str, Path]) -> None:
    """Somebody can always enrol; the first key is that of who enters it; what a lost key has entered is told."""
    said = incident("identity", "enrol", "cto", "--public", str(keys["cto"]), "--as", "technical-manager")
    assert (said.status, "the first key is your own" in said.err) == (1, True)
    assert enrolled(incident, keys, "technical-manager", "technical-manager") == 0
    signs = ("--sign-with", str(keys["technical-manager"]))
    last = incident("identity", "list", "--json").json["keys"][0]["key"]
    said = incident("identity", "revoke", last, "--as", "technical-manager", *signs)
    assert (said.status, "is the last key that may enrol" in said.err) == (1, True)
    assert enrolled(incident, keys, "cto", "technical-manager", "--enrols", *signs) == 0
    said = incident("identity", "revoke", last, "--as", "technical-manager", *signs)
    assert said.status == 0
    listed = incident("identity", "list", "--json").json
    assert "technical-manager" in listed["without"]
    said = incident("identity", "enrol", "devops-lead", "--public", str(keys["devops-lead"]), "--as", "devops-lead")
    assert "somebody who may enrol has to enter one: cto" in said.err


def test_no_agent_is_said(
    incident: Incident, folder: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enrolled(incident, keys, "technical-manager", "technical-manager") == 0
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    said = incident("identity", "test", "--as", "technical-manager")
    assert (said.status, "no SSH agent answers" in said.err) == (1, True)
