"""A runbook: what is looked at, told, offered and asked for in one type of incident."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from domain.config.approval import ApprovalRule
from domain.config.names import ConfigFile, Flaw, Keys, doubled, parts, strange
from domain.values.canonical import digest
from domain.values.durations import Duration
from domain.values.frozen import Frozen
from domain.values.severity import Severity

Moment = Literal["declared", "mitigated", "resolved"]
Origin = Literal["declared", "aware"]

RECORD = "record."
"""How the names of probes begin that look at the record itself, where it is kept."""


class _Step(Frozen):
    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")

    @model_serializer(mode="wrap")
    def _as_given(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what stands at its default, which is most of a step: a declaration goes on record with its runbooks.

        A default that changed would change incidents of the past: recorded ledgers hold those that there are.
        """
        fields = type(self).model_fields.items()
        standing = {
            key for name, field in fields if getattr(self, name) == field.default for key in (name, field.alias)
        }
        return {key: value for key, value in whole(self).items() if key not in standing}


class ProbeStep(_Step):
    """Look at something; starts at declaration, whatever its phase.

    When it finds something suspect, the severity is raised to `raises_to` at least, and an incident of type
    `opens` is declared beside this one, once, which keeps this one's declaration as its first awareness. With a `key`
    it is an incident of its own instead, which this step entitles, or one for each thing that the finding calls wrong,
    whose name the key then ends with; none is declared while one of that key is open.
    """

    probe: str
    title: str
    params: dict[str, Any] = Field(default={}, alias="with")
    raises_to: Severity | None = None
    opens: str | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _check_key(self) -> "ProbeStep":
        if self.key is not None and self.opens is None:
            raise ValueError(f"step {self.id!r} has a key and opens nothing; write opens, or leave it out")
        return self


class ChangeStep(_Step):
    """Offer a change; somebody must request it. `ask` names parameters that the requester may give.

    One that is `evidence` preserves and changes nothing else: it starts by itself at declaration. One that
    names others in `evidence_first` is applied only once those have begun, or five minutes have passed.
    """

    change: str
    title: str
    params: dict[str, Any] = Field(default={}, alias="with")
    ask: tuple[str, ...] = ()
    suggested_by: tuple[str, ...] = ()
    approval: ApprovalRule | None = None
    evidence: bool = False
    evidence_first: tuple[str, ...] = ()


class NoticeStep(_Step):
    """Tell somebody outside, by itself: `after` the moment `on`, unless a probe of `unless` found the cause."""

    notice: str
    title: str
    params: dict[str, Any] = Field(default={}, alias="with")
    on: Moment = "declared"
    after: Duration = Field(default="0m", validate_default=True)
    unless: tuple[str, ...] = ()


class TaskStep(_Step):
    """Ask a person to do something; `due` counts from its phase's start, in working days where they are given.

    One that is `opened_by` others is asked for once a probe among them finds something suspect, or a change
    among them has been applied; it is due so long after that. One with `code_of` is done by whoever says the code
    that this notice sent, one that must be `noted` only with a note. One `until_undone` is asked for once that change
    has left something behind, and done once it is undone, by nothing that anybody says; where it is `undone_by` another
    change, once that has been applied after it. Where nobody has done it when
    it is due, it is over and an incident of type `opens` is declared under the alert key `key`, unless one of that key
    is open. It is entitled `opens_as`, or as the task, and described by how all tasks of that key stand, and by their
    `tells`. `pack` names the templates of its drafts.
    """

    task: str
    owner: str
    due: Duration | None = None
    due_business_days: dict[Severity, Annotated[int, Field(gt=0)]] = {}
    required: bool = True
    opened_by: tuple[str, ...] = ()
    code_of: str | None = None
    noted: bool = False
    until_undone: str | None = None
    undone_by: str | None = None
    opens: str | None = None
    key: str | None = None
    opens_as: str | None = None
    tells: str = ""
    pack: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether it is asked for only when something else has happened than its phase's start."""
        return bool(self.opened_by or self.until_undone)

    @model_validator(mode="after")
    def _check_due(self) -> "TaskStep":
        if self.due is not None and self.due_business_days:
            raise ValueError(f"step {self.id!r} has both due and due_business_days; leave one of them out")
        if (self.opens is None) != (self.key is None):
            raise ValueError(f"step {self.id!r} has one of opens and key; write both, or neither")
        if self.undone_by is not None and self.until_undone is None:
            raise ValueError(f"step {self.id!r} has undone_by; write until_undone, what is undone by it, as well")
        return self


class ObligationStep(_Step):
    """A duty of `obligations.yaml`, under this step's name; it opens when its fact is recorded."""

    obligation: str


STEP_KINDS = ("probe", "change", "notice", "task", "obligation")


def _kind(value: Any) -> str | None:
    """Tell which kind of step this is by the one key that names it."""
    if isinstance(value, dict):
        named = [kind for kind in STEP_KINDS if kind in value]
        return named[0] if len(named) == 1 else None
    return next((kind for kind in STEP_KINDS if hasattr(value, kind)), None)


AnyStep = ProbeStep | ChangeStep | NoticeStep | TaskStep | ObligationStep
Step = Annotated[
    Annotated[ProbeStep, Tag("probe")]
    | Annotated[ChangeStep, Tag("change")]
    | Annotated[NoticeStep, Tag("notice")]
    | Annotated[TaskStep, Tag("task")]
    | Annotated[ObligationStep, Tag("obligation")],
    Discriminator(
        _kind,
        custom_error_type="step_kind",
        custom_error_message=f"a step has exactly one of the keys {', '.join(STEP_KINDS)}",
    ),
]


class Phase(Frozen):
    """A stretch of the response; its clock runs `within` from the moment it starts."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    starts: Moment = "declared"
    within: Duration | None = None
    steps: tuple[Step, ...] = ()


class Approved(Frozen):
    """Who approved a runbook's file, and the SHA-256 of what it said then (`starters.files.approval.content`)."""

    by: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Runbook(ConfigFile):
    """One type of incident, as its YAML file gives it.

    `facts` are recorded by themselves at declaration: as the instant of the declaration, or as that of the first
    awareness, which is earlier where another incident opened this one. `reviewed` is the day of the last review that
    its owner has signed off, and `approved` says whose word that was, on what.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    version: str
    reviewed: date | None = None
    approved: Approved | None = None
    severities: tuple[Severity, ...] = Field(min_length=1)
    owner: str
    on_call: tuple[str, ...] = Field(min_length=1)
    page_at_once: tuple[str, ...] = ()
    page_at_once_with_phi: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    facts: dict[str, Origin] = {}
    phases: tuple[Phase, ...] = Field(min_length=1)

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Ids of phases and steps that stand twice; steps that are named and not there."""
        yield from doubled([*parts(data, "phases"), *steps(data)])
        named = [(str(step.get("id")), step) for _, step in steps(data)]
        probes = {name for name, step in named if "probe" in step}
        notices = {name for name, step in named if "notice" in step}
        changes = {name for name, step in named if "change" in step}
        known: dict[str, tuple[set[str], str]] = {
            "suggested_by": (probes, "probe"),
            "unless": (probes, "probe"),
            "code_of": (notices, "notice"),
            "evidence_first": ({name for name, step in named if step.get("evidence") is True}, "evidence step"),
            "opened_by": (probes | changes, "probe or change"),
            "until_undone": (changes, "change"),
            "undone_by": (changes, "change"),
        }
        for at, step in steps(data):
            for key, (there, what) in known.items():
                yield from strange((*at, key), step.get(key), there, what)

    def steps(self) -> tuple[AnyStep, ...]:
        """Every step of every phase, in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    def opens(self) -> set[str]:
        """The types of incident that its steps may open."""
        return {step.opens for step in self.steps() if isinstance(step, ProbeStep | TaskStep) and step.opens}

    def step(self, step_id: str) -> AnyStep | None:
        return next((step for step in self.steps() if step.id == step_id), None)

    def digest(self) -> str:
        """SHA-256 of the canonical JSON of everything in it, in hex."""
        return digest(self.model_dump(mode="json", by_alias=True))

    def substance(self) -> str:
        """The digest of all that a review is about: without version, day and approval, which the review itself sets."""
        return digest(self.model_dump(mode="json", by_alias=True, exclude={"version", "reviewed", "approved"}))


def made(kind: str, title: str, on_call: tuple[str, ...], *phases: Phase, owner: str | None = None) -> Runbook:
    """A runbook that the program makes and nobody writes; the first on call owns it where nobody else does."""
    return Runbook(
        id=kind,
        title=title,
        version="1",
        severities=(Severity.P3,),
        owner=owner or on_call[0],
        on_call=on_call,
        phases=phases,
    )


def steps(data: Mapping[str, Any]) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Every step of a runbook's values that is a mapping, with its keys."""
    for at, phase in parts(data, "phases"):
        for keys, step in parts(phase, "steps"):
            if step:
                yield (*at, *keys), step
