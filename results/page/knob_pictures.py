"""Pictures of knobs for a paper: the most important ones against the result, and all at once (parallel coordinates)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from terminal.counted import counted
from terminal.short import decimals

from results.page.palette import COLOURS, Data, drawn_as, marker_of, said_of, searched_places
from results.picture_text import literal

MOST_PANELS = 6
MOST_AXES = 9  # besides the result; more are not readable on paper
TICKS = 6
MOST_LETTERS = 30  # of categories side by side below a panel
_IDLE = -0.08  # below an axis: its knob does not act there


def scatter(figure: Figure, data: Data) -> bool:
    """Draw the most important knobs, a panel each, against the objective at the end; whether there was any."""
    values = data["trials"]["value"]
    places = [place for place in searched_places(data) if values[place] is not None]
    knobs = [knob for knob in _first(data, MOST_PANELS) if sum(knob["values"][p] is not None for p in places) > 1]
    if not knobs:
        return False
    columns = min(3, len(knobs))
    rows = math.ceil(len(knobs) / columns)
    figure.set_size_inches(8, 0.7 + 2.6 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for panel, knob in zip(grid.flat, knobs, strict=False):
        _panel(panel, knob, places, data)
    for panel in list(grid.flat)[len(knobs) :]:
        panel.set_axis_off()
    for row in grid:
        row[0].set_ylabel(literal(data["objective"]))
    low, high = _usual([values[place] for place in places])
    grid[0][0].set_ylim(low, high)
    if above := [value for place in places if (value := values[place]) > high]:
        lie = f"lies above the picture, at {decimals(above[0])}"
        if len(above) > 1:
            lie = f"lie above the picture, as high as {decimals(max(above))}"
        figure.supxlabel(f"{counted(len(above), 'trial')} {lie}.", fontsize="small")
    legend_of(figure, {drawn_as(data, place) for place in places})
    return True


def parallel(figure: Figure, data: Data) -> bool:
    """Draw a line a trial through its knobs to the objective; whether there were two trials and a knob."""
    values = [
        v if v is not None else last for v, last in zip(data["trials"]["value"], data["trials"]["last"], strict=True)
    ]
    places = [place for place in searched_places(data) if values[place] is not None]
    knobs = [knob for knob in _first(data, MOST_AXES) if len({knob["values"][p] for p in places}) > 1]
    if not knobs or len(places) < 2:
        return False
    figure.set_size_inches(max(6.0, 1.25 * (len(knobs) + 1)), 4.8)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(-0.25, len(knobs) + 0.45), ylim=(-0.28, 1.34))
    scales = [_parts(knob, places) for knob in knobs]
    low, high = _usual([values[place] for place in places], room=0.0)
    result = [min(1.0, (v - low) / (high - low)) if v is not None else None for v in values]
    for place in places:
        kind = drawn_as(data, place)
        heights = [_IDLE if part[place] is None else part[place] for part, _ in scales] + [result[place]]
        strong = kind in ("winner", "base")
        axes.plot(heights, color=COLOURS[kind], linewidth=2.2 if strong else 0.8, alpha=1.0 if strong else 0.5)
    ends = [
        (0.0, f"{low:.4g}"),
        (1.0, f"{high:.4g}" if max(values[place] for place in places) <= high else f"{high:.4g} or more"),
    ]
    for at, (name, ticks) in enumerate(
        [*((k["path"], t) for k, (_, t) in zip(knobs, scales, strict=True)), (data["objective"], ends)]
    ):
        _axis(axes, at, str(name), ticks)
    for at, (part, _) in enumerate(scales):
        if any(part[place] is None for place in places):
            axes.text(at, _IDLE - 0.05, "does not act", ha="center", fontsize=6.5, color=COLOURS["soft"])
    cut = any(data["trials"]["value"][place] is None for place in places)
    if cut:
        said = f"{literal(data['objective'])}: a trial without a value at the end stands at its last one"
        axes.text((len(knobs) + 0.2) / 2, -0.24, said, ha="center", fontsize=7.5, color=COLOURS["soft"])
    legend_of(figure, {drawn_as(data, place) for place in places}, lines=True)
    return True


def _first(data: Data, most: int) -> list[dict[str, Any]]:
    """Return the knobs to draw: the most important ones where that is known, in the space's order."""
    known = data["first_knobs"]
    knobs: list[dict[str, Any]] = data["knobs"]
    if known:
        knobs = sorted((knob for knob in knobs if knob["path"] in known), key=lambda knob: known.index(knob["path"]))
    return knobs[:most]


def _panel(axes: Axes, knob: dict[str, Any], places: Sequence[int], data: Data) -> None:
    for place in places:
        at = knob["values"][place]
        if at is None:
            continue
        kind = drawn_as(data, place)
        spread = ((place * 0.6180339887) % 1 - 0.5) * 0.4 if knob["kind"] == "category" else 0.0
        size = 60 if kind == "winner" else 22
        axes.scatter(
            at + spread, data["trials"]["value"][place], s=size, c=COLOURS[kind], marker=marker_of(kind), linewidths=0.8
        )
    if knob["kind"] == "category":
        said = [_brief(label, 12) for label in knob["labels"]]
        axes.set_xticks(range(len(said)), said, fontsize=7)
        if len("  ".join(said)) > MOST_LETTERS:
            for label in axes.get_xticklabels():
                label.set(rotation=30, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.6, len(knob["labels"]) - 0.4)
    else:
        known = [value for value in (*knob["values"], knob["low"], knob["high"]) if value is not None]
        low, high = min(known), max(known)
        if knob["log"] and low > 0:
            axes.set(xscale="log", xlim=(low / (high / low) ** 0.05, high * (high / low) ** 0.05))
            ticks = _log_ticks(low, high)
            axes.set_xticks(ticks, [f"{tick:.4g}" for tick in ticks])
            axes.set_xticks([], minor=True)
        elif high > low:
            axes.set_xlim(low - (high - low) * 0.05, high + (high - low) * 0.05)
    axes.tick_params(labelsize=7)
    axes.set_xlabel(_brief(knob["path"], 34), fontsize=8)
    axes.grid(color="#e9ecf0", linewidth=0.6)
    axes.set_axisbelow(True)


def _parts(knob: dict[str, Any], places: Sequence[int]) -> tuple[list[float | None], list[tuple[float, str]]]:
    """Find where each trial lies on the knob's axis, from 0 to 1, and the axis's ticks."""
    values = knob["values"]
    if knob["kind"] == "category":
        last = max(1, len(knob["labels"]) - 1)
        ticks = [(at / last, str(label)) for at, label in enumerate(knob["labels"][:TICKS])]
        return [None if value is None else value / last for value in values], ticks
    known = [value for value in (*values, knob["low"], knob["high"]) if value is not None]
    log = knob["log"] and min(known) > 0
    scale = math.log if log else float
    low, high = scale(min(known)), scale(max(known))
    room = high - low or 1.0
    parts = [None if value is None else (scale(value) - low) / room for value in values]
    return parts, [(0.0, f"{min(known):.4g}"), (1.0, f"{max(known):.4g}")]


def _axis(axes: Axes, at: int, name: str, ticks: Sequence[tuple[float, str]]) -> None:
    axes.plot([at, at], [0, 1], color="#5b6470", linewidth=1)
    head, _, tail = name.rpartition(".")
    up = 0.0 if at % 2 else 0.13  # neighbours at two heights, so that each has room
    axes.text(at, 1.12 + up, _brief(head, 30), ha="center", fontsize=6.5, color="#5b6470")
    axes.text(at, 1.06 + up, _brief(tail, 30), ha="center", fontsize=7.5)
    for part, text in ticks:
        axes.text(
            at + 0.04,
            part,
            _brief(text, 14),
            fontsize=6.5,
            va="center",
            bbox={"facecolor": "white", "alpha": 0.95, "pad": 0.5, "linewidth": 0},
        )


def legend_of(figure: Figure, kinds: set[str], lines: bool = False, more: Sequence[Line2D] = ()) -> None:
    """Name below a picture the kinds of trials that are in it, and what ``more`` there is."""
    named = [kind for kind in COLOURS if kind in kinds]
    marks = [
        Line2D([], [], color=COLOURS[kind], label=said_of(kind))
        if lines
        else Line2D([], [], color=COLOURS[kind], marker=marker_of(kind), linestyle="", label=said_of(kind))
        for kind in named
    ]
    marks += more
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=8)


def _log_ticks(low: float, high: float) -> list[float]:
    """At most TICKS ticks of a logarithmic axis, at 1, 2 and 5 where there is room, else at fewer; its ends if none."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [f * 10.0**power for power in powers for f in factors if low * 0.999 <= f * 10.0**power <= high * 1.001]
        if 2 <= len(found) <= TICKS:
            return found
    return found[:: math.ceil(len(found) / TICKS)] if len(found) > TICKS else [low, high]


def _usual(values: Sequence[Any], room: float = 0.05) -> tuple[float, float]:
    """Lowest and highest value to give room to, and ``room`` of that beyond: one that diverged must not press all
    others flat.
    """
    ordered = sorted(value for value in values if value is not None)
    low, high = ordered[0], ordered[-1]
    if len(ordered) >= 8:
        quarter, most = ordered[len(ordered) // 4], ordered[int(len(ordered) * 0.9)]
        high = min(high, most + 1.5 * (most - quarter))
    beyond = (high - low) * room if high > low else abs(low) * 0.05 or 0.5
    return low - beyond, high + beyond


def _brief(text: Any, longest: int) -> str:
    """The end of a text, which tells knobs of one name's family apart."""
    said = literal(text)
    return said if len(said) <= longest else f"…{said[1 - longest :]}"
