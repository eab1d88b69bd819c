"""The page's pictures as PNG files, for a paper or an issue: drawn from its data, without pyplot or a display."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from storage import inside

from results.page.knob_pictures import parallel, scatter
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
    band = {"color": "#000000", "alpha": 0.08, "linewidth": 0, "label": "nine of ten random orders"}
    axes.fill_between(way["spent"], low, high, step="post", **band)
    axes.step(way["spent"], mean, where="post", color=COLOURS["soft"], linestyle="--", label="mean of random orders")
    axes.step(way["spent"], best, where="post", color=COLOURS["winner"], linewidth=2, label="best so far")
    axes.set(xlabel=way["label"], ylabel=_objective(data))
    axes.legend(frameon=False)
    return True


def _curves(axes: Axes, data: Data) -> bool:
    measures = data["curves"]["measures"]
    measure = next((one for one in measures if one["name"] == "loss"), measures[0] if measures else None)
    if measure is None:
        return False
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
    return bool(searched)


def _confirmation(axes: Axes, data: Data) -> bool:
    if not data["confirmations"]:
        return False
    last = data["confirmations"][-1]
    base = {seed: value for seed, _, value, _ in last["arms"][0]["runs"]}
    arms = last["arms"][1:]
    for row, arm in enumerate(arms):
        pairs = [value - base[s] for s, _, value, _ in arm["runs"] if None not in (value, base.get(s))]
        axes.plot(pairs, [row + 0.18] * len(pairs), "o", color=COLOURS["completed"], markersize=4)
        colour = COLOURS["winner"] if arm.get("better") else COLOURS["soft"]
        if arm.get("low") is not None:
            axes.plot([arm["low"], arm["high"]], [row, row], color=colour, linewidth=2)
        if arm.get("difference") is not None:
            axes.plot([arm["difference"]], [row], "D", color=colour)
    axes.axvline(0, color="#000000", linewidth=1)
    axes.set_yticks(range(len(arms)), [f"trial {arm['trial']}" for arm in arms])
    axes.invert_yaxis()
    axes.set_xlabel(literal(f"{data['objective']} minus the base's, fresh seeds (left is better)"))
    return bool(arms)


def _intervals(axes: Axes, rows: list[Data], label: str) -> bool:
    known = [row for row in rows if row["middle"] is not None][:24]
    for place, row in enumerate(known):
        colour = COLOURS[row["colour"]]
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.5)
        axes.plot([row["middle"]], [place], "o", color=colour, markersize=4)
    axes.axvline(0, color="#000000", linewidth=0.8)
    axes.set_yticks(range(len(known)), [literal(row["name"]) for row in known], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(literal(label))
    return bool(known)


def _effects(axes: Axes, data: Data) -> bool:
    found = data["effects"]
    if found is None:
        return False
    if found["noise"]:
        axes.axvspan(-found["noise"], found["noise"], color="#000000", alpha=0.08)
    return _intervals(axes, found["rows"], f"difference in {data['objective']} (left is better)")


def _importance(axes: Axes, data: Data) -> bool:
    found = data.get("importance")
    return found is not None and _intervals(axes, found["rows"], found["axis"])


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
        axes.set_yticks(
            range(len(lanes)), [f"{literal(lane, 41)} {at + 1}" for at, lane in enumerate(lanes)], fontsize=7
        )
    axes.set(xlabel=f"{name} since the first start (dark is training, light is all else)")
    axes.invert_yaxis()
    marks = [Patch(color=COLOURS[kind], label=said_of(kind)) for kind in COLOURS if kind in kinds]
    axes.legend(
        handles=marks, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(marks), frameon=False, fontsize=8
    )
    return True


_PICTURES: dict[str, Callable[[Figure, Data], bool]] = {
    "progress": _alone(_progress),
    "curves": _alone(_curves),
    "confirmation": _alone(_confirmation),
    "effects": _alone(_effects),
    "importance": _alone(_importance),
    "parallel": parallel,
    "scatter": scatter,
    "slots": _alone(_slots),
}
