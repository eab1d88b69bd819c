from __future__ import annotations

import pytest

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
