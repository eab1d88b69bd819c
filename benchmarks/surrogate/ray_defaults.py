"""Ray Tune's OptunaSearch and ASHA as a method of the campaigns: a report after 1, 2, 4 and 8 eighths of a run.

ASHA's defaults are a grace period of one report and a quarter that goes on, so that it judges after 1 and 4 eighths.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.surrogate.device import Device, Outcome
from benchmarks.surrogate.small_spaces import RUNGS
from benchmarks.tune_defaults import TuneDefaults
from search_spaces.domains import Value

PARTS = round(1 / RUNGS[0])  # of a run: the unit of ASHA's grace period and of its longest run


class RayDefaults:
    """A method that is told what Tune's trials would tell: reports, and an error for a run that fails."""

    def __init__(self, device: Device, seed: int) -> None:
        self.tune = TuneDefaults(device.searched, device.base_point, seed, PARTS)
        self.stopped: set[int] = set()

    def ask(self) -> tuple[int, Mapping[str, Value]]:
        return self.tune.suggest()

    def stops(self, number: int, rung: float, value: float) -> bool:
        ends = self.tune.result(number, round(rung * PARTS), value)
        if ends:
            self.stopped.add(number)
        return ends

    def tell(self, number: int, outcome: Outcome) -> None:
        if number in self.stopped:  # its last report was its result
            return
        if outcome.final is None:
            self.tune.error(number)
        else:
            ended = self.tune.result(number, PARTS, outcome.final)
            assert ended, number
