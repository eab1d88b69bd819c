"""The design of a confirmation: how many candidates train on how many fresh seeds, as ``--confirm 3x3..9`` has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CANDIDATES, MOST_SEEDS = 10, 30


@dataclass(frozen=True)
class Design:
    """Design of a confirmation: so many candidates on ``first`` fresh seeds each, undecided ones on up to ``last``."""

    candidates: int
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> Design:
        """``3x3`` or ``3x3..9``; anything else is a ValueError."""
        match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})(?:\.\.([0-9]{1,4}))?", text)
        if not match:
            raise ValueError(f"{text!r} must be CANDIDATESxSEEDS or CANDIDATESxSEEDS..MOST, for example 3x3 or 3x3..9")
        candidates, first, last = int(match[1]), int(match[2]), int(match[3] or match[2])
        if not 1 <= candidates <= MOST_CANDIDATES:
            raise ValueError(f"{text!r} asks for {candidates} candidates but it must be 1 to {MOST_CANDIDATES}")
        if not 2 <= first <= last <= MOST_SEEDS:
            raise ValueError(f"{text!r} asks for {first} to {last} seeds but it must be 2 to {MOST_SEEDS}, ascending")
        return cls(candidates, first, last)

    def __str__(self) -> str:
        return f"{self.candidates}x{self.first}" + (f"..{self.last}" if self.last > self.first else "")

    @property
    def fewest_runs(self) -> int:
        return (self.candidates + 1) * self.first

    @property
    def most_runs(self) -> int:
        return (self.candidates + 1) * self.last

    def waves(self, slots: int, done: int = 0) -> tuple[int, int]:
        """Return how many runs it takes one after another, at least and at most: each look is awaited.

        ``done`` runs of it are over.
        """
        arms, first = self.candidates + 1, -(-max(0, self.fewest_runs - done) // slots)
        looks = self.last - self.first - max(0, done - self.fewest_runs) // arms
        return first, first + max(0, looks) * -(-arms // slots)

    def confidence(self, seeds: int) -> float:
        """Return the confidence of each comparison after ``seeds`` seeds; all comparisons together have 95 %."""
        from results.statistics.group_sequential import confidence_at  # simulates, with numpy

        return confidence_at(seeds, self.candidates, self.first, self.last)


# Three seeds settle a large effect, as most of what a first search finds: they are then all that is spent. But they
# find an effect of twice the noise in one campaign of three (benchmarks/confirm_power.py), so undecided ones go on.
DEFAULT = Design(candidates=3, first=3, last=9)
