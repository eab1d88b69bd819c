"""A campaign decides for itself whether its steps are compiled, says why, and keeps what it did."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import ray

from tests.small_campaign import SET_SMALL, play_in_place_of_ray, work_in
from tuner.cli import compiling_text
from tuner.plan.compiling import Compiling
from tuner.run import main
from tuner.search_loop import Search

GOLF = ["--space", "parameter_golf", "--scale", "proxy", "--results", "runs", "--no-audit", *SET_SMALL]
CAMPAIGN = [*GOLF, "--data", "text [b]", "--no-confirm", "--trials", "2", "--name", "first"]


@pytest.fixture
def searches(tmp_path, monkeypatch, play) -> list[Search]:
    work_in(tmp_path, monkeypatch, "text [b]")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    found: list[Search] = []
    partial(play_in_place_of_ray, monkeypatch, play)(found.append)
    return found


def kept(*names: str) -> list[object]:
    record = json.loads(Path("runs/first/campaign.json").read_text())
    return [record[name] for name in names]


def test_without_a_gpu_nothing_is_compiled_and_nothing_said(searches, capsys) -> None:
    assert main(CAMPAIGN) == 0
    assert "compile:" not in capsys.readouterr().out
    assert searches[0].spec.compile is False and kept("compile", "compiled") == [None, False]


def test_the_choice_of_a_start_is_said_done_and_kept_and_the_next_one_makes_its_own(
    searches, capsys, monkeypatch
) -> None:
    seen = []

    def of_start(question, has_gpu, planning=None, rows=()):
        seen.append((has_gpu, planning, [row["status"] for row in rows]))
        return Compiling(not seen[1:], "as the test has it")

    monkeypatch.setattr(compiling_text.compiling, "of_start", of_start)
    assert main(CAMPAIGN) == 0
    assert "compile: as the test has it\n" in capsys.readouterr().out
    assert searches[0].spec.compile is True and kept("compile", "compiled") == [None, True]
    assert main(["--resume", "first", "--results", "runs", "--trials", "3"]) == 0
    assert searches[1].spec.compile is False and kept("compile", "compiled") == [None, False]
    assert seen == [(False, None, []), (False, None, ["completed", "completed"])]


def test_a_plan_for_a_gpu_says_what_its_campaign_would_do(searches, capsys) -> None:
    assert main([*GOLF, "--data", "text [b]", "--dry-run", "--device", "h100"]) == 0
    assert "compile: no: it saves " in capsys.readouterr().out
    assert main([*GOLF, "--data", "text [b]", "--dry-run", "--device", "h100", "--compile"]) == 0
    assert "compile: yes (--compile)\n" in capsys.readouterr().out


def test_blocks_that_are_asked_for_are_compiled_said_and_kept(searches, capsys) -> None:
    assert main([*CAMPAIGN, "--compile", "--compile-blocks"]) == 0
    assert "steps: each kind of block compiled once (--compile-blocks)\n" in capsys.readouterr().out
    assert kept("compiled", "compile_blocks") == [True, True]
    assert searches[0].spec.compile_blocks
    assert main(["--resume", "first", "--results", "runs", "--trials", "3", "--no-compile"]) == 2
    assert capsys.readouterr().err.endswith("give --compile too, or --no-compile-blocks\n")
    again = ["--resume", "first", "--results", "runs", "--trials", "3", "--no-compile", "--no-compile-blocks"]
    assert main(again) == 0
    assert kept("compiled", "compile_blocks") == [False, False]


@pytest.mark.parametrize("option", ["--cuda-graphs", "--flex-attention"])
def test_what_needs_a_gpu_is_refused_without_one_and_planned_for_one(option, searches, capsys) -> None:
    asked = [*GOLF, "--data", "text [b]", "--no-confirm", "--trials", "2", "--compile", option]
    assert main([*asked, "--name", "first"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"{option} needs a CUDA GPU, and none is here: leave it out" in said
    assert not Path("runs/first").exists()
    assert main([*asked, "--dry-run", "--device", "h100"]) == 0
    assert f"not measured on a GPU yet ({option})\n" in capsys.readouterr().out


def test_cuda_graphs_of_trials_that_checkpoint_are_refused(searches, capsys) -> None:
    asked = [*GOLF, "--data", "text [b]", "--cuda-graphs", "--checkpoint-activations", "--dry-run", "--device", "h100"]
    assert main(asked) == 2
    assert "--cuda-graphs is for small models" in capsys.readouterr().err
