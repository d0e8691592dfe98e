"""What marks a payload, apart from the rest: for those who only look at it, workflow code too."""

ENCODING = b"binary/encrypted"
"""Of what is encrypted."""

SEALED_BY = "sealed-by"
"""Metadata of what was encrypted: by whom. Never there of what came in the clear."""

IN_THE_CLEAR = "in-the-clear"
"""Metadata of what came in the clear, or cannot be read, where everything of ours is encrypted."""

ANOTHER_KEY = b"under another key"
"""What stands there of an envelope under a key that this process was not given: others may read it."""

KIND = "failure-kind"
"""Metadata of a failure's attributes: the type of the error, and whether it is final."""


def kind_of(error: str, *, final: bool) -> bytes:
    """What stands under `KIND`."""
    return f"{'final' if final else 'passing'} {error}".encode()


def answer_seal(workflow_id: str, activity_id: str) -> bytes:
    """How the answer of an activity is sealed, whose id no other call of its workflow has in any run."""
    return f"{workflow_id}/{activity_id}".encode()
