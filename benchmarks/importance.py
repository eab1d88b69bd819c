"""Power and errors of ``importance`` where the knobs that matter are known: ``python -m benchmarks.importance``.

Searches of the product itself with early stopping on three made-up spaces (made_up_spaces.py), with 24 and 100 trials,
each on 20 seeds. Ours is held against Optuna's evaluators, which are asked as optuna-dashboard asks them: on the study
as it is, of which they take the completed trials, and knobs that all of these have; the rest come last. Two of them
need ``pip install scikit-learn``, without which they are left out.

``recall`` is the part of the k knobs that matter among the first k, ``rank`` their mean rank; knobs that are level
share theirs. Beside them: how often ours says that it can tell, rightly and wrongly; the part of true shares within its
intervals (``within``, of knobs that matter; ``idle_within``, of the others, as less than 1 %); the edges it names; and
how often what 24 more trials gave lay within the interval that was said before.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.importance")

import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import optuna
import pandas as pd

from benchmarks import made_up_spaces
from benchmarks.kept_rows import KeptRows
from benchmarks.made_up_spaces import MadeUp
from results import Results
from results.questions.edges import edges
from results.questions.expected_gain import expected_gain
from results.questions.importance import LEAST_SHARE, importance
from results.questions.one_ruler import one_ruler
from results.targets import check_target_file
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.option_numbers import at_least_one

TRIALS = (24, 100)
MORE = 24
AFTER = (24, 48, 76)  # trials, of which a campaign of 100 has that many more
Asked = dict[str, float]


def evaluators(seed: int) -> dict[str, Any]:
    """Optuna's, by name; those that need scikit-learn only where that is there."""
    found: dict[str, Any] = {"PED-ANOVA": optuna.importance.PedAnovaImportanceEvaluator()}
    try:
        found["fANOVA"] = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        found["MDI"] = optuna.importance.MeanDecreaseImpurityImportanceEvaluator(seed=seed)
    except ImportError:
        pass
    return found


def asked(study: optuna.Study, evaluator: Any) -> Asked:
    """Return what Optuna says; nothing where it refuses, as with one completed trial."""
    try:
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
    except (ValueError, RuntimeError):
        return {}


def order(found: Mapping[str, float], made_up: MadeUp) -> Asked:
    """Recall among the first k and the mean rank of the k knobs that matter."""
    ranks = pd.Series({path: found.get(path, -1.0) for path in made_up.shares}).rank(ascending=False)
    matter = made_up.important
    first = [path for path in matter if ranks[path] <= len(matter) + 0.25]  # level over the border counts as not there
    return {"recall": len(first) / len(matter), "rank": float(ranks[matter].mean())}


def told(frame: pd.DataFrame, made_up: MadeUp) -> Asked:
    """Count how often it can tell, for knobs that matter and for others, and how often its intervals hold."""
    said, matter = set(frame["knob"][frame["can_tell"]]), set(made_up.important)
    rows = frame.set_index("knob")
    known = [path for path in matter if pd.notna(rows.loc[path, "low"])]
    within = [rows.loc[path, "low"] <= made_up.shares[path] <= rows.loc[path, "high"] for path in known]
    idle = [path for path in made_up.shares if path not in matter and pd.notna(rows.loc[path, "low"])]
    return {
        "told": len(said & matter) / max(1, len(matter)),
        "wrong": float(bool(said - matter)),
        "within": float(pd.Series(within, dtype=float).mean()),
        "idle_within": float(pd.Series([rows.loc[path, "low"] < LEAST_SHARE for path in idle], dtype=float).mean()),
    }


def of_campaign(made_up: MadeUp, trials: int, seed: int) -> Iterator[dict[str, Any]]:
    """One search, and what each method makes of it."""
    results, study = made_up_spaces.play(made_up, trials, seed)
    row = {"space": made_up.name, "trials": trials}
    began = time.perf_counter()
    frame = importance(results)
    seconds = time.perf_counter() - began
    said = dict(zip(frame["knob"], frame["importance"].fillna(-1.0), strict=True))
    yield {**row, "method": "ours", **order(said, made_up), **told(frame, made_up), "seconds": seconds}
    for name, evaluator in evaluators(seed).items():
        began = time.perf_counter()
        said = asked(study, evaluator)
        yield {**row, "method": name, **order(said, made_up), "seconds": time.perf_counter() - began}
    matter, named = set(made_up.important), edges(results)["knob"]
    right = named.isin(matter)
    yield {**row, "method": "edges", "told": float(right.sum()), "wrong": float((~right).any())}
    if trials == max(TRIALS):
        yield from ({**row, "method": f"gain after {done}", **gained(results, done)} for done in AFTER)


def gained(results: Results, done: int) -> Asked:
    """The gain of MORE trials that was expected after so many, and what it was."""
    rows = results.rows[results.rows["number"] < done]
    then = replace(
        results,
        rows=rows.reset_index(drop=True),
        reports=results.reports[results.reports["key"].isin(rows["key"])].reset_index(drop=True),
    )
    expected = expected_gain(one_ruler(then.trials, then.reports), MORE)
    after = results.rows["value"][results.rows["number"] < done + MORE].min()
    gain = float(rows["value"].min() - after)
    if expected is None:
        return {}
    return {"gain": gain, "expected": expected.mean, "within": float(expected.low <= gain <= expected.high)}


def of_nothing(trials: int, seed: int, early: bool) -> Iterator[dict[str, Any]]:
    """A campaign in which no knob does anything, or one only to the early values: what is called important there."""
    results = made_up_spaces.campaign(made_up_spaces.nothing(early), trials, seed)
    said = importance(results)
    name = "nothing, but one early" if early else "nothing"
    wrong = {"wrong": float(said["can_tell"].any()), "edges": float(not edges(results).empty)}
    yield {"space": name, "trials": trials, "method": "ours", **wrong}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = OneLineParser(prog="python -m benchmarks.importance", description="Importance against known truth.")
    parser.add_argument("--seeds", type=at_least_one, default=20, metavar="N", help="of each space (default: 20)")
    about = "campaigns of 24 trials in which no knob matters, and a fifth as many of 100 (default: 100)"
    parser.add_argument("--nothing", type=at_least_one, default=100, metavar="N", help=about)
    about = "file to keep each campaign's numbers in as they come, and to go on from: of one version of the product"
    parser.add_argument("--keep", type=local_argument, metavar="FILE", help=about)
    options = parser.parse_args(arguments)
    try:
        if options.keep is not None:
            check_target_file("--keep", options.keep)
        kept = KeptRows(parser.prog, options.keep)
    except (ValueError, OSError) as error:
        return parser.refuse(error)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seeds = range(options.seeds)
    spaces = [make() for make in made_up_spaces.SPACES.values()]
    asked_for = [(made_up, trials, seed) for seed in seeds for made_up in spaces for trials in TRIALS]
    rows = [row for one in asked_for for row in kept.of((one[0].name, *one[1:]), partial(of_campaign, *one))]
    few, many = range(options.nothing), range(options.nothing // 5)
    idle = [
        (trials, seed, early)
        for trials, seeds in zip(TRIALS, (few, many), strict=True)
        for seed in seeds
        for early in (False, True)
    ]
    nothing = [row for one in idle for row in kept.of(("nothing", *one), partial(of_nothing, *one))]
    console = Console()
    for made_up in spaces:
        shares = ", ".join(f"{path} {made_up.shares[path]:.2f}" for path in made_up.important)
        console.print(f"{made_up.name}: {len(made_up.shares)} knobs, of which matter {shares}")
    print_means(console, rows)
    print_means(console, nothing)
    return 0


def print_means(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """The means over seeds, a line for each space, number of trials and method."""
    frame = pd.DataFrame(rows)
    table = frame.groupby(["space", "trials", "method"], sort=False).mean(numeric_only=True)
    table.insert(0, "campaigns", frame.groupby(["space", "trials", "method"], sort=False).size())
    table = table.sort_index(level=["space", "trials"], sort_remaining=False)
    for line in table.to_string(float_format="{:.3f}".format, na_rep="").splitlines():
        console.print(line)


if __name__ == "__main__":
    sys.exit(main())
