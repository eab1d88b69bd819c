"""Picture of compared samplers: ``python -m benchmarks.surrogate.picture LINES --picture docs/samplers.png``.

LINES is what ``benchmarks.surrogate.compare --lines`` keeps. A panel for each surrogate and number of slots: the median
over campaigns of what the best config found is expected to have, against the device time spent, with the quartiles of
the first method and of the best other one.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.surrogate.picture")

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np

from benchmarks.surrogate.compare import CURVE, Line, read
from storage.location import local_argument
from storage.target import check_file_to_write
from terminal.command_line import OneLineParser
from terminal.console import Console
from terminal.counted import counted

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

FIRST = 10  # runs of the base before which hardly anything has ended
FEWEST = 4  # campaigns of a line


def panels(lines: Sequence[Line]) -> dict[tuple[int, str], dict[str, np.ndarray]]:
    """(slots, model) -> method -> (campaigns, CURVE): in device time only, of methods with several campaigns.

    NaN where no run had ended yet, which a line may have as null.
    """
    found: dict[tuple[int, str], dict[str, list[list[float]]]] = {}
    for line in lines:
        if line["curve"] is not None:
            here = found.setdefault((line["slots"], line["model"]), {})
            here.setdefault(line["method"], []).append(line["curve"])
    return {
        place: {name: np.array(curves, float) for name, curves in methods.items() if len(curves) >= FEWEST}
        for place, methods in sorted(found.items())
    }


def time_to_match(ours: np.ndarray, other: np.ndarray) -> float | None:
    """Time in which our median is as low as another's at the end, as a part of the whole; None where it never is."""
    there = np.flatnonzero(np.nanmedian(ours, axis=0) <= np.nanmedian(other[:, -1]))
    return CURVE[int(there[0])] / CURVE[-1] if len(there) else None


def draw_panel(axis: Axes, found: Mapping[str, np.ndarray], styles: Mapping[str, dict[str, str]], first: str) -> None:
    """Medians of all methods; the quartiles of two. A line's label is its method, which one legend tells for all."""
    ends = {name: float(np.nanmedian(curves[:, -1])) for name, curves in found.items()}
    rivals = [name for name in sorted(ends, key=lambda name: ends[name]) if name != first]
    at = np.array(CURVE)
    shown = at >= FIRST
    for name, curves in found.items():
        low, middle, high = np.nanquantile(curves, [0.25, 0.5, 0.75], axis=0)[:, shown]
        width = 2.4 if name == first else 1.2
        axis.plot(at[shown], middle, label=name, linewidth=width, **styles[name])
        if name in (first, *rivals[:1]):
            axis.fill_between(at[shown], low, high, color=styles[name]["color"], alpha=0.15, linewidth=0)


def draw(path: Path, lines: Sequence[Line], first: str) -> None:
    """Write the picture: a row for each number of slots."""
    found = panels(lines)
    slots, kinds = sorted({s for s, _ in found}), sorted({model for _, model in found}, reverse=True)
    drawn = {name for methods in found.values() for name in methods}
    names = [name for name in dict.fromkeys(line["method"] for line in lines) if name in drawn]
    styles = {name: {"color": f"C{at % 10}", "linestyle": "-" if at < 10 else "--"} for at, name in enumerate(names)}
    size = (6.5 * len(kinds), 4.2 * len(slots))
    figure, axes = plt.subplots(len(slots), len(kinds), figsize=size, squeeze=False, layout="constrained")
    for (row, column), axis in np.ndenumerate(axes):
        place = slots[row], kinds[column]
        if found.get(place):
            draw_panel(axis, found[place], styles, first)
        axis.set(
            title=f"{place[1]}, {counted(place[0], 'slot')}",
            xlabel="device time, in runs of the base",
            ylabel="expected end of the best config",
        )
    told = {
        label: handle for axis in axes.flat for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend([told[name] for name in names], names, loc="outside lower center", ncols=4, fontsize=9)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, and print in which part of the time the first method has what another has at the end."""
    parser = OneLineParser(prog="python -m benchmarks.surrogate.picture", description=__doc__)
    parser.add_argument("lines", type=local_argument, metavar="LINES")
    parser.add_argument("--picture", type=local_argument, default=Path("samplers.png"))
    given = parser.parse_args(arguments)
    try:
        check_file_to_write("--picture", given.picture)
        lines = read(given.lines)
        if not any(panels(lines).values()):
            raise ValueError(f"{given.lines} has no method with {FEWEST} campaigns in device time")
    except (ValueError, OSError, KeyError) as error:
        return parser.refuse(error if not isinstance(error, KeyError) else ValueError(f"{given.lines}: no {error}"))
    first, console = lines[0]["method"], Console(width=120)
    draw(given.picture, lines, first)
    for (slots, model), methods in panels(lines).items():
        for name, curves in methods.items():
            if name != first and first in methods:
                part = time_to_match(methods[first], curves)
                told = "never" if part is None else f"in {part:.0%} of its time"
                console.print(f"{model}, {counted(slots, 'slot')}: {first} has what {name} has at the end {told}")
    console.print(f"Picture: {given.picture}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
