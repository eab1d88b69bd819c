"""Learning curves of single batches are smoothed, in the pictures as on the page; what is smooth is left alone."""

from __future__ import annotations

import math
from statistics import median

import pytest
from matplotlib.figure import Figure

from benchmarks.made_up_campaign import make
from results import load
from results.page.data import page_data
from results.page.pictures import _curves
from results.page.smoothing import running_median, window_of


@pytest.mark.parametrize(("points", "window"), [(0, 0), (19, 0), (20, 5), (100, 7), (240, 15), (256, 17), (500, 31)])
def test_a_window_is_odd_and_a_sixteenth_of_the_points(points: int, window: int) -> None:
    assert window_of(points) == window


def test_a_running_median_keeps_a_fall_and_drops_a_spike() -> None:
    falling = [float(10 - at) for at in range(10)]
    assert running_median(falling, 5)[2:-2].tolist() == falling[2:-2]
    assert running_median([1.0, 1.0, 9.0, 1.0, 1.0], 3).tolist() == [1.0] * 5
    assert running_median([1.0, None, 3.0], 3).tolist() == [1.0, 2.0, 3.0]
    assert math.isnan(running_median([None], 3)[0])


@pytest.mark.parametrize("window", [5, 7, 31])
def test_a_falling_curve_begins_and_ends_at_its_own_values(window: int) -> None:
    falling = [10.0 / (at + 1) for at in range(20)]
    assert running_median(falling, window).tolist() == falling, "a cut window lies below it"
    spiked = [5.0, 9.0, 4.0, 3.0, 2.0]
    assert running_median(spiked, 5).tolist() == [5.0, 5.0, 4.0, 3.0, 2.0]


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 1.0]])
def test_a_curve_shorter_than_its_window_is_kept(values: list[float]) -> None:
    assert running_median(values, 5).tolist() == values


def test_only_what_is_noisy_has_a_window(tmp_path) -> None:
    folder = make(tmp_path / "night", 24, points=100)
    windows = {one["name"]: one["window"] for one in page_data(load(folder), folder)["curves"]["measures"]}
    assert windows["loss"] == windows["gradient_norm"] == window_of(100) == 7
    assert windows["val_loss"] == 0 == windows["learning_rate.matrix"]


def test_the_picture_has_the_smoothed_curve_and_the_winners_own_behind_it(tmp_path) -> None:
    folder = make(tmp_path / "night", 24, points=100)
    data = page_data(load(folder), folder)
    figure = Figure()
    axes = figure.subplots()
    measure = next(one for one in data["curves"]["measures"] if one["name"] == "loss")
    _curves(axes, data, measure)
    assert axes.get_ylabel() == "loss (nats/token), running median of 7 points"
    place = data["trials"]["number"].index(data["winner"]["trial"])
    own = measure["of"][place][1]
    drawn = [line for line in axes.lines if len(line.get_ydata()) == len(own)]
    behind, thick = drawn[-2:]
    assert list(behind.get_ydata()) == own and behind.get_alpha() < 0.5
    assert thick.get_linewidth() == 2.0 and thick.get_ydata()[50] == median(own[47:54]) != own[50]
