"""Tables of samplers in docs/samplers.md: ``python -m benchmarks.surrogate.method_rows LINES``.

LINES is what ``benchmarks.surrogate.compare --lines`` keeps. Of campaigns that end by device time there is a row for
each method and number of slots: medians over campaigns of what the best config found is expected to have after the time
of 50, 100 and 200 runs of the base, the quartiles at the end, how likely such ends are if the method is level with ours
(Mann-Whitney), and after which part of the time ours has what it has at the end. Of campaigns on halves of the
recorded configs, which end by trials, there is a row for each surrogate.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.method_rows")

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

from benchmarks.surrogate.compare import RUNS, Line, read
from benchmarks.surrogate.picture import panels, time_to_match
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console

OURS = "ours, gp"
NAMES = {  # in the order of the table
    OURS: "**ours, `gp`**",
    "ours, gp, predictive": "ours, `gp`, with early stopping",
    "ours, tpe": "ours, `tpe` (near the base)",
    "ours, tpe, random first": "ours, `tpe-uniform`",
    "Optuna TPE": "Optuna's TPE, defaults",
    "Optuna CMA-ES": "Optuna's CMA-ES",
    "Optuna GP": "Optuna's GPSampler",
    "Ray OptunaSearch + ASHA": "Ray's OptunaSearch + ASHA, defaults",
    "SMAC3": "SMAC3",
    "Syne Tune BORE": "Syne Tune's BORE",
    "random": "random",
}
MODELS = ("trees", "smooth")
HEAD = ("slots", "method", "campaigns", *(f"{m}: 50, 100 | 200 (quartiles) | p | `gp` after" for m in MODELS))


def table(lines: Sequence[Line]) -> Iterator[str]:
    """The lines of the table in Markdown."""
    yield f"| {' | '.join(HEAD)} |"
    yield "|" + "---|" * (3 + 4 * len(MODELS))
    timed = [line for line in lines if tuple(line["marks"]) == RUNS]
    for slots in sorted({line["slots"] for line in timed}):
        for method, label in NAMES.items():
            here = [line for line in timed if line["slots"] == slots and line["method"] == method]
            if here:
                of_ours = [line for line in timed if line["slots"] == slots and line["method"] == OURS]
                yield row(slots, label, here, of_ours)


def row(slots: int, label: str, lines: Sequence[Line], ours: Sequence[Line]) -> str:
    """The row of one method."""
    counts, cells = [], list[str]()
    for model in MODELS:
        best, reference = (np.array([n["best"] for n in of if n["model"] == model]) for of in (lines, ours))
        if not len(best):
            counts.append("0")
            cells += ["", "", "", ""]
            continue
        counts.append(str(len(best)))
        low, end, high = np.quantile(best[:, -1], [0.25, 0.5, 0.75])
        on_the_way = ", ".join(f"{value:.3f}" for value in np.median(best[:, :-1], axis=0))
        cells += [on_the_way, f"{end:.3f} ({low:.3f}..{high:.3f})"]
        if lines is ours or label == NAMES[OURS] or not len(reference):
            cells += ["", ""]
        else:
            cells.append(f"{mannwhitneyu(best[:, -1], reference[:, -1]).pvalue:.1g}")
            cells.append(after(lines, ours, slots, model))
    return f"| {slots} | {label} | {' and '.join(dict.fromkeys(counts))} | {' | '.join(cells)} |"


def after(lines: Sequence[Line], ours: Sequence[Line], slots: int, model: str) -> str:
    """Return the part of the time after which ours has what these have at the end."""
    (other,) = {line["method"] for line in lines}
    found = panels([*lines, *ours]).get((slots, model), {})
    part = time_to_match(found[OURS], found[other]) if {OURS, other} <= found.keys() else None
    return "-" if part is None else f"{part:.0%}"


def of_halves(lines: Sequence[Line]) -> Iterator[str]:
    """The lines of the table of campaigns that end by trials, for each surrogate; none where there are none."""
    counted = [line for line in lines if tuple(line["marks"]) != RUNS]
    methods = [name for name in NAMES if any(line["method"] == name for line in counted)]
    if not methods:
        return
    (marks,) = {tuple(line["marks"]) for line in counted}
    heads = (f"{NAMES[name]}: {', '.join(map(str, marks))} (quartiles)" for name in methods)
    yield f"| surrogate | campaigns | {' | '.join(heads)} | p |"
    yield "|" + "---|" * (3 + len(methods))
    for model in dict.fromkeys(line["model"] for line in counted):
        cells, counts, ends = [], [], []
        for name in methods:
            best = np.array([line["best"] for line in counted if line["model"] == model and line["method"] == name])
            first, end = np.median(best, axis=0)
            low, high = np.quantile(best[:, -1], [0.25, 0.75])
            cells.append(f"{first:.3f}, {end:.3f} ({low:.3f}..{high:.3f})")
            counts.append(str(len(best)))
            ends.append(best[:, -1])
        level = f"{mannwhitneyu(*ends).pvalue:.1g}" if len(ends) == 2 else ""
        yield f"| {model} | {' and '.join(dict.fromkeys(counts))} | {' | '.join(cells)} | {level} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.method_rows", description=__doc__)
    parser.add_argument("lines", type=local_argument, metavar="LINES")
    given = parser.parse_args(arguments)
    try:
        if not Path(given.lines).exists():
            raise ValueError(f"there is no file {given.lines}")
        lines = read(given.lines)
        timed, rest = list(table(lines)), list(of_halves(lines))
        if len(timed) == 2:
            raise ValueError(f"{given.lines} has no campaign that ended by device time")
    except (ValueError, OSError, KeyError) as error:
        return parser.refuse(error if not isinstance(error, KeyError) else ValueError(f"{given.lines}: no {error}"))
    console = Console()
    for printed in [*timed, "", *rest] if rest else timed:
        console.print(printed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
