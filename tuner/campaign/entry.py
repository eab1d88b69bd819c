"""One trial of a campaign, as its book has it: values, config, row, and what it reported in this start."""

from __future__ import annotations

from dataclasses import dataclass, field

from results.store.row_parts import given, taken_back
from results.store.row_types import TrialRow
from results.store.statuses import SEARCH, Status
from search_spaces.domains import Value
from trainable.training import Training


@dataclass
class Entry:
    """One trial of the campaign."""

    key: str
    values: dict[str, Value]
    config: Training | None  # None where the values make no valid one
    row: TrialRow
    optuna_number: int | None = None
    milestones: dict[float, float] = field(default_factory=dict)  # milestone -> objective
    outline: tuple[float, ...] = ()  # of its training loss, as this start has heard of it (outline.py)
    started: bool = False  # in this start of the campaign
    label: str = ""  # what it is a run of, where it is no trial of the search

    @property
    def stage(self) -> str:
        """``search``, or what trains after it (see ``confirm.py``)."""
        return self.row["stage"] or SEARCH

    @property
    def status(self) -> Status:
        return self.row["status"]

    @property
    def is_trial(self) -> bool:
        """Tell whether it counts as a trial of the search; values that make no valid config cost a row, not a trial."""
        return self.config is not None and self.stage == SEARCH

    @property
    def number(self) -> int:
        return self.row["number"]

    @property
    def value(self) -> float:
        """The final value of a trial that completed."""
        return given(self.row["value"])

    def restart(self) -> None:
        """Forget what an earlier attempt reached: the next one begins at the first step."""
        self.milestones.clear()
        self.outline = ()
        self.row.update(taken_back())
