"""A comparison as a picture: recorded against measured scores, and the way from the baseline to the best on both sides.

Drawn without pyplot, so that nothing global is touched and no display is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.transforms import Transform

from results.picture_text import any_script, literal
from results.replays.comparison import Comparison
from results.statistics.leaderboard import Noise

_RECORDED, _MEASURED, _NEVER_SCORED = "#555555", "#c44e00", "#a3006b"
_CLOSE = 11.0  # labels nearer than this many pixels are written as one

Curve = Callable[[np.ndarray], np.ndarray]


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture to ``path``, in the format that its ending names; a ValueError as of :func:`check_picture`."""
    check_picture(path)
    with any_script():
        figure_of(comparison).savefig(path)


def check_picture(path: Path) -> None:
    """Raise a ValueError unless a picture can be written there: the folder exists and the ending is known."""
    endings = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in endings:
        raise ValueError(f"the picture {str(path)!r} must end in one of .{', .'.join(sorted(endings))}")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"the picture {str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")


def figure_of(comparison: Comparison) -> Figure:
    """Scores against scores on the left, the progression on the right."""
    figure = Figure(figsize=(16, 8), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    what = f"{comparison.space}, replayed {comparison.reading} at scale {comparison.scale}"
    figure.suptitle(literal(f"{what}: {comparison.metric} recorded and measured", 200), fontsize=13)
    _scatter(left, comparison)
    _progression(right, comparison)
    with any_script():
        figure.draw_without_rendering()  # lays out the axes, so that it is known what will stand how close together
    left.autoscale(False)
    _label(left, comparison)
    return figure


# --- recorded against measured ----------------------------------------------------------------------------------------


def _scatter(axes: Axes, comparison: Comparison) -> None:
    runs, both, metric = comparison.runs, _with_both_scores(comparison.runs), comparison.metric
    found = comparison.correlation
    title = "too few runs with both scores for a rank correlation"
    if found is not None:
        title = f"rank correlation {found.value:.2f} (95 %: {found.low:.2f} to {found.high:.2f})"
    axes.set_title(title, fontsize=11)
    axes.set(xlabel=literal(f"recorded {metric}"), ylabel=literal(f"measured {metric}"))
    if both.empty:
        return
    phases = list(dict.fromkeys(runs["phase"]))
    colours = colormaps["turbo"].resampled(len(phases))
    points = axes.scatter(
        both["recorded"],
        both["measured"],
        c=[phases.index(phase) for phase in both["phase"]],
        cmap=colours,
        norm=BoundaryNorm(np.arange(len(phases) + 1) - 0.5, colours.N),
        s=30,
        edgecolors="#333333",
        linewidths=0.4,
    )
    measured = runs["measured"].dropna()
    axes.update_datalim([(both["recorded"].iloc[0], value) for value in measured])  # with those on the left edge
    stretched = ", stretched at the good end"
    if _spread(both["recorded"], axes.set_xscale, axes.set_xticks):
        axes.set_xlabel(axes.get_xlabel() + stretched)
    if _spread(measured, axes.set_yscale, axes.set_yticks):
        axes.set_ylabel(axes.get_ylabel() + stretched)
    axes.autoscale_view()
    assert isinstance(axes.figure, Figure)
    bar = axes.figure.colorbar(points, ax=axes, ticks=range(len(phases)), pad=0.01, aspect=45)
    bar.ax.set_title("phase", fontsize=9)
    bar.ax.set_yticklabels([literal(_short(phase)) for phase in phases], fontsize=8)
    bar.ax.tick_params(length=0)


def _with_both_scores(runs: pd.DataFrame) -> pd.DataFrame:
    return runs[runs["recorded"].notna() & ~runs["recorded_plateau"] & runs["measured"].notna()]


def _spread(values: pd.Series, set_scale: Callable[..., object], set_ticks: Callable[..., object]) -> bool:
    """Give an axis room at the good end, where most runs of a campaign are, unless its runs are spread evenly.

    It then goes like the logarithm of the distance from the best, and evenly near it. Returns whether it does.
    """
    best, reach = float(values.min()), float(values.max() - values.min())
    usual = float(values.median()) - best
    if reach <= 4 * usual or usual == 0:
        return False
    unit = usual / 2

    def there(value: np.ndarray) -> np.ndarray:
        return np.arcsinh((value - best) / unit)

    def back(place: np.ndarray) -> np.ndarray:
        value: np.ndarray = np.sinh(np.clip(place, -20, 20)) * unit + best  # clipped, or a far margin is infinite
        return value

    set_scale("function", functions=(there, back))
    places = np.linspace(0, float(there(np.array(best + reach))), 8)
    ticks = back(places)
    decimals = [max(0, -math.floor(math.log10(gap / 2))) for gap in np.diff(ticks)]
    rounded = [round(float(tick), n) for tick, n in zip(ticks, [decimals[0], *decimals], strict=True)]
    rounded = [tick for tick in rounded if tick <= best + reach]  # one beyond would stretch the axis
    set_ticks(rounded, [f"{tick:g}" for tick in rounded])
    return True


def _short(phase: str) -> str:
    """The number of a phase, or its name where it has none."""
    first = phase.split(" ")[0]
    return first if first.isdigit() else phase


def _label(axes: Axes, comparison: Comparison) -> None:
    """Name the runs of the progression, and mark on the left edge those that the log has no score of."""
    runs, both = comparison.runs, _with_both_scores(comparison.runs)
    steps = both[both["id"].isin(comparison.progression["id"])]
    halo: list[AbstractPathEffect] = [withStroke(linewidth=2.5, foreground="white")]
    for names, at in _joined(steps["id"], steps[["recorded", "measured"]].to_numpy(float), axes.transData):
        label = axes.annotate(names, at, (6, -9), textcoords="offset points", size=8, weight="bold")
        label.set_path_effects(halo)
    never = runs[runs["recorded"].isna() & runs["measured"].notna()].sort_values("measured")
    if never.empty:
        return
    edge = axes.get_yaxis_transform()
    axes.hlines(never["measured"], 0, 0.015, transform=edge, color=_NEVER_SCORED, linewidth=1.2)
    marks = np.array([(0.018, value) for value in never["measured"]])
    for names, at in _joined(never["id"], marks, edge):
        label = axes.annotate(names, at, xycoords=edge, size=8, color=_NEVER_SCORED, va="center")
        label.set_path_effects(halo)
    note = "left edge: runs without a recorded score"
    axes.annotate(note, (0.99, 0.01), xycoords="axes fraction", size=9, color=_NEVER_SCORED, ha="right")


def _joined(names: Iterable[str], places: np.ndarray, transform: Transform) -> list[tuple[str, tuple[float, float]]]:
    """Names with their places; those that would stand almost on each other are one, at the first of them."""
    found: list[tuple[list[str], tuple[float, float], np.ndarray]] = []
    for name, place, pixels in zip(names, places, transform.transform(places), strict=True):
        near = next((group for group, _, other in found if math.dist(other, pixels) < _CLOSE), None)
        if near is None:
            found.append(([name], (float(place[0]), float(place[1])), pixels))
        else:
            near.append(name)
    return [(literal(", ".join(group)), place) for group, place, _ in found]


# --- from the baseline to the best ------------------------------------------------------------------------------------


def _progression(axes: Axes, comparison: Comparison) -> None:
    steps = comparison.progression
    axes.set_title("from the baseline to the best (bars: 95 % interval of the mean)", fontsize=11)
    axes.set_xlabel(literal(f"{comparison.metric} minus the baseline's"))
    axes.set_yticks(range(len(steps)), [literal(label) for label in steps["label"]])
    axes.invert_yaxis()
    axes.axvline(0, color="#cccccc", linewidth=0.8, zorder=0)
    axes.grid(axis="y", color="#eeeeee")
    _way(axes, steps, "recorded", _RECORDED, comparison.recorded_noise)
    _way(axes, steps, "measured", _MEASURED, comparison.measured_noise)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="best")


def _way(axes: Axes, steps: pd.DataFrame, side: str, colour: str, noise: Noise | None) -> None:
    if steps.empty or pd.isna(steps[side].iloc[0]):
        return
    known = steps[steps[side].notna()]
    axes.errorbar(
        known[side] - steps[side].iloc[0],
        known.index + (-0.08 if side == "recorded" else 0.08),
        xerr=None if noise is None else [noise.half_width(n) for n in known[f"{side}_runs"]],
        color=colour,
        marker="o",
        markersize=5,
        linewidth=1.4,
        elinewidth=1,
        label=side,
    )
