"""The organisation's requirements as `requirements.yaml` gives them, and the runbooks' steps that meet them."""

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.config.runbook import AnyStep, ChangeStep, NoticeStep, ObligationStep, ProbeStep, Runbook, TaskStep
from starters.files.loading import load_runbook
from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation
from starters.files.shipped import shipped_folder

REQUIREMENTS = shipped_folder() / "requirements.yaml"
ROOT = Path(__file__).parents[1]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Requirement(_Model):
    """One thing that the organisation's document asks for, on its `lines`.

    Met by `steps` (type/step), whose actions make the `operations`, or by the files that `met_by` names. `later`
    says what is not done yet: all of it, or what is left beside steps and files.
    """

    id: str = Field(pattern=r"^R\d{3}$")
    says: str = Field(min_length=1)
    lines: str = Field(pattern=r"^\d+(-\d+)?(, \d+(-\d+)?)*$")
    steps: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    met_by: tuple[str, ...] = ()
    later: str = ""

    @model_validator(mode="before")
    @classmethod
    def _one_line(cls, data: dict[str, object]) -> dict[str, object]:
        """YAML reads a single line's number as a number."""
        return {**data, "lines": str(data.get("lines", ""))}

    @model_validator(mode="after")
    def _check(self) -> "Requirement":
        if not (self.steps or self.met_by or self.later):
            raise ValueError(f"{self.id} is neither met nor said to come later")
        if self.operations and not self.steps:
            raise ValueError(f"{self.id} names operations and no step that makes them")
        return self

    @property
    def state(self) -> str:
        """`met`, `partly` where something is left for later, or `later` where nothing is there yet."""
        if not self.later:
            return "met"
        return "partly" if self.steps or self.met_by else "later"


class Chapter(_Model):
    """Requirements that belong together: those of its `ranges`, such as R001-R015."""

    title: str
    ranges: tuple[str, ...] = Field(min_length=1)

    def ids(self) -> list[str]:
        return [name for span in self.ranges for name in _spanned(span)]


class Requirements(_Model):
    """The whole file."""

    document: str
    chapters: tuple[Chapter, ...]
    requirements: tuple[Requirement, ...]

    def of(self, chapter: Chapter) -> list[Requirement]:
        """The requirements of a chapter, in the order of their ids."""
        ids = set(chapter.ids())
        return sorted((one for one in self.requirements if one.id in ids), key=lambda one: one.id)


@cache
def requirements() -> Requirements:
    return Requirements.model_validate(yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8")))


@cache
def runbooks() -> list[Runbook]:
    """The shipped organisation's runbooks, checked as an incident's start checks them."""
    folder = shipped_folder()
    organisation, environment = load_organisation(folder), load_environment(folder, "sandbox")
    return [load_runbook(folder, name, organisation, environment) for name in list_runbooks(folder)]


def steps(of: list[Runbook]) -> dict[str, AnyStep]:
    """Every step by `type/step`."""
    return {f"{runbook.id}/{step.id}": step for runbook in of for step in runbook.steps()}


def action(step: AnyStep) -> str | None:
    """The name of a step's action; a human task has none."""
    match step:
        case ProbeStep():
            return step.probe
        case ChangeStep():
            return step.change
        case NoticeStep():
            return step.notice
        case TaskStep() | ObligationStep():
            return None


def _spanned(span: str) -> list[str]:
    found = re.fullmatch(r"R(\d{3})(?:-R(\d{3}))?", span)
    if found is None:
        raise ValueError(f"{span!r} is no range such as R001-R015")
    first, last = int(found[1]), int(found[2] or found[1])
    return [f"R{number:03}" for number in range(first, last + 1)]
