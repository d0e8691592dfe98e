"""A change that a human can read: what stands, what shall stand, and a digest that binds an approval to it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.config.approval import ApprovalClass
from domain.values.canonical import digest
from domain.values.words import in_words

State = dict[str, Any]
"""The part of a resource that a change compares and sets: JSON values by name."""


class Plan(BaseModel):
    """A compare-and-set on one target.

    `target` is the ARN of what changes; `locks` are the ARNs that no other change may touch meanwhile.
    `before` and `after` have the same keys. Fields that are `moving` change by themselves, as a count that autoscaling
    sets: any value may stand in place of the one in `before`. What `takes_long` is verified in one attempt of up to
    twelve hours. `context` is what the action needs beside them to act and verify.
    """

    model_config = ConfigDict(populate_by_name=True)

    action: str
    target: str
    summary: str
    before: State
    after: State
    impact: str
    approval_class: ApprovalClass = Field(alias="class")
    locks: tuple[str, ...]
    reversible: bool = True
    takes_long: bool = False
    moving: tuple[str, ...] = ()
    context: State = {}
    digest: str = ""

    def sealed(self) -> "Plan":
        """Return the plan with the digest of everything in it: SHA-256 over canonical JSON, in hex.

        Defaults are left out, so that a field that a later version adds does not break the seals of today.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude={"digest"}, exclude_defaults=True)
        return self.model_copy(update={"digest": digest(content)})

    def is_sealed(self) -> bool:
        """Tell whether the digest is that of the content."""
        return bool(self.digest) and self.sealed().digest == self.digest

    @property
    def words(self) -> str | None:
        """The digest in four words, worked out anew from the content; None where another digest stands beside it."""
        return in_words(self.digest) if self.is_sealed() else None

    def without(self, names: Iterable[str]) -> "Plan":
        """The plan of all pieces but these, sealed anew."""
        left = [name for name in self.after if name not in set(names)]
        before, after = ({name: one[name] for name in left} for one in (self.before, self.after))
        return self.model_copy(update={"before": before, "after": after}).sealed()

    @property
    def changing(self) -> list[str]:
        """The fields that shall be otherwise than they were, or may be by then because they move by themselves."""
        return [name for name in self.after if name in self.moving or self.before[name] != self.after[name]]

    @property
    def changes_nothing(self) -> bool:
        return self.before == self.after

    def reversed(self, observed: State | None = None) -> "Plan":
        """The plan that undoes this one; fields that move go back to what was `observed` when it was carried out."""
        moved = {name: value for name, value in (observed or {}).items() if name in self.moving}
        return self.model_copy(
            update={
                "summary": f"Undo: {self.summary}",
                "before": self.after,
                "after": self.before | moved,
                "impact": f"Every field goes back to what stood before. The change itself had said: {self.impact}",
                "digest": "",
            }
        )


def foreign_fields(now: State, plan: Plan) -> list[str]:
    """The fields that are neither as they were nor as they shall be: somebody else changed them meanwhile."""
    settled = {name: value for name, value in now.items() if name not in plan.moving}
    return sorted(name for name, value in settled.items() if value not in (plan.before[name], plan.after[name]))


class Verification(BaseModel):
    """Whether the world really is `after`. `failed` means that waiting longer will not help.

    `again` is when to look again, where that is not the usual time for the plan.
    """

    done: bool
    failed: bool = False
    message: str
    again: timedelta | None = None
