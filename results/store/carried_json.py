"""Part of ``campaign.json`` that a campaign at a larger scale has: what it takes over from a search."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from results.store import limits
from results.store.json_types import Label, Name, Number
from results.store.limits import MOST_KNOBS

FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$"


class TrialCarried(BaseModel):
    """One config that a campaign at a larger scale takes over from a search (tuner/campaign/carried.py)."""

    model_config = ConfigDict(strict=True, extra="forbid")

    number: Annotated[int, Field(ge=0, lt=2**63)]
    values: Annotated[dict[Name, Label], Field(max_length=MOST_KNOBS)]
    value: Number
    fresh_value: Number | None = None
    confirmed: bool = False


class SearchCarried(BaseModel):
    """All that a campaign at a larger scale takes over from a search, which lies beside it."""

    model_config = ConfigDict(strict=True, extra="allow")

    campaign: Annotated[str, Field(pattern=FOLDER_NAME)]
    scale: Name
    trials: Annotated[list[TrialCarried], Field(min_length=1, max_length=limits.TRIALS)]
    base: TrialCarried | None = None
    factors: Annotated[dict[Name, Number], Field(max_length=MOST_KNOBS)] = {}
    left: Annotated[list[Name], Field(max_length=MOST_KNOBS)] = []
