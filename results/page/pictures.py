"""The page's pictures as PNG files, for a paper or an issue: drawn from its data, without pyplot or a display."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from storage import inside

from results.page.knob_pictures import legend_of, parallel, scatter
from results.page.palette import COLOURS, Data, drawn_as, said_of
from results.page.smoothing import running_median
from results.picture_text import any_script, literal
from results.replays.comparison import compare
from results.replays.picture import figure_of
from results.store.frames import Results

DPI = 200
MOST_LANES = 40  # of slots that are named
_UNITS = ((3600, "hours"), (60, "minutes"), (1, "seconds"))


def write_pictures(results: Results, data: Data, folder: Path) -> list[str]:
    """Write each picture that there is something to draw for into a folder, which is made; their names.

    ``data`` are those of the campaign's page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in _PICTURES.items():
        figure = Figure(figsize=(8, 4.5), dpi=DPI, layout="constrained")
        if draw(figure, data):
            if data["part"] is not None and name in _OF_TRIALS:
                figure.suptitle(data["part"]["in_short"], fontsize="small")
            written.append(_write(figure, folder, name))
    if data["replay"] is not None:
        written.append(_write(figure_of(compare(results)), folder, "replay"))
    return written


def _write(figure: Figure, folder: Path, name: str) -> str:
    buffer = io.BytesIO()
    with any_script():
        figure.savefig(buffer, format="png")
    inside.write(folder, f"{name}.png", buffer.getvalue())
    return f"{name}.png"


def _alone(draw: Callable[[Axes, Data], bool]) -> Callable[[Figure, Data], bool]:
    """Give a picture of one pair of axes the whole figure."""
    return lambda figure, data: draw(figure.subplots(), data)


def _objective(data: Data) -> str:
    return literal(f"{data['objective']} ({data['unit']})" if data["unit"] else data["objective"])


def _progress(axes: Axes, data: Data) -> bool:
    way = data["progress"]
    if way is None or len(way["spent"]) < 2 or all(value is None for value in way["value"]):
        return False
    low, high = ([float("nan") if value is None else value for value in way[name]] for name in ("low", "high"))
    mean, best = ([float("nan") if value is None else value for value in way[name]] for name in ("random", "best"))
    drawn = axes.fill_between(way["spent"], low, high, step="post", color="#000000", alpha=0.08, linewidth=0)
    drawn.set_label("nine of ten random orders")
    axes.step(way["spent"], mean, where="post", color=COLOURS["soft"], linestyle="--", label="mean of random orders")
    axes.step(way["spent"], best, where="post", color=COLOURS["winner"], linewidth=2, label="best so far")
    axes.set(xlabel=way["label"], ylabel=_objective(data))
    axes.legend(frameon=False)
    return True


def _courses(figure: Figure, data: Data) -> bool:
    """Draw the objective of each trial at its reports, and beside it its training loss."""
    measures = data["curves"]["measures"]
    found = [one for name in (data["on_the_way"], "loss") for one in measures if one["name"] == name] or measures[:1]
    shown = {place for one in found for place in one["of"] if data["trials"]["stage"][place] == "search"}
    if not shown:
        return False
    figure.set_size_inches(5 + 5 * (len(found) - 1) if len(found) > 1 else 8, 4.5)
    for axes, measure in zip(figure.subplots(1, len(found), squeeze=False)[0], found, strict=True):
        _curves(axes, data, measure)
    rungs = (
        [Line2D([], [], color=COLOURS["soft"], linestyle="--", linewidth=0.8, label="rung")] if data["rungs"] else []
    )
    legend_of(figure, {drawn_as(data, place) for place in shown}, lines=True, more=rungs)
    return True


def _curves(axes: Axes, data: Data, measure: Data) -> None:
    searched = [place for place in measure["of"] if data["trials"]["stage"][place] == "search"]
    window = measure["window"]
    for place in sorted(searched, key=lambda p: drawn_as(data, p) in ("winner", "base")):
        axis, values = measure["of"][place]
        steps = data["curves"]["axes"][axis][0]
        known = [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]
        if not known:
            continue
        kind = drawn_as(data, place)
        xs, ys = zip(*known, strict=True)
        strong = kind in ("winner", "base")
        if window and strong:
            axes.plot(xs, ys, color=COLOURS[kind], linewidth=0.6, alpha=0.25)
        drawn = running_median(ys, window) if window else ys
        mark = "o" if len(known) < 2 else ""
        axes.plot(xs, drawn, color=COLOURS[kind], linewidth=2.0 if strong else 0.8, marker=mark, markersize=3)
    for rung in data["rungs"][:12]:
        axes.axvline(rung, color=COLOURS["soft"], linestyle="--", linewidth=0.8)
    unit = f" ({measure['unit']})" if measure["unit"] else ""
    smoothed = f", running median of {window} points" if window else ""
    axes.set(xlabel="steps", ylabel=literal(f"{measure['name']}{unit}{smoothed}"))


def _confirmation(axes: Axes, data: Data) -> bool:
    if not data["confirmations"]:
        return False
    last = data["confirmations"][-1]
    base = {seed: value for seed, _, value, _ in last["arms"][0]["runs"]}
    arms = last["arms"][1:]
    gaps = [0.0, *(arm[name] for arm in arms for name in ("low", "high") if arm.get(name) is not None)]
    room = (max(gaps) - min(gaps)) / 80
    for row, arm in enumerate(arms):
        pairs = [value - base[s] for s, _, value, _ in arm["runs"] if None not in (value, base.get(s))]
        axes.plot(
            pairs, [row + 0.16 + 0.1 * up for up in _apart(pairs, room)], "o", color=COLOURS["confirm"], markersize=4
        )
        colour = COLOURS["winner"] if arm.get("better") else COLOURS["soft"]
        if arm.get("low") is not None:
            axes.plot([arm["low"], arm["high"]], [row, row], color=colour, linewidth=2)
        if arm.get("difference") is not None:
            axes.plot([arm["difference"]], [row], "D", color=colour)
    axes.axvline(0, color="#000000", linewidth=1)
    axes.set_yticks(range(len(arms)), [f"trial {arm['trial']}" for arm in arms])
    axes.invert_yaxis()
    axes.set_xlabel(literal(f"{data['objective']} minus the base's, fresh seeds (left is better)"))
    known = {"winner" if arm.get("better") else "soft" for arm in arms if arm.get("difference") is not None}
    marks = [
        ("confirm", "o", "a pair of runs on one seed"),
        ("winner", "D", "mean and interval: better"),
        ("soft", "D", "mean and interval: not established"),
    ]
    _key(axes, [_mark(colour, said, shape) for colour, shape, said in marks if colour in {"confirm", *known}])
    return bool(arms)


def _apart(values: Sequence[float], room: float) -> list[int]:
    """Heights, in steps, at which no two of these values lie on one another."""
    taken: list[tuple[float, int]] = []
    for value in values:
        height = 0
        while any(abs(other - value) < room and up == height for other, up in taken):
            height += 1
        taken.append((value, height))
    return [height for _, height in taken]


def _mark(colour: str, said: str, shape: str, hollow: bool = False) -> Line2D:
    """A mark of a legend."""
    fill = "white" if hollow else COLOURS[colour]
    return Line2D(
        [], [], color=COLOURS[colour], marker=shape, markerfacecolor=fill, linestyle="", markersize=5, label=said
    )


def _key(axes: Axes, marks: Sequence[Artist]) -> None:
    """The legend above a picture."""
    axes.legend(handles=list(marks), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=8)


def _intervals(axes: Axes, rows: list[Data], label: str) -> bool:
    known = [row for row in rows if row["middle"] is not None][:24]
    for place, row in enumerate(known):
        colour = COLOURS[row["colour"]]
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.5)
        fill = "white" if row.get("shape") == "ring" else colour
        axes.plot([row["middle"]], [place], "o", color=colour, markerfacecolor=fill, markersize=4)
    axes.axvline(0, color="#000000", linewidth=0.8)
    axes.set_yticks(range(len(known)), [literal(row["name"]) for row in known], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(literal(label))
    return bool(known)


def _effects(axes: Axes, data: Data) -> bool:
    found = data["effects"]
    if found is None:
        return False
    marks: list[Artist] = []
    for colour, shape, said in found["meanings"]:
        if any(row["colour"] == colour and row["shape"] == shape for row in found["rows"]):
            marks.append(_mark(colour, said, "o", hollow=shape == "ring"))
    if found["noise"]:
        axes.axvspan(-found["noise"], found["noise"], color="#000000", alpha=0.08, linewidth=0)
        marks.append(Patch(color="#000000", alpha=0.08, label="what noise alone makes of a single run"))
    _key(axes, marks)
    return _intervals(axes, found["rows"], f"difference in {data['objective']} (left is better)")


def _importance(axes: Axes, data: Data) -> bool:
    found = data.get("importance")
    if found is None:
        return False
    said = {"winner": "these trials can tell", "soft": "they cannot tell"}
    known = {row["colour"] for row in found["rows"] if row["middle"] is not None}
    _key(axes, [_mark(colour, text, "o") for colour, text in said.items() if colour in known])
    return _intervals(axes, found["rows"], found["axis"])


def _slots(axes: Axes, data: Data) -> bool:
    slots = data["slots"]
    if slots is None or not slots["seconds"]:
        return False
    unit, name = next((one for one in _UNITS if slots["seconds"] >= one[0]), _UNITS[-1])
    training, setup = slots["parts"].index("training"), slots["parts"].index("set-up")
    kinds = set()
    for place, lane, start, end, parts in slots["bars"]:
        kind = drawn_as(data, place)
        kinds.add(kind)
        axes.barh(
            lane, (end - start) / unit, left=start / unit, height=0.8, color=COLOURS[kind], alpha=0.4, linewidth=0
        )
        begins = start + parts[setup]
        axes.barh(lane, parts[training] / unit, left=begins / unit, height=0.8, color=COLOURS[kind], linewidth=0)
        if end - start > slots["seconds"] / 45:
            number = str(data["trials"]["number"][place])
            axes.text((start + end) / 2 / unit, lane, number, ha="center", va="center", fontsize=6, color="white")
    lanes = slots["lanes"]
    if len(lanes) <= MOST_LANES:
        axes.set_yticks(range(len(lanes)), [literal(lane, 41) for lane in lanes], fontsize=7)
    axes.set(xlabel=f"{name} since the first start (dark is training, light is all else)")
    axes.invert_yaxis()
    marks = [Patch(color=COLOURS[kind], label=said_of(kind)) for kind in COLOURS if kind in kinds]
    axes.legend(
        handles=marks, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(marks), frameon=False, fontsize=8
    )
    return True


_PICTURES: dict[str, Callable[[Figure, Data], bool]] = {
    "progress": _alone(_progress),
    "curves": _courses,
    "confirmation": _alone(_confirmation),
    "effects": _alone(_effects),
    "importance": _alone(_importance),
    "parallel": parallel,
    "scatter": scatter,
    "slots": _alone(_slots),
}
_OF_TRIALS = ("progress", "curves", "parallel", "scatter", "slots")  # which a page may show a part of
