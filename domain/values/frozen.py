"""What the models of files and of stored things have in common."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """It never changes, and has no field that its model does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
