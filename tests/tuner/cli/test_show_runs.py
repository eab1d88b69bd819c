from __future__ import annotations

import pytest

from search_spaces import load
from tuner.proposals.replay_plan import Replay, choose
from tuner.run import main

GOLF = ["--space", "parameter_golf", "--scale", "proxy"]


def test_a_recorded_run_is_shown_with_its_changes_and_its_cost(capsys):
    assert main([*GOLF, "--show", "H1"]) == 0
    out = capsys.readouterr().out
    assert "recorded: val_bpb 1.5207, 276 steps" in out
    from_base = out.split("changes from H6:" if "changes from H6:" in out else "changes from G1:")[1]
    assert "model.encoder_layers" in from_base.split("changes from BASE:")[0]
    assert "tokens, about" in out and "optimizer.matrix_lr" in out


def test_a_reading_that_differs_is_named(capsys):
    assert main([*GOLF, "--show", "C9"]) == 0
    assert "changes from B4: none" in capsys.readouterr().out
    assert main([*GOLF, "--show", "C9", "--reading", "as_logged"]) == 0
    assert "optimizer.embed_lr" in capsys.readouterr().out.split("changes from B4:")[1].split("changes from BASE")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--show", "H9"], "no recorded run 'H9'"),
        (["--show", "H1", "--reading", "as_rnu"], "did you mean 'as_run'"),
        (["--show", "P10-E2..E25"], "its config was never published"),
    ],
)
def test_a_run_that_cannot_be_shown_is_one_clear_line(capsys, arguments, message):
    assert main([*GOLF, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("wanted", "ids"), [("phase 18", None), ("H1,H2", ["H1", "H2"]), ("H?", None), ("bases", None)]
)
def test_show_takes_what_replay_takes_and_prints_several_in_a_line_each(capsys, wanted, ids):
    assert main([*GOLF, "--show", wanted]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    shown = [line.split()[0] for line in lines]
    space = load("parameter_golf")
    chosen = choose(space, Replay((wanted,), "as_run"))
    assert shown == [*chosen.seeds] or set(shown) == {*chosen.seeds, *chosen.left_out}
    assert len(shown) > 1 and f"{len(chosen.seeds)} recorded runs of 131" in head and (ids is None or shown == ids)


def test_a_row_that_stands_for_runs_that_never_were_is_told_apart_from_the_recorded_runs(capsys):
    assert main([*GOLF, "--show", "all"]) == 0
    head = capsys.readouterr().out.splitlines()[0]
    assert "131 recorded runs of 131, and 1 row without a published config" in head


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("quite unlike", "there are 131, from BASE to H6"),
        ("phase 99", "phases are 0, 1, 2"),
        ("H1 x3", "a number of seeds is for --replay"),
        ("H1,", "'H1,' has an empty name"),
        ("al", "did you mean 'all'"),
    ],
)
def test_what_names_no_recorded_run_is_one_short_line(capsys, wanted, message):
    assert main([*GOLF, "--show", wanted]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and len(error) < 400
