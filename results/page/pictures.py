"""The page's pictures as PNG files, for a paper or an issue: drawn from its data, without pyplot or a display."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from storage import inside

DPI = 200
# Okabe and Ito's colours, as on the page.
COLOURS = {
    "completed": "#0072b2", "stopped": "#e69f00", "diverged": "#d55e00", "crashed": "#cc79a7", "running": "#56b4e9",
    "winner": "#009e73", "bad": "#d55e00", "soft": "#5b6470", "base": "#000000",
}  # fmt: skip
Data = dict[str, Any]


def write_pictures(data: Data, folder: Path) -> list[str]:
    """Write each picture that there is something to draw for into a folder, which is made; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in _PICTURES.items():
        figure = Figure(figsize=(8, 4.5), dpi=DPI, layout="constrained")
        if draw(figure.subplots(), data):
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png")
            inside.write(folder, f"{name}.png", buffer.getvalue())
            written.append(f"{name}.png")
    return written


def _literal(text: str) -> str:
    """Text that matplotlib shows as it is: a dollar begins no formula."""
    return text.replace("$", r"\$")


def _colour(data: Data, place: int) -> str:
    winner = data["winner"]
    if winner is not None and data["trials"]["number"][place] == winner["trial"]:
        return COLOURS["winner"]
    if data["trials"]["is_base"][place]:
        return COLOURS["base"]
    return COLOURS.get(data["statuses"][data["trials"]["status"][place]], COLOURS["soft"])


def _objective(data: Data) -> str:
    return _literal(f"{data['objective']} ({data['unit']})" if data["unit"] else data["objective"])


def _progress(axes: Axes, data: Data) -> bool:
    way = data["progress"]
    if way is None or len(way["spent"]) < 2:
        return False
    low, high = ([float("nan") if value is None else value for value in way[name]] for name in ("low", "high"))
    mean, best = ([float("nan") if value is None else value for value in way[name]] for name in ("random", "best"))
    axes.fill_between(way["spent"], low, high, color="#000000", alpha=0.08, label="nine of ten random orders")
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
    for place in sorted(searched, key=lambda p: _colour(data, p) in (COLOURS["winner"], COLOURS["base"])):
        axis, values = measure["of"][place]
        steps = data["curves"]["axes"][axis][0]
        known = [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]
        colour = _colour(data, place)
        width = 2.0 if colour in (COLOURS["winner"], COLOURS["base"]) else 0.8
        mark = "o" if len(known) < 2 else ""
        axes.plot(
            *zip(*known, strict=True), color=colour, linewidth=width, marker=mark, markersize=3
        ) if known else None
    for rung in data["rungs"][:12]:
        axes.axvline(rung, color=COLOURS["soft"], linestyle="--", linewidth=0.8)
    unit = f" ({measure['unit']})" if measure["unit"] else ""
    axes.set(xlabel="steps", ylabel=_literal(f"{measure['name']}{unit}"))
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
    axes.set_xlabel(_literal(f"{data['objective']} minus the base's, fresh seeds (left is better)"))
    return bool(arms)


def _intervals(axes: Axes, rows: list[Data], label: str) -> bool:
    known = [row for row in rows if row["middle"] is not None][:24]
    for place, row in enumerate(known):
        colour = COLOURS[row["colour"]]
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.5)
        axes.plot([row["middle"]], [place], "o", color=colour, markersize=4)
    axes.axvline(0, color="#000000", linewidth=0.8)
    axes.set_yticks(range(len(known)), [_literal(row["name"]) for row in known], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(_literal(label))
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


_PICTURES: dict[str, Callable[[Axes, Data], bool]] = {
    "progress": _progress,
    "curves": _curves,
    "confirmation": _confirmation,
    "effects": _effects,
    "importance": _importance,
}
