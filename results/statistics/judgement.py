"""Verdicts on the candidates of a confirmation, and what they are made of; the rules that make them stand beside it."""

from __future__ import annotations

from dataclasses import dataclass

from results.statistics.bimodal import NotEscaped
from results.statistics.chance_of_escape import Escapes
from results.statistics.leaderboard import ESTABLISHED, NOT_ESTABLISHED, Noise

MOST_PAIRS = 100  # beyond this many, nobody is told how many runs would settle it


@dataclass(frozen=True)
class EndedRun:
    """End of one run of a confirmation: a value, or what kept it from one."""

    value: float | None
    status: str = "completed"


@dataclass(frozen=True)
class Verdict:
    """Verdict on one candidate. Differences are candidate minus base: below zero is better."""

    arm: str
    pairs: int  # seeds on which it and the base completed, and neither stayed on a plateau
    difference: float | None = None  # mean over the pairs
    low: float | None = None  # of the interval, which is right for all candidates and looks together in 95 %
    high: float | None = None
    confidence: float | None = None  # of this one interval, a fraction
    finding: str = NOT_ESTABLISHED  # about the difference
    going_on: bool = True  # whether more seeds are wanted before the last word
    reason: str = ""  # why it is out, where that is not a matter of its values
    pairs_to_settle: int | None = None  # in all, if difference and noise are as they seem; None where nobody can say
    sd: float | None = None  # of the difference on one seed; None where all noise was taken to be alike
    escapes: Escapes | None = None  # the chance of escaping a plateau, where some runs stayed on one or diverged

    @property
    def better(self) -> bool:
        """Tell whether it is established to be better than the base, in value or in chance, and in neither worse."""
        return (self.lower or self.escapes_more) and not (self.higher or self.escapes_less)

    @property
    def worse(self) -> bool:
        """Tell whether it is established to be worse than the base, in value or in chance, and in neither better."""
        return (self.higher or self.escapes_less) and not (self.lower or self.escapes_more)

    @property
    def refuted(self) -> bool:
        """Tell whether it is out: established to be worse than the base, or failing."""
        return bool(self.reason) or self.worse

    @property
    def settled(self) -> bool:
        """Tell whether a difference from the base is established, of one kind or the other."""
        return self.better or self.worse or self.finding == ESTABLISHED

    @property
    def lower(self) -> bool:
        """Tell whether its value is established to be lower than the base's."""
        return self.finding == ESTABLISHED and self.difference is not None and self.difference < 0

    @property
    def higher(self) -> bool:
        """Tell whether its value is established to be higher than the base's."""
        return self.finding == ESTABLISHED and not self.lower

    @property
    def escapes_more(self) -> bool:
        """Tell whether its chance of escaping is established to be higher than the base's."""
        return self.escapes is not None and self.escapes.more

    @property
    def escapes_less(self) -> bool:
        """Tell whether its chance of escaping is established to be lower than the base's."""
        return self.escapes is not None and self.escapes.less


@dataclass(frozen=True)
class Judgement:
    """Verdicts by arm, in the order given, and the runs (arm, seed) that the next look still waits for."""

    verdicts: dict[str, Verdict]
    wanted: tuple[tuple[str, int], ...]
    noise: Noise | None
    seeds: int  # of the last look
    plateau: NotEscaped | None = None  # on which some of the runs stayed

    @property
    def over(self) -> bool:
        """Tell whether every candidate has its last word."""
        return not any(found.going_on for found in self.verdicts.values())

    @property
    def winner(self) -> Verdict | None:
        """The candidate that is established to be better than the base, by the most where there are several."""
        return min((v for v in self.verdicts.values() if v.better), key=by_difference, default=None)


def by_difference(found: Verdict) -> float:
    """Order verdicts by their difference; one that never escaped with the base comes last."""
    return float("inf") if found.difference is None else found.difference
