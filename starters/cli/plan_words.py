"""The words of a plan, worked out by the command from the plan that it shows: those of an answer prove nothing."""

from typing import Any

Document = dict[str, Any]


def plan_words(planned: Document) -> str | None:
    """The words of a plan's document; None where that is not whole, or has another digest than stands beside it."""
    from domain.model.plan import Plan

    try:
        return Plan.model_validate(planned).words
    except ValueError:  # of the model, and of text that is none in UTF-8
        return None


def worded(change: Document) -> Document:
    """A change's document with `words` beside its plan's digest, whatever stood there."""
    planned = change["plan"]
    return {**change, "plan": planned and {**planned, "words": plan_words(planned)}}


def all_worded(state: Document) -> Document:
    """An incident's document with the words of each change's plan."""
    return {**state, "changes": [worded(change) for change in state["changes"]]}
