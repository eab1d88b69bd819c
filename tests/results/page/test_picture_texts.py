"""Ticks, legends and marks of the PNG files: what is drawn is named, and nothing lies on top of something else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.made_up_campaign import make
from results import load
from results.page import pictures
from results.page.data import page_data
from results.page.knob_pictures import parallel, scatter
from results.page.palette import COLOURS, Data
from results.page.slots import _names


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The data of the page of a made-up search with a confirmation; a knob has long categories."""
    folder = make(tmp_path_factory.mktemp("made-up") / "night", 24, 20)
    return page_data(load(folder), folder)


def _drawn(draw: Callable[[Figure, Data], bool], data: Data) -> Figure:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    assert draw(figure, data)
    figure.canvas.draw()
    return figure


def _said(legend: Any) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def _overlap(texts: list[Any]) -> list[str]:
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [f"{a} on {b}" for (a, one), (b, other) in pairwise(boxes) if one.overlaps(other)]


@pytest.mark.parametrize(("low", "high"), [(5.0, 60.0), (0.001, 1.0), (8, 9), (1e-6, 10.0)])
def test_no_tick_of_a_logarithmic_knob_lies_on_another(data: Data, low: float, high: float) -> None:
    places = len(data["trials"]["number"])
    values = [low + (high - low) * place / places for place in range(places)]
    knob = {"path": "model.logit_softcap", "kind": "number", "log": True, "low": low, "high": high, "values": values}
    figure = _drawn(scatter, {**data, "knobs": [knob] * 6, "first_knobs": None})
    for panel in figure.axes:
        assert 2 <= len(panel.get_xticklabels()) <= 6 and not panel.get_xticklabels(minor=True)
        assert _overlap(panel.get_xticklabels()) == []


def test_long_categories_are_turned_and_short_ones_not(data: Data) -> None:
    places = len(data["trials"]["number"])
    labels = {"long": ["Cosine", "Tidal", "Breathing", "Warmdown", "Constant"], "short": ["True", "False"]}
    knobs = [
        {"path": name, "kind": "category", "labels": known, "values": [at % len(known) for at in range(places)]}
        for name, known in labels.items()
    ]
    long, short = _drawn(scatter, {**data, "knobs": knobs, "first_knobs": None}).axes
    assert {label.get_rotation() for label in long.get_xticklabels()} == {30.0}
    assert {label.get_rotation() for label in short.get_xticklabels()} == {0.0}


def test_trials_above_the_picture_of_the_knobs_are_counted(data: Data) -> None:
    trials = data["trials"]
    searched = [place for place, stage in enumerate(trials["stage"]) if stage == "search"]
    near = list(trials["value"])
    for number, place in enumerate(searched):
        near[place] = 2.0 + 0.01 * number
    far = list(near)
    far[searched[-1]] = far[searched[-2]] = 9.0

    def said(values: list[Any]) -> str:
        figure = _drawn(scatter, {**data, "trials": {**trials, "value": values}})
        return figure.get_supxlabel()

    assert said(near) == "" and said(far) == "2 trials lie above the picture, as high as 9.0000."


def test_effects_have_their_rings_and_a_legend(data: Data) -> None:
    axes = _drawn(pictures._PICTURES["effects"], data).axes[0]
    rows = [row for row in data["effects"]["rows"] if row["middle"] is not None][:24]
    marks = [line for line in axes.lines if line.get_marker() == "o"]
    hollow = [line.get_markerfacecolor() == "white" for line in marks]
    assert hollow == [row["shape"] == "ring" for row in rows] and True in hollow and False in hollow
    said = _said(axes.get_legend())
    assert said[-1] == "what noise alone makes of a single run" and "stands out, one run only" in said


def test_curves_are_the_objective_and_the_loss_with_a_legend(data: Data) -> None:
    figure = _drawn(pictures._PICTURES["curves"], data)
    assert [axes.get_ylabel().partition(" ")[0] for axes in figure.axes] == [data["objective"], "loss"]
    assert {"completed", "stopped", "winner", "base", "rung"} <= set(_said(figure.legends[0]))


def test_importance_says_what_its_colours_mean(data: Data) -> None:
    said = _said(_drawn(pictures._PICTURES["importance"], data).axes[0].get_legend())
    assert set(said) <= {"these trials can tell", "they cannot tell"} and said


def test_pairs_that_coincide_are_drawn_beside_one_another(data: Data) -> None:
    assert pictures._apart([0.1, 0.1, 0.1001, 0.5], 0.01) == [0, 1, 2, 0]
    assert pictures._apart([0.1, 0.2, 0.3], 0.01) == [0, 0, 0]
    last = data["confirmations"][-1]
    runs = [
        [[seed, number, 2.0 if arm else 3.0, "completed"] for seed, number, *_ in one["runs"]]
        for arm, one in enumerate(last["arms"])
    ]
    arms = [{**one, "runs": its} for one, its in zip(last["arms"], runs, strict=True)]
    axes = _drawn(pictures._PICTURES["confirmation"], {**data, "confirmations": [{**last, "arms": arms}]}).axes[0]
    pairs = next(line for line in axes.lines if line.get_color() == COLOURS["confirm"])
    assert len(set(pairs.get_ydata())) == len(arms[1]["runs"]) == 3
    assert _said(axes.get_legend())[0] == "a pair of runs on one seed"


def test_the_axis_of_the_result_ends_at_values_and_says_whose(data: Data) -> None:
    axes = _drawn(parallel, data).axes[0]
    said = [text.get_text() for text in axes.texts]
    searched = [place for place, stage in enumerate(data["trials"]["stage"]) if stage == "search"]
    known = [
        data["trials"]["value"][p] if data["trials"]["value"][p] is not None else data["trials"]["last"][p]
        for p in searched
    ]
    assert f"{min(value for value in known if value is not None):.4g}" in said
    assert any("without a value at the end stands at its last one" in text for text in said)


def test_lanes_have_the_same_names_on_the_page_and_in_the_picture(data: Data) -> None:
    assert _names(["vm", "vm"]) == ["slot 1", "slot 2"] and _names(["a", "b", "a"]) == ["a 1", "b 1", "a 2"]
    axes = _drawn(pictures._PICTURES["slots"], data).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == data["slots"]["lanes"]
