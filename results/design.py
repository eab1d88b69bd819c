"""The design of a confirmation: how many candidates train on how many fresh seeds, as ``--confirm 3x3..9`` has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import ceil

from terminal.counted import best_of, counted, counted_range

MOST_CANDIDATES, MOST_SEEDS = 10, 30
CARRY, MOST_CARRIED = 6, 50  # of a search's best to a larger scale: unless told otherwise, and at most
ALONE_GROWS = 4 / 3  # from look to look: where one candidate is left, each look takes a third more seeds
OWN_NOISE = " own"  # behind a design in a row: each difference is judged by its own noise


@dataclass(frozen=True)
class Design:
    """Design of a confirmation: so many candidates on ``first`` fresh seeds each, undecided ones on up to ``last``.

    The best of those that are then undecided goes on alone, beside the base, up to ``alone`` seeds; 0 is none.
    ``own_noise`` says by which rule it is judged (``results/statistics/confirmation.py``).
    """

    candidates: int
    first: int
    last: int
    alone: int = 0
    own_noise: bool = True

    def in_words(self) -> str:
        """Describe it in a plan: candidates, seeds and runs, and how to do without."""
        return f"after the search {self.meaning} (--no-confirm: none)"

    @property
    def meaning(self) -> str:
        """Say what its text stands for: candidates, seeds and runs."""
        seeds = counted(self.first, "fresh seed") + (
            f", to {self.last} where undecided" if self.last > self.first else ""
        )
        if self.alone:
            seeds += f", the best undecided one alone to {self.alone}"
        runs = counted_range(self.fewest_runs, self.most_runs, "run")
        return f"{best_of(self.candidates)} and the base on {seeds}: {runs}"

    @classmethod
    def parse(cls, text: str) -> Design:
        """``3x3``, ``3x3..9`` or ``3x3..5..30``; anything else is a ValueError."""
        match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})(?:\.\.([0-9]{1,4})(?:\.\.([0-9]{1,4}))?)?", text)
        if not match:
            raise ValueError(
                f"{text!r} must be CANDIDATESxSEEDS, CANDIDATESxSEEDS..MOST or CANDIDATESxSEEDS..MOST..ALONE, for "
                f"example 3x3, 3x3..9 or {DEFAULT}"
            )
        candidates, first, all_to = int(match[1]), int(match[2]), int(match[3] or match[2])
        last = int(match[4] or all_to)
        if not 1 <= candidates <= MOST_CANDIDATES:
            raise ValueError(
                f"{text!r} asks for {counted(candidates, 'candidate')}, but 1 to {MOST_CANDIDATES} can be confirmed"
            )
        if not 2 <= first <= all_to <= last <= MOST_SEEDS:
            seeds = counted_range(first, last, "seed")
            raise ValueError(
                f"{text!r} asks for {seeds}, but each candidate takes 2 to {MOST_SEEDS}, from fewer to more"
            )
        return cls(candidates, first, all_to, last if last > all_to else 0)

    @classmethod
    def of_row(cls, text: str) -> Design:
        """Read the design of a row; rows from before differences had a noise of their own are judged as they were."""
        own_noise = text.endswith(OWN_NOISE)
        found = cls.parse(text.removesuffix(OWN_NOISE))
        return cls(found.candidates, found.first, found.last, found.alone, own_noise)

    @property
    def in_row(self) -> str:
        """Write it as a row keeps it."""
        return f"{self}{OWN_NOISE if self.own_noise else ''}"

    def __str__(self) -> str:
        seeds = [self.first, *([self.last] if self.last > self.first or self.alone else []), self.alone]
        return f"{self.candidates}x{'..'.join(str(n) for n in seeds if n)}"

    def among(self, candidates: int) -> Design | None:
        """The design that is left where there are at most so many candidates; None without one."""
        return replace(self, candidates=min(self.candidates, candidates)) if candidates > 0 else None

    @property
    def final(self) -> int:
        """The seeds of the last look."""
        return self.alone or self.last

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of seeds after which it is judged."""
        looks = list(range(self.first, self.last + 1))
        while looks[-1] < self.final:
            looks.append(min(self.final, ceil(looks[-1] * ALONE_GROWS)))
        return tuple(looks)

    @property
    def fewest_runs(self) -> int:
        return (self.candidates + 1) * self.first

    @property
    def most_runs(self) -> int:
        return sum(self._runs_of_looks())

    def _runs_of_looks(self) -> list[int]:
        """Return the runs that each look waits for, at most."""
        befores = (0, *self.looks)
        arms = [self.candidates + 1 if look <= self.last else 2 for look in self.looks]
        return [count * (look - before) for count, look, before in zip(arms, self.looks, befores, strict=False)]

    def waves(self, slots: int, done: int = 0) -> tuple[int, int]:
        """Return how many runs it takes one after another, at least and at most: each look is awaited.

        ``done`` runs of it are over.
        """
        waves = []
        for runs in self._runs_of_looks():
            over = min(runs, done)
            done -= over
            waves.append(-(-(runs - over) // slots))
        return waves[0], sum(waves)

    def confidence(self, seeds: int) -> float:
        """Return the confidence of each comparison after ``seeds`` seeds, where the noise is taken to be all alike."""
        from results.statistics.group_sequential import confidence_at  # simulates, with numpy

        return confidence_at(seeds, self.candidates, self.first, self.last)


# Three seeds settle a large effect, as most of what a first search finds: they are then all that is spent, or four.
# Undecided ones go on. Thirty are for one whose runs, or the base's, are noisy: an effect of twice the usual noise is
# then found in four campaigns of five where nine seeds find it in one of four (benchmarks/confirm_power.py).
DEFAULT = Design(candidates=3, first=3, last=5, alone=30)
