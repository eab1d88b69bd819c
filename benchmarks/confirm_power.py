"""Power and errors of the confirmation in simulated campaigns: ``python -m benchmarks.confirm_power [--quick]``.

The table is that of ``benchmarks/noisy_campaigns.py``: nine kinds of noise, four effects, by the rule as it is and as
it was. Then campaigns whose search is Optuna's TPE as the tuner sets it up, in place of a random one; and some null
campaigns that go through the tuner's whole ``Search`` and its files.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.confirm_power")

import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from benchmarks.noisy_campaigns import lines
from benchmarks.simulated_campaign import whole_campaign
from results.design import DEFAULT
from results.statistics.confirmation import judge
from results.statistics.judgement import EndedRun, Judgement
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
BASE: dict[str, Any] = {f"switch {i}": OFF for i in range(3)} | {f"rate {i}": 0.01 for i in range(3)}
DOMAINS: dict[str, Domain] = {path: SWITCH if path.startswith("switch") else RATE for path in BASE}


def mean_of(values: dict[str, Any], effect: float) -> float:
    """The true mean of a config: one switch of six knobs matters, and the base has the worse setting."""
    return effect if values["switch 0"] == ON else 0.0


def searched(effect: float, seed: int) -> list[dict[str, Any]]:
    """The values of all trials but the base, best first by their one noisy run."""
    draw = np.random.default_rng(seed)
    study = optuna.create_study(sampler=tpe(seed))
    study.enqueue_trial(BASE)
    found: list[tuple[float, dict[str, Any]]] = []
    for number in range(TRIALS):
        trial = study.ask()
        values = {path: suggest(trial, path, domain) for path, domain in DOMAINS.items()}
        value = mean_of(values, effect) + draw.normal()
        study.tell(trial, value)
        if number:
            found.append((value, values))
    return [values for _, values in sorted(found, key=lambda pair: pair[0])]


def confirmed(effect: float, best: list[dict[str, Any]], seed: int) -> Judgement:
    """The judgement of the best configs, with the runs that it asked for."""
    draw = np.random.default_rng((1, seed))
    arms = {"base": BASE} | {str(i): values for i, values in enumerate(best[: DEFAULT.candidates])}
    of_seed = draw.normal(size=DEFAULT.final)
    noise = dict(zip(arms, draw.normal(size=(len(arms), DEFAULT.final)), strict=True))
    runs: dict[tuple[str, int], EndedRun] = {}
    while True:
        judgement = judge(DEFAULT, "base", list(arms)[1:], range(DEFAULT.final), runs)
        if judgement.over:
            return judgement
        for arm, seed_number in judgement.wanted:
            value = mean_of(arms[arm], effect) + of_seed[seed_number] + noise[arm][seed_number]
            runs[arm, seed_number] = EndedRun(float(value))


def wins_after_tpe(effect: float, campaigns: int) -> int:
    """Count the campaigns that establish a winner."""
    return sum(confirmed(effect, searched(effect, seed), seed).winner is not None for seed in range(campaigns))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each kind of campaign, search and design."""
    parser = OneLineParser(description=__doc__, prog="python -m benchmarks.confirm_power")
    parser.add_argument("--quick", action="store_true", help="fewer campaigns, for under a minute")
    quick = parser.parse_args(arguments).quick
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    campaigns, by_tpe, whole = (20, 10, 3) if quick else (1000, 200, 40)
    console = Console(goes_on=True)
    for line in lines(campaigns):
        console.print(line)
    for name, effect in (("nothing matters", 0.0), ("a switch of 2 SD", EFFECT)):
        wins = wins_after_tpe(effect, by_tpe)
        console.print(f"after a search by TPE, {name}: {wins} of {by_tpe} establish a winner")
    with tempfile.TemporaryDirectory() as folder:
        wins = sum(whole_campaign(Path(folder) / str(seed), DEFAULT, TRIALS, _value, seed) for seed in range(whole))
    console.print(f"null campaigns through the tuner's own Search, TPE and files: {wins} of {whole} establish a winner")


def _value(config: str, progress: float) -> float:
    """Made-up noise that a config determines: a run again is the same run."""
    return float(np.random.default_rng(zlib.crc32(config.encode())).normal()) + 10 * (1 - progress)


if __name__ == "__main__":
    main()
