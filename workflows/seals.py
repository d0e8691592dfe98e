"""Whether what came to a workflow was sealed by ours. Without encryption nothing says, and everything is taken."""

from temporalio.api.common.v1 import Payload

from codec.encoding import ENCODING, IN_THE_CLEAR, SEALED_BY


def came_in_the_clear(payload: Payload) -> bool:
    """Whether anybody could have said it, where what is ours is encrypted."""
    return IN_THE_CLEAR in payload.metadata or payload.metadata.get("encoding") == ENCODING


def sealed_by(payload: Payload) -> str | None:
    """Which workflow said it; None where nothing tells."""
    seal = payload.metadata.get(SEALED_BY)
    return None if seal is None else seal.decode(errors="replace")
