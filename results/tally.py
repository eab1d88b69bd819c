"""Trials of a campaign counted in words: by status, and apart from them the proposals that were never trained.

Values that make no valid run, or one beyond a limit that is known beforehand, are ``infeasible`` and have a row and a
number, but count against no budget: said as trials, six of six would be ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from terminal.counted import counted

from results.store.row_types import NEVER_A_TRIAL
from results.store.statuses import SEARCH, STAGE_NAMES, STATUSES

if TYPE_CHECKING:
    import pandas as pd

UNTRAINED = "infeasible before training"


@dataclass(frozen=True)
class Tally:
    """Numbers of trials by status, in the order of ``STATUSES`` and none of them 0, and of proposals never trained."""

    by_status: Mapping[str, int]
    proposals: int = 0

    @property
    def trials(self) -> int:
        """The trials that count."""
        return sum(self.by_status.values())

    @property
    def in_words(self) -> str:
        """Say ``5 completed, 1 stopped; 4 proposals infeasible before training``; empty where there is nothing."""
        return "; ".join(filter(None, [self._ends, self.proposals_in_words]))

    @property
    def head(self) -> str:
        """Say the same behind the number of trials: ``6 trials: 5 completed, 1 stopped; ...``."""
        if not self.trials:
            return "; ".join(filter(None, ["no trial has started yet", self.proposals_in_words]))
        return f"{counted(self.trials, 'trial')}: {self.in_words}"

    def of(self, asked: int | None) -> str:
        """Say the same of a search that is to have ``asked`` trials: ``5 completed, of 6 asked for; ...``."""
        amount = "an unknown number" if asked is None else f"{asked:,}"
        return "; ".join(filter(None, [f"{self._ends or 'none yet'}, of {amount} asked for", self.proposals_in_words]))

    @property
    def _ends(self) -> str:
        return ", ".join(f"{number:,} {status}" for status, number in self.by_status.items())

    @property
    def proposals_in_words(self) -> str:
        """Count the proposals that were never trained; empty where there are none."""
        return f"{counted(self.proposals, 'proposal')} {UNTRAINED}" if self.proposals else ""


def tally(ends: Iterable[tuple[Any, Any]]) -> Tally:
    """Count pairs of a row's status and config."""
    found = Counter((str(status), is_untrained(status, config)) for status, config in ends)
    known = {status: found[status, False] for status in STATUSES}
    return Tally({status: number for status, number in known.items() if number}, found["infeasible", True])


def tallies(runs: Iterable[tuple[Any, Any, Any]]) -> dict[str, Tally]:
    """Count a campaign's runs, given by stage, status and config: ``search`` first, then ``confirmation`` and so on."""
    of_stage: dict[Any, list[tuple[Any, Any]]] = {SEARCH: []}
    for stage, status, config in runs:
        of_stage.setdefault(stage or SEARCH, []).append((status, config))
    return {STAGE_NAMES.get(stage, stage): tally(ends) for stage, ends in of_stage.items()}


def tally_of(trials: pd.DataFrame) -> Tally:
    """Count the rows of a frame."""
    return tally(zip(trials["status"], trials["config"], strict=True))


def is_untrained(status: Any, config: Any) -> bool:
    """Tell whether a row is of a proposal that was never trained."""
    return bool(status == "infeasible" and config == NEVER_A_TRIAL)
