"""The picture of compared samplers, and in which part of the time ours has what another has at the end."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.surrogate import picture
from benchmarks.surrogate.compare import CURVE


def line(method: str, seed: int, curve, slots: int = 1) -> dict:
    return {"model": "trees", "method": method, "slots": slots, "seed": seed, "curve": curve}


FALLING = [4 - 0.01 * at for at in range(len(CURVE))]


def test_the_time_is_that_of_our_median_against_anothers_end() -> None:
    ours, other = np.array([FALLING] * 3), np.array([FALLING] * 3) + 0.2
    assert picture.time_to_match(ours, ours) == 1
    assert picture.time_to_match(ours, other) == CURVE[len(CURVE) - 21] / CURVE[-1]
    assert picture.time_to_match(other, ours) is None


def test_a_campaign_in_which_nothing_had_ended_at_first_has_no_point_there() -> None:
    late = [line("ours, gp", seed, [None, None, *FALLING[2:]]) for seed in range(4)]
    curves = picture.panels(late)[1, "trees"]["ours, gp"]
    assert np.isnan(curves[:, :2]).all() and np.isfinite(curves[:, 2:]).all()


def test_twelve_methods_are_told_apart_and_named_once(tmp_path, monkeypatch) -> None:
    figures, real = [], picture.plt.close
    monkeypatch.setattr(picture.plt, "close", figures.append)
    lines = [line(f"method {at}", seed, FALLING, slots) for at in range(12) for seed in range(4) for slots in (1, 8)]
    picture.draw(tmp_path / "made.png", lines, "method 0")
    (figure,) = figures
    (legend,) = figure.legends
    drawn = {(h.get_color(), h.get_linestyle()) for h in legend.legend_handles}
    real(figure)
    assert [text.get_text() for text in legend.get_texts()] == [f"method {at}" for at in range(12)] and len(drawn) == 12


def test_it_is_drawn_of_methods_with_several_campaigns_in_device_time(tmp_path, capsys) -> None:
    lines = [line(method, seed, FALLING) for method in ("ours, gp", "random") for seed in range(4)]
    lines += [line("alone", 0, FALLING), line("random", 9, None)]
    assert set(picture.panels(lines)[1, "trees"]) == {"ours, gp", "random"}
    (file := tmp_path / "lines.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert picture.main([str(file), "--picture", str(tmp_path / "made.png")]) == 0
    assert (tmp_path / "made.png").stat().st_size > 10_000
    assert "trees, 1 slot: ours, gp has what random has at the end in 100% of its time" in capsys.readouterr().out


def test_lines_without_four_campaigns_of_a_method_are_refused(tmp_path, capsys) -> None:
    (file := tmp_path / "lines.jsonl").write_text(json.dumps(line("random", 0, FALLING)) + "\n")
    assert picture.main([str(file), "--picture", str(tmp_path / "made.png")]) == 2
    assert "has no method with 4 campaigns in device time" in capsys.readouterr().err
