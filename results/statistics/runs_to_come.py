"""Numbers of runs that a confirmation and an ablation have still to make, and how many come one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.design import Design


@dataclass(frozen=True)
class ConfirmationToCome:
    """A confirmation's runs to come, at least (None: perhaps none at all) and at most, of which ``done`` have ended."""

    least: Design | None
    most: Design | None
    done: int = 0
    beside_winner: bool = False  # whether a winner that stands takes part in the most

    @property
    def runs(self) -> tuple[int, int]:
        """Count them."""
        fewest = 0 if self.least is None else self.least.fewest_runs
        most = 0 if self.most is None else self.most.most_runs
        return max(0, fewest - self.done), max(0, most - self.done)

    @property
    def why_a_span(self) -> str:
        """Say why there are as few or as many as that, where the design alone does not; empty where it does."""
        fewest, most = self.runs
        none = "none where the best trials stay the same" if most and not fewest else ""
        return ", ".join(filter(None, [none, "most where the winner takes part again" if self.beside_winner else ""]))

    def waves(self, slots: int) -> tuple[int, int]:
        """Return how many of them come one after another: each look is awaited."""
        fewest = 0 if self.least is None else self.least.waves(slots, self.done)[0]
        return fewest, 0 if self.most is None else self.most.waves(slots, self.done)[1]


NO_CONFIRMATION = ConfirmationToCome(None, None)


@dataclass(frozen=True)
class AblationToCome:
    """An ablation's runs to come, at least and at most."""

    fewest: int
    most: int
    trial: int | None = None  # number of the winner; None while there may be another one
    changes: int | None = None  # of that winner
    inert: Sequence[str] = ()  # of these, those without effect
    begun: bool = False

    @property
    def runs(self) -> tuple[int, int]:
        """Count them."""
        return self.fewest, self.most

    def waves(self, slots: int) -> tuple[float, float]:
        """Return them as runs one after another."""
        return self.fewest / slots, self.most / slots


NO_ABLATION = AblationToCome(0, 0)
