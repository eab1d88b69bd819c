"""The pictures of a campaign as PNG files: those that there is something to draw for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.made_up_campaign import make
from results import Store, load
from results.page.data import page_data
from results.page.knob_pictures import parallel, scatter
from results.report import main
from tests.results.conftest import START

RECORDED = Path(__file__).parents[3] / "results" / "recorded"


def test_each_picture_of_a_confirmed_search_is_written(tmp_path: Path, capsys: Any) -> None:
    folder = make(tmp_path / "made-up", 24, points=20)
    assert main([str(folder), "--no-page", "--png", str(tmp_path / "new" / "pictures")]) == 0
    found = sorted((tmp_path / "new" / "pictures").iterdir())
    drawn = {"progress", "curves", "confirmation", "effects", "importance", "parallel", "scatter", "slots"}
    assert {path.stem for path in found} == drawn
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in found)
    assert f"Pictures in {tmp_path / 'new' / 'pictures'}: progress.png, curves.png" in capsys.readouterr().out


def test_a_replay_has_its_record_beside_it(tmp_path: Path, capsys: Any) -> None:
    assert main([str(RECORDED / "ngpt"), "--no-page", "--png", str(tmp_path)]) == 0
    names = capsys.readouterr().out.splitlines()[-1].partition(": ")[2]
    assert names.endswith("replay.png") and "scatter.png" in names and "progress.png" not in names
    assert (tmp_path / "replay.png").stat().st_size > 20_000


def test_the_knobs_that_matter_are_drawn_on_their_own_axes(tmp_path: Path) -> None:
    folder = make(tmp_path / "made-up", 24, points=5)
    data = page_data(load(folder), folder)
    figure = Figure(layout="constrained")
    assert scatter(figure, data)
    labels = [panel.get_xlabel() for panel in figure.axes]
    assert labels == data["first_knobs"][: len(labels)] and len(labels) == 6
    rate = next(panel for panel in figure.axes if panel.get_xlabel().endswith("_lr"))
    assert rate.get_xscale() == "log" and rate.get_xlim()[0] < 0.001 and rate.get_xlim()[1] > 1
    figure = Figure(layout="constrained")
    assert parallel(figure, data)
    (axes,) = figure.axes
    searched = sum(stage == "search" for stage in data["trials"]["stage"])
    assert sum(len(line.get_xdata()) > 2 for line in axes.lines) == searched, "a line a trial"


def test_texts_of_a_campaign_are_no_formulas_and_need_no_font(tmp_path: Path, make_trial: Any) -> None:
    knobs = {"$x^{2$": "float64", "\u30c6\u30b9\u30c8": "string"}
    store = Store.create(tmp_path / "hostile", {"space": "$\\frac{$"}, knobs)
    plain = {name for name in make_trial(0, "completed") if "." in name or name == "schedule"}
    for number in range(3):
        row = {name: cell for name, cell in make_trial(number, "completed", 2.0 - number).items() if name not in plain}
        row |= {
            "$x^{2$": 0.1 * number,
            "\u30c6\u30b9\u30c8": "\u5909$_{" * (number + 1),
            "worker": f"$\\bad{{:{number}",
        }
        store.write_trial(row | {"wall_seconds": 5.0, "ended_at": START + timedelta(seconds=9 + number)})
    assert main([str(store.folder), "--no-page", "--png", str(tmp_path / "pictures")]) == 0
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} >= {"parallel", "scatter", "slots"}


def test_of_an_empty_campaign_nothing_is_drawn(store: Store, tmp_path: Path, capsys: Any) -> None:
    assert main([str(store.folder), "--no-page", "--png", str(tmp_path / "pictures")]) == 0
    assert "nothing to draw yet" in capsys.readouterr().out and list((tmp_path / "pictures").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(store: Store, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(store.folder), "--no-page", "--png", str(tmp_path / "file")]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and said.out == ""
