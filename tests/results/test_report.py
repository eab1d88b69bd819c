"""What the report shows, on a narrow plain output and on a terminal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import results
from results import Store, load
from results.ending import print_where
from results.report import main, print_leaderboard
from terminal.console import Console
from terminal.short import short
from tests.results.conftest import KNOBS
from tuner import status

Row = dict[str, Any]


def _leaderboard(folder: Path, width: int = 80, top: int = 10, terminal: bool = False) -> str:
    file = io.StringIO()
    print_leaderboard(Console(file=file, width=width, force_terminal=terminal), load(folder), top)
    return file.getvalue()


def test_the_leaderboard_is_plain_text_that_fits_80_columns(campaign: Path) -> None:
    text = _leaderboard(campaign)
    assert text.isascii() and "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    head, *rows = text.splitlines()[1:8]
    assert head.split()[:3] == ["rank", "trial", "val_bpb"]
    assert rows[0].split()[:5] == ["1", "1", "1.8423", "-0.0312", "completed"]
    assert rows[1].split()[:5] == ["2", "0", "1.8735", "-", "completed"]
    assert "(the base config)" in rows[1]
    assert rows[3].split()[:6] == ["-", "6", "1.9300", "-", "stopped", "@80"]


def test_a_column_of_the_leaderboard_has_one_number_of_digits(store: Store, make_trial: Callable[..., Row]) -> None:
    for number, value in enumerate((1.8735, 1.87354, 1.5)):
        store.write_trial(
            make_trial(number, "completed", value, {"optimizer.matrix_lr": 0.1 + number} if number else {})
        )
    rows = [line.split()[:4] for line in _leaderboard(store.folder).splitlines()[2:5]]
    assert rows == [["1", "2", "1.5000", "-0.37350"], ["2", "0", "1.8735", "-"], ["3", "1", "1.8735", "+0.00004"]]


def test_a_terminal_shows_the_same_words_with_colour(campaign: Path) -> None:
    coloured = _leaderboard(campaign, width=120, terminal=True)
    assert "\x1b[" in coloured and "(the base config)" in coloured


def test_changes_that_do_not_fit_are_counted(campaign: Path) -> None:
    assert "optimizer.matrix_lr=0.0612 +2\n" in _leaderboard(campaign, width=80)
    assert "optimizer.matrix_lr=0.0612 schedule=Cosine model.tied=false\n" in _leaderboard(campaign, width=120)


def test_all_changes_of_the_winner_are_listed_beside_the_base(campaign: Path) -> None:
    winner = _leaderboard(campaign).partition("Best: ")[2].splitlines()
    assert winner[0] == "trial 1, val_bpb 1.8423 (-0.0312 vs base), with"
    assert [line.split() for line in winner[1:]] == [
        ["optimizer.matrix_lr", "0.0612", "(base:", "0.04)"],
        ["schedule", "Cosine", "(base:", "Warmdown)"],
        ["model.tied", "false", "(base:", "true)"],
    ]


@pytest.mark.parametrize("status", ["interrupted", "diverged", "crashed", "running"])
def test_a_value_on_the_way_is_shown_with_its_step(store: Store, make_trial: Callable[..., Row], status: str) -> None:
    row = make_trial(0, status, 2.5)
    store.write_trial(row)
    for step, value in ((60, 2.9), (130, 2.5), (140, None)):
        at = {"key": row["key"], "attempt": 1, "step": step, "at": row["started_at"]}
        store.append_report({**at, "val_bpb": value})
    text = _leaderboard(store.folder)
    assert f"2.5000 - {status} @130 (the base config)" in " ".join(text.split())
    assert f"{status} @N: the value is of step N, on the way." in text


def test_a_change_of_the_winner_that_does_nothing_is_marked(store: Store, make_trial: Callable[..., Row]) -> None:
    changes = {"schedule": "Cosine", "optimizer.matrix_lr": 0.06}
    for number, given in enumerate(({}, changes)):
        idle = json.dumps([path for path in given if path.endswith("lr")])
        row = make_trial(number, "completed", 2.0 - number, given, is_base=not number, inert=idle)
        store.write_trial(row)
    winner = _leaderboard(store.folder).partition("Best: ")[2].splitlines()
    assert [line.endswith("changes nothing here") for line in winner[1:3]] == [False, True]


def test_the_base_is_shown_below_the_top(campaign: Path) -> None:
    text = _leaderboard(campaign, top=1)
    assert "(the base config)" in text and "4 more finished or stopped trials are not shown." in text


def test_differences_are_said_to_be_of_one_seed(campaign: Path) -> None:
    assert "single runs of one seed: not yet a finding" in _leaderboard(campaign)


def test_nothing_is_said_of_differences_where_the_base_alone_has_ended(
    store: Store, make_trial: Callable[..., Row]
) -> None:
    store.write_trial(make_trial(0, "completed", 1.9))
    said = _leaderboard(store.folder)
    assert "1.9000" in said and "difference" not in said and "nothing to compare with" not in said


def test_a_replay_names_its_recorded_runs_and_their_seeds(store: Store, make_trial: Callable[..., Row]) -> None:
    for number, (name, value) in enumerate((("BASE", 2.0), ("H1", 1.5))):
        changes = {"optimizer.matrix_lr": 0.1} if number else {}
        row = make_trial(number, "completed", value, changes, seed=7, is_base=not number, recorded_id=name)
        store.write_trial(row)
    text = _leaderboard(store.folder)
    assert "H1 (seed 7): optimizer.matrix_lr=0.1" in text and "BASE (seed 7): (the base config)" in text
    assert "Best: trial 1, H1 (seed 7), val_bpb 1.5000" in text
    assert "results.compare" in text and "single runs of one seed" not in text


def test_of_two_objectives_the_changes_of_others_of_the_front_are_listed_too_and_more_are_counted(
    tmp_path: Path, make_trial: Callable[..., Row]
) -> None:
    about = {"space": "parameter_golf", "scale": "proxy", "objectives": ["val_bpb", "train_seconds"], "data": "made-up"}
    store = Store.create(tmp_path / "two", about, KNOBS)
    for number in range(6):
        changes = {"optimizer.matrix_lr": number / 10} if number else {}
        row = make_trial(number, "completed", 1.5 - number / 10, changes, is_base=not number)
        store.write_trial({**row, "train_seconds": 10.0 + number})
    text = _leaderboard(store.folder)
    assert "On the front: trial 4, val_bpb 1.1000 (-0.4000 vs base), train_seconds=14, with\n  optimizer." in text
    assert text.count("On the front: ") == 3
    command = f"python -m results.report {store.folder} --csv FOLDER"
    assert f"2 more trials of the front, with changes in FOLDER/pareto.csv: {command}\n" in text


def test_of_two_objectives_no_trial_is_called_the_best(tmp_path: Path, make_trial: Callable[..., Row]) -> None:
    about = {"space": "parameter_golf", "scale": "proxy", "objectives": ["val_bpb", "train_seconds"]}
    store = Store.create(tmp_path / "two", about, KNOBS)
    for number, value in enumerate((1.5, 1.4)):
        changes = {"optimizer.matrix_lr": 0.1} if number else {}
        store.write_trial(make_trial(number, "completed", value, changes, is_base=not number))
    text, stands = _leaderboard(store.folder), status.status(store.folder, datetime.now(UTC))
    assert "Lowest val_bpb: trial 1, val_bpb 1.4000 (-0.1000 vs base), train_seconds=10, with" in text
    assert "Best" not in text
    assert "lowest value: trial 1, val_bpb 1.4000" in stands and not any(line.startswith("best") for line in stands)


def test_a_base_that_leads_is_named_as_the_best(store: Store, make_trial: Callable[..., Row]) -> None:
    store.write_trial(make_trial(0, "completed", 1.5))
    assert "Best: the base config itself, val_bpb 1.5000." in _leaderboard(store.folder)


def test_a_campaign_without_a_finished_base_says_so(store: Store, make_trial: Callable[..., Row]) -> None:
    store.write_trial(make_trial(0, "crashed"))
    store.write_trial(make_trial(1, "completed", 1.5, {"schedule": "[red]Cosine[/red]"}))
    text = _leaderboard(store.folder)
    assert "No base trial has completed" in text and "vs base)" not in text
    assert "schedule=[red]Cosine[/red]" in text, "values are not markup"


def test_a_campaign_before_its_first_trial_says_so(store: Store) -> None:
    assert _leaderboard(store.folder) == "no trial has started yet\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.061234, "0.0612"),
        (1e-8, "1e-08"),
        (1e9, "1e+09"),
        (1024.0, "1024"),
        (1234567, "1234567"),
        (True, "true"),
        (None, "null"),
        ("Cosine", "Cosine"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_values_are_shown_in_few_characters(value: Any, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("rung", "text"),
    [(80, "@80"), (99_999, "@99999"), (1_048_576, "@1.05M"), (500_000, "@500k"), (0.01333, "@0.01333")],
)
def test_large_rungs_are_shortened(store: Store, make_trial: Callable[..., Row], rung: float, text: str) -> None:
    store.write_trial(make_trial(1, "stopped", 2.0, {"schedule": "Cosine"}, rung=rung))
    assert f"stopped {text}  " in _leaderboard(store.folder)


def test_the_lines_of_pandas_that_are_shown_work(campaign: Path) -> None:
    file = io.StringIO()
    print_where(Console(file=file, width=20), campaign)
    lines = [line for line in file.getvalue().splitlines() if "read_parquet" in line]
    found: Row = {"pandas": pd}
    exec("\n".join(lines), found)
    assert (len(found["trials"]), len(found["reports"])) == (8, 16)


def test_the_command_prints_a_running_campaign(campaign: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "results.report", str(campaign), "--top", "3"]
    done = subprocess.run(command, cwd=Path(results.__file__).parents[1], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("8 trials: 1 running, 3 completed") and "read_parquet" in done.stdout


def test_the_command_answers_a_bad_folder_with_one_line(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(campaign.parent / "made-pu")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and "did you mean 'made-up'?" in printed.err


def test_the_command_refuses_a_leaderboard_of_no_rows(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(campaign), "--top", "0"])
    assert caught.value.code == 2 and "at least 1" in capsys.readouterr().err
