"""Power and errors of the confirmation in simulated campaigns: ``python -m benchmarks.confirm_power [--quick]``.

Simulated campaigns: a search of 24 trials over six knobs, whose best are then judged on fresh seeds. A run's value is
its config's true mean, what its seed does to all configs alike, and noise of SD 1 of its own, so that effects are in
units of the noise. In a null campaign no knob does anything; in the others one of them does.

The search is Optuna's TPE as the tuner sets it up, or random; the judgement is
``results.statistics.confirmation.judge``, the code that a real campaign runs. A part of the null campaigns goes through
the tuner's whole ``Search`` and its files instead.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.confirm_power")

import math
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from benchmarks.simulated_campaign import whole_campaign
from results.design import DEFAULT, Design
from results.statistics.confirmation import EndedRun, Judgement, judge
from search_spaces.domains import Choice, Domain, LogUniform
from terminal.command_line import OneLineParser
from terminal.console import Console
from tuner.proposals.optuna_samplers import tpe
from tuner.proposals.sampler import suggest

TRIALS = 24
EFFECT = -2.0  # of the knob that matters, in noise SD
OFF, ON = "off", "on"
SWITCH = Choice(OFF, ON)
RATE = LogUniform(0.01, 1.0)


@dataclass(frozen=True)
class Kind:
    """Kind of a simulated campaign: how much better than the base a config is, and how noisy its runs are."""

    name: str
    mean: Callable[[dict[str, Any]], float]
    sd: Callable[[dict[str, Any]], float] = lambda values: 1.0


def switched(values: dict[str, Any]) -> float:
    """Two settings of a knob, of which the base has the worse one."""
    return EFFECT if values["switch 0"] == ON else 0.0


def tuned(values: dict[str, Any]) -> float:
    """A rate with its best value at 0.1, to which the effect falls off within half a decade; the base is at 0.01."""
    return EFFECT * math.exp(-((math.log10(values["rate 0"] / 0.1) / 0.5) ** 2))


def of_the_base(values: dict[str, Any]) -> float:
    return 3.0 if values == BASE else 1.0


def of_half(values: dict[str, Any]) -> float:
    return 3.0 if values["switch 0"] == ON else 1.0


BASE: dict[str, Any] = {f"switch {i}": OFF for i in range(3)} | {f"rate {i}": 0.01 for i in range(3)}
DOMAINS: dict[str, Domain] = {path: SWITCH if path.startswith("switch") else RATE for path in BASE}
NULL = Kind("null: nothing matters", lambda values: 0.0)
KINDS = (
    NULL,
    Kind("null, half of the configs 3 times as noisy", NULL.mean, of_half),
    Kind("null, the base 3 times as noisy", NULL.mean, of_the_base),
    Kind("a switch of 2 SD", switched),
    Kind("a rate of 2 SD at its best", tuned),
)


@dataclass(frozen=True)
class Tally:
    """Tally of the campaigns of one kind: shares, and the mean number of runs after the search."""

    campaigns: int
    won: float  # a candidate is established to be better than the base
    true: float  # and it is, by at least half the effect
    runs: float


def searched(kind: Kind, seed: int, sampler: str) -> list[dict[str, Any]]:
    """The values of all trials but the base, best first by their one noisy run."""
    draw = np.random.default_rng(seed)
    chosen = tpe(seed) if sampler == "tpe" else optuna.samplers.RandomSampler(seed)
    study = optuna.create_study(sampler=chosen)
    study.enqueue_trial(BASE)
    found: list[tuple[float, dict[str, Any]]] = []
    for number in range(TRIALS):
        trial = study.ask()
        values = {path: suggest(trial, path, domain) for path, domain in DOMAINS.items()}
        value = kind.mean(values) + kind.sd(values) * draw.normal()
        study.tell(trial, value)
        if number:
            found.append((value, values))
    return [values for _, values in sorted(found, key=lambda pair: pair[0])]


def confirmed(kind: Kind, design: Design, best: list[dict[str, Any]], seed: int) -> tuple[Judgement, int]:
    """The judgement of the best configs, with the runs that it asked for."""
    draw = np.random.default_rng((1, seed))
    arms = {"base": BASE} | {str(i): values for i, values in enumerate(best[: design.candidates])}
    of_seed = draw.normal(size=design.last)
    noise = draw.normal(size=(len(arms), design.last))
    runs: dict[tuple[str, int], EndedRun] = {}
    order = list(arms)
    while True:
        judgement = judge(design, "base", order[1:], range(design.last), runs)
        if judgement.over:
            return judgement, len(runs)
        for arm, index in judgement.wanted:
            own = kind.sd(arms[arm]) * noise[order.index(arm), index]
            runs[arm, index] = EndedRun(kind.mean(arms[arm]) + of_seed[index] + own)


def tally(kind: Kind, design: Design, searches: list[list[dict[str, Any]]]) -> Tally:
    """The outcome over searches, each confirmed once."""
    won = true = runs = 0
    for seed, best in enumerate(searches):
        judgement, used = confirmed(kind, design, best, seed)
        runs += used
        if judgement.winner is not None:
            won += 1
            true += kind.mean(best[int(judgement.winner.arm)]) <= EFFECT / 2
    count = len(searches)
    return Tally(count, won / count, true / count, runs / count)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each kind of campaign, search and design."""
    parser = OneLineParser(description=__doc__, prog="python -m benchmarks.confirm_power")
    parser.add_argument("--quick", action="store_true", help="fewer campaigns, for under a minute")
    quick = parser.parse_args(arguments).quick
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    campaigns, by_tpe, whole = (100, 10, 3) if quick else (2000, 200, 40)
    designs = (replace(DEFAULT, last=DEFAULT.first), DEFAULT)
    console = Console(goes_on=True)
    console.print("campaign                                     search  design   number  wins   true wins  runs")
    for kind in KINDS:
        for sampler, count in (("random", campaigns), ("tpe", by_tpe)):
            searches = [searched(kind, seed, sampler) for seed in range(count)]
            for design in designs:
                got = tally(kind, design, searches)
                console.print(
                    f"{kind.name:<44} {sampler:<7} {design!s:<8} {got.campaigns:>6}  {got.won:>5.1%}  {got.true:>9.1%}"
                    f"  {got.runs:>4.1f}"
                )
    with tempfile.TemporaryDirectory() as folder:
        wins = sum(whole_campaign(Path(folder) / str(seed), DEFAULT, TRIALS, _value, seed) for seed in range(whole))
    console.print(f"null campaigns through the tuner's own Search, TPE and files: {wins} of {whole} establish a winner")


def _value(config: str, progress: float) -> float:
    """Made-up noise that a config determines: a run again is the same run."""
    return float(np.random.default_rng(zlib.crc32(config.encode())).normal()) + 10 * (1 - progress)


if __name__ == "__main__":
    main()
