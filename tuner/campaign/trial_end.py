"""Ends of trials as the sampler is told them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from search_spaces.domains import Value


@dataclass(frozen=True)
class TrialEnd:
    """End of an earlier trial of this campaign, for rebuilding the study."""

    values: dict[str, Value]
    status: str
    value: float | None
    intermediate: dict[float, float] = field(default_factory=dict)  # milestone -> objective
    second: float | None = None  # the second objective's value, where there is one
    excesses: Mapping[str, float] = field(default_factory=dict)  # constraint -> by what part it is exceeded
    attributes: Mapping[str, Any] = field(default_factory=dict)  # what optuna-dashboard shows beside its parameters
    started: datetime | None = None  # with its time zone, as a row has it
    ended: datetime | None = None
