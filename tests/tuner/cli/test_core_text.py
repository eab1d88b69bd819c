"""What a plan says of CORE: which questions, whether they are here, and what its noise asks of a verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import search_spaces
from results.design import Design
from terminal.console import Console
from tests import made_up_core
from tuner.cli import core_text
from tuner.cli.core_text import noise_line, print_core
from tuner.question import ask
from tuner.spec import CampaignSpec


@pytest.fixture
def said(tmp_path: Path, monkeypatch, capsys) -> Callable[..., str]:
    monkeypatch.setenv("TUNER_CACHE", str(tmp_path))

    def run(overrides: dict[str, object], scale: str = "full", space: str = "nanochat", **asked: object) -> str:
        space = search_spaces.load(space)
        spec = CampaignSpec(space=space.name, scale=scale, overrides=overrides, **asked)  # type: ignore[arg-type]
        print_core(Console(), ask(space, spec))
        return capsys.readouterr().out.replace("\n", " ")

    return run


def test_nothing_is_said_where_nothing_is_asked(said) -> None:
    assert said({}) == ""


def test_the_questions_and_the_noise_are_said(said, tmp_path: Path) -> None:
    few = said({"evaluation.core.max_per_task": 50})
    assert "the first 50 questions of each task: not the published CORE, which is of all their questions; " in few
    assert "downloaded first" in few and "noise of CORE" not in few, "no verdict is on it"
    for asked in ({"objective": "core_error"}, {"constraints": ("core>=0.2565",)}):
        line = said({"evaluation.core": "Core"}, **asked)
        assert "of all questions, as published; " in line and "downloaded first" in line
        assert "SD 0.0052 over seven runs of one recipe of this size in nanochat's log; seeds that a difference" in line
        assert "takes: 19 for 0.005, 7 for 0.01" in line and "the 30 of this confirmation find 0.00389" in line


def test_questions_that_are_here_are_counted_and_not_called_the_published_ones(said, tmp_path, monkeypatch) -> None:
    made_up_core.write(tmp_path / "downloads")
    line = said(WHOLE, objective="core_error")
    unlike = "not the published CORE, which is of 22 tasks; its time"
    assert f"of all 54 questions of the 6 tasks on this machine: {unlike}" in line and "downloaded" not in line
    assert "not known of these runs" in line, "the published noise is of the published questions"
    few = said(WHOLE | {"evaluation.core.max_per_task": 4})
    assert "the first 4 questions of each of the 6 tasks on this machine, 24 questions in all: not the pub" in few
    assert "which is of 22 tasks and of all their questions; " in few
    monkeypatch.setattr(core_text, "PUBLISHED_TASKS", 6)
    whole = said(WHOLE, objective="core_error")
    assert "of all 54 questions of the 6 tasks on this machine; its time" in whole and "seeds that a diff" in whole


WHOLE = {"evaluation.core": "Core", "data.source": "nanochat"}  # the data are the scale's own


@pytest.mark.parametrize(
    ("overrides", "where", "known"),
    [
        (WHOLE, {}, True),
        (WHOLE | {"optimizer.matrix_lr": 0.03}, {}, True),
        (WHOLE | {"data.grad_accum_steps": 4, "loss_chunks": 8}, {}, True),
        (WHOLE, {"scale": "proxy"}, False),
        ({"evaluation.core": "Core"}, {"space": "parameter_golf"}, False),
        (WHOLE | {"evaluation.core.max_per_task": 5}, {}, False),
        (WHOLE | {"model.num_layers": 12}, {}, False),
        (WHOLE | {"budget.param_data_ratio": 1.0}, {}, False),
        (WHOLE | {"data.source": "stdlib"}, {}, False),
    ],
)
def test_the_published_noise_is_said_only_of_runs_that_it_holds_for(said, overrides, where, known) -> None:
    line = said(overrides, objective="core_error", **where)
    assert ("seeds that a difference takes" in line) is known
    assert (
        "not known of these runs (0.0052, the SD over seven runs in nanochat's log, is of its full" in line
    ) is not known
    assert ("; the confirmation measures it" in line) is not known


def test_a_plan_without_a_confirmation_has_no_seeds_of_one() -> None:
    assert "this confirmation" not in noise_line(None, True)
    assert "the 5 of this confirmation" in noise_line(Design.parse("2x3..5"), True)
    assert "a confirmation on fresh seeds (--confirm) measures it" in noise_line(None, False)
