"""Picture of a simulated confirmation, look by look: ``python -m benchmarks.confirm_picture docs/pictures``.

Three configs of a search and the base train on fresh seeds, as ``results.statistics.confirmation.judge`` asks for it. A
run's value is its config's true mean, what its seed does to all configs alike, and noise of SD 1 of its own, so that
differences are in units of the noise. The seed of the simulation was chosen so that the three ends of a candidate
(established, hardly to win any more, behind the best one) come at different looks; docs/why.md shows the picture.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.confirm_picture")

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from results.design import DEFAULT
from results.statistics.confirmation import judge
from results.statistics.judgement import EndedRun, Verdict
from results.statistics.studentized import levels
from storage.location import local_argument
from terminal.command_line import OneLineParser
from terminal.console import Console

BASE = "base"
TRUE = {"A": -1.6, "B": -0.6, "C": 0.4}  # mean of each candidate minus the base's, in SD of the noise
OF_A_SEED = 2.0  # SD of what a seed does to all configs alike
SEED = 154
SEARCH = 0  # place of the search's own run before the first seed


@dataclass(frozen=True)
class Story:
    """Course of one confirmation: the search's single runs, the fresh ones, and the verdicts of each look."""

    searched: Mapping[str, float]  # difference to the base's run, which the confirmation does not use
    runs: Mapping[tuple[str, int], float]  # by arm and fresh seed
    looks: Mapping[int, Mapping[str, Verdict]]  # by the seeds seen

    def last(self, arm: str) -> int:
        """The seeds of a candidate's last run."""
        return max(seed for one, seed in self.runs if one == arm)


def story(seed: int = SEED) -> Story:
    """Simulate the search's runs and the confirmation of its candidates."""
    draw = np.random.default_rng(seed)
    means = {BASE: 0.0} | TRUE
    single = {arm: mean + draw.normal() for arm, mean in means.items()}
    of_seed = OF_A_SEED * draw.normal(size=DEFAULT.final)
    noise = {arm: draw.normal(size=DEFAULT.final) for arm in means}
    runs: dict[tuple[str, int], EndedRun] = {}
    looks: dict[int, Mapping[str, Verdict]] = {}
    while True:
        found = judge(DEFAULT, BASE, list(TRUE), range(1, DEFAULT.final + 1), runs)
        if found.seeds:
            looks[found.seeds] = found.verdicts
        if found.over:
            break
        for arm, number in found.wanted:
            runs[arm, number] = EndedRun(means[arm] + of_seed[number - 1] + noise[arm][number - 1])
    values = {run: ended.value for run, ended in runs.items() if ended.value is not None}
    return Story({arm: single[arm] - single[BASE] for arm in TRUE}, values, looks)


# --- drawing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """Colours of one form: text, lines, and each arm's, which also people tell apart who see few colours."""

    text: str
    faint: str
    arms: Mapping[str, str]


LOOKS = {  # after Okabe and Ito (2008); lighter on a dark ground
    "": Look("#1f2328", "#b8bec6", {BASE: "#57606a", "A": "#0072b2", "B": "#b35c00", "C": "#007a5a"}),
    "-dark": Look("#e6e6e6", "#5a626c", {BASE: "#9aa4af", "A": "#56b4e9", "B": "#f0a840", "C": "#3fc8a0"}),
}
MARKS = {BASE: "s", "A": "o", "B": "^", "C": "D"}


def draw(told: Story, look: Look, path: Path) -> None:
    """Draw a confirmation into an SVG file without a ground of its own."""
    import matplotlib

    settings = {
        "font.size": 10, "text.color": look.text, "axes.labelcolor": look.text, "axes.edgecolor": look.faint,
        "xtick.color": look.text, "ytick.color": look.text, "axes.spines.top": False, "axes.spines.right": False,
        "svg.hashsalt": "tuner", "axes.titlesize": 10, "axes.titlelocation": "left",
    }  # fmt: skip
    with matplotlib.rc_context(settings):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 8), layout="constrained")
        upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=(3, 5, 2))
        _runs(upper, told, look)
        _differences(middle, told, look)
        _levels(lower, told, look)
        seeds = range(1, max(told.looks) + 1)
        lower.set_xticks([SEARCH, *seeds], ["search", *map(str, seeds)])
        lower.set_xlim(SEARCH - 0.6, seeds[-1] + 1.2)
        lower.set_xlabel("fresh seeds seen, the same for all")
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})


def _runs(axes: Any, told: Story, look: Look) -> None:
    """A mark for each run, at its seed: who trains on it is decided by the look before."""
    arms = [BASE, *TRUE]
    for row, arm in enumerate(arms):
        seeds = [seed for one, seed in told.runs if one == arm]
        axes.plot(seeds, [row] * len(seeds), MARKS[arm], color=look.arms[arm], markersize=9)
        if arm != BASE:
            axes.text(told.last(arm) + 0.35, row, end(told, arm), va="center", color=look.arms[arm])
    axes.set_yticks(range(len(arms)), [BASE, *(f"trial {arm}" for arm in TRUE)])
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_title("1  Each mark is one run; those on one seed are a pair with the base's")
    axes.tick_params(length=0)


def end(told: Story, arm: str) -> str:
    """The last word on a candidate."""
    found = told.looks[told.last(arm)][arm]
    if found.better:
        return "established: better"
    assert found.difference is not None
    return "not ahead" if found.difference >= 0 else "behind A"


def _differences(axes: Any, told: Story, look: Look) -> None:
    """The mean difference at each look with its interval, and the search's single run before them."""
    axes.axhline(0, color=look.arms[BASE], linewidth=1)
    axes.text(SEARCH - 0.5, 0.12, "the base", color=look.arms[BASE], fontsize=9)
    for place, arm in enumerate(TRUE):
        shift, colour = 0.2 * (place - 1), look.arms[arm]
        axes.plot(SEARCH + shift, told.searched[arm], MARKS[arm], color=colour, fillstyle="none", markersize=8)
        at = [(n, seen[arm]) for n, seen in told.looks.items() if n <= told.last(arm)]
        x, y = [n + shift for n, _ in at], [v.difference for _, v in at]
        below, above = [_width(v, v.low) for _, v in at], [_width(v, v.high) for _, v in at]
        axes.errorbar(x, y, [below, above], fmt=MARKS[arm], color=colour, capsize=4, markersize=7, linewidth=1.6)
    axes.set_ylabel("difference to the base\n(SD of one run; below 0 is better)")
    axes.set_ylim(-6.5, 3.5)  # the lower ends after three seeds lie far below
    axes.set_title("2  Mean difference and its interval: better once its upper end leaves the line")


def _width(found: Verdict, edge: float | None) -> float:
    assert found.difference is not None and edge is not None
    return abs(edge - found.difference)


def _levels(axes: Any, told: Story, look: Look) -> None:
    """The level at which each look calls a candidate better."""
    at, looks = levels(DEFAULT.candidates, DEFAULT.looks), list(told.looks)
    shown = [100 * at[n].better for n in looks]
    axes.bar(looks, shown, color=look.faint, width=0.6)
    for n, level in zip(looks, shown, strict=True):
        axes.text(n, level, f"{level:.2f}", ha="center", va="bottom", fontsize=9)
    axes.set_ylim(0, 1.35 * max(shown))
    axes.set_ylabel("level, %")
    axes.set_title(f"3  Level of each look: all {len(DEFAULT.looks)} of {DEFAULT.candidates} candidates err in 4 %")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both forms of the picture."""
    parser = OneLineParser(prog="python -m benchmarks.confirm_picture", description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument(
        "folder", type=local_argument, metavar="FOLDER", help="where to write; the project's: docs/pictures"
    )
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        return parser.refuse(ValueError(f"{str(folder)!r} must be a folder that exists"))
    told, console = story(), Console()
    for form, look in LOOKS.items():
        draw(told, look, folder / f"confirmation{form}.svg")
        console.print(f"written: {folder / f'confirmation{form}.svg'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
