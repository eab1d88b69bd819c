"""Limits that a trial must keep to count: ``artifact_bytes<=16e6 margin 1%`` or ``val_bpb<=1.2``, as data.

A trial that breaks one is ``infeasible``. The sampler is told by how much, as a part of the limit, so that constraints
in bytes and in seconds weigh alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from terminal.nearest import nearest
from terminal.number import decimal
from terminal.short import decimals, shortened
from trainable.config import TrainConfig
from trainable.shapes import shapes_of

from search_spaces.objectives import COSTS, HIGHEST, LARGER_IS_BETTER, MINUTES, SCORES_AT_THE_END, Measured, cost_of
from search_spaces.objectives import check as check_objective

SMALLEST, LARGEST = 1e-9, 1e30  # of a limit, so that what exceeds it is a finite part of it
MEASURES = (*COSTS, *SCORES_AT_THE_END)
BEFORE_TRAINING = ("parameters",)  # known without a single step
_FORM = re.compile(r"\s*(\w+)\s*(<=|>=)\s*([\w.+-]+)\s*(?:margin\s+([\w.+-]+)\s*%)?\s*")


@dataclass(frozen=True)
class Constraint:
    """``measure`` (one of MEASURES) must not exceed ``limit``, less ``margin_percent`` of it.

    One of LARGER_IS_BETTER must reach the limit, and that part of it more.
    """

    measure: str
    limit: float
    margin_percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """``MEASURE<=LIMIT`` or ``MEASURE<=LIMIT margin PERCENT%``, or ``core>=LIMIT``; else a ValueError."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"a constraint is {_form(text)}, not {shortened(text)}")
        measure, limit, margin = match[1], _number(match[3], text), _number(match[4] or "0", text)
        if measure not in MEASURES:
            near = nearest(measure, MEASURES, "measures")
            raise ValueError(f"the constraint {text!r} has an unknown measure: {near}")
        if match[2] != _sign(measure):
            better = "larger" if measure in LARGER_IS_BETTER else "smaller"
            raise ValueError(f"the constraint {text!r} must have {_sign(measure)}: {measure} is better when {better}")
        if not SMALLEST <= limit <= LARGEST or not 0 <= margin < 100:
            rule = f"a limit above 0 ({SMALLEST:g} to {LARGEST:g}) and a margin of 0 to below 100 percent"
            raise ValueError(f"the constraint {text!r} needs {rule}")
        found = cls(measure, limit, margin)
        if found.bound > HIGHEST.get(measure, math.inf):
            raise ValueError(f"no trial keeps the constraint {text!r}: {measure} is at most {HIGHEST[measure]:g}")
        return found

    def __str__(self) -> str:
        margin = f" margin {self.margin_percent:.10g}%" if self.margin_percent else ""
        return f"{self.measure}{_sign(self.measure)}{self.limit:.15g}{margin}"

    @property
    def bound(self) -> float:
        """The limit less its margin; with it, of what is better when larger."""
        part = self.margin_percent / 100
        return self.limit * (1 + part if self.measure in LARGER_IS_BETTER else 1 - part)

    def excess(self, value: float) -> float:
        """Return the part of the bound by which ``value`` exceeds it or stays below it; at most 0 where it is kept.

        A score that is no finite number exceeds it by the whole of it.
        """
        if not math.isfinite(value):
            return 1.0
        part = value / self.bound
        return 1 - part if self.measure in LARGER_IS_BETTER else part - 1

    def violation(self, row: Measured) -> str:
        """Say what a trial's row breaks; empty where it keeps the constraint or does not know yet."""
        value = cost_of(self.measure, row)
        if value is None or self.excess(value) <= 0:
            return ""
        broken = "<" if self.measure in LARGER_IS_BETTER else ">"
        return f"{self.measure} {_plain(value)} {broken} {_plain(self.bound)} ({self})"


class BrokenByBaseError(ValueError):
    """A constraint that runs of the base break whatever their training does."""


def parse_all(texts: Sequence[str]) -> tuple[Constraint, ...]:
    """Constraints on different measures; a ValueError for two on one."""
    found = tuple(Constraint.parse(text) for text in texts)
    for i, constraint in enumerate(found):
        if constraint.measure in [c.measure for c in found[:i]]:
            raise ValueError(f"{constraint.measure} has two constraints: keep the tighter one")
    return found


def check(constraints: Sequence[Constraint], config: TrainConfig, vocab_size: int | None = None) -> None:
    """Raise a ValueError unless runs of ``config`` can be judged by the constraints and keep those known beforehand."""
    for constraint in constraints:
        if constraint.measure == "artifact_bytes" and config.artifact is None:
            raise ValueError(f"the constraint {constraint} needs an artifact: --set artifact=Artifact")
        if constraint.measure in SCORES_AT_THE_END:
            _check_score(constraint, config)
    if vocab_size is not None and (why := violation_before_training(constraints, config, vocab_size)):
        raise BrokenByBaseError(f"the base breaks a constraint: {why}")


def check_minutes(objectives: Sequence[str], constraints: Sequence[Constraint]) -> None:
    """Raise a ValueError where minutes alone are minimised: the run that learns least would win."""
    if tuple(objectives) == (MINUTES,) and all(
        constraint.measure not in SCORES_AT_THE_END for constraint in constraints
    ):
        raise ValueError(
            f"the objective {MINUTES} needs a score to reach, or the run that learns least would win: give "
            "--constraint 'val_bpb<=1.2', say, or a second objective"
        )


def _check_score(constraint: Constraint, config: TrainConfig) -> None:
    try:
        check_objective(constraint.measure, config)
    except ValueError as error:
        needs = str(error).partition(" needs ")[2]
        raise ValueError(f"the constraint {constraint} needs {needs}") from None


def violation_before_training(constraints: Sequence[Constraint], config: TrainConfig, vocab_size: int) -> str:
    """Say what ``config`` breaks whatever its training does; empty where nothing."""
    if all(c.measure not in BEFORE_TRAINING for c in constraints):
        return ""
    return violation(constraints, {"parameters": num_parameters(config, vocab_size)})


def violation(constraints: Sequence[Constraint], row: Measured) -> str:
    """All that a row breaks, in words."""
    return "; ".join(said for constraint in constraints if (said := constraint.violation(row)))


def excesses(constraints: Sequence[Constraint], row: Measured, config: TrainConfig | None) -> dict[str, float]:
    """Excess by constraint, of those that the row knows; the artifact's own limit is one of them."""
    found = {str(c): (c, cost_of(c.measure, row)) for c in with_own_limit(constraints, config)}
    return {name: c.excess(value) for name, (c, value) in found.items() if value is not None}


def with_own_limit(constraints: Sequence[Constraint], config: TrainConfig | None) -> list[Constraint]:
    """Return the constraints with the limit of the config's artifact, where it has one: each once."""
    own = () if config is None or config.artifact is None else (_limit_of(config),)
    return list({str(constraint): constraint for constraint in (*constraints, *own)}.values())


def _limit_of(config: TrainConfig) -> Constraint:
    assert config.artifact is not None
    return Constraint("artifact_bytes", config.artifact.limit_bytes)


def num_parameters(config: TrainConfig, vocab_size: int) -> int:
    """Trainable parameters of a run, tied ones counted once; nothing is allocated."""
    network = shapes_of(partial(config.model.build, vocab_size, config.longest_row))
    return sum(p.numel() for p in network.parameters())


def _number(text: str, where: str) -> float:
    if (value := decimal(text)) is None:
        raise ValueError(f"the constraint {where!r} has {text!r} where a number should stand")
    return value


def _form(text: str) -> str:
    """The form of a constraint, on the measure that a text begins with where it does."""
    word = re.match(r"\s*(\w*)", text)
    measure = word[1] if word is not None and word[1] in MEASURES else "MEASURE"
    form = f"{measure}{_sign(measure)}LIMIT"
    also = "" if measure in MEASURES else f" (for {', '.join(LARGER_IS_BETTER)}: >=)"
    return f"{form} or {form} margin PERCENT%{also}"


def _sign(measure: str) -> str:
    return ">=" if measure in LARGER_IS_BETTER else "<="


def _plain(value: float) -> str:
    """A measure as results are printed, without zeros at its end: a limit is one of few digits."""
    text = f"{value:,.0f}" if value >= 1000 else decimals(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
